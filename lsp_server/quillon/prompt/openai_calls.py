r"""The `tool_calls` of OpenAI-compatible servers, put together from the parts they stream.

    {"index": 0, "id": "call_1", "function": {"name": "read_file", "arguments": "{\"pa"}}
    {"index": 0, "function": {"arguments": "th\": \"a.py\"}"}}

Servers differ: some leave the index out, some send whole calls, some send arguments as an object.
"""

import secrets
from collections.abc import Sequence
from typing import Any

import msgspec

from quillon.engine.base import FinishReason
from quillon.prompt.jsonscan import MAX_CHARS
from quillon.prompt.pieces import BrokenCallPiece, CallPiece, Piece
from quillon.prompt.reading import Reading, calls_in
from quillon.prompt.states import CUT
from quillon_tools.calls import ToolCall

MAX_CALLS = 128  # in one answer


class _Part(msgspec.Struct):
    """A call as far as it has come."""

    id: str = ""
    name: str = ""
    arguments: str = ""
    whole: dict[str, Any] | None = None


class StreamedCalls:
    """Collects the calls of one answer."""

    def __init__(self) -> None:
        self._parts: dict[int, _Part] = {}

    def feed(self, deltas: Any) -> None:
        """Take the `tool_calls` of one delta, or of a whole message. Anything else is ignored."""
        if not isinstance(deltas, list):
            return
        for position, delta in enumerate(deltas):
            if isinstance(delta, dict):
                self._add(delta, position)

    def finish(self, reason: FinishReason = "stop") -> list[Piece]:
        """The calls in their order. What a limit cut off does not run."""
        parts = [self._parts[index] for index in sorted(self._parts)]
        self._parts = {}
        cut = reason != "stop"
        return [
            self._piece(part, cut=cut and number == len(parts))
            for number, part in enumerate(parts, 1)
        ]

    def _add(self, delta: dict[str, Any], position: int) -> None:
        index = delta.get("index")
        if not isinstance(index, int) or isinstance(index, bool):
            # Without an index a new id begins a new call.
            fresh = bool(delta.get("id")) and all(p.id != delta["id"] for p in self._parts.values())
            index = len(self._parts) if fresh else max(self._parts, default=position)
        if index not in self._parts and len(self._parts) >= MAX_CALLS:
            return
        part = self._parts.setdefault(index, _Part())
        function = delta.get("function")
        if isinstance(delta.get("id"), str):
            part.id = delta["id"] or part.id
        if not isinstance(function, dict):
            return
        if isinstance(function.get("name"), str):
            part.name += function["name"]
        arguments = function.get("arguments")
        if isinstance(arguments, dict):
            part.whole = arguments
        elif isinstance(arguments, str) and len(part.arguments) <= MAX_CHARS:
            part.arguments += arguments

    def _piece(self, part: _Part, *, cut: bool) -> Piece:
        reading = self._reading(part)
        if cut and reading.problem is not None:
            reading = Reading(reading.name, problem=CUT)
        if reading.problem is not None or reading.name is None:
            problem = reading.problem or "the call has no name"
            return BrokenCallPiece(part.name or None, part.arguments, problem)
        call = ToolCall(part.id or f"call_{secrets.token_hex(6)}", reading.name, reading.arguments)
        return CallPiece(call)

    def _reading(self, part: _Part) -> Reading:
        if len(part.arguments) > MAX_CHARS:
            return Reading(part.name, problem=f"it is longer than {MAX_CHARS} characters")
        arguments: Any = part.arguments if part.whole is None else part.whole
        readings = calls_in({"name": part.name, "arguments": arguments})
        return readings[0] if readings else Reading(None)


def calls_of_message(message: dict[str, Any]) -> Sequence[Piece]:
    """The calls of a message that was not streamed."""
    calls = StreamedCalls()
    calls.feed(message.get("tool_calls"))
    return calls.finish()
