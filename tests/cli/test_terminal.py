"""The chat with a person at a terminal of its own: what Ctrl-C stops, and what it ends."""

import fcntl
import os
import pty
import select
import signal
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from quillon_testing.tool_servers import hostile, until

DEADLINE = 60.0  # seconds; machines that run tests are shared and slow
CTRL_C = b"\x03"
PROMPT = "\n> "
RUN_TESTS = '<tool_call>\n{"name": "run_tests", "arguments": {}}\n</tool_call>'
STOPPED = "The answer was stopped."


def held(reply, **more):
    """An answer that goes on until it is stopped: its last piece never comes."""
    return {"reply": [reply, "never"], "gates": {1: "never"}, **more}


class Terminal:
    """What a person types at a command, and what it shows."""

    def __init__(self, ours, process) -> None:
        self.process = process
        self._ours = ours
        self._unread = ""

    def type(self, keys: bytes) -> None:
        os.write(self._ours, keys)

    def until(self, wanted: str) -> str:
        """What is shown from where this was last asked up to a text."""
        end = time.monotonic() + DEADLINE
        while wanted not in self._unread:
            left = end - time.monotonic()
            readable, _, _ = select.select([self._ours], [], [], max(0, left))
            assert readable, f"{wanted!r} was not shown, but {self._unread!r}"
            shown = os.read(self._ours, 4096).decode(errors="replace")
            self._unread += shown.replace("\r\n", "\n")
        seen, self._unread = self._unread.split(wanted, 1)
        return seen + wanted

    def ask_to_count(self) -> None:
        """Ask what is answered without an end, and wait until the answer has begun."""
        self.until(PROMPT)
        self.type(b"count\n")
        self.until("One, two")

    def ended(self) -> int:
        return self.process.wait(timeout=DEADLINE)


def own_terminal() -> None:
    """Make the standard input the terminal whose Ctrl-C ends this process."""
    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


@contextmanager
def chatting(quillon, over) -> Iterator[Terminal]:
    ours, theirs = pty.openpty()
    streams = dict.fromkeys(("stdin", "stdout", "stderr"), theirs)
    with quillon.start("chat", **streams, preexec_fn=own_terminal, **over) as process:
        os.close(theirs)
        try:
            yield Terminal(ours, process)
        finally:
            process.kill()
            os.close(ours)


def test_ctrl_c_stops_an_answer_and_the_next_question_follows(quillon, config):
    again = {"match": "One, two", "reply": "Three."}  # what was said is part of the conversation
    with chatting(quillon, config({}, held("One, two", match="count"), again)) as terminal:
        terminal.until("Ctrl-C stops an answer")
        terminal.ask_to_count()
        terminal.type(CTRL_C)
        terminal.until(STOPPED)
        terminal.until(PROMPT)
        terminal.type(b"go on\n")
        terminal.until("Three.")
        terminal.until(PROMPT)
        terminal.type(CTRL_C)
        assert terminal.ended() == 130


def test_what_was_said_before_the_model_failed_is_part_of_the_conversation(quillon, config):
    failing = {"reply": "One, two", "error": "EngineLost"}
    again = {"match": "One, two", "reply": "Three."}
    with chatting(quillon, config({}, failing, again)) as terminal:
        terminal.ask_to_count()
        terminal.until("quillon: ")
        terminal.until(PROMPT)
        terminal.type(b"go on\n")
        terminal.until("Three.")
        terminal.until(PROMPT)
        terminal.type(b"\n")
        assert terminal.ended() == 0


def test_what_takes_a_while_is_said(quillon, config):
    waiting = {"match": "<tool_response>", "reply": ["never"], "gates": {0: "never"}}
    with chatting(quillon, config({}, RUN_TESTS, waiting)) as terminal:
        terminal.until(PROMPT)
        terminal.type(b"run the tests\n")
        terminal.until("(N)o: ")
        terminal.type(b"y\n")
        terminal.until("running run_tests")
        terminal.until("1 failed, 1 passed")
        terminal.until("thinking")
        terminal.type(CTRL_C)
        terminal.until(STOPPED)


def test_a_second_ctrl_c_ends_the_chat(quillon, config):
    with chatting(quillon, config({}, held("One, two"))) as terminal:
        terminal.ask_to_count()
        terminal.type(CTRL_C)
        terminal.until(STOPPED)
        terminal.type(CTRL_C)
        assert terminal.ended() == 130


def test_ctrl_c_withdraws_a_question_for_approval(quillon, config):
    replies = (RUN_TESTS, {"match": "hello?", "reply": "Hello."})
    with chatting(quillon, config({}, *replies)) as terminal:
        terminal.until(PROMPT)
        terminal.type(b"run the tests\n")
        terminal.until("(N)o: ")
        terminal.type(CTRL_C)
        assert "\n" in terminal.until(STOPPED)  # it stands on a line of its own
        terminal.until(PROMPT)
        # The thread that waited for the answer reads this line, and it is not lost.
        terminal.type(b"hello?\n")
        terminal.until("Hello.")
        terminal.until(PROMPT)
        terminal.type(b"\n")
        assert terminal.ended() == 0


def test_other_signals_end_an_answer_and_the_chat(quillon, config):
    with chatting(quillon, config({}, held("One, two"))) as terminal:
        terminal.ask_to_count()
        terminal.process.send_signal(signal.SIGTERM)
        assert terminal.ended() == 128 + signal.SIGTERM


@pytest.fixture
def dying(tmp_path):
    """A tool server that dies when it is told to, and the file that tells how often it began."""
    spec = hostile(notes=str(tmp_path / "notes"))
    settings = {
        "mcp": {"servers": {"ours": {"command": spec.command, "args": list(spec.arguments)}}},
        "tools": {"approval": {"ours__die": "allow"}},
    }
    return settings, tmp_path / "notes"


async def test_a_tool_server_that_dies_in_mid_chat_is_told_of_once(quillon, config, dying):
    settings, notes = dying
    call = '<tool_call>\n{"name": "ours__die", "arguments": {}}\n</tool_call>'
    with chatting(quillon, config(settings, call, "It died.", "Yes.")) as terminal:
        terminal.until(PROMPT)
        terminal.type(b"die\n")
        shown = terminal.until("It died.")
        await until(lambda: notes.read_text().count("started") == 2)
        terminal.type(b"again?\n")
        shown += terminal.until("Yes.")
        shown += terminal.until(PROMPT)
        terminal.type(b"\n")
        assert terminal.ended() == 0
    told = "The MCP server ours failed and is started again"
    assert "".join(shown.split("\n")).count(told) == 1
