"""Running a `Command`: no shell, no input, bounded time and output, and nothing left behind.

Every program gets a session of its own and an environment variable with a number of its own. At
the end the session's group is killed, and with it every process that carries the number, so that
neither grandchildren nor daemons outlive the call.
"""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import psutil

from quillon_tools.calls import Failed
from quillon_tools.command import Command, Finished
from quillon_tools.workers import Stop

RUN_VARIABLE = "QUILLON_RUN"
MAX_REPORT_BYTES = 20_000_000
_DRAIN_SECONDS = 2.0
_SHORTEST_LOOK, _LONGEST_LOOK = 0.001, 0.05
_PIECE = 65_536
# Terminal escapes (ECMA-48 control sequences and operating system commands), then controls.
_ESCAPES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[@-_]")
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
# Not for other programs: what concerns Quillon's own interpreter, or one certain repository
# (`GIT_DIR` and its kin, where Quillon was started by Git).
_OWN_VARIABLES = ("VIRTUAL_ENV", "PYTHONHOME", "PYTHONSAFEPATH", "PYTHONPATH", RUN_VARIABLE)


def run(command: Command, stop: Stop) -> Finished:
    """Run a program to its end, its time limit, or until it is to stop. Blocks.

    Raises:
        Failed: It cannot be started.
    """
    with _place_for_report(command):
        number = uuid.uuid4().hex
        started = time.monotonic()
        process = _start(command, number)
        output = _Output(process, command.output_bytes)
        try:
            in_time = _wait(process, started + command.seconds, stop)
        finally:
            _end(process, number, output)
        text, left_out = output.text()
        return Finished(
            code=process.returncode if in_time else None,
            output=text,
            left_out=left_out,
            seconds=time.monotonic() - started,
            report=_read_report(Path(command.report)) if command.wants_report else "",
        )


@contextlib.contextmanager
def _place_for_report(command: Command) -> Iterator[None]:
    """The folder of the report, while the program runs; nobody else may enter it."""
    folder = Path(command.report).parent
    if not command.wants_report:
        yield
        return
    try:
        folder.mkdir(mode=0o700)
    except OSError as error:
        raise Failed(f"there is no place for a report: {error}") from error
    try:
        yield
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _start(command: Command, number: str) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            command.vector,
            cwd=command.folder.real,
            env=_environment(command.environment, number),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        raise Failed(f"{Path(command.argv[0]).name} cannot be started: {error}") from error


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


def _wait(process: subprocess.Popen[bytes], deadline: float, stop: Stop) -> bool:
    """Whether the program ended by itself before it had to."""
    pause = _SHORTEST_LOOK
    while not _has_ended(process):
        if stop or time.monotonic() > deadline:
            return False
        stop.wait(pause)
        pause = min(2 * pause, _LONGEST_LOOK)
    return True


def _has_ended(process: subprocess.Popen[bytes]) -> bool:
    # The ended process is not reaped yet, so that its number still names its group.
    if hasattr(os, "waitid"):
        options = os.WEXITED | os.WNOHANG | os.WNOWAIT
        return os.waitid(os.P_PID, process.pid, options) is not None
    return process.poll() is not None  # pragma: no cover - systems without waitid


def _end(process: subprocess.Popen[bytes], number: str, output: "_Output") -> None:
    """Kill what still runs, and take what was still being written."""
    if hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    else:  # pragma: no cover - Windows
        process.kill()
    kill_marked(number)
    process.wait()
    output.finish()


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
    """What a program wrote: the head and the tail of it, within a number of bytes.

    A thread of its own reads it, which ends when nobody can write any more.
    """

    def __init__(self, process: subprocess.Popen[bytes], limit: int) -> None:
        self._half = limit // 2
        self._head = bytearray()
        self._tail = bytearray()
        self._seen = 0
        self._lock = threading.Lock()
        self._reader = threading.Thread(target=self._read, args=[process], daemon=True)
        self._reader.start()

    def finish(self) -> None:
        """Wait for what was written; not for one who escaped and holds the pipe open."""
        self._reader.join(_DRAIN_SECONDS)

    def _read(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None  # noqa: S101 - asked for in `_start`
        with process.stdout as stream:
            while piece := os.read(stream.fileno(), _PIECE):
                with self._lock:
                    self._take(piece)

    def _take(self, piece: bytes) -> None:
        self._seen += len(piece)
        room = max(0, self._half - len(self._head))
        self._head += piece[:room]
        self._tail += piece[room:]
        if len(self._tail) > 2 * self._half:
            del self._tail[: -self._half]

    def text(self) -> tuple[str, int]:
        """The text without terminal escapes, and how many bytes were cut out of its middle."""
        with self._lock:
            return self._text()

    def _text(self) -> tuple[str, int]:
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
