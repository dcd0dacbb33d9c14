"""A small HTTP server on 127.0.0.1 for tests of the remote engine: what it answers is a table."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Self

Answer = tuple[int, Any] | AsyncIterator[bytes]
Handler = Callable[[Any], Answer | Awaitable[Answer]]


class HttpServer:
    """Answers `routes["METHOD /path"]`, which gets the body's JSON.

    A handler gives a status and a value to send as JSON (bytes go as they are), or the chunks of
    a stream. `asked` holds what came in; `gone` is set once a client left within a stream.
    """

    def __init__(self, routes: dict[str, Handler]) -> None:
        self.routes = routes
        self.asked: list[tuple[str, Any, dict[str, str]]] = []
        self.gone = asyncio.Event()
        self.port = 0
        self._server: asyncio.Server | None = None
        self._serving: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        """The base URL of the interface."""
        return f"http://127.0.0.1:{self.port}/v1"

    def bodies(self, route: str) -> list[Any]:
        """What was posted to a route."""
        return [body for where, body, _ in self.asked if where == route]

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        serving = tuple(self._serving)
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving)
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        ended = (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError)
        with contextlib.suppress(*ended):
            await self._answer(reader, writer)
        writer.close()
        if task.cancelling():
            writer.transport.abort()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
        self._serving.discard(task)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        first, *lines = head.splitlines()
        headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines)}
        method, path, _ = first.split(" ")
        raw = await reader.readexactly(int(headers.get("content-length", 0)))
        body = json.loads(raw) if raw else None
        route = f"{method} {path}"
        self.asked.append((route, body, headers))
        handler = self.routes.get(route)
        answer: Any = (404, {"detail": "Not Found"}) if handler is None else handler(body)
        if isinstance(answer, Awaitable):
            answer = await answer
        if isinstance(answer, tuple):
            _write(writer, *answer)
            await writer.drain()
        else:
            await self._stream(reader, writer, answer)

    async def _stream(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        chunks: AsyncIterator[bytes],
    ) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n")
        left = asyncio.create_task(self._watch(reader))
        try:
            async for chunk in chunks:
                writer.write(f"{len(chunk):x}\r\n".encode() + chunk + b"\r\n")
                await writer.drain()
            writer.write(b"0\r\n\r\n")
            await writer.drain()
        finally:
            left.cancel()

    async def _watch(self, reader: asyncio.StreamReader) -> None:
        with contextlib.suppress(ConnectionError):
            await reader.read()
        self.gone.set()


def _write(writer: asyncio.StreamWriter, status: int, value: Any) -> None:
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    head = f"HTTP/1.1 {status} x\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    writer.write(head.encode() + body)


async def events(*values: Any, done: bool = True) -> AsyncIterator[bytes]:
    """Server-sent events of these values, ended as OpenAI ends them."""
    for value in values:
        yield f"data: {json.dumps(value, ensure_ascii=False)}\n\n".encode()
    if done:
        yield b"data: [DONE]\n\n"


async def lines(*values: Any) -> AsyncIterator[bytes]:
    """Lines of JSON, as Ollama sends them."""
    for value in values:
        yield json.dumps(value).encode() + b"\n"
