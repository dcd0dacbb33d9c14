"""A server at an address, over streamable HTTP: what it sends is bounded, on every layer.

Redirects are followed within the address's origin only (by the SDK), proxies of the environment
are not used, and no answer may be compressed, so that its size is known before it is read.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import httpx2
import mcp_types as types
from anyio.streams.memory import MemoryObjectSendStream
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.message import SessionMessage

from quillon_tools.mcp.lines import MAX_LINE, Allowance, FloodError
from quillon_tools.mcp.offered import narrowed
from quillon_tools.mcp.servers import ServerSpec

_CONNECT, _SILENCE = 30.0, 300.0  # seconds


class Address:
    """A connection to an address: the streams for the SDK's client, and how it ended."""

    def __init__(self) -> None:
        self.ended = anyio.Event()
        self.why = "the connection ended"
        self.last_words = ""
        self._to_session, self.reads = anyio.create_memory_object_stream[
            SessionMessage | Exception
        ](0)
        self.writes, self._from_session = anyio.create_memory_object_stream[SessionMessage](64)

    def kill(self) -> None:
        """There is nothing of ours to be killed."""

    def close(self) -> None:
        """Let the streams go."""
        for stream in (self._to_session, self.reads, self.writes, self._from_session):
            stream.close()

    async def relay(self, client: httpx2.AsyncClient, url: str) -> None:
        """Pass messages on in both directions until the connection ends."""
        try:
            async with (
                streamable_http_client(url, http_client=client, max_sse_event_size=MAX_LINE) as (
                    incoming,
                    outgoing,
                ),
                anyio.create_task_group() as group,
            ):

                async def send() -> None:
                    async for item in self._from_session:
                        await outgoing.send(item)

                group.start_soon(send)
                await self._take(incoming, self._to_session)
                group.cancel_scope.cancel()
        except* FloodError as errors:
            self.why = str(errors.exceptions[0])
        except* (httpx2.HTTPError, OSError) as errors:
            self.why = f"it cannot be reached: {_sentence(errors)}"
        except* (anyio.BrokenResourceError, anyio.ClosedResourceError):
            pass  # the session is gone
        finally:
            self._to_session.close()
            self.ended.set()

    async def _take(
        self,
        incoming: AsyncIterator[SessionMessage | Exception],
        to: MemoryObjectSendStream[SessionMessage | Exception],
    ) -> None:
        allowance = Allowance()
        async for item in incoming:
            allowance.spend(messages=1)
            if isinstance(item, Exception):
                continue
            if isinstance(item.message, types.JSONRPCResponse):
                item.message.result = narrowed(item.message.result)
            await to.send(item)


@asynccontextmanager
async def connected(spec: ServerSpec) -> AsyncIterator[Address]:
    """Speak to an address as long as the block lasts."""
    address = Address()
    client = httpx2.AsyncClient(
        headers={**spec.headers, "accept-encoding": "identity"},
        timeout=httpx2.Timeout(_CONNECT, read=_SILENCE),
        transport=_Bounded(),
        trust_env=False,
    )
    try:
        async with client, anyio.create_task_group() as group:
            group.start_soon(address.relay, client, spec.url)
            yield address
            group.cancel_scope.cancel()
    finally:
        address.close()


class _Bounded(httpx2.AsyncHTTPTransport):
    """Answers that end where they are larger than anybody can want them."""

    def __init__(self) -> None:
        super().__init__(trust_env=False)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        response = await super().handle_async_request(request)
        if response.headers.get("content-encoding", "identity") != "identity":
            await response.aclose()
            raise httpx2.DecodingError("the answer is compressed, which was not asked for")
        kind = response.headers.get("content-type", "")
        stream = kind.startswith("text/event-stream")
        body = response.stream
        assert isinstance(body, httpx2.AsyncByteStream)  # noqa: S101 - of an asynchronous transport
        response.stream = _BoundedBody(body, whole=not stream)
        return response


class _BoundedBody(httpx2.AsyncByteStream):
    """A body that may be so long, or, as a stream of events, so long with every second."""

    def __init__(self, body: httpx2.AsyncByteStream, *, whole: bool) -> None:
        self._body = body
        self._allowance = Allowance(
            size=float(MAX_LINE if whole else 4 * MAX_LINE),
            size_per_second=0.0 if whole else float(MAX_LINE >> 2),
        )

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._body:
            try:
                self._allowance.spend(size=len(piece))
            except FloodError as error:
                # An error of the library's own: the SDK answers the call with it.
                raise httpx2.StreamError(f"the answer is too large: {error}") from error
            yield piece

    async def aclose(self) -> None:
        await self._body.aclose()


def _sentence(errors: BaseExceptionGroup[BaseException]) -> str:
    first: BaseException = errors
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    return str(first) or type(first).__name__
