"""One server: connected, listed, called, and connected again when it fails. On the hub's loop."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, nullcontext, suppress
from typing import Any

import mcp_types as types
from mcp.client import Client, IncomingMessage
from mcp.client.subscriptions import SubscriptionLost
from mcp.shared.exceptions import MCPError
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from pydantic import TypeAdapter, ValidationError

from quillon_tools.calls import Failed, Retry, ToolError
from quillon_tools.masking import masked
from quillon_tools.mcp.program import Program, ProgramError, started
from quillon_tools.mcp.results import text_of
from quillon_tools.mcp.servers import Patience, ServerSpec, told
from quillon_tools.mcp.web import Address, connected
from quillon_tools.visible import visible

logger = logging.getLogger(__name__)

MAX_TOOLS = 100
_MAX_PAGES = 20
_SAID = 300  # characters of what a server says for itself
_BETWEEN_LISTS = 1.0  # seconds
_ALIVE = 10.0  # seconds to show that it lives, after a call that took too long

_Outcome = types.CallToolResult | types.InputRequiredResult
_RESULT: TypeAdapter[_Outcome] = TypeAdapter(_Outcome)


class Connection:
    """A server of the settings. `keep` runs as long as the settings name it.

    `offered` is told the server's tools whenever they change, `report` gets sentences for people.
    `settled` is set once the server has shown for the first time what it offers, or has failed.
    """

    def __init__(
        self,
        name: str,
        spec: ServerSpec,
        patience: Patience,
        *,
        offered: Callable[["Connection", list[types.Tool]], None],
        report: Callable[[str], None],
    ) -> None:
        self.name = name
        self.spec = spec
        self.settled = asyncio.Event()
        self._patience = patience
        self._offered = offered
        self._report = report
        self._peer: Program | Address | None = None
        self._client: Client | None = None
        self._changed = asyncio.Event()
        self._silent = asyncio.Event()
        self._looking: asyncio.Task[None] | None = None

    def kill(self) -> None:
        """End what runs at once. From any thread."""
        if self._peer is not None:
            self._peer.kill()

    async def keep(self) -> None:
        """Serve, and after a failure serve again, until cancelled or given up."""
        loop, failures = asyncio.get_running_loop(), 0
        while True:
            began = loop.time()
            why, may_mend = await self._attempt()
            self._offered(self, [])
            if loop.time() - began > self._patience.settled:
                failures = 0
            failures += 1
            told.warning("MCP server %s: %s", self.name, why)
            if not may_mend or failures >= self._patience.tries:
                again = f" It was started {failures} times." if may_mend else ""
                self._report(f"The MCP server {self.name} is not used: {why}.{again}")
                self.settled.set()
                return
            if failures == 1:
                self._report(f"The MCP server {self.name} failed and is started again: {why}.")
            self.settled.set()
            await asyncio.sleep(self._patience.pause * 2 ** (failures - 1))

    async def call(self, tool: str, arguments: dict[str, Any], seconds: float) -> str:
        """What a tool answers.

        Raises:
            Retry: The server says that the call was wrong.
            Failed: It cannot answer, or did not within the time.
        """
        client = self._client
        if client is None:
            raise Failed(f"the server {self.name} is not running")
        request = types.CallToolRequest(
            params=types.CallToolRequestParams(name=tool, arguments=arguments)
        )
        try:
            async with asyncio.timeout(seconds):
                # Not `call_tool`: it would apply the server's schema of its results.
                result = await client.session.send_request(request, _RESULT)
        except TimeoutError:
            self._look_whether_it_lives()
            raise Failed(f"the server {self.name} did not answer within {seconds:g} s") from None
        except (MCPError, ValidationError) as error:
            raise self._refusal(error) from error
        if isinstance(result, types.InputRequiredResult):
            raise Failed(f"the server {self.name} wants to ask the user, which is not supported")
        return await asyncio.to_thread(text_of, self.name, result)

    def _refusal(self, error: MCPError | ValidationError) -> ToolError:
        if isinstance(error, ValidationError):
            return Failed(f"the server {self.name} answered what is no result of a tool")
        if error.code == types.CONNECTION_CLOSED:
            return Failed(f"the server {self.name} ended during the call")
        kind = Retry if error.code == types.INVALID_PARAMS else Failed
        return kind(f"the server {self.name} says: {_said(error.message)}")

    async def _attempt(self) -> tuple[str, bool]:
        """Serve once; why it ended, and whether starting again may help."""
        try:
            await self._serve()
        except ProgramError as error:
            return str(error), False
        except TimeoutError:
            return f"it was not ready within {self._patience.start:g} s{self._words()}", True
        except Exception as error:  # noqa: BLE001 - what the SDK raises on what a server may send
            return f"{self._cause(error)}{self._words()}", True
        finally:
            self._client = None
        why = "it does not answer any more" if self._silent.is_set() else self._how_it_ended()
        return f"{why}{self._words()}", True

    async def _serve(self) -> None:
        self._changed.clear()
        self._silent.clear()
        async with AsyncExitStack() as stack:
            peer = await stack.enter_async_context(self._opened())
            self._peer = peer
            stack.callback(self._cancel_look)
            client = Client(
                nullcontext((peer.reads, peer.writes)),
                cache=None,
                client_info=types.Implementation(name="quillon", version="1"),
                message_handler=self._heard,
            )
            async with asyncio.timeout(self._patience.start):
                await stack.enter_async_context(client)
                await self._list(client)
            self._client = client
            self.settled.set()
            listening = asyncio.create_task(self._listen(client))
            stack.callback(listening.cancel)
            while await self._until_changed(peer):
                self._changed.clear()
                async with asyncio.timeout(self._patience.start):
                    await self._list(client)
                # However often it says that its tools changed.
                await asyncio.sleep(_BETWEEN_LISTS)

    def _opened(self) -> AbstractAsyncContextManager[Program | Address]:
        if self.spec.url:
            return connected(self.spec)
        return started(self.spec, self._patience.leave)

    async def _list(self, client: Client) -> None:
        found: list[types.Tool] = []
        cursor: str | None = None
        for _page in range(_MAX_PAGES):
            page = await client.list_tools(cursor=cursor)
            found += page.tools
            cursor = page.next_cursor
            if not cursor or len(found) > MAX_TOOLS:
                break
        self._offered(self, found)

    async def _until_changed(self, peer: Program | Address) -> bool:
        """Wait: true where the tools changed, false where the server is gone."""
        waits: list[Awaitable[Any]] = [peer.ended.wait(), self._silent.wait(), self._changed.wait()]
        tasks = [asyncio.ensure_future(wait) for wait in waits]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
        return not peer.ended.is_set() and not self._silent.is_set()

    async def _heard(self, message: IncomingMessage) -> None:
        if isinstance(message, types.ToolListChangedNotification):
            self._changed.set()

    async def _listen(self, client: Client) -> None:
        """Ask to be told of changes, where the protocol's version wants that."""
        if client.protocol_version not in MODERN_PROTOCOL_VERSIONS:
            return
        with suppress(MCPError, SubscriptionLost, ValidationError):  # then nothing is told
            async with client.listen(tools_list_changed=True) as changes:
                async for _change in changes:
                    self._changed.set()

    def _look_whether_it_lives(self) -> None:
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())

    async def _look(self) -> None:
        client = self._client
        try:
            async with asyncio.timeout(_ALIVE):
                if client is not None:
                    await client.list_tools()
        except (TimeoutError, MCPError, ValidationError):
            self._silent.set()

    def _cancel_look(self) -> None:
        if self._looking is not None:
            self._looking.cancel()

    def _how_it_ended(self) -> str:
        return self._peer.why if self._peer is not None else "it ended"

    def _cause(self, error: Exception) -> str:
        first: BaseException = error
        while isinstance(first, BaseExceptionGroup):
            first = first.exceptions[0]
        if isinstance(first, MCPError):
            lost = first.code == types.CONNECTION_CLOSED
            return self._how_it_ended() if lost else f"it says: {_said(first.message)}"
        logger.debug("MCP server %s", self.name, exc_info=error)
        return f"it does not speak the protocol ({type(first).__name__})"

    def _words(self) -> str:
        words = self._peer.last_words if self._peer is not None else ""
        return f" (its last words: {_said(words)})" if words else ""


def _said(text: str) -> str:
    """What a server says for itself, for a sentence of ours."""
    return visible(masked(text).strip())[-_SAID:]
