"""The standard streams as a transport for pygls, read and written through the event loop."""

import asyncio
import io
import os
from typing import BinaryIO

from pygls.io_ import StdinAsyncReader, StdoutWriter

from quillon.handshake import Replayed


class PipeReader:
    """Reads through the event loop; an end of input inside a frame reads as the end."""

    def __init__(self, stream: asyncio.StreamReader) -> None:
        self._stream = stream

    async def readline(self) -> bytes:
        """The next line, its end included; empty at the end of input."""
        try:
            return await self._stream.readline()
        except (ValueError, ConnectionError):
            return b""  # a header line over 64 KiB is no header, and a reset is an end

    async def readexactly(self, n: int) -> bytes:
        """The next `n` bytes; empty where the input ends before."""
        try:
            return await self._stream.readexactly(n)
        except (asyncio.IncompleteReadError, ConnectionError):
            return b""


class PipeWriter:
    """Writes through the event loop, so that a client that does not read blocks nobody."""

    def __init__(self, transport: asyncio.WriteTransport) -> None:
        self._transport = transport

    def write(self, data: bytes) -> None:
        """Queue bytes; what a client that is gone would have got is dropped."""
        if not self._transport.is_closing():
            self._transport.write(data)

    def close(self) -> None:
        """Close once everything queued is written."""
        self._transport.close()


async def open_reader(stdin_fd: int, pending: bytes) -> PipeReader | StdinAsyncReader:
    """A reader for pygls that serves `pending` first.

    Pipes and sockets are read through the loop; where it cannot watch the descriptor (regular
    files, Windows) a thread reads.
    """
    stream = asyncio.StreamReader()
    try:
        await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(stream),
            os.fdopen(stdin_fd, "rb", buffering=0, closefd=False),
        )
    except (ValueError, OSError, NotImplementedError):
        return StdinAsyncReader(io.BufferedReader(Replayed(pending, stdin_fd)))
    if pending:
        stream.feed_data(pending)
    return PipeReader(stream)


async def open_writer(stdout: BinaryIO) -> PipeWriter | StdoutWriter:
    """A writer for pygls; see `open_reader` for where it blocks."""
    try:
        transport, _ = await asyncio.get_running_loop().connect_write_pipe(
            asyncio.BaseProtocol, stdout
        )
    except (ValueError, OSError, NotImplementedError):
        return StdoutWriter(stdout)
    return PipeWriter(transport)
