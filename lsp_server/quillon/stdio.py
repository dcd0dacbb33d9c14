"""The standard streams as a transport: the protocol owns fd 1, and nothing else can write to it."""

import asyncio
import os
import sys
from typing import BinaryIO, Protocol

from pygls.io_ import StdinAsyncReader, StdoutWriter


class Reader(Protocol):
    """What pygls reads frames from."""

    async def readline(self) -> bytes: ...

    async def readexactly(self, n: int) -> bytes: ...


def claim_stdout() -> BinaryIO:
    """Take fd 1 for the protocol and point it at stderr for everybody else.

    Native code, a stray `print` and child processes write to fd 1 too; one byte of theirs between
    two frames would end the session. Call this before anything native is imported.
    """
    sys.stdout.flush()
    protocol_fd = os.dup(1)
    os.set_inheritable(protocol_fd, False)
    os.dup2(2, 1)
    return os.fdopen(protocol_fd, "wb", buffering=0)


class PipeReader:
    """Reads through the event loop; an end of input inside a frame reads as the end."""

    def __init__(self, stream: asyncio.StreamReader) -> None:
        self._stream = stream

    async def readline(self) -> bytes:
        try:
            return await self._stream.readline()
        except (ValueError, ConnectionError):
            return b""  # a header line over 64 KiB is no header, and a reset is an end

    async def readexactly(self, n: int) -> bytes:
        try:
            return await self._stream.readexactly(n)
        except (asyncio.IncompleteReadError, ConnectionError):
            return b""


class PipeWriter:
    """Writes through the event loop, so that a client that does not read blocks nobody."""

    def __init__(self, transport: asyncio.WriteTransport) -> None:
        self._transport = transport

    def write(self, data: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(data)

    def close(self) -> None:
        self._transport.close()


async def open_streams(stdin: BinaryIO, stdout: BinaryIO) -> tuple[object, object]:
    """A reader and a writer for pygls over the two streams.

    Pipes and sockets go through the loop. Where it cannot watch them (regular files, Windows)
    pygls's thread for reading and blocking writes serve.
    """
    loop = asyncio.get_running_loop()
    reader: object
    writer: object
    try:
        stream = asyncio.StreamReader()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(stream), stdin)
        reader = PipeReader(stream)
    except (ValueError, OSError, NotImplementedError):
        reader = StdinAsyncReader(stdin)
    try:
        transport, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, stdout)
        writer = PipeWriter(transport)
    except (ValueError, OSError, NotImplementedError):
        writer = StdoutWriter(stdout)
    return reader, writer
