"""Token counts by the model's own tokenizer, asked in batches and remembered for each piece.

A file is counted piece by piece, a piece being a line or a part of a long one, so that a
keystroke costs the count of one line. Tokens that would span two pieces are counted twice at most:
a sum over pieces is an upper bound in practice, and what is sent is counted once more as a whole.
"""

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import Protocol

from quillon.text import LineIndex, Span, encodable

_REMEMBERED = 65_536
_LONG, _PART = 400, 200  # characters; a longer line is counted in parts


class Counter(Protocol):
    """What counts tokens: an engine."""

    async def count(self, texts: Sequence[str]) -> list[int]:
        """The number of tokens of each text, special tokens not parsed."""
        ...


class TokenCounts:
    """The counts of one model."""

    def __init__(self, counter: Counter, remembered: int = _REMEMBERED) -> None:
        self._counter = counter
        self._limit = remembered
        self._known: OrderedDict[str, int] = OrderedDict()

    async def of(self, texts: Iterable[str]) -> list[int]:
        """The tokens of each text; at most one question to the engine."""
        wanted = [encodable(text) for text in texts]
        unknown = list(dict.fromkeys(text for text in wanted if text not in self._known))
        found: dict[str, int] = {}
        if unknown:
            found = dict(zip(unknown, await self._counter.count(unknown), strict=True))
        answer = [self._recall(text, found) for text in wanted]
        while len(self._known) > self._limit:
            self._known.popitem(last=False)
        return answer

    async def total(self, *texts: str) -> int:
        """The tokens of all texts; long ones are not remembered."""
        return sum(await self._counter.count([encodable(text) for text in texts]))

    def _recall(self, text: str, found: dict[str, int]) -> int:
        if text in self._known:
            self._known.move_to_end(text)
        else:
            self._known[text] = found[text]
        return self._known[text]


def pieces(lines: LineIndex, span: Span) -> list[Span]:
    """The lines that a span covers, their ends included, long ones in parts; cut to the span."""
    found: list[Span] = []
    at = span.start
    while at < span.end:
        line = lines.line_of(at)
        start, end = lines.line_start(line), lines.line_start(line + 1)
        if end - start > _LONG:
            # Parts start at multiples from the line's start, so that they stay the same.
            end = min(end, at - (at - start) % _PART + _PART)
        found.append(Span(at, min(end, span.end)))
        at = found[-1].end
    return found
