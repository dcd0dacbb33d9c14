"""The tools of a conversation: what they may see, and how the user is asked."""

import weakref

from lsprotocol import types as lsp

from quillon import protocol
from quillon.assist.toolbox import make_toolset, make_workspace, servers_of, with_room
from quillon.rpc import QuillonServer
from quillon.settings import Settings
from quillon_tools.mcp.hub import ServerHub
from quillon_tools.policy import ApprovalRequest, Approve, Decision
from quillon_tools.toolset import Toolset
from quillon_tools.workspace import Workspace

_ONCE, _SESSION, _DENY = "Run once", "Allow in this conversation", "Do not run"
_PATIENCE = 8.0  # seconds that a turn waits for servers of others to show what they offer
_MOST_LINES, _MOST_CHARACTERS = 30, 2000  # of a preview in a message


class Toolboxes:
    """A toolset for each conversation, which remembers what the user decided in it."""

    def __init__(self, server: QuillonServer) -> None:
        self._server = server
        self._toolsets: dict[str, tuple[tuple[Settings, bool], Toolset]] = {}
        self._decided: dict[str, dict[str, Decision]] = {}
        self._workspace: Workspace | None = None
        self._old: weakref.WeakSet[Workspace] = weakref.WeakSet()
        self._made_for: object = None
        # Tool servers of others: nothing is started before a chat begins and the settings name one.
        self.hub = ServerHub()
        self._waited_for: object = None
        self._too_long = 0

    @property
    def workspace(self) -> Workspace:
        """The editor's folders, as tools may see them."""
        session = self._server.session
        if self._workspace is None or self._made_for != session.roots:
            # The old one is not closed: a turn that runs goes on with the folders it began with.
            # Its threads end with it.
            if self._workspace is not None:
                self._old.add(self._workspace)
            self._workspace = make_workspace(session)
            self._made_for = session.roots
            self._toolsets.clear()
        return self._workspace

    async def of(self, conversation_id: str) -> Toolset:
        """The tools of a conversation, under the settings as they are now.

        Raises:
            EngineError: The model, which decides how many tools there are, cannot be had.
        """
        server, workspace = self._server, self.workspace
        settings = (server.session.settings, server.session.trusted)
        await self._servers(server.session.settings)
        made = self._toolsets.get(conversation_id)
        if made is None or made[0] != settings:
            info = await server.engine.info()
            # What the user decided holds for the conversation, whatever the settings become.
            decided = self._decided.setdefault(conversation_id, {})
            toolset = await make_toolset(
                server.session,
                approver(server),
                info,
                workspace,
                conversation_id,
                decided,
                lambda: self.hub.tools,
            )
            made = (settings, toolset)
            self._toolsets[conversation_id] = made
        return made[1]

    async def news(self) -> list[str]:
        """What the user should know of the servers of others; each sentence is told once."""
        found, tools = self.hub.news(), self.hub.tools
        if tools:
            left_out = len(tools) - len(with_room(tools, await self._server.engine.info()))
            if left_out > self._too_long:
                found.append(
                    f"{left_out} of {len(tools)} tools of MCP servers are not offered: the model "
                    "has no room for their definitions. Name fewer servers or use another model."
                )
            self._too_long = left_out
        return found

    async def _servers(self, settings: Settings) -> None:
        """Start what the settings name, and wait a little the first time."""
        self.hub.configure(servers_of(settings))
        if self._waited_for != settings.mcp:
            self._waited_for = settings.mcp
            await self.hub.settle(_PATIENCE)

    def close(self) -> None:
        """Stop every tool that still runs, and let the threads go."""
        self.hub.end()
        for workspace in (*self._old, *filter(None, (self._workspace,))):
            workspace.close()


def approver(server: QuillonServer) -> Approve:
    """Asks the user in the editor: our own request where the client knows it, else a message."""

    async def ask(request: ApprovalRequest) -> Decision:
        if server.session.client.quillon_approve:
            return await _ask_client(server, request)
        return await _ask_by_message(server, request)

    return ask


async def _ask_client(server: QuillonServer, request: ApprovalRequest) -> Decision:
    answer: protocol.ApproveResult = await server.protocol.send_request_async(
        protocol.APPROVE,
        protocol.ApproveParams(
            call_id=request.call_id,
            tool=request.tool,
            arguments=request.arguments,
            reason="\n".join(map(server.for_user, request.reason.split("\n"))),
            preview=request.preview,
        ),
    )
    return Decision(answer.decision, answer.reason)


async def _ask_by_message(server: QuillonServer, request: ApprovalRequest) -> Decision:
    once, session, deny = map(server.for_user, (_ONCE, _SESSION, _DENY))
    asked = server.for_user(f"Quillon: may the model run {request.tool}?")
    shown, left_out = _bounded(request.preview)
    answer = await server.window_show_message_request_async(
        lsp.ShowMessageRequestParams(
            lsp.MessageType.Warning,
            "\n".join(filter(None, (asked, shown, server.for_user(left_out)))),
            [lsp.MessageActionItem(title) for title in (once, session, deny)],
        )
    )
    title = answer.title if answer is not None else deny
    if title == once:
        return Decision("once")
    if title == session:
        return Decision("session")
    return Decision("deny")


def _bounded(preview: str) -> tuple[str, str]:
    """What of a preview a message can show, and a sentence on the rest, or nothing.

    A box that outgrows the screen hides its buttons.
    """
    lines = preview.split("\n")
    shown = "\n".join(lines[:_MOST_LINES])[:_MOST_CHARACTERS]
    if len(shown) == len(preview):
        return preview, ""
    more = len(preview) - len(shown)
    rows = len(lines) - shown.count("\n") - 1
    what = f"{rows} more lines ({more} characters)" if rows else f"{more} more characters"
    return shown, f"[{what} are not shown here; say no if you need to see them]"
