"""`quillon/chat`: a turn of the chat, streamed to the client's progress token."""

import asyncio
import uuid
from contextlib import aclosing
from typing import Any

import msgspec
from lsprotocol import types as lsp

from quillon import protocol
from quillon.assist.chat import (
    CallEvent,
    NoticeEvent,
    ResultEvent,
    TextEvent,
    Turn,
    TurnResult,
)
from quillon.assist.conversations import Conversation, ConversationError, new_conversation
from quillon.convert import proposal_to_lsp
from quillon.features.chat.references import attachments
from quillon.features.chat.tools import Toolboxes
from quillon.rpc import QuillonServer, RequestFailed
from quillon_tools.calls import Proposal, ToolResult

_PREVIEW = 2000  # characters of a tool's result that the client shows


def register(server: QuillonServer) -> None:
    """Register the chat."""
    running: set[str] = set()
    boxes = Toolboxes(server)

    @server.feature(protocol.CHAT)
    async def chat(ls: QuillonServer, params: protocol.ChatParams) -> protocol.ChatResult:
        if not params.text.strip():
            raise RequestFailed("The question is empty. Type one and send it again.")
        asked = params.conversation_id
        if asked in running:
            raise RequestFailed(
                "This conversation is still being answered. Wait for the answer or stop it first."
            )
        if asked is None:
            return await _answer(ls, params, new_conversation(), boxes)
        running.add(asked)
        try:
            conversation = await asyncio.to_thread(ls.conversations.get, asked)
            return await _answer(ls, params, conversation, boxes)
        finally:
            running.discard(asked)


async def _answer(
    ls: QuillonServer,
    params: protocol.ChatParams,
    conversation: Conversation,
    boxes: Toolboxes,
) -> protocol.ChatResult:
    stream = _Stream(ls, params.partial_result_token)
    attached, left_out = await attachments(ls.session, boxes.workspace, params.references)
    for notice in left_out:
        stream.send(protocol.NoticeProgress(text=notice))
    tools = (await boxes.of(conversation.id)).turn()
    turn = Turn(ls.engine, tools, ls.session.settings.chat, conversation)
    result: TurnResult | None = None
    try:
        async with aclosing(turn.run(params.text, attached)) as events:
            async for event in events:
                if isinstance(event, TurnResult):
                    result = event
                else:
                    stream.event(event)
    finally:
        # Stopped or failed, what was said so far belongs to the conversation.
        try:
            if turn.conversation.messages != conversation.messages:
                ls.conversations.put(turn.conversation)
        except ConversationError as error:
            stream.send(protocol.NoticeProgress(text=str(error)))
    if result is None:  # only a cancelled turn ends without one, and that raises
        raise asyncio.CancelledError
    return protocol.ChatResult(
        conversation_id=conversation.id,
        turn_id=uuid.uuid4().hex,
        finish_reason=result.reason,
        usage=protocol.ChatUsage(
            prompt_tokens=result.usage.prompt_tokens,
            cached_tokens=result.usage.cached_tokens,
            completion_tokens=result.usage.completion_tokens,
            tokens_per_second=round(result.tokens_per_second, 1),
        ),
        text=result.text,
    )


class _Stream:
    """What the client sees of a turn while it runs."""

    def __init__(self, ls: QuillonServer, token: str | int | None) -> None:
        self._ls = ls
        self._token = token

    def send(self, value: protocol.ChatProgress) -> None:
        """Send one value; without a token the client does not want to watch."""
        if self._token is not None:
            params = lsp.ProgressParams(self._token, msgspec.to_builtins(value))
            self._ls.protocol.notify(lsp.PROGRESS, params)

    def event(self, event: TextEvent | CallEvent | ResultEvent | NoticeEvent) -> None:
        """Send an event of the turn."""
        if isinstance(event, TextEvent):
            self.send(protocol.TextProgress(text=event.text))
        elif isinstance(event, NoticeEvent):
            self.send(protocol.NoticeProgress(text=event.text))
        elif isinstance(event, CallEvent):
            call = event.call
            self.send(
                protocol.ToolCallProgress(
                    id=call.id, name=call.name, arguments=call.arguments, state=event.state
                )
            )
        else:
            self._result(event.result)

    def _result(self, result: ToolResult) -> None:
        preview = result.text
        if len(preview) > _PREVIEW:
            preview = f"{preview[:_PREVIEW]}\n… {len(preview) - _PREVIEW} more characters"
        self.send(protocol.ToolResultProgress(id=result.call_id, ok=result.ok, preview=preview))
        if result.proposal is not None:
            self._proposal(result.call_id, result.proposal)

    def _proposal(self, call_id: str, proposal: Proposal) -> None:
        try:
            edit: dict[str, Any] = proposal_to_lsp(proposal, self._ls.session)
        except ValueError as error:  # the client can do less than the tool wants
            text = f"{proposal.label} Nothing was changed: {error}. Make the change by hand."
            self.send(protocol.NoticeProgress(text=text))
            return
        self.send(protocol.EditProgress(id=call_id, label=proposal.label, edit=edit))
