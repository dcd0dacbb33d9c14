"""One turn of the chat: the model answers, calls tools, reads their results, and answers again.

    question ─▶ render ─▶ generate ─▶ text and calls ─▶ run calls ─▶ results ─▶ render …
                                        └─ no call: the turn ends

The loop ends when an answer holds no call, when the calls of a turn are used up (the model then
gets one more chance, without tools), or when the user stops it. A call that the token limit cut
off is never run.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from functools import partial
from typing import Any, Literal

import msgspec

from quillon.assist.agreement import Asked, Ballot, Vote, plus
from quillon.assist.attachments import Attachment, fitted, question
from quillon.assist.authorship import answerer
from quillon.assist.chat_answer import Answer, repeats
from quillon.assist.conversations import Conversation
from quillon.assist.fitting import fit_messages, prompt_tokens
from quillon.assist.turn_tools import Tools, run_call
from quillon.engine.base import (
    Constraint,
    ConstraintError,
    Engine,
    EngineInfo,
    Finished,
    Priority,
    Prompt,
    Request,
    Sampling,
    Usage,
)
from quillon.prompt.dialects import Dialect, dialect_for
from quillon.prompt.grammar import schema_constraint
from quillon.prompt.messages import Message
from quillon.prompt.spans import span_constraint
from quillon.prompt.telling import facts_constraint, texts_of
from quillon.prompt.template import ChatTemplate
from quillon.settings import ChatSettings
from quillon_tools.calls import ToolCall, ToolResult

SYSTEM_PROMPT = "You are a coding assistant working in the user's repository."

_BROKEN_CALLS = 3  # in one turn; a model that cannot write calls must not try for ever

_NO_ANSWER = "The model called tools again instead of answering. Ask again, or ask for less."

CallState = Literal["proposed", "running", "done", "failed", "denied"]
TurnEnd = Literal["stop", "length", "toolLimit", "cancelled"]


class TextEvent(msgspec.Struct, frozen=True):
    """The next piece of the answer."""

    text: str


class CallEvent(msgspec.Struct, frozen=True):
    """A tool call changed its state."""

    call: ToolCall
    state: CallState


class ResultEvent(msgspec.Struct, frozen=True):
    """A tool call ended."""

    result: ToolResult


class NoticeEvent(msgspec.Struct, frozen=True):
    """Something the user should know."""

    text: str


class TurnResult(msgspec.Struct, frozen=True):
    """How a turn ended: the whole answer and what it cost, summed over its generations."""

    reason: TurnEnd
    text: str
    usage: Usage
    tokens_per_second: float
    conversation: Conversation


TurnEvent = TextEvent | CallEvent | ResultEvent | NoticeEvent | TurnResult


class Turn:
    """One turn of a conversation. Read `run` to its end, or close it to stop the turn."""

    def __init__(
        self,
        engine: Engine,
        tools: Tools,
        settings: ChatSettings,
        conversation: Conversation,
        *,
        chinese: bool = False,
    ) -> None:
        self._engine = engine
        self._chinese = chinese  # what the user reads
        self._tools = tools
        self._settings = settings
        self._conversation = conversation
        self._messages: list[Message] = list(conversation.messages)
        self._text: list[str] = []
        self._usage = Usage(0, 0, 0)
        self._speed = 0.0
        self._left_out = ""  # as it was told last
        self._broken_left = _BROKEN_CALLS
        self._may_decide_again = True

    @property
    def conversation(self) -> Conversation:
        """The conversation with what this turn has added so far."""
        return self._conversation.with_messages(tuple(self._messages))

    async def run(
        self, text: str, attachments: Sequence[Attachment] = ()
    ) -> AsyncGenerator[TurnEvent, None]:
        """The events of the turn; the last is a `TurnResult`.

        Raises:
            EngineError: The model could not answer. What was said before is kept.
        """
        info = await self._engine.info()
        template = ChatTemplate.from_info(info)
        dialect = dialect_for(info)
        async for event in self._begin(info, template, text, attachments):
            yield event
        reason: TurnEnd = "stop"
        while True:
            answer = Answer()
            try:
                async for event in self._generate(info, template, dialect, answer):
                    yield event
            finally:
                # Stopped or failed, what was said belongs to the conversation.
                self._record(answer)
            if answer.finished is not None and answer.finished.reason == "length":
                reason = "length"
                yield NoticeEvent("The answer reached its longest allowed length and was cut off.")
            if answer.finished is None or not (answer.calls or answer.broken):
                break
            try:
                if reason == "length":  # what came whole may still have been meant otherwise
                    break
                if self._may_not_call:
                    reason = "toolLimit"
                    if not answer.text:
                        yield NoticeEvent(_NO_ANSWER)
                    break
                async for event in self._run_calls(answer):
                    yield event
            finally:
                self._end_calls(answer)
        yield self._result(reason)

    def cancelled(self) -> TurnResult:
        """How the turn ended, where the user stopped it."""
        return self._result("cancelled")

    def _result(self, reason: TurnEnd) -> TurnResult:
        return TurnResult(
            reason=reason,
            text="".join(self._text).strip(),
            usage=self._usage,
            tokens_per_second=self._speed,
            conversation=self.conversation,
        )

    async def _begin(
        self,
        info: EngineInfo,
        template: ChatTemplate,
        text: str,
        attachments: Sequence[Attachment],
    ) -> AsyncIterator[TurnEvent]:
        """Put the question behind the conversation."""
        if not self._messages and (notice := answerer(info, chinese=self._chinese)):
            yield NoticeEvent(notice)
        attached, left_out = await self._attached(info, template, text, attachments)
        if left_out:
            yield NoticeEvent(left_out)
        asked = text if attached else None
        labels = tuple(item.label for item in attached)
        content = question(text, attached)
        self._messages.append(Message(role="user", content=content, asked=asked, attached=labels))

    async def _attached(
        self,
        info: EngineInfo,
        template: ChatTemplate,
        text: str,
        attachments: Sequence[Attachment],
    ) -> tuple[Sequence[Attachment], str]:
        """The attachments as far as they fit, and a sentence on what is left out of them."""
        if not attachments:
            return (), ""
        definitions = self._definitions(info)
        alone = (Message(role="system", content=SYSTEM_PROMPT), Message(role="user", content=text))
        used = await prompt_tokens(self._engine, template, alone, definitions)
        room = max(0, info.context - self._room(info) - used)
        # What tools answer must find a place too; earlier turns make room by themselves.
        return await fitted(self._engine, attachments, room * 3 // 4 if definitions else room)

    @property
    def _may_not_call(self) -> bool:
        """Whether the model is to answer without tools now."""
        return self._tools.exhausted or self._broken_left <= 0

    def _definitions(self, info: EngineInfo) -> list[dict[str, Any]]:
        if self._may_not_call:
            return []
        # A small model was trained on brief definitions, and pays for every token of long ones.
        return self._tools.definitions("brief" if info.embedded else "full")

    def _room(self, info: EngineInfo) -> int:
        """The tokens that an answer may take."""
        return min(self._settings.max_tokens, info.context // 2)

    async def _generate(
        self, info: EngineInfo, template: ChatTemplate, dialect: Dialect, answer: Answer
    ) -> AsyncIterator[TurnEvent]:
        definitions, room = self._definitions(info), self._room(info)
        fits = await fit_messages(
            self._engine,
            template,
            (Message(role="system", content=SYSTEM_PROMPT), *self._messages),
            definitions,
            info.context - room,
        )
        if fits.left_out not in ("", self._left_out):
            self._left_out = fits.left_out
            yield NoticeEvent(fits.left_out)
        if len(self._messages) == 1 and (problem := _template_problem(info, template)):
            yield NoticeEvent(problem)
        constraint = await self._constraint(info, dialect, definitions, fits.messages[1:])
        answer.read_by(lambda: dialect.parser(definitions, fits.prompt))
        try:
            async for event in self._stream(fits.prompt, room, constraint, answer):
                yield event
        except ConstraintError:
            if constraint is None or answer.started:
                raise
            # A grammar that llama.cpp refuses must not cost the answer: validation still follows.
            answer.read_by(answer.new_parser)
            async for event in self._stream(fits.prompt, room, None, answer):
                yield event

    async def _stream(
        self, prompt: Prompt, room: int, constraint: Constraint | None, answer: Answer
    ) -> AsyncIterator[TurnEvent]:
        chat = self._settings
        request = Request(
            prompt=prompt,
            sampling=Sampling(
                temperature=self._temperature(),
                top_k=chat.top_k,
                top_p=chat.top_p,
                presence_penalty=chat.presence_penalty,
            ),
            max_tokens=room,
            priority=Priority.CHAT,
            constraint=constraint,
            cache_key=f"chat:{self._conversation.id}",
        )
        # `generate` is an async generator: closing it is what stops the decode.
        stream: Any = self._engine.generate(request)
        async with aclosing(stream):
            async for event in stream:
                for text in answer.take(event):
                    self._text.append(text)
                    yield TextEvent(text)
                if repeats(answer.text):
                    yield NoticeEvent("The model repeated itself and was stopped.")
                    break
        if answer.finished is not None:
            self._count(answer.finished)
            tokens = answer.finished.usage.completion_tokens
            answer.asked = Asked(request, tokens, answer.new_parser)

    def _temperature(self) -> float:
        if self._settings.temperature is not None:
            return self._settings.temperature
        # What Qwen recommends for its instruct models; a very small one only strays.
        return 0.0 if self._engine.state().embedded else 0.7

    async def _constraint(
        self,
        info: EngineInfo,
        dialect: Dialect,
        definitions: list[dict[str, Any]],
        seen: Sequence[Message],
    ) -> Constraint | None:
        """What holds calls to their schemas, and to the messages that the model is given."""
        mode = self._settings.tool_arguments
        if mode == "auto":
            mode = "span" if info.embedded else "schema"
        if mode == "free":
            return None
        if mode == "schema":
            return schema_constraint(definitions, dialect)
        # In a thread: of a full context it takes some time.
        live = await self._tools.live() if definitions else None
        if info.embedded:
            make = partial(facts_constraint, live=live)
            return await asyncio.to_thread(make, definitions, dialect, seen)
        spans = partial(span_constraint, live=live)
        return await asyncio.to_thread(spans, definitions, dialect, texts_of(seen))

    def _record(self, answer: Answer) -> None:
        # Calls of an answer that did not end have no results, and a model would wait for them.
        calls = tuple(answer.calls) if answer.finished is not None else ()
        if answer.text or calls:
            self._messages.append(Message(role="assistant", content=answer.text, tool_calls=calls))

    def _end_calls(self, answer: Answer) -> None:
        """Give every recorded call a result: a model would wait for one that has none."""
        ended = {message.tool_call_id for message in self._messages if message.role == "tool"}
        self._messages += (
            Message("tool", "Error: it was not run", tool_call_id=call.id, outcome="cancelled")
            for call in answer.calls
            if call.id not in ended
        )

    async def _doubts(self, answer: Answer) -> dict[str, Vote]:
        """The calls that most answers of the model would not make."""
        if answer.asked is None:
            return {}
        ballot = Ballot(self._engine, self._tools, answer.asked)
        try:
            return await ballot.doubts(answer.calls)
        finally:
            self._usage = plus(self._usage, ballot.usage)

    async def _run_calls(self, answer: Answer) -> AsyncIterator[TurnEvent]:
        doubts = await self._doubts(answer)
        # Once a turn the model may think again; after that the user is asked.
        again = self._may_decide_again
        self._may_decide_again = again and not doubts
        for call in answer.calls:
            yield CallEvent(call, "proposed")
            vote = doubts.get(call.id)
            result: ToolResult | None = None
            if vote is not None:
                yield NoticeEvent(vote.notice(call.name))
                result = self._tools.withhold(call, vote.message) if again else None
            if result is None:
                async for event in run_call(self._tools, call, vote.sentence if vote else ""):
                    if isinstance(event, ToolResult):
                        result = event
                    else:
                        yield CallEvent(call, "running")
            if result is None:  # the generator ends with one
                raise AssertionError(call)
            state: CallState = "done" if result.ok else "failed"
            yield CallEvent(call, "denied" if result.outcome == "denied" else state)
            yield ResultEvent(result)
            self._messages.append(
                Message(
                    role="tool",
                    content=result.text,
                    tool_call_id=result.call_id,
                    outcome=result.outcome,
                )
            )
        for broken in answer.broken:
            self._broken_left -= 1
            yield NoticeEvent(f"A tool call could not be read: {broken.problem}")
            self._messages += (
                Message(role="assistant", content=broken.raw),
                Message(role="tool", content=f"This call could not be read: {broken.problem}"),
            )

    def _count(self, finished: Finished) -> None:
        used = finished.usage
        self._usage = plus(self._usage, used)
        if finished.timings.decode > 0:
            self._speed = used.completion_tokens / finished.timings.decode


def _template_problem(info: EngineInfo, template: ChatTemplate) -> str:
    """Why answers may be poor, where the prompt is not of the model's own form; else empty."""
    if info.template is None:
        return "The model file brings no chat template, so ChatML is assumed; answers may be poor."
    if template.problem is None:
        return ""
    return f"The model's own chat template cannot be used: {template.problem}."
