"""All servers that the settings name, on a thread of their own: whatever they send, nobody waits.

The SDK is imported there, too, which takes a second. Nothing is started and nobody is connected
to before `configure` names a server.
"""

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Coroutine, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from quillon_tools.calls import Failed
from quillon_tools.foreign import ForeignCall
from quillon_tools.mcp.offered import (
    ForeignTool,
    UnusableToolError,
    full_name,
    usable_description,
    usable_schema,
)
from quillon_tools.mcp.servers import INSTALL, Patience, ServerSpec, problem_of, told

if TYPE_CHECKING:
    import mcp_types as types

    from quillon_tools.mcp.connection import Connection

logger = logging.getLogger(__name__)

_SPARE = 10.0  # seconds beyond its time, after which the thread is given up
_MAX_NEWS = 50
_SHOWN = 3  # sentences on single tools of one server
# They log tracebacks of what a server sent wrongly, and addresses with what they hold.
_LOUD = ("mcp", "client", "httpx2", "httpcore2")


class ServerHub:
    """The servers and what they offer. Used from one event loop; nothing here blocks it."""

    def __init__(self, patience: Patience | None = None) -> None:
        self._patience = patience or Patience()
        self._specs: dict[str, ServerSpec] = {}
        self._news: deque[str] = deque(maxlen=_MAX_NEWS)
        self._told: set[str] = set()
        self._tools: tuple[ForeignTool, ...] = ()
        self._thread: threading.Thread | None = None
        self._closed = False
        self._connections: dict[str, Connection] = {}
        self._keeping: dict[str, asyncio.Task[None]] = {}
        self._beginning: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._by_server: dict[str, list[ForeignTool]] = {}

    @property
    def tools(self) -> tuple[ForeignTool, ...]:
        """What may be called now. Changes whenever a server comes, goes or says so."""
        return self._tools

    def news(self) -> list[str]:
        """Sentences for the user since this was last asked; each is told once."""
        found = []
        while self._news:
            found.append(self._news.popleft())
        return found

    def configure(self, specs: Mapping[str, ServerSpec]) -> None:
        """Start the servers that are new, and end those that are gone or are meant otherwise."""
        if dict(specs) == self._specs:
            return
        self._specs = dict(specs)
        if self._closed:
            return
        if self._thread is None:
            self._loop = asyncio.new_event_loop()
            self._thread = threading.Thread(target=self._run, name="mcp", daemon=True)
            self._thread.start()
        self._loop.call_soon_threadsafe(self._apply, dict(specs))

    async def settle(self, seconds: float) -> None:
        """Wait until every server has shown what it offers, or has failed; not for ever."""
        if self._thread is None or not self._specs:
            return
        waiting = asyncio.run_coroutine_threadsafe(self._settled(), self._loop)
        try:
            async with asyncio.timeout(seconds):
                await asyncio.wrap_future(waiting)
        except TimeoutError:
            return

    def end(self) -> None:
        """Begin to end every server; nothing is started any more."""
        if self._closed:
            return
        self._closed, self._tools = True, ()
        if self._thread is not None:
            with suppress(RuntimeError):  # closed by now
                self._loop.call_soon_threadsafe(self._loop.stop)

    def close(self) -> None:
        """End every server and all that they started. Blocks for a few seconds at most."""
        self.end()
        thread, self._thread = self._thread, None
        if thread is None:
            return
        thread.join(4 * self._patience.leave + _SPARE)
        if thread.is_alive():
            self.kill()

    def kill(self) -> None:
        """End every server at once, with no regard to what it does. From any thread."""
        for connection in tuple(self._connections.values()):
            connection.kill()

    # On the thread.

    def _run(self) -> None:
        for name in _LOUD:
            logging.getLogger(name).setLevel(logging.CRITICAL)
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
            self._loop.run_until_complete(self._end(tuple(self._tasks)))
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.run_until_complete(self._loop.shutdown_default_executor())
        finally:
            self._loop.close()

    def _apply(self, specs: dict[str, ServerSpec]) -> None:
        gone = [n for n, c in self._connections.items() if specs.get(n) != c.spec]
        ending = [self._keeping.pop(name) for name in gone]
        for name in gone:
            del self._connections[name]
            self._by_server.pop(name, None)
        self._told.clear()
        self._beginning = self._task(self._begin(specs, ending))
        self._publish()

    def _task(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _begin(self, specs: dict[str, ServerSpec], ending: list[asyncio.Task[None]]) -> None:
        await self._end(ending)
        try:
            # An extra, and slow to import.
            from quillon_tools.mcp.connection import Connection  # noqa: PLC0415
        except ImportError as error:
            logger.info("the MCP SDK cannot be imported: %s", error)
            names = ", ".join(specs)
            if specs:
                self._report(f"The MCP servers of the settings ({names}) are not used. {INSTALL}")
            return
        for name, spec in specs.items():
            if name in self._connections:
                continue
            if (problem := problem_of(name, spec)) is not None:
                self._report(
                    f"The MCP server {name[:60]!r} of the settings is not used: {problem}."
                )
                continue
            connection = Connection(
                name, spec, self._patience, offered=self._offered, report=self._report
            )
            self._connections[name] = connection
            self._keeping[name] = self._task(connection.keep())

    async def _end(self, tasks: Sequence[asyncio.Task[None]]) -> None:
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def _settled(self) -> None:
        if self._beginning is not None:
            await asyncio.wait([self._beginning])
        for connection in tuple(self._connections.values()):
            await connection.settled.wait()

    def _report(self, sentence: str) -> None:
        if sentence not in self._told and len(self._told) < _MAX_NEWS:
            self._told.add(sentence)
            self._news.append(sentence)
            told.warning("%s", sentence)

    def _offered(self, connection: "Connection", found: "list[types.Tool]") -> None:
        from quillon_tools.mcp.connection import MAX_TOOLS  # noqa: PLC0415 - as above

        if self._connections.get(connection.name) is not connection:
            return
        problems: list[str] = []
        usable: dict[str, ForeignTool] = {}
        for tool in found[:MAX_TOOLS]:
            try:
                made = self._made(connection, tool)
                if made.name in usable:
                    raise UnusableToolError("another one has the same name")  # noqa: TRY301
                usable[made.name] = made
            except UnusableToolError as error:
                problems.append(f"the tool {tool.name[:60]!r} is left out: {error}")
        if len(found) > MAX_TOOLS:
            problems.append(f"it offers more than {MAX_TOOLS} tools; the others are left out")
        for problem in problems[:_SHOWN]:
            self._report(f"The MCP server {connection.name}: {problem}.")
        if len(problems) > _SHOWN:
            self._report(
                f"The MCP server {connection.name}: {len(problems) - _SHOWN} more such problems."
            )
        self._by_server[connection.name] = list(usable.values())
        self._publish()

    def _made(self, connection: "Connection", tool: "types.Tool") -> ForeignTool:
        name = full_name(connection.name, tool.name)
        description = usable_description(tool.description or tool.title)
        schema = usable_schema(tool.input_schema)

        def call(arguments: dict[str, Any]) -> ForeignCall:
            async def send(seconds: float) -> str:
                return await self._send(connection, tool.name, arguments, seconds)

            return ForeignCall(
                server=connection.name,
                tool=tool.name,
                place=connection.spec.place,
                arguments=arguments,
                send=send,
            )

        return ForeignTool(name, description, schema, call)

    def _publish(self) -> None:
        order = [name for name in self._specs if name in self._by_server]
        self._tools = tuple(tool for name in order for tool in self._by_server[name])

    # On the caller's loop.

    async def _send(
        self, connection: "Connection", tool: str, arguments: dict[str, Any], seconds: float
    ) -> str:
        calling = connection.call(tool, arguments, seconds)
        try:
            future = asyncio.run_coroutine_threadsafe(calling, self._loop)
        except RuntimeError:  # closed meanwhile
            calling.close()
            raise Failed(f"the server {connection.name} is not running") from None
        try:
            async with asyncio.timeout(seconds + _SPARE):
                return await asyncio.wrap_future(future)
        except TimeoutError:
            raise Failed(f"the server {connection.name} did not answer") from None
