"""Running a `Command`: no shell, no input, bounded time and output, and nothing left behind.

Every program gets a session of its own and an environment variable with a number of its own. At
the end the session's group is killed, and with it every process that carries the number, so that
neither grandchildren nor daemons outlive the call.
"""

import asyncio
import contextlib
import os
import re
import signal
import subprocess
import tempfile
import time
import uuid
from pathlib import Path

import psutil

from quillon_tools.calls import Failed
from quillon_tools.command import Command, Finished

RUN_VARIABLE = "QUILLON_RUN"
MAX_REPORT_BYTES = 20_000_000
_DRAIN_SECONDS = 2.0
_PIECE = 65_536
_REPORT = "{report}"
# Terminal escapes (ECMA-48 control sequences and operating system commands), then controls.
_ESCAPES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[@-_]")
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
# Not for other programs: what concerns Quillon's own interpreter, or one certain repository
# (`GIT_DIR` and its kin, where Quillon was started by Git).
_OWN_VARIABLES = ("VIRTUAL_ENV", "PYTHONHOME", "PYTHONSAFEPATH", "PYTHONPATH", RUN_VARIABLE)


async def run(command: Command) -> Finished:
    """Run a program to its end, or to its time limit. Cancelling kills it.

    Raises:
        Failed: It cannot be started.
    """
    with tempfile.TemporaryDirectory(prefix="quillon-") as scratch:
        report = Path(scratch) / "report"
        argv = [part.replace(_REPORT, str(report)) for part in command.argv]
        number = uuid.uuid4().hex
        started = time.monotonic()
        process = await _start(command, argv, number)
        output = _Output(command.output_bytes)
        try:
            code = await _wait(process, output, command.seconds)
        finally:
            await asyncio.shield(_end(process, number, output))
        text, left_out = output.text()
        return Finished(
            code=code,
            output=text,
            left_out=left_out,
            seconds=time.monotonic() - started,
            report=_read_report(report),
        )


async def _start(command: Command, argv: list[str], number: str) -> asyncio.subprocess.Process:
    try:
        return await asyncio.create_subprocess_exec(
            *argv,
            cwd=command.folder.real,
            env=_environment(command.environment, number),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        raise Failed(f"{Path(argv[0]).name} cannot be started: {error}") from error


def inherited_environment() -> dict[str, str]:
    """The user's environment, without what is meant for Quillon or for one repository."""
    return {
        name: value
        for name, value in os.environ.items()
        if name not in _OWN_VARIABLES and not name.startswith("GIT_")
    }


def _environment(added: dict[str, str], number: str) -> dict[str, str]:
    plain = {"CI": "1", "NO_COLOR": "1", "TERM": "dumb", "PYTHONUNBUFFERED": "1"}
    return {**inherited_environment(), **plain, **added, RUN_VARIABLE: number}


async def _wait(
    process: asyncio.subprocess.Process, output: "_Output", seconds: float
) -> int | None:
    """The exit status; None where the time was up."""
    assert process.stdout is not None  # noqa: S101 - asked for in `_start`
    output.reader = asyncio.create_task(output.read(process.stdout))
    try:
        async with asyncio.timeout(seconds):
            return await process.wait()
    except TimeoutError:
        return None


async def _end(process: asyncio.subprocess.Process, number: str, output: "_Output") -> None:
    """Kill what still runs, and take what was still being written."""
    _kill_group(process.pid)
    await asyncio.to_thread(kill_marked, number)
    await process.wait()
    if output.reader is not None:
        # Whoever could hold the pipe open is dead, unless it changed its environment.
        await asyncio.wait([output.reader], timeout=_DRAIN_SECONDS)
        output.reader.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await output.reader
    transport = process._transport  # type: ignore[attr-defined]  # noqa: SLF001 - no public close
    transport.close()


def _kill_group(pid: int) -> None:
    if hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)


def kill_marked(number: str) -> None:
    """Kill every process that a run started and that is still alive.

    Twice, because a process may start another while the first look is on.
    """
    for _look in range(2):
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error, OSError):
                if process.environ().get(RUN_VARIABLE) == number:
                    process.kill()


class _Output:
    """What a program wrote: the head and the tail of it, within a number of bytes."""

    def __init__(self, limit: int) -> None:
        self.reader: asyncio.Task[None] | None = None
        self._half = limit // 2
        self._head = bytearray()
        self._tail = bytearray()
        self._seen = 0

    async def read(self, stream: asyncio.StreamReader) -> None:
        while piece := await stream.read(_PIECE):
            self._seen += len(piece)
            room = self._half - len(self._head)
            self._head += piece[:room]
            self._tail += piece[room:] if room > 0 else piece
            if len(self._tail) > 2 * self._half:
                del self._tail[: -self._half]

    def text(self) -> tuple[str, int]:
        """The text without terminal escapes, and how many bytes were cut out of its middle."""
        del self._tail[: max(0, len(self._tail) - self._half)]
        left_out = self._seen - len(self._head) - len(self._tail)
        head, tail = (plain(bytes(part)) for part in (self._head, self._tail))
        if not left_out:
            return plain(bytes(self._head + self._tail)), 0
        return f"{head}\n[... {left_out} bytes left out ...]\n{tail}", left_out


def plain(raw: bytes) -> str:
    """Text that a terminal would show: no escapes, no controls but tabs and line feeds."""
    text = raw.decode("utf-8", "replace").replace("\r\n", "\n")
    text = _ESCAPES.sub("", text)
    # What follows a carriage return overwrites the line.
    lines = (line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n"))
    return _CONTROLS.sub("", "\n".join(lines))


def _read_report(path: Path) -> str:
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_REPORT_BYTES + 1)
    except OSError:
        return ""
    return "" if len(raw) > MAX_REPORT_BYTES else raw.decode("utf-8", "replace")
