"""A program in a real terminal: a private tmux server whose screen can be read."""

import contextlib
import subprocess
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from editors.neovim import tmux

SECONDS = 300
_POLL = 0.1


class Terminal(msgspec.Struct, frozen=True):
    """One tmux session on a socket of its own."""

    program: Path
    socket: str
    environment: Mapping[str, str]

    def tell(self, *arguments: str) -> str:
        """Run a tmux command; returns its output."""
        done = subprocess.run(
            [self.program, "-u", "-L", self.socket, "-f", "/dev/null", *arguments],
            env=dict(self.environment),
            capture_output=True,
            text=True,
            errors="replace",
            timeout=SECONDS,
            check=False,
        )
        return done.stdout

    def screen(self) -> str:
        """What is on the screen."""
        return self.tell("capture-pane", "-p", "-t", "editor")

    def keys(self, *names: str) -> None:
        """Press keys by tmux's names, such as `Escape`."""
        self.tell("send-keys", "-t", "editor", *names)

    def type(self, text: str) -> None:
        """Type a text."""
        self.tell("send-keys", "-t", "editor", "-l", text)

    def command(self, text: str) -> None:
        """Type a line and press Enter."""
        self.type(text)
        self.keys("Enter")

    def wait_for(self, text: str) -> str:
        """Wait until a text is on the screen; returns the screen."""
        deadline = time.monotonic() + SECONDS
        while text not in (screen := self.screen()):
            if time.monotonic() > deadline:
                raise AssertionError(f"no {text!r} on the screen:\n{screen}")
            time.sleep(_POLL)
        return screen

    def wait_for_end(self) -> None:
        """Wait until the program has ended."""
        deadline = time.monotonic() + SECONDS
        while "editor" in self.tell("list-sessions"):
            if time.monotonic() > deadline:
                raise AssertionError(f"still running:\n{self.screen()}")
            time.sleep(_POLL)


@contextlib.contextmanager
def terminal(
    command: Sequence[str], folder: Path, environment: Mapping[str, str]
) -> Iterator[Terminal]:
    """Run a command in a terminal of 100 by 30; it is gone at the end."""
    made = Terminal(
        tmux(), f"quillon-{uuid.uuid4().hex[:8]}", {**environment, "COLORTERM": "truecolor"}
    )
    size = ("-x", "100", "-y", "30")
    made.tell("new-session", "-d", "-s", "editor", *size, "-c", str(folder), *command)
    made.tell("set", "-g", "escape-time", "0")
    try:
        yield made
    finally:
        made.tell("kill-server")
