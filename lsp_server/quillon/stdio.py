"""The standard streams as a transport for pygls; neither reading nor writing blocks the event loop.

What a client can send or leave unread is bounded: one that announces a message larger than any,
sends no messages at all or never reads its answers is told of in the log, and its session ends.
"""

import asyncio
import io
import os
import re
import stat
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from queue import SimpleQueue
from typing import BinaryIO, Protocol

from quillon.handshake import Replayed

_MAX_LINE = 64 * 1024  # bytes of a line of a header; none comes near
_MAX_LINES = 100  # lines of a header
_MAX_BODY = 512 * 1024 * 1024  # bytes of a message; a text that is opened is one
_MAX_UNREAD = 64 * 1024 * 1024  # bytes of answers that wait for the client
_LAST_WRITE = 5.0  # seconds for what still waits when the session ends
_STRANGE = "What the client sent is no message of the Language Server Protocol:"
_LENGTH = re.compile(rb"content-length[ \t]*:[ \t]*(\d{1,20})[ \t]*", re.IGNORECASE)


class Source(Protocol):
    """Where bytes come from. Every method gives nothing at the end of input."""

    async def readline(self) -> bytes:
        """The next line, its end included, or of a longer one the first 64 KiB."""
        ...

    async def readexactly(self, n: int) -> bytes:
        """The next `n` bytes; nothing where the input ends before."""
        ...


class PipeSource:
    """Pipes and sockets, read through the event loop."""

    def __init__(self, stream: asyncio.StreamReader) -> None:
        self._stream = stream

    async def readline(self) -> bytes:
        """See `Source`."""
        try:
            return await self._stream.readuntil(b"\n")
        except asyncio.IncompleteReadError as error:
            return error.partial
        except asyncio.LimitOverrunError:
            return await self.readexactly(_MAX_LINE)
        except ConnectionError:
            return b""  # a reset is an end

    async def readexactly(self, n: int) -> bytes:
        """See `Source`."""
        try:
            return await self._stream.readexactly(n)
        except (asyncio.IncompleteReadError, ConnectionError):
            return b""


class ThreadSource:
    """What the event loop cannot watch (regular files, Windows), read by a thread."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        # Of its own: the loop's pool would be waited for at the end.
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="stdin")

    async def readline(self) -> bytes:
        """See `Source`."""
        run = asyncio.get_running_loop().run_in_executor
        return await run(self._pool, self._file.readline, _MAX_LINE)

    async def readexactly(self, n: int) -> bytes:
        """See `Source`."""
        run = asyncio.get_running_loop().run_in_executor
        found = await run(self._pool, self._file.read, n)
        return found if len(found) == n else b""


class Reader:
    """Messages for pygls, which is shown plain headers only.

    `problem` says why there is no further message, where that is not the end of input.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._lines = 0
        self._has_length = False
        self.problem = ""

    async def readline(self) -> bytes:
        """The next line of a header, its end included; nothing when the session is over."""
        line = b"" if self.problem else await self._source.readline()
        self.problem = self.problem or self._wrong(line)
        if self.problem:
            return b""
        if not line.strip():
            self._lines, self._has_length = 0, False
            return line
        self._lines += 1
        if (length := _LENGTH.fullmatch(line.rstrip(b"\r\n"))) is None:
            return line
        self._has_length = True
        # A client may write it in other ways; pygls knows one.
        return b"Content-Length: %d\r\n" % int(length[1])

    async def readexactly(self, n: int) -> bytes:
        """The body of a message."""
        return await self._source.readexactly(n)

    def _wrong(self, line: bytes) -> str:
        """Why a line is of no header; empty: it is of one, or it is the end of input."""
        if line and not line.endswith(b"\n"):
            cut = len(line) >= _MAX_LINE  # else the input ends here
            return f"{_STRANGE} a line of over {_MAX_LINE // 1024} KiB" if cut else ""
        if self._lines >= _MAX_LINES:
            return f"{_STRANGE} a header of over {_MAX_LINES} lines"
        if self._lines and not self._has_length and line and not line.strip():
            return f"{_STRANGE} a header without a Content-Length"
        length = _LENGTH.fullmatch(line.rstrip(b"\r\n"))
        if length is None and line[:15].lower() == b"content-length:":
            return f"{_STRANGE} a Content-Length that is no number of bytes"
        if length is not None and int(length[1]) > _MAX_BODY:
            return (
                f"The client announced a message of {int(length[1])} bytes, and at most "
                f"{_MAX_BODY} are read"
            )
        return ""


class PipeWriter:
    """Writes through the event loop, so that a client that does not read blocks nobody.

    One that never reads is given up, and told to `give_up`, with what waits for it.
    """

    def __init__(self, transport: asyncio.WriteTransport, give_up: Callable[[str], None]) -> None:
        self._transport = transport
        self._give_up = give_up

    def write(self, data: bytes) -> None:
        """Queue bytes; what a client that is gone would have got is dropped."""
        if self._transport.is_closing():
            return
        self._transport.write(data)
        waiting = self._transport.get_write_buffer_size()
        if waiting > _MAX_UNREAD:
            self._transport.abort()  # what waits is let go, and with it its memory
            self._give_up(_unread(waiting))

    def close(self) -> None:
        """Close once everything queued is written."""
        self._transport.close()


class ThreadWriter:
    """Writes what the event loop cannot watch (regular files, Windows) by a thread.

    For the rest see `PipeWriter`; what cannot be written at all is told to `give_up`, too.
    """

    def __init__(self, file: BinaryIO, give_up: Callable[[str], None]) -> None:
        self._file = file
        self._give_up = give_up
        self._loop = asyncio.get_running_loop()
        self._queue: SimpleQueue[bytes] = SimpleQueue()  # nothing at the end
        self._lock = threading.Lock()
        self._waiting = 0  # bytes
        self._over = False
        # A write that never ends must not keep the process.
        self._thread = threading.Thread(target=self._run, name="stdout", daemon=True)
        self._thread.start()

    def write(self, data: bytes) -> None:
        """See `PipeWriter`."""
        if self._over or not data:
            return
        with self._lock:
            self._waiting += len(data)
            waiting = self._waiting
        if waiting > _MAX_UNREAD:
            self._over = True
            self._give_up(_unread(waiting))
        else:
            self._queue.put(data)

    def close(self) -> None:
        """Close once everything queued is written, and wait for that a while."""
        if not self._over:
            self._over = True
            self._queue.put(b"")
            self._thread.join(_LAST_WRITE)

    def _run(self) -> None:
        try:
            with self._file:
                while data := self._queue.get():
                    self._write_all(data)
                    with self._lock:
                        self._waiting -= len(data)
        except OSError as error:
            self._over = True
            if not isinstance(error, ConnectionError):  # else the client is gone, as its input says
                problem = f"The answers cannot be written: {error.strerror}"
                with suppress(RuntimeError):  # the loop has ended meanwhile
                    self._loop.call_soon_threadsafe(self._give_up, problem)

    def _write_all(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            rest = rest[self._file.write(rest) :]
        self._file.flush()


async def open_reader(stdin_fd: int, pending: bytes) -> Reader:
    """A reader for pygls that serves `pending` first."""
    if not _watchable(stdin_fd):
        return Reader(ThreadSource(io.BufferedReader(Replayed(pending, stdin_fd))))
    stream = asyncio.StreamReader(limit=_MAX_LINE)
    try:
        await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(stream),
            os.fdopen(stdin_fd, "rb", buffering=0, closefd=False),
        )
    except (ValueError, OSError, NotImplementedError):
        return Reader(ThreadSource(io.BufferedReader(Replayed(pending, stdin_fd))))
    if pending:
        stream.feed_data(pending)
    return Reader(PipeSource(stream))


async def open_writer(
    stdout: BinaryIO, give_up: Callable[[str], None]
) -> PipeWriter | ThreadWriter:
    """A writer for pygls. `give_up` is told, on the event loop, why nothing can be written."""
    if not _watchable(stdout.fileno()):
        return ThreadWriter(stdout, give_up)
    try:
        transport, _ = await asyncio.get_running_loop().connect_write_pipe(
            asyncio.BaseProtocol, stdout
        )
    except (ValueError, OSError, NotImplementedError):
        return ThreadWriter(stdout, give_up)
    return PipeWriter(transport, give_up)


def _unread(waiting: int) -> str:
    return f"The client has left {waiting} bytes unread"


def _watchable(descriptor: int) -> bool:
    """Whether the loop can watch it; of /dev/null it takes that for granted, and then cannot.

    So it does on Windows of the pipes that editors start us with: they are not made for waiting.
    """
    if sys.platform == "win32":
        return False
    mode = os.fstat(descriptor).st_mode
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or os.isatty(descriptor)
