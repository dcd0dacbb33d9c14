"""Whether a model means a call that changes or runs something: several answers, one vote each.

The answers share one prompt, so that the engine evaluates it once; each is read only as far as it
can still change the vote. A small model is often sure of what to read and unsure of what to run.
"""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import aclosing
from typing import Any

import msgspec

from quillon.assist.turn_tools import Tools
from quillon.engine.base import ConstraintError, Delta, Engine, Finished, Request, Usage
from quillon.prompt.parser import CallParser
from quillon.prompt.pieces import CallPiece, Piece
from quillon_tools.calls import ToolCall

_TEMPERATURE = 0.7  # of the further answers, where the first was greedy: equal ones tell nothing
_SPARE = 64  # tokens that a further answer may be longer than twice the first
_LONGEST = 300  # characters of a call, as the model is told it


class Asked(msgspec.Struct, frozen=True):
    """How an answer came about: enough to ask for another one.

    `tokens` is the length of the first answer; `parser` makes a reader for the next.
    """

    request: Request
    tokens: int
    parser: Callable[[], CallParser]


class Vote(msgspec.Struct, frozen=True):
    """How the answers fell out for one call: the first answer's vote is among them."""

    answers: int
    agreeing: int
    others: tuple[str, ...]

    @property
    def carried(self) -> bool:
        """Whether most answers made the call."""
        return self.agreeing * 2 > self.answers

    @property
    def sentence(self) -> str:
        """The vote, for the user."""
        return self._told("")

    def notice(self, name: str) -> str:
        """The vote on a call of the tool `name`, for the user where nothing else names it."""
        return self._told(f"{name}: ")

    def _told(self, lead: str) -> str:
        return (
            f"{lead}The model is not sure: {self.agreeing} of {self.answers} answers made this "
            "call."
        )

    @property
    def message(self) -> str:
        """What the model is told instead of a result."""
        others = "; ".join(f"{text} ({count})" for text, count in Counter(self.others).items())
        return (
            f"only {self.agreeing} of {self.answers} of your answers made this call, so it was not "
            f"run. The others: {others}. Decide again: make the one call that the question needs, "
            "or answer without a call."
        )


class Ballot:
    """The votes on the calls of one answer. `usage` is what the further answers cost."""

    def __init__(self, engine: Engine, tools: Tools, asked: Asked) -> None:
        self._engine = engine
        self._tools = tools
        self._asked = asked
        self.usage = Usage(0, 0, 0)

    async def doubts(self, calls: Sequence[ToolCall]) -> dict[str, Vote]:
        """The votes that were lost, by the call's id. Calls that only read are not voted on.

        Raises:
            EngineError: The model could not answer again.
        """
        wanted = {call.id: mine for call in calls if (mine := self._tools.weight(call))}
        answers = max(1, self._tools.agreement)
        if not wanted or answers == 1:
            return {}
        agreeing = dict.fromkeys(wanted, 1)
        others: list[str] = []
        made = 1
        while made < answers and not all(_decided(agreeing[key], made, answers) for key in wanted):
            said = await self._answer(made, set(wanted.values()))
            made += 1
            others += [_told(said)] if not set(wanted.values()) <= set(said) else []
            for key, mine in wanted.items():
                agreeing[key] += mine in said
        votes = {key: Vote(made, agreeing[key], tuple(others)) for key in wanted}
        return {key: vote for key, vote in votes.items() if not vote.carried}

    async def _answer(self, number: int, wanted: set[str]) -> dict[str, ToolCall]:
        """The calls of one more answer by what they mean, read until all wanted ones are there."""
        first, said = self._asked.request, dict[str, ToolCall]()
        sampling = msgspec.structs.replace(
            first.sampling, temperature=first.sampling.temperature or _TEMPERATURE, seed=number
        )
        request = msgspec.structs.replace(
            first,
            sampling=sampling,
            max_tokens=min(first.max_tokens, 2 * self._asked.tokens + _SPARE),
        )
        parser = self._asked.parser()
        # `generate` is an async generator: closing it is what stops the decode.
        stream: Any = self._engine.generate(request)
        try:
            async with aclosing(stream):
                async for event in stream:
                    said |= self._calls(_pieces(parser, event))
                    if isinstance(event, Finished):
                        self.usage = plus(self.usage, event.usage)
                    elif wanted <= set(said):
                        break
        except ConstraintError:
            pass  # an answer that the grammar broke off makes no more calls
        return said

    def _calls(self, pieces: Sequence[Piece]) -> dict[str, ToolCall]:
        calls = [piece.call for piece in pieces if isinstance(piece, CallPiece)]
        return {self._tools.weight(call) or call.name: call for call in calls}


def plus(one: Usage, other: Usage) -> Usage:
    """What two generations took together."""
    return Usage(
        one.prompt_tokens + other.prompt_tokens,
        one.cached_tokens + other.cached_tokens,
        one.completion_tokens + other.completion_tokens,
    )


def _pieces(parser: CallParser, event: object) -> list[Piece]:
    if isinstance(event, Delta):
        return parser.feed(event)
    return parser.finish(event.reason) if isinstance(event, Finished) else []


def _decided(agreeing: int, made: int, answers: int) -> bool:
    """Whether the answers that are still to come cannot change the vote."""
    left = answers - made
    return agreeing * 2 > answers or (agreeing + left) * 2 <= answers


def _told(said: dict[str, ToolCall]) -> str:
    if not said:
        return "an answer without a call"
    text = ", ".join(f"{call.name} {json.dumps(call.arguments)}" for call in said.values())
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
