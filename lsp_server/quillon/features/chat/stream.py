"""What the client sees of a turn while it runs: values for its progress token."""

import asyncio

import msgspec
from lsprotocol import types as lsp

from quillon import protocol
from quillon.assist.chat import CallEvent, NoticeEvent, ResultEvent, TextEvent
from quillon.assist.standing import changed_since, expected
from quillon.convert import Outdated, proposal_to_lsp
from quillon.rpc import QuillonServer
from quillon.uri import uri_of_path
from quillon_tools.calls import Proposal, ToolResult
from quillon_tools.visible import visible, visible_lines, visible_values
from quillon_tools.workspace import Workspace

_PREVIEW = 2000  # characters of a tool's result that the client shows


class Stream:
    """Sends progress; without a token the client does not want to watch.

    What comes from files, tools and the model's calls is shown with everything in it that
    cannot be seen spelled out.
    """

    def __init__(self, ls: QuillonServer, token: str | int | None, workspace: Workspace) -> None:
        self._ls = ls
        self._token = token
        self._workspace = workspace

    def send(self, value: protocol.ChatProgress) -> None:
        """Send one value."""
        if self._token is not None:
            params = lsp.ProgressParams(self._token, msgspec.to_builtins(value))
            self._ls.protocol.notify(lsp.PROGRESS, params)

    def notice(self, text: str) -> None:
        """Send something the user should know."""
        self.send(protocol.NoticeProgress(text=visible_lines(self._ls.for_user(text))))

    async def event(self, event: TextEvent | CallEvent | ResultEvent | NoticeEvent) -> None:
        """Send an event of the turn."""
        if isinstance(event, TextEvent):
            self.send(protocol.TextProgress(text=event.text))
        elif isinstance(event, NoticeEvent):
            self.notice(event.text)
        elif isinstance(event, CallEvent):
            call = event.call
            self.send(
                protocol.ToolCallProgress(
                    id=call.id,
                    name=visible(call.name),
                    arguments=visible_values(call.arguments),
                    state=event.state,
                )
            )
        else:
            await self._result(event.result)

    async def _result(self, result: ToolResult) -> None:
        preview = result.text
        if len(preview) > _PREVIEW:
            more = self._ls.for_user(f"… {len(preview) - _PREVIEW} more characters")
            preview = f"{preview[:_PREVIEW]}\n{more}"
        self.send(
            protocol.ToolResultProgress(
                id=result.call_id, ok=result.ok, preview=visible_lines(preview)
            )
        )
        if result.proposal is not None:
            await self._proposal(result.call_id, result.proposal)

    async def _proposal(self, call_id: str, proposal: Proposal) -> None:
        """Hand an edit out, if its files still are what it was made for."""
        label, files = self._ls.for_user(visible(proposal.label)), expected(proposal)
        changed = await asyncio.to_thread(changed_since, self._workspace, files)
        if changed is not None:
            self.notice(f"{label} Nothing was changed: {changed}")
            return
        try:
            labelled = msgspec.structs.replace(proposal, label=label)
            edit = proposal_to_lsp(labelled, self._ls.session)
        except Outdated as error:  # a key was typed while the files were read
            self.notice(f"{label} Nothing was changed: {error}")
        except ValueError as error:  # the client can do less than the tool wants
            self.notice(f"{label} Nothing was changed: {error}. Make the change by hand.")
        else:
            edited = tuple(
                protocol.EditedFile(uri=uri_of_path(file.path), digest=file.digest)
                for file in files
            )
            self.send(protocol.EditProgress(id=call_id, label=label, edit=edit, files=edited))
