"""Finds the engine process of an endpoint, or starts one: never two, never on the event loop.

Whoever starts a process holds the endpoint's lock until the process listens, so of two servers
that start at once the second attaches to the first one's engine. A state file proves nothing: only
a process that answers our hello counts, and only one that runs our module is ever killed.
"""

import asyncio
import os
import signal
import site
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

import filelock
import msgspec
import psutil

from quillon.engine.base import EngineLost, EngineUnavailable
from quillon.engine.connection import Connection, Patience
from quillon.engine.endpoint import RUNTIME_VARIABLE, Endpoint, HostState, read_state
from quillon.settings import ModelSettings

HOST_MODULE = "quillon.engine.host"

_ROOM = 16_384  # bytes; what the process writes before it serves
_LOOKS = 4
_POLL = 0.05  # seconds between looks for a process that starts


class HostStopped(EngineUnavailable):
    """The process ended before it listened."""


class Launched:
    """A process that this client started. It is reaped when it ends; it is never waited for."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self.pid = process.pid
        self.returncode: int | None = None
        self._process = process
        self._ended = threading.Event()
        # Daemon: the engine outlives this client, which must be free to exit.
        threading.Thread(target=self._reap, name="quillon-engine-reaper", daemon=True).start()

    def wait(self, seconds: float) -> int | None:
        """The exit status, or None where it still runs after `seconds`; blocks its thread."""
        self._ended.wait(seconds)
        return self.returncode

    def _reap(self) -> None:
        self.returncode = self._process.wait()
        self._ended.set()


def host_command(model: Path, settings: ModelSettings) -> list[str]:
    """The command line of the engine process."""
    options = msgspec.json.encode(settings).decode()
    return [
        sys.executable,
        *_isolation(),
        "-m",
        HOST_MODULE,
        "--model",
        str(model),
        "--settings",
        options,
    ]


async def attach(endpoint: Endpoint, patience: Patience) -> Connection | None:
    """A connection to the endpoint's running process, or None where none answers.

    One that accepts connections and then says nothing is ended, if it is ours.
    """
    state = await asyncio.to_thread(read_state, endpoint.state_path)
    if state is None:
        return None
    connecting = asyncio.create_task(connect(state, patience))
    try:
        if not await _is_stuck(connecting, state, patience):
            return await connecting
    except TimeoutError:
        pass
    finally:
        connecting.cancel()
    kill_host(state.pid)
    return None


async def _is_stuck(
    connecting: "asyncio.Task[Connection | None]", state: HostState, patience: Patience
) -> bool:
    """Whether the process sleeps although somebody connects to it."""
    before, slept = pulse(state.pid), 0
    while not connecting.done():
        await asyncio.wait({connecting}, timeout=patience.stuck / _LOOKS)
        now = pulse(state.pid)
        slept = slept + 1 if now is not None and now == before else 0
        before = now
        # Several looks: after a stall of our own loop, the answer may lie unread at the first.
        if slept == _LOOKS:
            return not connecting.done()
    return False


async def connect(state: HostState, patience: Patience) -> Connection | None:
    """A connection to the process that a state file names, or None where none listens.

    Raises:
        TimeoutError: One listens and does not answer.
    """
    try:
        if state.socket is not None:
            reader, writer = await asyncio.open_unix_connection(state.socket)
        elif state.port is not None:
            reader, writer = await asyncio.open_connection("127.0.0.1", state.port)
        else:
            return None
    except (OSError, ValueError):
        return None
    try:
        return await Connection.open(reader, writer, state.token, patience)
    except EngineLost:
        return None


async def attach_or_start(
    endpoint: Endpoint,
    command: list[str],
    patience: Patience,
    on_start: Callable[[Launched], None],
) -> Connection:
    """A connection to the endpoint's process, which is started where none runs.

    Raises:
        HostStopped: The process was started and ended before it listened.
        EngineUnavailable: It could not be started or did not listen in time.
    """
    lock = filelock.FileLock(endpoint.lock_path)
    loop = asyncio.get_running_loop()
    end = loop.time() + patience.start
    while loop.time() < end:
        # Also before the lock is ours: its holder may have been stopped since it was done.
        connection = await attach(endpoint, patience)
        if connection is not None:
            return connection
        if not _try(lock):
            await asyncio.sleep(_POLL)
            continue
        try:
            connection = await attach(endpoint, patience)
            if connection is None:
                launched = await asyncio.to_thread(_spawn, command, endpoint)
                on_start(launched)
                connection = await _wait_for(endpoint, launched, patience)
        finally:
            lock.release()
        return connection
    raise EngineUnavailable(
        f"another program has been starting the engine for {patience.start:g} seconds; "
        f"end it, or remove {endpoint.lock_path}"
    )


def kill_host(pid: int) -> None:
    """Kill a process if it runs our module; a process id may have passed to somebody else."""
    try:
        process = psutil.Process(pid)
        if HOST_MODULE in process.cmdline():
            process.kill()
    except psutil.Error:
        return  # it is gone, or belongs to another user


def pulse(pid: int) -> float | None:
    """The processor time that a process has used, in seconds; None where it may be without guilt.

    One that waits for the disk or for its turn on a busy machine uses none, too.
    """
    try:
        process = psutil.Process(pid)
        if process.status() not in (psutil.STATUS_SLEEPING, psutil.STATUS_STOPPED):
            return None
        times = process.cpu_times()
    except psutil.Error:
        return None
    return times.user + times.system


def describe_exit(returncode: int | None) -> str:
    """How a process ended, as a part of a sentence."""
    if returncode is None:
        return "it stopped"
    if returncode >= 0:
        return f"it exited with status {returncode}"
    try:
        name = signal.Signals(-returncode).name
    except ValueError:
        name = "unknown"
    hint = ", perhaps because memory ran out" if name == "SIGKILL" else ""
    return f"it was killed by signal {-returncode} ({name}){hint}"


async def _wait_for(endpoint: Endpoint, launched: Launched, patience: Patience) -> Connection:
    loop = asyncio.get_running_loop()
    end = loop.time() + patience.start
    while True:
        # Read before attaching: one that has ended may have left the place to another.
        ended = launched.returncode
        connection = await attach(endpoint, patience)
        if connection is not None:
            return connection
        if ended is not None:
            raise HostStopped(
                f"the engine process did not start: {describe_exit(ended)}; "
                f"its log is {endpoint.log_path}"
            )
        if loop.time() > end:
            kill_host(launched.pid)
            raise HostStopped(
                f"the engine process did not listen within {patience.start:g} seconds; "
                f"its log is {endpoint.log_path}"
            )
        await asyncio.sleep(_POLL)


def _try(lock: filelock.FileLock) -> bool:
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        return False
    except OSError as error:
        raise EngineUnavailable(
            f"cannot lock {lock.lock_file}: {error.strerror}; is the disk full?"
        ) from error
    return True


def _spawn(command: list[str], endpoint: Endpoint) -> Launched:
    environment = {
        **os.environ,
        "OMP_WAIT_POLICY": "passive",
        # The process has another working directory, and must not choose another home.
        RUNTIME_VARIABLE: str(endpoint.directory.absolute()),
    }
    detached = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0) | getattr(
        subprocess, "CREATE_NO_WINDOW", 0
    )
    try:
        # Without room for its files it would end before it could say why.
        with tempfile.TemporaryFile(dir=endpoint.directory) as room:
            room.write(bytes(_ROOM))
            room.flush()
        # The process keeps the log itself; what it says before that, its imports say.
        with endpoint.log_path.open("ab") as log:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=endpoint.directory,
                env=environment,
                start_new_session=True,  # Ctrl-C in a terminal and a closed editor pass it by
                creationflags=detached,
            )
    except OSError as error:
        raise EngineUnavailable(
            f"the engine process cannot be started: {error.strerror} "
            f"({error.filename or endpoint.directory}). Make room there, or set {RUNTIME_VARIABLE} "
            "to another directory of your own."
        ) from error
    return Launched(process)


def _isolation() -> tuple[str, ...]:
    """Flags that keep the workspace and the environment from being imported.

    `-I` would also hide the user's own packages, and Quillon may be installed among them.
    """
    if site.ENABLE_USER_SITE and Path(__file__).is_relative_to(site.getusersitepackages()):
        return ("-E", "-P")
    return ("-I",)
