"""Token counts by the model's own tokenizer, asked in batches and remembered for each piece.

A file is counted piece by piece, a piece being a line or a part of a long one, so that a
keystroke costs the count of one line. Tokens that would span two pieces are counted twice at most:
a sum over pieces is an upper bound in practice, and what is sent is counted once more as a whole.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise
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
        self._known: dict[str, int] = {}  # the oldest first

    async def of(self, texts: Iterable[str]) -> list[int]:
        """The tokens of each text; at most one question to the engine."""
        wanted = [encodable(text) for text in texts]
        known = self._known
        unknown = list(dict.fromkeys(text for text in wanted if text not in known))
        found: dict[str, int] = {}
        if unknown:
            found = dict(zip(unknown, await self._counter.count(unknown), strict=True))
        for text, count in found.items():
            known[text] = count
        answer = [known[text] for text in wanted]
        while len(known) > self._limit:
            del known[next(iter(known))]
        return answer

    async def total(self, *texts: str) -> int:
        """The tokens of all texts; long ones are not remembered."""
        return sum(await self._counter.count([encodable(text) for text in texts]))


def pieces(lines: LineIndex, span: Span) -> list[Span]:
    """The lines that a span covers, their ends included, long ones in parts; cut to the span."""
    if span.end <= span.start:
        return []
    first, last = lines.line_of(span.start), lines.line_of(span.end - 1)
    starts = [*lines.line_starts(first, last), lines.line_start(last + 1)]
    found: list[Span] = []
    for start, end in pairwise(starts):
        if end - start <= _LONG:
            found.append(Span(max(start, span.start), min(end, span.end)))
            continue
        # Parts start at multiples from the line's start, so that they stay the same.
        at = start + max(0, span.start - start) // _PART * _PART
        found += [
            Span(max(part, span.start), min(part + _PART, end, span.end))
            for part in range(at, min(end, span.end), _PART)
        ]
    return found
