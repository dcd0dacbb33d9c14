"""Our tools for other clients: an MCP server over the standard streams, behind the same guard.

The protocol knows no approval. What would run or change something is asked for through the
client's elicitation, in the form of its protocol's version; a client that has none is refused,
unless the user allowed the tool when they started the server.
"""

import secrets
from collections.abc import Awaitable, Callable, Sequence
from contextvars import ContextVar
from typing import Any

import anyio
import mcp_types as types
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.shared.message import SessionMessage
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from pydantic import ValidationError

from quillon_tools.calls import Proposal, ToolCall, ToolResult
from quillon_tools.masking import masked
from quillon_tools.mcp.lines import Allowance, LongLine, lines
from quillon_tools.policy import ApprovalRequest, Decision, Policy
from quillon_tools.tool import Limits, Tool
from quillon_tools.toolset import Audit, Toolset, cut
from quillon_tools.workspace import Workspace

_SHOWN = 4000  # characters of a preview
_OPEN = 100  # questions that may wait for an answer
_LAST_CALLS = 10.0  # seconds that calls may still take, once the input has ended
_LAST_ANSWERS = 5.0  # and then to write the answers in
_QUESTION = "approve"
_NO_FORM: dict[str, Any] = {"type": "object", "properties": {}}
_TOO_LONG = types.ErrorData(code=types.INVALID_REQUEST, message="the message is too long")

_Context = ServerRequestContext[Any, Any]
Read = Callable[[], Awaitable[bytes]]
Write = Callable[[bytes], Awaitable[None]]


class _AskFirstError(BaseException):
    """The user must be asked, and the call be made again with the answer.

    Not an `Exception`: whatever fails while the user is asked counts as a no, and this does not.
    """

    def __init__(self, question: str, state: str) -> None:
        self.question = question
        self.state = state


class Desk:
    """Serves the tools of a workspace to one client.

    `allowed` names the tools that the user lets run unasked.
    """

    def __init__(
        self,
        workspace: Workspace,
        tools: Sequence[Tool],
        *,
        version: str,
        limits: Limits | None = None,
        allowed: frozenset[str] = frozenset(),
        audit: Audit,
    ) -> None:
        self._allowed = allowed
        self._asking: ContextVar[tuple[_Context, types.CallToolRequestParams]] = ContextVar("call")
        # What was asked, by the token that comes back with the answer.
        self._open: dict[str, str] = {}
        self._limits = limits or Limits()
        self._toolset = Toolset(
            workspace, tools, limits=self._limits, policy=Policy(self._approve), audit=audit
        )
        self._server: Server[Any] = Server(
            "quillon", version=version, on_list_tools=self._list, on_call_tool=self._call
        )

    async def serve(self, read: Read, write: Write) -> None:
        """Serve until the input ends. `read` gives pieces of it, `write` takes whole lines."""
        to_server, reads = anyio.create_memory_object_stream[SessionMessage | Exception](0)
        writes, from_server = anyio.create_memory_object_stream[SessionMessage](0)
        waiting = _Waiting()
        with anyio.CancelScope() as scope:
            async with anyio.create_task_group() as group:
                group.start_soon(_feed, read, to_server, writes.clone(), waiting)
                group.start_soon(_drain, from_server, write, waiting)
                async with writes:
                    await self._server.run(
                        reads, writes, self._server.create_initialization_options()
                    )
                # What was answered still goes out, unless nobody takes it.
                scope.deadline = anyio.current_time() + _LAST_ANSWERS

    async def _list(
        self, _context: _Context, _params: types.PaginatedRequestParams | None
    ) -> types.ListToolsResult:
        return types.ListToolsResult(tools=[_offer(tool) for tool in self._toolset.tools])

    async def _call(
        self, context: _Context, params: types.CallToolRequestParams
    ) -> types.CallToolResult | types.InputRequiredResult:
        token = self._asking.set((context, params))
        try:
            call = ToolCall(secrets.token_hex(8), params.name, params.arguments or {})
            return self._answer(await self._toolset.execute(call))
        except _AskFirstError as ask:
            form = types.ElicitRequestFormParams(message=ask.question, requested_schema=_NO_FORM)
            return types.InputRequiredResult(
                input_requests={_QUESTION: types.ElicitRequest(params=form)},
                request_state=ask.state,
            )
        finally:
            self._asking.reset(token)

    def _answer(self, result: ToolResult) -> types.CallToolResult:
        text = result.text
        if result.proposal is not None:
            text = f"{text}\n{self._unwritten(result.proposal)}"
        return types.CallToolResult(content=[types.TextContent(text=text)], is_error=not result.ok)

    def _unwritten(self, proposal: Proposal) -> str:
        diff = cut(masked(proposal.diff), self._limits.output)
        return f"Nothing was written. To make the change, apply this:\n{diff}"

    async def _approve(self, request: ApprovalRequest) -> Decision:
        context, params = self._asking.get()
        if request.tool in self._allowed:
            return Decision("once")
        question = _question(request)
        capabilities = context.session.client_capabilities
        if capabilities is None or not _can_ask(capabilities.elicitation):
            return Decision(
                "deny",
                "this client cannot ask its user; start the server with "
                f"--allow {request.tool} to let it run unasked",
            )
        if context.protocol_version in MODERN_PROTOCOL_VERSIONS:
            return self._answered(request, params, question)
        answer = await context.session.elicit_form(question, _NO_FORM, context.request_id)
        return _decision(answer)

    def _answered(
        self, request: ApprovalRequest, params: types.CallToolRequestParams, question: str
    ) -> Decision:
        """The answer that came with the call, where it is one to this very question.

        Raises:
            _AskFirstError: There is none.
        """
        answer = (params.input_responses or {}).get(_QUESTION)
        asked = self._open.pop(params.request_state or "", None)
        if asked == request.identity and isinstance(answer, types.ElicitResult):
            return _decision(answer)
        state = secrets.token_urlsafe(24)
        self._open[state] = request.identity
        if len(self._open) > _OPEN:
            del self._open[next(iter(self._open))]
        raise _AskFirstError(question, state)


def _offer(tool: Tool) -> types.Tool:
    function = tool.definition()["function"]
    only_reads = tool.effect == "read"
    return types.Tool(
        name=tool.name,
        description=function["description"],
        input_schema=tool.schema,
        annotations=types.ToolAnnotations(
            read_only_hint=only_reads, destructive_hint=not only_reads, open_world_hint=False
        ),
    )


def _can_ask(elicitation: types.ElicitationCapability | None) -> bool:
    # Before there were several forms, an empty capability meant this one.
    return elicitation is not None and (elicitation.form is not None or elicitation.url is None)


def _question(request: ApprovalRequest) -> str:
    preview = request.preview
    if len(preview) > _SHOWN:
        more = len(preview) - _SHOWN
        preview = f"{preview[:_SHOWN]}\n[{more} more characters; say no if you need to see them]"
    return f"May the model run {request.tool}?\n{preview}"


def _decision(answer: types.ElicitResult) -> Decision:
    return Decision("once") if answer.action == "accept" else Decision("deny")


class _Waiting:
    """The client's requests that have no answer yet."""

    def __init__(self) -> None:
        self._ids: set[types.RequestId] = set()
        self._none = anyio.Event()

    def asked(self, message: types.JSONRPCMessage) -> None:
        """A message came from the client."""
        if isinstance(message, types.JSONRPCRequest):
            self._ids.add(message.id)

    def answered(self, message: types.JSONRPCMessage) -> None:
        """A message went to the client."""
        if isinstance(message, types.JSONRPCResponse | types.JSONRPCError):
            self._ids.discard(message.id)
            if not self._ids:
                self._none.set()

    async def settled(self, seconds: float) -> None:
        """Wait until nothing waits any more, but not for long."""
        self._none = anyio.Event()
        if self._ids:
            with anyio.move_on_after(seconds):
                await self._none.wait()


async def _feed(
    read: Read,
    to_server: MemoryObjectSendStream[SessionMessage | Exception],
    writes: MemoryObjectSendStream[SessionMessage],
    waiting: _Waiting,
) -> None:
    # The client is the user's own: what it sends is bounded in length only.
    unbounded = Allowance(size=float("inf"), messages=float("inf"))
    async with to_server, writes:
        async for line in lines(read, unbounded):
            if isinstance(line, LongLine):
                await writes.send(_refusal(line.number, _TOO_LONG))
                continue
            try:
                message = types.jsonrpc_message_adapter.validate_json(line, by_name=False)
            except ValueError as error:
                await writes.send(_refusal(None, _unreadable(error)))
                continue
            waiting.asked(message)
            await to_server.send(SessionMessage(message))
        # A script pipes its calls in and wants the answers; a client that is gone is not kept.
        await waiting.settled(_LAST_CALLS)


async def _drain(
    from_server: MemoryObjectReceiveStream[SessionMessage], write: Write, waiting: _Waiting
) -> None:
    async with from_server:
        async for item in from_server:
            text = item.message.model_dump_json(by_alias=True, exclude_unset=True)
            await write(text.encode("utf-8", "replace") + b"\n")
            waiting.answered(item.message)


def _refusal(number: int | None, error: types.ErrorData) -> SessionMessage:
    return SessionMessage(types.JSONRPCError(jsonrpc="2.0", id=number, error=error))


def _unreadable(error: ValueError) -> types.ErrorData:
    invalid = isinstance(error, ValidationError) and error.errors()[0]["type"] != "json_invalid"
    if invalid:
        return types.ErrorData(code=types.INVALID_REQUEST, message="the message is no JSON-RPC")
    return types.ErrorData(code=types.PARSE_ERROR, message="the message is no JSON")
