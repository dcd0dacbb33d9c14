"""`quillon model pull` as a process: what a person and an editor see, and how it is stopped."""

import resource
import signal
import time

import pytest

from quillon.engine.catalogue import RECOMMENDED
from quillon_testing.file_server import hub
from quillon_testing.gguf_files import CHAT_MODEL, SMALL_MODEL, gguf_bytes

MODEL = RECOMMENDED[0]
NAME = MODEL.name


@pytest.fixture
def server(monkeypatch, tmp_path):
    with hub(monkeypatch) as running:
        running.offer(MODEL.repo, MODEL.file, SMALL_MODEL)
        monkeypatch.setenv("QUILLON_MODELS", str(tmp_path / "models"))
        yield running


def test_a_model_is_pulled_listed_and_used(server, quillon, tmp_path):
    place = MODEL.path(tmp_path / "models")
    done = quillon("model", "pull", NAME)
    assert done.status == 0, done.err
    assert done.out.splitlines() == [
        f"It is in {place}",
        f'Use it: set model.path to "{NAME}" in your editor, or QUILLON_MODEL={NAME}',
    ]
    assert quillon("model", "path", "-m", NAME).out.strip() == str(place)
    listed = quillon("model", "list", "--recommended", "--json").lines
    assert [line["name"] for line in listed if line["pulled"]] == [NAME]
    again = quillon("model", "pull", NAME)
    assert again.out.startswith(f"It was already in {place}")


def test_an_editor_reads_lines_of_json(server, quillon, tmp_path):
    done = quillon("model", "pull", NAME, "--json")
    assert done.status == 0
    assert [line["event"] for line in done.lines[:2]] == ["found", "progress"]
    assert {line["event"] for line in done.lines} == {"found", "progress", "checking", "pulled"}
    found, last = done.lines[0], done.lines[-1]
    assert (found["size"], found["have"]) == (len(SMALL_MODEL), 0)
    assert last["path"] == str(MODEL.path(tmp_path / "models"))
    assert last["setting"] == NAME


def test_an_error_is_a_line_of_json_too(server, quillon):
    done = quillon("model", "pull", "nonsense", "--json")
    assert done.status == 1
    assert done.lines[0]["error"].startswith("There is no recommended model 'nonsense'.")


@pytest.mark.parametrize(("sent", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_stopped_it_goes_on_from_there(server, quillon, tmp_path, sent, status):
    server.stall_after = 200_000
    process = quillon.start("model", "pull", NAME)
    with process:
        assert server.stalled.wait(60)
        # What was sent is received once the part has a whole number of pieces.
        part = tmp_path / "models" / ".pull"
        wait_for_bytes(part, 196_608, process)
        process.send_signal(sent)
        _, err = process.communicate(timeout=60)
    assert process.returncode == status, err
    assert b"Traceback" not in err
    assert b"What came is kept: the same command goes on from there." in err
    server.stall_after = None
    done = quillon("model", "pull", NAME)
    assert done.status == 0, done.err
    assert "196.6 kB are there already" in done.err
    assert server.headers_of("GET")[-1]["range"] == "bytes=196608-"
    assert MODEL.path(tmp_path / "models").read_bytes() == SMALL_MODEL


def wait_for_bytes(folder, wanted, process):
    """Wait until the part of a download has grown to so many bytes."""
    deadline = time.monotonic() + 60
    while sum(path.stat().st_size for path in folder.glob("*.part")) < wanted:
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_disk_that_takes_no_more_is_a_sentence(server, quillon):
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    done = quillon("model", "pull", NAME, preexec_fn=limit)
    assert done.status == 1
    assert "Traceback" not in done.err
    assert "cannot be written: File too large" in done.err
    assert "what was received is kept" in done.err


def test_what_cannot_be_used_says_so(server, quillon):
    metadata = {**CHAT_MODEL, "general.architecture": "bert"}
    server.files["/words.gguf"] = gguf_bytes(metadata)
    done = quillon("model", "pull", f"{server.url}/words.gguf")
    assert done.status == 1
    assert "Traceback" not in done.err
    assert "is an embedding model (bert), and a text model is needed" in done.err


def test_no_other_command_reaches_the_network(server, quillon):
    quillon("model", "list", "-m", NAME)
    assert "quillon model pull" in quillon("complete", "shop/cart.py:1:1", "-m", NAME).err
    assert server.asked == []
