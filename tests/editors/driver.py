"""The process that plays scenarios in a browser, one after the other."""

import contextlib
import json
import queue
import subprocess
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

DRIVERS = Path(__file__).parent / "drivers"
SCENARIO_SECONDS = 3600
"""A whole scenario on a busy machine; each wait inside has its own, shorter deadline."""


class Answer(msgspec.Struct, frozen=True):
    """What became of a scenario; `failure` says what failed and what was on the screen."""

    failure: str | None


class Driver:
    """A Node with a browser. Both end with this process: their pipes close."""

    def __init__(self, command: list[str], environment: Mapping[str, str], log: Path) -> None:
        """Start `command` with what it complains about in `log`."""
        self._log = log
        self._answers: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        with log.open("wb") as complaints:
            self._process = subprocess.Popen(
                command,
                env=dict(environment),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=complaints,
            )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def ended(self) -> bool:
        """Whether it can play no more."""
        return self._process.poll() is not None

    def play(self, asked: Mapping[str, Any]) -> str | None:
        """Play a scenario; None or what failed."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(asked).encode() + b"\n")
            self._process.stdin.flush()
            line = self._answers.get(timeout=SCENARIO_SECONDS)
        except BrokenPipeError:
            line = b""
        except queue.Empty:
            # Its answer would be taken for the next scenario's.
            self._end()
            return f"no end after {SCENARIO_SECONDS} s"
        if not line:
            self._end()
            return f"the driver ended: {self._log.read_text(errors='replace')[-4000:]}"
        return msgspec.json.decode(line, type=Answer).failure

    def close(self) -> None:
        """End the driver, whose browser ends with it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._end()
        self._reader.join(30)
        self._process.stdout.close()

    def _end(self) -> None:
        self._process.kill()
        self._process.wait()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._answers.put(line)
        self._answers.put(b"")
