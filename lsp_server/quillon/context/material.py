"""Code to be talked about: a definition with its surroundings, files that the user attached."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate

import msgspec

from quillon.context.counts import TokenCounts, pieces
from quillon.context.definitions import enclosing, imports_region
from quillon.context.document import DocumentSnapshot
from quillon.text import LineIndex, Span, encodable

_AHEAD_SHARE = 0.35  # for headers and imports, of what the span itself leaves
_HEAD_SHARE = 0.7  # of a text that is cut in its middle, what stays of its beginning
HEADING = 16  # tokens that a part's path and line ends may take
_CHARACTERS = 12  # looked at for each token of a budget


class LeftOut(msgspec.Struct, frozen=True):
    """What a prompt does not hold of what it was meant to hold.

    `files` are paths, `lines` are phrases such as "lines 3-9 of a.py".
    """

    files: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    tokens: int = 0

    def sentence(self) -> str:
        """For people: "Left out: 3 files, 812 tokens"; empty where nothing is."""
        what = list(self.lines)
        if self.files:
            what.append(f"{len(self.files)} files" if len(self.files) > 1 else self.files[0])
        return f"Left out: {' and '.join(what)}, {self.tokens} tokens" if what else ""

    def with_more(self, other: "LeftOut") -> "LeftOut":
        """Both together."""
        return LeftOut(
            self.files + other.files, self.lines + other.lines, self.tokens + other.tokens
        )


class Part(msgspec.Struct, frozen=True):
    """Full lines of one document; line numbers count from 1 and include both ends."""

    path: str
    text: str
    first_line: int
    last_line: int
    tokens: int

    @property
    def label(self) -> str:
        """The path and the lines, as in `a.py:3-9`."""
        return f"{self.path}:{self.first_line}-{self.last_line}"

    @property
    def lines(self) -> range:
        """The line numbers, counted from 0."""
        return range(self.first_line - 1, self.last_line)


class Material(msgspec.Struct, frozen=True):
    """Parts in the order in which they are best read, and what is missing."""

    parts: tuple[Part, ...]
    tokens: int
    left_out: LeftOut = LeftOut()


async def around(
    snapshot: DocumentSnapshot, span: Span, path: str, counts: TokenCounts, budget: int
) -> Material:
    """The lines of a span with what explains them, in the order of the text.

    That is the headers of the definitions around it, the imports, and as many of the lines before
    and after it as fit. Where not even the span fits, it is cut in its middle.
    """
    lines = snapshot.lines
    first, last = lines.line_of(span.start), lines.line_of(max(span.start, span.end - 1))
    wanted = range(first, last + 1)
    sizes = await _line_sizes(lines, wanted, counts)
    kept, left_out = _shortened(wanted, sizes, path, budget - HEADING)
    room = budget - HEADING - sum(sizes[line] for line in kept)
    if not left_out.lines:
        ahead = await _ahead(snapshot, span, first, counts)
        room -= _add(kept, ahead, room)
        reach = max(0, room) * _CHARACTERS
        near = _near(lines, first, last, reach)
        known = await _line_sizes(lines, near, counts)
        _grow(kept, known, first, last, room)
    return await _material(lines, kept, path, counts, left_out, budget)


async def attached(
    texts: Sequence[tuple[str, LineIndex, Span]], counts: TokenCounts, budget: int
) -> Material:
    """Parts of files that the user named, as (path, lines, span).

    Small ones stay whole; larger ones share the rest and are cut in their middle. Where a file
    gets too little to be of use, it is left out.
    """
    parts: list[Part] = []
    left_out = LeftOut()
    wholes = [await _whole(*one, counts) for one in texts]
    room, waiting = budget, len(texts)
    for index in sorted(range(len(texts)), key=lambda i: wholes[i].tokens):
        share = room // waiting
        waiting -= 1
        part = wholes[index]
        if part.tokens <= share:
            parts.append(part)
            room -= part.tokens
            continue
        path, lines, span = texts[index]
        cut = await _cut(lines, span, path, counts, share)
        if not cut.parts:
            left_out = left_out.with_more(LeftOut(files=(path,), tokens=part.tokens))
            continue
        parts += cut.parts
        room -= cut.tokens
        left_out = left_out.with_more(cut.left_out)
    order = {path: at for at, (path, _, _) in enumerate(texts)}
    parts.sort(key=lambda part: (order[part.path], part.first_line))
    return Material(tuple(parts), sum(part.tokens for part in parts), left_out)


async def left_out_of(
    lines: LineIndex, gone: Iterable[int], path: str, counts: TokenCounts
) -> LeftOut:
    """Lines that a prompt does not hold, by runs and in tokens; blank ones are no loss."""
    phrases, texts = [], []
    for run in _runs(gone):
        text = lines.text[lines.line_start(run[0]) : lines.line_start(run[-1] + 1)]
        if text.strip():
            phrases.append(f"lines {run[0] + 1}-{run[-1] + 1} of {path}")
            texts.append(text)
    return LeftOut(lines=tuple(phrases), tokens=await counts.total(*texts) if texts else 0)


async def _whole(path: str, lines: LineIndex, span: Span, counts: TokenCounts) -> Part:
    first, last = lines.line_of(span.start), lines.line_of(max(span.start, span.end - 1))
    return await _part(lines, first, last, path, counts)


async def _cut(
    lines: LineIndex, span: Span, path: str, counts: TokenCounts, budget: int
) -> Material:
    first, last = lines.line_of(span.start), lines.line_of(max(span.start, span.end - 1))
    wanted = range(first, last + 1)
    sizes = await _line_sizes(lines, wanted, counts)
    kept, left_out = _shortened(wanted, sizes, path, budget - 2 * HEADING)
    return await _material(lines, kept, path, counts, left_out, budget)


async def _part(lines: LineIndex, first: int, last: int, path: str, counts: TokenCounts) -> Part:
    text = encodable(lines.text[lines.line_start(first) : lines.line_span(last).end])
    return Part(path, text, first + 1, last + 1, await counts.total(text) + HEADING)


async def _material(
    lines: LineIndex,
    kept: set[int],
    path: str,
    counts: TokenCounts,
    left_out: LeftOut,
    budget: int,
) -> Material:
    """The kept lines as parts, counted as they are sent."""
    parts = [await _part(lines, run[0], run[-1], path, counts) for run in _runs(kept)]
    while parts and sum(part.tokens for part in parts) > budget:
        # A sum over lines is an upper bound but for the headings of further parts.
        smallest = min(parts, key=lambda part: part.tokens)
        parts.remove(smallest)
        gone = f"lines {smallest.first_line}-{smallest.last_line} of {path}"
        left_out = left_out.with_more(LeftOut(lines=(gone,), tokens=smallest.tokens - HEADING))
    return Material(tuple(parts), sum(part.tokens for part in parts), left_out)


async def _line_sizes(
    lines: LineIndex, wanted: Sequence[int], counts: TokenCounts
) -> dict[int, int]:
    """The tokens of each line, with one question to the engine."""
    spans = [(n, s) for n in wanted for s in pieces(lines, _full_line(lines, n))]
    sizes = dict.fromkeys(wanted, 0)
    known = await counts.of(span.cut(lines.text) for _, span in spans)
    for (line, _), size in zip(spans, known, strict=True):
        sizes[line] += size
    return sizes


def _full_line(lines: LineIndex, line: int) -> Span:
    return Span(lines.line_start(line), lines.line_start(line + 1))


def _shortened(
    wanted: range, sizes: dict[int, int], path: str, room: int
) -> tuple[set[int], LeftOut]:
    """The lines that stay: all, or the first and the last of them."""
    if sum(sizes[line] for line in wanted) <= room:
        return set(wanted), LeftOut()
    heads = list(accumulate(sizes[line] for line in wanted))
    head = sum(total <= room * _HEAD_SHARE for total in heads)
    rest = room - (heads[head - 1] if head else 0)
    tails = list(accumulate(sizes[line] for line in reversed(wanted)))
    tail = min(sum(total <= rest for total in tails), len(wanted) - head)
    gone = wanted[head : len(wanted) - tail]
    phrase = f"lines {gone[0] + 1}-{gone[-1] + 1} of {path}"
    kept = set(wanted) - set(gone)
    return kept, LeftOut(lines=(phrase,), tokens=sum(sizes[line] for line in gone))


async def _ahead(
    snapshot: DocumentSnapshot, span: Span, first: int, counts: TokenCounts
) -> list[tuple[int, int]]:
    """Lines that explain the span, with their tokens: headers around it, then imports."""
    lines = snapshot.lines
    imports = imports_region(snapshot)
    headers = [one.header for one in reversed(enclosing(snapshot, span.start))]
    wanted: list[int] = []
    for part in [*headers, *([imports] if len(imports) else [])]:
        wanted += range(lines.line_of(part.start), lines.line_of(part.end) + 1)
    wanted = [line for line in dict.fromkeys(wanted) if line < first]
    sizes = await _line_sizes(lines, wanted, counts)
    return [(line, sizes[line]) for line in wanted]


def _add(kept: set[int], ahead: list[tuple[int, int]], room: int) -> int:
    """Keep what fits into its share of the room; the tokens it takes."""
    used, share = 0, int(room * _AHEAD_SHARE)
    for line, size in ahead:
        cost = size + (0 if line - 1 in kept or line + 1 in kept else HEADING)
        if line not in kept and used + cost <= share:
            kept.add(line)
            used += cost
    return used


def _near(lines: LineIndex, first: int, last: int, reach: int) -> list[int]:
    """Lines around the span, as far as the budget can reach."""
    before = lines.line_of(max(0, lines.line_start(first) - reach))
    after = lines.line_of(min(len(lines.text), lines.line_start(last + 1) + reach))
    return [*range(before, first), *range(last + 1, after + 1)]


def _grow(kept: set[int], sizes: dict[int, int], first: int, last: int, room: int) -> None:
    """Keep lines before and after in turn, until one does not fit."""
    above, below = first - 1, last + 1
    while above in sizes or below in sizes:
        for line in (above, below):
            if line in sizes and line not in kept:
                if sizes[line] > room:
                    return
                kept.add(line)
                room -= sizes[line]
        above, below = above - 1, below + 1


def _runs(kept: Iterable[int]) -> Iterator[list[int]]:
    """Lines that follow one another, as runs in order."""
    run: list[int] = []
    for line in sorted(kept):
        if run and line != run[-1] + 1:
            yield run
            run = []
        run.append(line)
    if run:
        yield run
