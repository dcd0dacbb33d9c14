"""`quillon/chat`: a turn of the chat, streamed to the client's progress token."""

import asyncio
import uuid
from contextlib import aclosing
from typing import Any

from quillon import protocol
from quillon.assist.chat import Turn, TurnResult
from quillon.assist.conversations import (
    Conversation,
    ConversationError,
    ConversationStore,
    new_conversation,
)
from quillon.assist.standing import Expected, changed_since
from quillon.chinese import reads_chinese
from quillon.engine.base import Usage
from quillon.features.chat.references import attachments
from quillon.features.chat.stream import Stream
from quillon.features.chat.symbols import symbols_named
from quillon.features.chat.tools import Toolboxes
from quillon.prompt.messages import Message
from quillon.rpc import ContentModified, QuillonServer, RequestFailed
from quillon.uri import path_of_uri

_NO_ID = (
    "There is no conversation with an empty id. Leave conversationId out to begin a new one, or "
    "name one of quillon/conversations/list."
)
_STILL_ANSWERED = "This conversation is still being answered. Wait for the answer or stop it first."


def register(server: QuillonServer) -> None:
    """Register the chat, the check of the edits it proposed, and the symbols to ask about."""
    running: dict[str, asyncio.Task[Any] | None] = {}
    boxes = Toolboxes(server)
    server.when_closed.append(boxes.close)
    server.when_left.append(boxes.hub.close)

    @server.feature(protocol.CHAT)
    async def chat(ls: QuillonServer, params: protocol.ChatParams) -> protocol.ChatResult:
        _check(params)
        new = new_conversation()
        asked = new.id if params.conversation_id is None else params.conversation_id
        while asked in running:
            turn = running[asked]
            if turn is None or not turn.cancelling():
                raise RequestFailed(_STILL_ANSWERED)
            # Whoever stops an answer may ask on at once; what was said is stored first.
            await asyncio.wait({turn})
        running[asked] = asyncio.current_task()
        # The turn ends in the store where it began, whatever becomes of the folders.
        store = ls.store_of(asked)
        try:
            conversation = new
            if params.conversation_id is not None:
                conversation = await asyncio.to_thread(store.get, asked)
            if params.keep_turns is not None:
                conversation = conversation.first(params.keep_turns)
            return await _answer(ls, params, conversation, store, boxes)
        finally:
            del running[asked]

    @server.feature(protocol.EDIT_CHECK)
    async def check_edit(_ls: QuillonServer, params: protocol.EditCheckParams) -> None:
        named = [(path_of_uri(file.uri), file.digest) for file in params.files]
        files = [Expected(path, digest) for path, digest in named if path is not None]
        changed = await asyncio.to_thread(changed_since, boxes.workspace, files)
        if changed is not None:
            raise ContentModified(changed)

    @server.feature(protocol.SYMBOLS)
    async def symbols(
        _ls: QuillonServer, params: protocol.SymbolsParams
    ) -> list[protocol.SymbolInformation]:
        return await symbols_named(boxes.workspace, params.query)


def _check(params: protocol.ChatParams) -> None:
    if not params.text.strip():
        raise RequestFailed("The question is empty. Type one and send it again.")
    if params.conversation_id == "":
        raise RequestFailed(_NO_ID)


async def _answer(
    ls: QuillonServer,
    params: protocol.ChatParams,
    conversation: Conversation,
    store: ConversationStore,
    boxes: Toolboxes,
) -> protocol.ChatResult:
    """The turn to its end, or to where the user stopped it: that is an end, and has a result."""
    stream = Stream(ls, params.partial_result_token, boxes.workspace)
    stream.send(protocol.ConversationProgress(conversation_id=conversation.id))
    asking = _Asking(ls, params, conversation)
    try:
        result = await asking.answer(stream, boxes)
    except asyncio.CancelledError:
        if (task := asyncio.current_task()) is not None:
            task.uncancel()
        result = asking.cancelled()
    finally:
        # Stopped or failed, what was said so far belongs to the conversation.
        try:
            store.put(asking.conversation)
        except ConversationError as error:
            stream.notice(str(error))
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


class _Asking:
    """One question on its way: it is part of its conversation before the model knows of it."""

    def __init__(
        self, ls: QuillonServer, params: protocol.ChatParams, before: Conversation
    ) -> None:
        self._ls = ls
        self._params = params
        self._before = before
        self._turn: Turn | None = None

    @property
    def conversation(self) -> Conversation:
        """The conversation with the question, and with what was said since."""
        before = self._before
        if self._turn is not None and self._turn.conversation.messages != before.messages:
            return self._turn.conversation
        question = Message(role="user", content=self._params.text)
        return before.with_messages((*before.messages, question))

    async def answer(self, stream: Stream, boxes: Toolboxes) -> TurnResult:
        """Answer the question, and show how.

        Raises:
            EngineError: The model could not answer.
        """
        ls, params = self._ls, self._params
        attached, left_out = await attachments(ls.session, boxes.workspace, params.references)
        for notice in left_out:
            stream.notice(notice)
        tools = (await boxes.of(self._before.id)).turn()
        for sentence in await boxes.news():
            stream.notice(sentence)
        chinese = reads_chinese(ls.session.client.locale)
        self._turn = turn = Turn(
            ls.engine, tools, ls.session.settings.chat, self._before, chinese=chinese
        )
        async with aclosing(turn.run(params.text, attached)) as events:
            async for event in events:
                if isinstance(event, TurnResult):
                    return event
                await stream.event(event)
        raise AssertionError("a turn ends with its result")

    def cancelled(self) -> TurnResult:
        """How the turn ended, where the user stopped it."""
        if self._turn is not None:
            return self._turn.cancelled()
        return TurnResult("cancelled", "", Usage(0, 0, 0), 0.0, self.conversation)
