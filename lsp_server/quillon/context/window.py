"""The text around a cursor that fits a budget of tokens.

What is cut off before it is made up for: imports and the headers of the definitions around the
cursor stand first, so that the model knows in which class and function it writes.

Where the text is cut, the window starts at a multiple of `STEP` lines, whatever was typed: what a
model remembers of a prompt is valid up to the first difference, and a start that moved with every
line would cost the whole prompt each time.
"""

from collections.abc import Sequence

import msgspec

from quillon.context.counts import TokenCounts, pieces
from quillon.context.definitions import enclosing, imports_region
from quillon.context.document import DocumentSnapshot
from quillon.text import Span, encodable

STEP = 16  # lines
_CHARACTERS = 8  # looked at for each token of a budget
_IMPORTS_SHARE, _HEADERS_SHARE = 0.25, 0.35
_GAP = 4  # tokens of the mark of a gap
_TRIES = 8


class Cut(msgspec.Struct, frozen=True):
    """A text for the model, the part of the document that it ends or starts with, its tokens.

    `ahead` are spans of the document that stand before that part in `text`.
    """

    text: str
    span: Span
    tokens: int
    ahead: tuple[Span, ...] = ()


async def window_at(
    snapshot: DocumentSnapshot, offset: int, counts: TokenCounts, before: int, after: int
) -> tuple[Cut, Cut]:
    """What stands before a cursor and after it, in at most so many tokens.

    By the model's own count of what is sent. The text after it is cut at the end of a line.
    """
    text = snapshot.text
    earlier, later = _before(snapshot, offset, before), _after(snapshot, offset, after)
    imports = imports_region(snapshot)
    lines = pieces(snapshot.lines, imports)
    headers = [one.header for one in enclosing(snapshot, offset) if one.header.start >= imports.end]
    spans = [*earlier, *later, *lines, *headers]
    sized = list(zip(spans, await counts.of([span.cut(text) for span in spans]), strict=True))
    first, second = len(earlier), len(earlier) + len(later)
    third = second + len(lines)
    ahead = _Ahead(sized[second:third], sized[third:])
    prefix = await _prefix(snapshot, offset, counts, sized[:first], ahead, before)
    suffix = await _suffix(snapshot, offset, counts, sized[first:second], after)
    return prefix, suffix


async def _prefix(
    snapshot: DocumentSnapshot,
    offset: int,
    counts: TokenCounts,
    before: list[tuple[Span, int]],
    ahead: "_Ahead",
    budget: int,
) -> Cut:
    room = budget
    for _ in range(_TRIES):
        start, kept = _choose(snapshot, offset, before, ahead, room)
        text = encodable(_assembled(snapshot, start, kept, offset))
        tokens = await counts.total(text)
        if tokens <= budget:
            return Cut(text, Span(start, offset), tokens, kept)
        room -= max(tokens - budget, 1)  # the headers and the gaps cost more than was thought
    return Cut("", Span(offset, offset), 0)


async def _suffix(
    snapshot: DocumentSnapshot,
    offset: int,
    counts: TokenCounts,
    after: list[tuple[Span, int]],
    budget: int,
) -> Cut:
    kept = _fitting([size for _, size in after], budget)
    for count in range(kept, 0, -1):
        span = Span(offset, after[count - 1][0].end)
        text = encodable(span.cut(snapshot.text))
        (tokens,) = await counts.of([text])
        if tokens <= budget:
            return Cut(text, span, tokens)
    return Cut("", Span(offset, offset), 0)


def _before(snapshot: DocumentSnapshot, offset: int, budget: int) -> list[Span]:
    start = max(0, offset - budget * _CHARACTERS)
    line = snapshot.lines.line_start(snapshot.lines.line_of(start))
    near = start - line < _CHARACTERS * STEP
    return pieces(snapshot.lines, Span(line if near else start, offset))


def _after(snapshot: DocumentSnapshot, offset: int, budget: int) -> list[Span]:
    end = min(len(snapshot.text), offset + budget * _CHARACTERS)
    return pieces(snapshot.lines, Span(offset, end))


class _Ahead(msgspec.Struct, frozen=True):
    """What should not be lost, with the tokens of each: imports line by line, then headers."""

    imports: list[tuple[Span, int]]
    headers: list[tuple[Span, int]]

    def wanted(self, room: int) -> list[tuple[Span, int]]:
        """What fits its share of the room, in the order of the text."""
        count = _fitting([size for _, size in self.imports], int(room * _IMPORTS_SHARE))
        inner = self.headers[::-1]  # the innermost matters most
        kept = inner[: _fitting([size + _GAP for _, size in inner], int(room * _HEADERS_SHARE))]
        return self.imports[:count] + kept[::-1]


def _fitting(sizes: Sequence[int], budget: int) -> int:
    """How many of the first sizes fit."""
    for count, size in enumerate(sizes):
        budget -= size
        if budget < 0:
            return count
    return len(sizes)


def _choose(
    snapshot: DocumentSnapshot,
    offset: int,
    before: list[tuple[Span, int]],
    ahead: _Ahead,
    room: int,
) -> tuple[int, tuple[Span, ...]]:
    """Where the unbroken part starts, and what stands ahead of it."""
    sizes = [size for _, size in reversed(before)]
    if (not before or before[0][0].start == 0) and sum(sizes) <= room:
        return 0, ()
    wanted = ahead.wanted(room)
    count = _fitting(sizes, room - sum(size + _GAP for _, size in wanted))
    start = before[len(before) - count][0].start if count else offset
    start = _aligned(snapshot, start, offset)
    return start, tuple(span for span, _ in wanted if span.end <= start)


def _aligned(snapshot: DocumentSnapshot, start: int, offset: int) -> int:
    """The next line start that is a multiple of `STEP`, unless that loses half of the text."""
    lines = snapshot.lines
    line = lines.line_of(start)
    exact = line if lines.line_start(line) == start else line + 1
    at = lines.line_start(exact + -exact % STEP)
    if at <= offset and (offset - at) * 2 >= offset - start:
        return at
    nearest = lines.line_start(exact)
    return nearest if nearest <= offset and (offset - nearest) * 2 >= offset - start else start


def _assembled(snapshot: DocumentSnapshot, start: int, ahead: tuple[Span, ...], offset: int) -> str:
    language = snapshot.language
    mark = f"{language.line_comment if language is not None else '#'} ...\n"
    parts: list[str] = []
    at = 0
    for span in ahead:
        if parts and span.start > at:
            parts.append(mark)
        line = span.cut(snapshot.text)
        parts.append(line if line.endswith("\n") else f"{line}\n")
        at = span.end + 1
    if parts and start > at:
        parts.append(mark)
    return "".join([*parts, snapshot.text[start:offset]])
