"""The engine process: a socket server on the event loop beside one decode thread.

It listens before the model is loaded, so that clients can watch the loading. Several clients share
it; what one of them started is cancelled when it goes. Without a client it ends after a while, and
ending is how memory is given back. Its standard output and error are its log file: native code
prints where it likes.

    python -I -m quillon.engine.host --model FILE [--settings JSON]
"""

import argparse
import asyncio
import contextlib
import logging
import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec
from filelock import FileLock, Timeout

from quillon import __version__
from quillon.engine import wire
from quillon.engine.base import EngineInfo, EngineUnavailable
from quillon.engine.endpoint import (
    Endpoint,
    HostState,
    endpoint_for,
    new_token,
    read_state,
    write_state,
)
from quillon.engine.guest import Guest
from quillon.engine.stillness import Stillness
from quillon.engine.worker import Worker
from quillon.settings import ModelSettings

logger = logging.getLogger(__name__)

ENDED, ALREADY_RUNNING, CANNOT_LISTEN = 0, 3, 4  # exit codes

_FIRST_CLIENT = 30.0  # seconds that a fresh process waits for whoever started it, at least
_PREDECESSOR = 10.0  # seconds that one which is just ending may take
_STOP_WORKER = 5.0
_LONGEST_STEP = 120.0  # seconds for one chunk of a prompt on the slowest machine, and some grammars
_ASLEEP = 1.3  # seconds; a step in which nothing runs for so long hangs
_LOOK, _LONELY_LOOK = 0.25, 5.0  # seconds between two looks; where nobody waits for anything
_MAX_LOG = 4 * 1024 * 1024  # bytes; then the log starts anew


class HostOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What to run. `foreground` leaves standard error where it is."""

    model: Path
    settings: ModelSettings = ModelSettings()
    foreground: bool = False
    verbose: bool = False


def main(options: HostOptions) -> int:
    """Serve until the last client is gone for long enough, or a signal ends it."""
    try:
        endpoint = endpoint_for(options.model, options.settings)
    except EngineUnavailable as error:
        sys.stderr.write(f"{error}\n")
        return CANNOT_LISTEN
    lock = FileLock(endpoint.host_lock_path)
    if not _acquire(lock, endpoint):
        sys.stderr.write("An engine for this model is already running.\n")
        return ALREADY_RUNNING
    _redirect_output(None if options.foreground else endpoint.log_path)
    logging.basicConfig(
        level=logging.DEBUG if options.verbose else logging.INFO,
        stream=sys.stderr,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    # Threads that wait for each other must not spin: on a busy machine that costs most of the
    # speed. It has to be set before llama.cpp, and with it OpenMP, is loaded.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    logger.info("Quillon %s, engine process %d, model %s", __version__, os.getpid(), options.model)
    try:
        stopped = asyncio.run(_serve(options, endpoint))
    except OSError as error:
        logger.error("cannot listen: %s", error)  # noqa: TRY400 - the message says it all
        return CANNOT_LISTEN
    logger.info("the engine process ends")
    if not stopped:
        # A native call does not return. Nothing is left to save, and the lock goes with us.
        logger.warning("the model did not let go in time")
        logging.shutdown()
        os._exit(ENDED)
    return ENDED


class Host:
    """Clients on one side, the decode thread on the other."""

    def __init__(self, options: HostOptions, endpoint: Endpoint) -> None:
        self.token = new_token()
        self.ended = asyncio.Event()
        self.fraction: float | None = 0.0
        self.worker = Worker(options.model, options.settings, self._on_change)
        self._endpoint = endpoint
        self._idle = options.settings.idle_minutes * 60
        self._guests: set[Guest] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()
        self._stillness = Stillness(_ASLEEP)
        self._next_look: asyncio.TimerHandle | None = None
        self._patience = _STOP_WORKER

    async def run(self) -> bool:
        """Listen, load, serve. Returns False where the decode thread could not be ended."""
        # First: who reads the state file may send a signal at once.
        self._heed_signals()
        server = await self._listen()
        self.worker.start()
        self._end_after(max(self._idle, _FIRST_CLIENT))
        self._watch()
        try:
            await self.ended.wait()
        finally:
            # Nobody must find this process any more while it gives its memory back.
            self._endpoint.state_path.unlink(missing_ok=True)
            server.close()
            if self._endpoint.socket_path is not None:
                self._endpoint.socket_path.unlink(missing_ok=True)
            for guest in list(self._guests):
                guest.close()
            stopped = await asyncio.to_thread(self.worker.stop, self._patience)
        return stopped

    def info(self) -> EngineInfo:
        """What runs, and for how many."""
        return msgspec.structs.replace(self.worker.info, pid=os.getpid(), clients=len(self._guests))

    def join(self, guest: Guest) -> None:
        """A client has shown the token."""
        self._guests.add(guest)
        if self._next_look is not None:
            self._next_look.cancel()
            self._watch()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def leave(self, guest: Guest) -> None:
        """A client is gone."""
        if guest not in self._guests:
            return
        self._guests.remove(guest)
        if not self._guests:
            # A failed load is not worth keeping: the next attempt may find more memory.
            self._end_after(0 if self.worker.info.state == "failed" else self._idle)

    async def _listen(self) -> asyncio.Server:
        path = self._endpoint.socket_path
        port = None
        if path is None:
            server = await asyncio.start_server(self._welcome, "127.0.0.1", 0)
            port = server.sockets[0].getsockname()[1]
        else:
            path.unlink(missing_ok=True)  # a dead process left it; the lock says that it is dead
            server = await asyncio.start_unix_server(self._welcome, path)
        state = HostState(
            pid=os.getpid(),
            socket=None if path is None else str(path),
            port=port,
            token=self.token,
            version=__version__,
        )
        write_state(self._endpoint.state_path, state)
        return server

    async def _welcome(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await Guest(self, reader, writer).run()

    def _heed_signals(self) -> None:
        for name in ("SIGTERM", "SIGINT", "SIGHUP"):
            number = getattr(signal, name, None)
            if number is not None:
                # Windows has no such handlers; there the process is ended by `Shutdown`.
                with contextlib.suppress(NotImplementedError):
                    self._loop.add_signal_handler(number, self.ended.set)

    def _end_after(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_later(seconds, self.ended.set)

    def _watch(self) -> None:
        """End the process when a native call does not come back: clients start it anew."""
        busy_for = self.worker.busy_for()
        # While a GPU computes, the processor sleeps.
        asleep = self.worker.info.gpu_layers == 0 and self._stillness.look(busy_for)
        if asleep or busy_for > _LONGEST_STEP:
            logger.error("a step hangs: %s", "nothing runs" if asleep else "it takes too long")
            self._patience = 0.0
            self.ended.set()
        else:
            pause = _LOOK if self._guests else _LONELY_LOOK
            self._next_look = self._loop.call_later(pause, self._watch)

    def _on_change(self, _: EngineInfo, fraction: float | None) -> None:
        # On the decode thread; the loop may be closed already.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._announce, fraction)

    def _announce(self, fraction: float | None) -> None:
        self.fraction = fraction
        for guest in list(self._guests):
            guest.send(wire.Progress(self.info(), fraction))


def parse_options(arguments: Sequence[str]) -> HostOptions:
    """Options from a command line."""
    parser = argparse.ArgumentParser(prog="quillon engine", description="Run a model.")
    parser.add_argument("--model", type=Path, required=True, help="GGUF file")
    parser.add_argument("--settings", default="{}", help="settings of `model`, as JSON")
    parser.add_argument("--foreground", action="store_true", help="log to standard error")
    parser.add_argument("--verbose", action="store_true", help="log what llama.cpp says")
    values = parser.parse_args(arguments)
    try:
        settings = msgspec.json.decode(values.settings, type=ModelSettings)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        parser.error(f"--settings: {error}")
    return HostOptions(
        model=values.model,
        settings=settings,
        foreground=values.foreground,
        verbose=values.verbose,
    )


async def _serve(options: HostOptions, endpoint: Endpoint) -> bool:
    return await Host(options, endpoint).run()


def _acquire(lock: FileLock, endpoint: Endpoint) -> bool:
    """Become the only process of this endpoint; False where another one serves it."""
    patience = time.monotonic() + _PREDECESSOR
    while True:
        try:
            lock.acquire(timeout=0.1)
        except Timeout:
            # One without a state file is starting or ending: wait and see.
            if read_state(endpoint.state_path) is not None or time.monotonic() > patience:
                return False
        else:
            return True


def _redirect_output(log: Path | None) -> None:
    """Send everything that is printed, by native code too, to the log file."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:  # a process without a console has none
            stream.flush()
    if log is None:
        os.dup2(2, 1)
        return
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    with contextlib.suppress(OSError):
        if log.stat().st_size > _MAX_LOG:
            flags |= os.O_TRUNC
    try:
        descriptor = os.open(log, flags, 0o600)
    except OSError:
        descriptor = os.open(os.devnull, os.O_WRONLY)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.close(descriptor)


if __name__ == "__main__":
    sys.exit(main(parse_options(sys.argv[1:])))
