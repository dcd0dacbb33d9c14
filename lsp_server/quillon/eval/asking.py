"""One answer of the model to a conversation, as one step of the chat's turn would get it."""

import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Any, Literal

import msgspec

from quillon.assist.chat import SYSTEM_PROMPT
from quillon.assist.chat_answer import Answer, repeats
from quillon.assist.fitting import fit_messages
from quillon.engine.base import (
    Constraint,
    ConstraintError,
    Engine,
    EngineInfo,
    Event,
    Prompt,
    Request,
    Sampling,
)
from quillon.prompt.dialects import Dialect, dialect_for
from quillon.prompt.grammar import Live, schema_constraint
from quillon.prompt.messages import Message
from quillon.prompt.spans import span_constraint
from quillon.prompt.telling import facts_constraint, texts_of
from quillon.prompt.template import ChatTemplate
from quillon_tools.calls import ToolCall
from quillon_tools.registry import all_tools
from quillon_tools.tool import Tool
from quillon_tools.validator import make_validator

Mode = Literal["free", "schema", "span"]
_GREEDY = Sampling(temperature=0.0)
_LONGEST = 512  # tokens of an answer


class Said(msgspec.Struct, frozen=True):
    """An answer: its text, its calls, and why calls could not be read, if any were broken."""

    text: str
    calls: tuple[ToolCall, ...] = ()
    broken: tuple[str, ...] = ()

    @property
    def shown(self) -> str:
        """The answer in a line or two, for samples."""
        calls = [
            f"{call.name} {json.dumps(call.arguments, ensure_ascii=False)}" for call in self.calls
        ]
        return "; ".join(part for part in (self.text, *calls, *self.broken) if part)


class Asker:
    """Asks a model. The product's own choice of grammar is `mode`, unless one is given."""

    def __init__(self, engine: Engine, info: EngineInfo) -> None:
        self.engine, self.info = engine, info
        self.mode: Mode = "span" if info.embedded else "schema"
        self._template = ChatTemplate.from_info(info)
        self._dialect: Dialect = dialect_for(info)
        self._known = {tool.name: tool for tool in all_tools()}

    def definitions(self, tools: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """The tools as the product describes them to this model; others' as they are."""
        detail: Literal["brief", "full"] = "brief" if self.info.embedded else "full"
        found = []
        for row in tools:
            known = self.known(str(row["function"]["name"]))
            found.append(known.definition(detail) if known else dict(row))
        return found

    def known(self, name: str) -> Tool | None:
        """The tool of Quillon's own that has this name."""
        return self._known.get(name)

    async def ask(
        self,
        messages: Sequence[Message],
        tools: Sequence[Mapping[str, Any]],
        mode: Mode | None = None,
        live: Live | None = None,
    ) -> Said:
        """The answer to a conversation, greedily; `live` is what the workspace has.

        Raises:
            EngineError: The model could not answer.
        """
        definitions = self.definitions(tools)
        system = Message(role="system", content=SYSTEM_PROMPT)
        room = min(_LONGEST, self.info.context // 2)
        fits = await fit_messages(
            self.engine, self._template, (system, *messages), definitions, self.info.context - room
        )
        constraint = self._constraint(mode or self.mode, definitions, messages, live)
        try:
            return await self._answer(fits.prompt, definitions, room, constraint)
        except ConstraintError:
            if constraint is None:
                raise
            return await self._answer(fits.prompt, definitions, room, None)

    def valid(self, call: ToolCall, tools: Sequence[Mapping[str, Any]]) -> bool:
        """Whether a call names an offered tool and its arguments fit as they are."""
        schemas = {row["function"]["name"]: row["function"].get("parameters", {}) for row in tools}
        if call.name not in schemas:
            return False
        known = self.known(call.name)
        validator = known.validator if known else make_validator(schemas[call.name])
        return bool(validator.is_valid(call.arguments))

    async def _answer(
        self,
        prompt: Prompt,
        definitions: Sequence[dict[str, Any]],
        room: int,
        constraint: Constraint | None,
    ) -> Said:
        answer = Answer()
        answer.parser = self._dialect.parser(definitions, prompt)
        request = Request(
            prompt=prompt,
            sampling=_GREEDY,
            max_tokens=room,
            constraint=constraint,
            cache_key="eval:chat",
        )
        async with aclosing(stream_of(self.engine, request)) as stream:
            async for event in stream:
                answer.take(event)
                if repeats(answer.text):
                    break
        broken = tuple(piece.problem for piece in answer.broken)
        return Said(answer.text, tuple(answer.calls), broken)

    def _constraint(
        self,
        mode: Mode,
        definitions: Sequence[dict[str, Any]],
        messages: Sequence[Message],
        live: Live | None,
    ) -> Constraint | None:
        if mode == "free":
            return None
        if mode == "schema":
            return schema_constraint(definitions, self._dialect)
        if self.info.embedded:
            return facts_constraint(definitions, self._dialect, messages, live=live)
        return span_constraint(definitions, self._dialect, texts_of(messages), live=live)


async def stream_of(engine: Engine, request: Request) -> AsyncGenerator[Event, None]:
    """The events of a generation, as a generator whose closing stops it."""
    stream: Any = engine.generate(request)
    async with aclosing(stream):
        async for event in stream:
            yield event
