"""Commands that were called wrongly, or with what is not there: a sentence and a status."""

import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from quillon import __version__

COMMANDS = (
    "lsp",
    "chat",
    "complete",
    "explain",
    "doctor",
    "demo",
    "model",
    "model list",
    "model path",
    "model pull",
    "audit",
    "eval",
    "engine",
    "engine status",
    "engine stop",
    "engine run",
    "mcp",
)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(here, command):
    ended = here(*command.split(), "--help")
    assert ended.status == 0
    assert "usage" in ended.out.lower()
    assert ended.err == ""


def test_a_window_of_unknown_width_shows_everything(quillon):
    assert "qwen3-4b" in quillon("model", "list", over={"COLUMNS": "0"}).out


def test_a_narrow_window_cuts_no_name_of_an_option(quillon):
    said = quillon("eval", "--help", over={"COLUMNS": "40"}).out
    assert max(map(len, said.splitlines())) <= 40
    assert "…" not in said
    for option in ("--remote-model", "--dialogues", "--packages", "--markdown", "--compare A B"):
        assert option in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "Usage"),
        (("frobnicate",), "No such command 'frobnicate'"),
        (("chat", "--nope"), "No such option: --nope"),
        (("complete",), "Missing argument 'FILE:LINE:COL'"),
        (("lsp", "--nope"), "unrecognized arguments: --nope"),
        (("lsp", "--settings", "{bad"), "not JSON"),
        (("lsp", "--settings", "[" * 60_000), "not JSON: maximum recursion depth"),
        (("lsp", "--settings", "[]"), "expected a JSON object"),
        (("lsp", "--log-level", "loud"), "invalid choice"),
        (("complete", "shop/cart.py"), "names no place. Write FILE:LINE:COL"),
        (("complete", "shop/cart.py:3"), "names no place. Write FILE:LINE:COL"),
        (("explain", "shop/cart.py"), "names no place. Write FILE:LINE, counted from 1"),
        (("complete", f"shop/cart.py:{'1' * 5000}:1"), "names no place"),
        (("explain", "shop/cart.py:0"), "counted from 1"),
        (("chat", "-p", "  \n"), "The question is empty"),
        (("model", "pull", "qwen3-4b", "--sha256", "12"), "checksum: that has 64 hexadecimal"),
    ],
)
def test_a_wrong_call_ends_with_status_2(here, words, said):
    ended = here(*words)
    assert ended.status == 2
    assert said in ended.out + ended.err
    assert "Traceback" not in ended.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("complete", "missing.py:1:1"), "file not found: missing.py"),
        (("explain", "missing.py:1"), "file not found: missing.py"),
        (("explain", "shop:1"), "shop is a folder"),
        (("explain", "../outside/x.py:1"), "file not found: x.py"),
        (("explain", "..:1"), ".. is a folder, and a file is needed"),
        (("explain", "new\nline.py:1"), "which cannot be seen"),
        (("explain", "shop/prices.py:9999"), "there is no line 9999"),
        (("complete", "shop/prices.py:16:99"), "has 30 characters; there is no column 99"),
        (("chat", "-p", "hi", "-C", "missing"), "missing is no folder"),
        (("chat", "-p", "hi", "-m", "missing.gguf"), "There is no model file at"),
        (("chat", "-p", "hi", "-m", "shop"), "is a folder, and a GGUF file is needed"),
        (("chat", "-p", "hi", "-m", "README.md"), "a GGUF file of a text model"),
        (("explain", "shop/prices.py:3", "-m", "missing.gguf"), "There is no model file at"),
        (("engine", "run", "-m", "missing.gguf"), "There is no model file at"),
        (("demo", "-m", "missing.gguf"), "There is no model file at"),
        (("demo", "--svg", "nowhere/x.svg"), "nowhere/x.svg cannot be written"),
    ],
)
def test_what_is_missing_ends_with_status_1_and_one_sentence(here, words, said):
    ended = here(*words)
    assert ended.status == 1
    assert said in ended.sentence
    assert ended.out == ""


def test_the_path_of_a_model_that_is_missing(here, tmp_path):
    ended = here("model", "path", "-m", str(tmp_path / "missing.gguf"))
    assert ended.status == 1
    assert ended.out == f"{tmp_path / 'missing.gguf'}\n"
    assert "There is no model file at" in ended.err


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("picture.py", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "picture.py"),
        ("huge.py", b"x = 1\n" * 4_000_000, "huge.py"),
        ("pipe.py", None, "pipe.py"),
    ],
)
@pytest.mark.parametrize("command", ["complete", "explain"])
def test_a_file_that_is_no_text_is_told(quillon, project, command, name, content, said):
    path = project / name
    if content is None:
        os.mkfifo(path)
    else:
        path.write_bytes(content)
    ended = quillon(command, f"{name}:1:1" if command == "complete" else f"{name}:1")
    assert (ended.status, ended.out) == (1, "")
    assert said in ended.sentence


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (("complete", "nothing", "--json"), 2),
        (("explain", "missing.py:1", "--json"), 1),
        (("explain", "shop/prices.py:9999", "--json"), 1),
        (("chat", "-p", "hi", "-C", "missing", "--json"), 1),
        (("chat", "-p", "hi", "-m", "missing.gguf", "--json"), 1),
        (("chat", "-p", "", "--json"), 2),
    ],
)
def test_scripts_get_the_error_as_json_too(here, words, status):
    ended = here(*words)
    assert ended.status == status
    (line,) = ended.lines
    assert line == {"error": ended.sentence}


def test_a_runtime_directory_that_cannot_be_made(here, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("QUILLON_RUNTIME_DIR", str(tmp_path / "file" / "run"))
    for words in (("chat", "-p", "hi"), ("engine", "status"), ("explain", "shop/prices.py:16")):
        ended = here(*words)
        assert ended.status == 1
        assert "set QUILLON_RUNTIME_DIR to a directory of your own" in ended.sentence


def test_a_state_directory_that_cannot_be_made(quillon, tmp_path):
    (tmp_path / "file").write_text("")
    over = {"QUILLON_STATE_DIR": str(tmp_path / "file" / "state")}
    ended = quillon("chat", "-p", "where is price_of defined?", over=over)
    assert ended.status == 0
    assert ended.err.count("the audit log was not written: ") == 1
    assert "Traceback" not in ended.err


def test_names_that_are_not_unicode(quillon):
    over = {"PYTHONIOENCODING": "ascii:strict"}
    listed = quillon("model", "list", "--json", "-m", b"caf\xe9.gguf", over=over)
    assert listed.status == 1
    assert listed.lines[0]["name"] == "caf\udce9"
    listed = quillon("model", "list", "-m", b"caf\xe9.gguf", over=over)
    assert listed.status == 1
    assert "There is no model file at" in listed.out
    assert "Traceback" not in listed.err
    assert "caf" in quillon("explain", b"caf\xe9.py:1").sentence


@pytest.mark.parametrize(
    "words",
    [
        ("--version",),
        ("--help",),
        ("eval", "--help"),
        ("model", "list"),
        ("model", "list", "--json"),
        ("explain", "x:1", "--json"),
    ],
)
def test_a_reader_that_leaves(quillon, words):
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as pipe:
        ended = quillon(*words, stdout=pipe)
    assert ended.status == 128 + signal.SIGPIPE
    assert "Traceback" not in ended.err
    assert "BrokenPipe" not in ended.err


@pytest.mark.parametrize("words", [("chat", "-p", "hi"), ("explain", "x.py:1"), ("mcp",)])
def test_a_current_folder_that_is_gone(quillon, tmp_path, words):
    (tmp_path / "gone").mkdir()
    ended = quillon(*words, under='rmdir "$PWD"; exec "$@"', cwd=tmp_path / "gone")
    assert ended.status == 1
    assert ended.sentence == "The current folder is gone. Change to another one and call again."


@pytest.mark.parametrize("words", [("lsp",), ("mcp",)])
@pytest.mark.parametrize("closed", ["<&-", ">&-"])
def test_a_server_without_streams(quillon, words, closed):
    ended = quillon(*words, under=f'exec "$@" {closed}')
    assert ended.status == 1
    assert "standard input and output must be open" in ended.sentence


@pytest.mark.parametrize("given", [b"", b"nonsense"])
def test_a_server_whose_input_is_a_file(quillon, tmp_path, given):
    (tmp_path / "input").write_bytes(given)
    with (tmp_path / "input").open("rb") if given else Path(os.devnull).open("rb") as source:
        ended = quillon("lsp", stdin=source)
    assert ended.status == 1
    assert "The client closed the connection" in ended.err
    assert "Traceback" not in ended.err


def test_a_client_that_left_before_its_first_answer(quillon):
    ask = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"capabilities": {}}}
    body = json.dumps(ask).encode()
    given = b"Content-Length: %d\r\n\r\n" % len(body) + body
    with Path("/dev/full").open("wb") as full:
        ended = quillon("lsp", stdout=full, given=given)
    assert ended.status == 1
    assert ended.sentence == "The client cannot be answered: No space left on device."


def test_the_server_on_a_terminal_says_what_it_waits_for(quillon):
    ours, terminal = pty.openpty()
    with quillon.start("lsp", stdin=terminal) as process:
        os.close(terminal)
        try:
            assert b"waits for the messages of an editor" in process.stderr.readline()
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=60)
        finally:
            process.kill()
            os.close(ours)
    assert (process.returncode, err) == (130, b"")


def test_ctrl_c_while_modules_are_imported(quillon):
    press = (
        "import os, signal, sys\n"
        "class Finder:\n"
        "    def find_spec(self, name, *more):\n"
        "        if name == 'typer': os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.meta_path.insert(0, Finder())\n"
        "from quillon.cli import main\n"
        "main()\n"
    )
    ended = subprocess.run(
        [sys.executable, "-I", "-c", press, "doctor"], capture_output=True, check=False
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, b"", b"")


@pytest.mark.parametrize(
    "words",
    [
        ("--version",),
        ("--help",),
        ("model", "list"),
        ("model", "list", "--json"),
        ("explain", "x:1", "--json"),
    ],
)
def test_a_full_disk_under_the_output(quillon, words):
    with Path("/dev/full").open("wb") as full:
        ended = quillon(*words, stdout=full)
    assert ended.status == 1
    assert ended.err.splitlines()[-1] == (
        "quillon: The output cannot be written: no space is left where it goes."
    )
    assert "Traceback" not in ended.err


TRAPS = ("queue.py", "typer.py", "rich.py", "quillon.py", "json.py", "msgspec.py", "psutil.py")


def test_a_folder_full_of_traps_shadows_nothing(quillon, project):
    trap = "import os, sys\nsys.stderr.write('TRAPPED ' + __file__)\nos._exit(66)\n"
    for name in TRAPS:
        (project / name).write_text(trap)
    for package in ("tools", "quillon", "quillon_tools"):
        (project / package).mkdir()
        (project / package / "__init__.py").write_text(trap)
    over = {"PYTHONPATH": str(project)}
    ended = quillon("--version", over=over)
    assert (ended.status, ended.out, ended.err) == (0, f"quillon {__version__}\n", "")
    assert quillon("model", "list", "--json", over=over).status == 0
    # The installed script, which does not say -I: the folder of the caller counts for nothing.
    script = Path(sys.executable).with_name("quillon")
    said = subprocess.run(
        [script, "model", "path"],
        cwd=project,
        env={**os.environ, "QUILLON_RUNTIME_DIR": str(quillon.home / "run")},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert said.returncode == 0, said.stderr
    assert said.stdout.strip().endswith(b".gguf")
