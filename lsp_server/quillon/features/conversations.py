"""`quillon/conversations/*`: the stored conversations of the workspace."""

import asyncio

from quillon import protocol
from quillon.assist.conversations import Conversation, markdown
from quillon.prompt.messages import Message
from quillon.rpc import QuillonServer


def register(server: QuillonServer) -> None:
    """Register list, get, delete and export."""

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
        found = await asyncio.to_thread(ls.conversations.get, params.conversation_id)
        return _to_protocol(found)

    @server.feature(protocol.CONVERSATIONS_DELETE)
    def delete_conversation(ls: QuillonServer, params: protocol.ConversationId) -> None:
        ls.conversations.delete(params.conversation_id)

    @server.feature(protocol.CONVERSATIONS_EXPORT)
    async def export_conversation(
        ls: QuillonServer, params: protocol.ConversationId
    ) -> protocol.ConversationExport:
        found = await asyncio.to_thread(ls.conversations.get, params.conversation_id)
        return protocol.ConversationExport(markdown=markdown(found))


def _to_protocol(conversation: Conversation) -> protocol.Conversation:
    return protocol.Conversation(
        conversation_id=conversation.id,
        title=conversation.title,
        updated=conversation.updated,
        messages=tuple(_message(message) for message in conversation.messages),
    )


def _message(message: Message) -> protocol.ConversationMessage:
    role = "user" if message.role == "system" else message.role
    return protocol.ConversationMessage(
        role=role,
        text=message.content,
        tool_calls=tuple(
            protocol.ToolCallProgress(
                id=call.id, name=call.name, arguments=call.arguments, state="done"
            )
            for call in message.tool_calls
        ),
        tool_call_id=message.tool_call_id,
    )
