"""The commands on the embedded model: what they print, and how they end."""

import os
import pty
import re
import signal
import subprocess

import psutil
import pytest

from quillon_testing.engines import Engines

WHERE = "where is price_of defined?"


def test_a_question_with_a_tool_call_as_json(quillon):
    ended = quillon("chat", "-p", WHERE, "--json")
    assert (ended.status, ended.err) == (0, "")
    calls = [line for line in ended.lines if line["kind"] == "toolCall"]
    assert {"query": "price_of"} in [call["arguments"] for call in calls]
    results = [line["text"] for line in ended.lines if line["kind"] == "toolResult"]
    assert any("shop/prices.py" in text and "price_of" in text for text in results)
    assert ended.lines[-1]["kind"] == "end"


def test_questions_through_a_pipe(quillon):
    ended = quillon("chat", given=f"{WHERE}\nand \udce9?\n".encode("utf-8", "surrogateescape"))
    assert ended.status == 0
    assert "search_symbols(query='price_of')" in ended.out
    assert "Traceback" not in ended.err


def test_nobody_at_the_terminal_approves_nothing(quillon):
    ended = quillon("chat", "-p", "Run the tests", "--json")
    assert ended.status == 0
    for line in ended.lines:
        if line["kind"] == "toolCall" and line["name"] == "run_tests":
            assert line["state"] in ("proposed", "denied")


def test_a_closed_input_ends_the_chat(quillon):
    ended = quillon("chat", preexec_fn=lambda: os.close(0))
    assert ended.status == 0
    assert "Traceback" not in ended.err


def test_an_empty_input_ends_the_chat(quillon):
    assert quillon("chat", stdin=subprocess.DEVNULL).status == 0


@pytest.mark.parametrize("words", [("chat",), ("chat", "-p", "tell me everything", "--json")])
def test_ctrl_c_ends_a_chat(quillon, words):
    with quillon.start(*words) as process:
        # A question is awaited, or answered.
        (process.stderr if words == ("chat",) else process.stdout).readline()
        process.send_signal(signal.SIGINT)
        try:
            _, err = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 130
    assert err == b""


def test_ctrl_c_ends_the_demonstration(quillon):
    with quillon.start("demo", start_new_session=True) as process:
        process.stdout.readline()  # the model is loaded, and ghost text is asked for
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does
        try:
            _, err = process.communicate(timeout=60)
        finally:
            process.kill()
    assert (process.returncode, err) == (130, b"")


def test_the_demonstration_says_that_its_server_died(quillon):
    with quillon.start("demo") as process:
        process.stdout.readline()  # the model is loaded, and ghost text is asked for
        (server,) = [
            child for child in psutil.Process(process.pid).children() if "lsp" in child.cmdline()
        ]
        server.kill()
        try:
            _, err = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 1
    assert err.startswith(b"quillon: The language server ended too early: it was killed")
    assert b"Traceback" not in err


@pytest.mark.parametrize(("typed", "state"), [("y", "done"), ("n", "denied"), ("", "denied")])
def test_a_person_at_the_terminal_is_asked(quillon, typed, state):
    ours, terminal = pty.openpty()
    with quillon.start("chat", "-p", "Run the tests.", stdin=terminal, stderr=terminal) as process:
        os.close(terminal)
        said = ""
        while "Run it?" not in said:
            said += os.read(ours, 4096).decode(errors="replace")
        os.write(ours, f"{typed}\n".encode() * 3)  # it may ask again after a failed run
        try:
            out, _ = process.communicate(timeout=60)
        finally:
            process.kill()
            os.close(ours)
    assert "pytest" in said
    assert process.returncode == 0
    assert ("1 failed" in out.decode()) is (state == "done")


def test_an_explanation(quillon):
    ended = quillon("explain", "shop/prices.py:16", "--json")
    if ended.status == 1:  # the embedded model may have nothing to say, and must say so
        assert ended.lines == [{"error": ended.sentence}]
        return
    (line,) = ended.lines
    assert "prices.py" in line["title"]
    assert "def price_of" in line["markdown"]


def test_a_completion_or_its_reason(quillon):
    ended = quillon("complete", "shop/prices.py:19:9", "--json")
    (line,) = ended.lines
    assert line["file"] == "shop/prices.py"
    assert line["line"] == 19
    if ended.status == 0:
        assert line["text"]
        assert line["start"] <= line["end"]
    else:
        assert ended.status == 3
        assert line["reason"]
        assert line["reason"] in ended.err


def test_the_models_are_listed(quillon):
    ended = quillon("model", "list", "--json")
    assert ended.status == 0
    (line,) = ended.lines
    assert line["source"] == "embedded"
    assert line["problem"] is None
    path = quillon("model", "path")
    assert path.out == f"{line['path']}\n"


def test_the_doctor_finds_what_is_right_and_what_is_wrong(quillon):
    well = quillon("doctor", "--json")
    found = {line["what"]: line for line in well.lines}
    assert (well.status, well.err) == (0, "")
    assert found["Engine"]["verdict"] == "right"
    assert found["Models that fit"]["verdict"] in {"right", "advice"}  # as the machine is
    assert re.search(
        r"context of \d+ tokens, (1 thread|[2-9] threads|\d\d+ threads),", found["Engine"]["found"]
    )
    ill = quillon("doctor", "--json", "-m", "missing.gguf")
    wrong = [line["what"] for line in ill.lines if line["verdict"] == "wrong"]
    assert (ill.status, wrong) == (1, ["Model"])


def test_engines_are_seen_and_stopped(quillon):
    over = {"QUILLON_RUNTIME_DIR": str(quillon.home / "own")}
    none = quillon("engine", "status", "--json", over=over)
    assert (none.status, none.out) == (0, "")
    assert "No engine runs" in none.err
    first = quillon.start("engine", "run", over=over)
    assert any(b"runs on" in line for line in first.stderr)  # now whoever asks gets this one
    assert quillon("complete", "shop/prices.py:19:9", over=over).status in (0, 3)
    (line,) = quillon("engine", "status", "--json", over=over).lines
    assert line["info"]["state"] == "ready"
    assert line["info"]["embedded"] is True
    assert str(line["pid"]) in quillon("engine", "status", over=over).out
    second = quillon("engine", "run", over=over)
    assert (second.status, second.err) == (1, "An engine for this model is already running.\n")
    assert quillon("engine", "stop", over=over).out == f"stopped {line['pid']}\n"
    with first:  # it has sent its standard output where its log goes, and ends in order
        out, _ = first.communicate(timeout=60)
    assert (first.returncode, out) == (0, b"")
    assert quillon("complete", "shop/prices.py:19:9", over=over).status in (0, 3)
    (killed,) = Engines(quillon.home / "own").processes()
    killed.kill()  # it leaves its state file behind
    killed.wait(timeout=60)
    assert quillon("engine", "status", "--json", over=over).out == ""
    nothing = quillon("engine", "stop", over=over)
    assert (nothing.status, nothing.out, nothing.err) == (0, "", "No engine runs.\n")


def test_the_demonstration(quillon):
    ended = quillon("demo", deadline=300.0)
    assert (ended.status, ended.err) == (0, "")
    for shown in (
        "cart = Cart(PRICES)",
        "for article, quantity in self.lines:",
        "what your own files say",
        "unclosed file: nothing closes it",
        "search_symbols(query='price_of')",
        "is defined at shop/prices.py:16",
        "Format an amount of cents as a price.",
        "may it run run_tests?",
        "1 failed, 1 passed",
    ):
        assert shown in ended.out, shown


def test_a_completion_from_the_file_says_so(quillon, project):
    (project / "shop" / "twice.py").write_text("a.moor(boat)\nb.moor(boat)\nc.moor(\n")
    (line,) = quillon("complete", "shop/twice.py:3:8", "--json").lines
    assert (line["text"], line["echoed"]) == ("boat)", True)


@pytest.mark.parametrize("words", [(), ("--json",)])
def test_a_question_that_failed_in_a_pipe_fails_the_command(quillon, words):
    ended = quillon("chat", *words, given=b"x" * 30_000 + b"\nhello\n")
    assert ended.status == 1
    assert "quillon: " in ended.err
    if words:
        (error,) = [line["error"] for line in ended.lines if "error" in line]
        assert error in ended.err.replace("\n", " ")
        assert ended.lines[-1]["kind"] == "end"
    else:
        assert ended.out
