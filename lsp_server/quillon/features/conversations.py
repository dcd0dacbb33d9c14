"""`quillon/conversations/*`: the stored conversations of the workspace."""

import asyncio
from collections.abc import Mapping
from typing import Literal

from quillon import protocol
from quillon.assist.conversations import Conversation, markdown
from quillon.prompt.messages import Message
from quillon.rpc import QuillonServer
from quillon_tools.calls import Outcome
from quillon_tools.visible import visible, visible_lines, visible_values


def register(server: QuillonServer) -> None:
    """Register list, get, rename, delete and export."""

    @server.feature(protocol.CONVERSATIONS_LIST)
    async def list_conversations(
        ls: QuillonServer, params: protocol.ConversationsParams | None
    ) -> list[protocol.ConversationSummary]:
        query = params.query if params else ""
        # All of their files are read.
        found = await asyncio.to_thread(ls.conversations.all, query)
        return [
            protocol.ConversationSummary(
                conversation_id=conversation.id,
                title=conversation.title,
                updated=conversation.updated,
                turns=conversation.turns,
            )
            for conversation in found
        ]

    @server.feature(protocol.CONVERSATIONS_GET)
    async def get_conversation(
        ls: QuillonServer, params: protocol.ConversationId
    ) -> protocol.Conversation:
        found = await asyncio.to_thread(
            ls.store_of(params.conversation_id).get, params.conversation_id
        )
        return _to_protocol(found)

    @server.feature(protocol.CONVERSATIONS_RENAME)
    async def rename_conversation(ls: QuillonServer, params: protocol.ConversationRename) -> None:
        store = ls.store_of(params.conversation_id)
        await asyncio.to_thread(store.rename, params.conversation_id, params.title)

    @server.feature(protocol.CONVERSATIONS_DELETE)
    def delete_conversation(ls: QuillonServer, params: protocol.ConversationId) -> None:
        ls.store_of(params.conversation_id).delete(params.conversation_id)

    @server.feature(protocol.CONVERSATIONS_EXPORT)
    async def export_conversation(
        ls: QuillonServer, params: protocol.ConversationId
    ) -> protocol.ConversationExport:
        found = await asyncio.to_thread(
            ls.store_of(params.conversation_id).get, params.conversation_id
        )
        return protocol.ConversationExport(markdown=markdown(found))


def _to_protocol(conversation: Conversation) -> protocol.Conversation:
    outcomes = {
        message.tool_call_id: message.outcome
        for message in conversation.messages
        if message.tool_call_id is not None
    }
    return protocol.Conversation(
        conversation_id=conversation.id,
        title=conversation.title,
        updated=conversation.updated,
        messages=tuple(_message(message, outcomes) for message in conversation.messages),
    )


def _message(message: Message, outcomes: Mapping[str, Outcome]) -> protocol.ConversationMessage:
    """A message as it goes out; `outcomes` is how the calls of the conversation ended."""
    is_result = message.role == "tool"
    return protocol.ConversationMessage(
        role="user" if message.role == "system" else message.role,
        text=visible_lines(message.content) if is_result else message.said,
        attached=message.attached,
        tool_calls=tuple(
            protocol.ToolCallProgress(
                id=call.id,
                name=visible(call.name),
                arguments=visible_values(call.arguments),
                state=_state(outcomes.get(call.id, "cancelled")),
            )
            for call in message.tool_calls
        ),
        tool_call_id=message.tool_call_id,
        ok=message.outcome == "ok" if is_result else None,
    )


def _state(outcome: Outcome) -> Literal["done", "failed", "denied"]:
    """The state in which a call ended, as the turn showed it."""
    if outcome == "ok":
        return "done"
    return "denied" if outcome == "denied" else "failed"
