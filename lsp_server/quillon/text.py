r"""Positions in text as plain values: spans, edits and the index that maps them to lines.

Offsets count Unicode code points, that is, they index a Python `str`. An editor's columns count
UTF-8 bytes, UTF-16 units or code points, as negotiated; `LineIndex` is the only translator.
Lines end at `\n`, `\r\n` or `\r`, as the Language Server Protocol has it, and at nothing else
(`str.splitlines` would also split at form feeds and at U+2028).

Surrogates are kept joined: a high and a low one that meet are one character. An editor that keeps
UTF-16 may send either alone; `joined` and `resolve_changes` see to it.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Literal

import msgspec

Encoding = Literal["utf-8", "utf-16", "utf-32"]

REPLACEMENT = "\ufffd"  # what bytes that are no character are decoded to

_LINE_BREAK = re.compile(r"\n|\r(?!\n)")
_ANY_LINE_END = re.compile(r"\r\n|\n|\r")
_ASTRAL = re.compile("[\U00010000-\U0010ffff]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_HIGH = re.compile("[\ud800-\udbff]")
_LOW = re.compile("[\udc00-\udfff]")
_CONTINUED = (0xC0, 0x80)  # mask and value of a UTF-8 byte that continues a character
_MANY = 16  # changes at once that are worth a pass of their own
_CHUNK = 512  # line starts that an edit copies; the rest of the index is shared


class Span(msgspec.Struct, frozen=True, order=True):
    """A half-open range of code points: `start` is in, `end` is out."""

    start: int
    end: int

    def __len__(self) -> int:
        return self.end - self.start

    def contains(self, offset: int) -> bool:
        """Whether `offset` lies in the span, its end included (a cursor may stand there)."""
        return self.start <= offset <= self.end

    def covers(self, other: "Span") -> bool:
        """Whether `other` lies wholly within."""
        return self.start <= other.start and other.end <= self.end

    def cut(self, text: str) -> str:
        """The text that the span covers."""
        return text[self.start : self.end]


class Edit(msgspec.Struct, frozen=True):
    """Replace what `span` covers by `text`."""

    span: Span
    text: str


class Position(msgspec.Struct, frozen=True, order=True):
    """A place as an editor names it: line from 0, `character` in units of an `Encoding`."""

    line: int
    character: int


class Change(msgspec.Struct, frozen=True):
    """One change as an editor reports it; without `range` the text is the whole document."""

    text: str
    range: tuple[Position, Position] | None = None


def apply_edits(text: str, edits: Sequence[Edit]) -> str:
    """The text after all edits, each given in offsets of the original.

    Raises:
        ValueError: Two edits overlap, or one lies outside the text.
    """
    parts: list[str] = []
    at = 0
    for edit in sorted(edits, key=lambda e: (e.span.start, e.span.end)):
        if edit.span.start < at or not edit.span.start <= edit.span.end <= len(text):
            raise ValueError(f"edit {edit.span} overlaps another or leaves the text")
        parts += (text[at : edit.span.start], edit.text)
        at = edit.span.end
    parts.append(text[at:])
    return "".join(parts)


def difference(old: str, new: str) -> Edit:
    """The one edit that turns `old` into `new`: what lies between what they share at both ends."""
    start = _shared(old, new)
    limit = min(len(old), len(new)) - start
    low, high = 0, limit
    while low < high:
        middle = (low + high + 1) // 2
        if old[len(old) - middle :] == new[len(new) - middle :]:
            low = middle
        else:
            high = middle - 1
    return Edit(Span(start, len(old) - low), new[start : len(new) - low])


def _shared(one: str, other: str) -> int:
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def units(text: str, encoding: Encoding) -> int:
    """The length of `text` in units of `encoding`."""
    if encoding == "utf-32" or text.isascii():
        return len(text)
    if encoding == "utf-8":
        return len(text.encode("utf-8", "surrogatepass"))
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def joined(text: str) -> str:
    """The text with every high surrogate that precedes a low one made one character with it."""
    if text.isascii() or not _SURROGATE.search(text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


def encodable(text: str) -> str:
    """The text with lone surrogates as U+FFFD, of the same length: what UTF-8 can hold."""
    if text.isascii():
        return text
    return _SURROGATE.sub("\ufffd", text)


def line_end_of(text: str) -> str:
    r"""The line end that a text uses: that of its first line; `\n` where it has one line."""
    match = _ANY_LINE_END.search(text)
    return match[0] if match else "\n"


def with_line_ends(text: str, line_end: str) -> str:
    """The text with every line end replaced."""
    return _ANY_LINE_END.sub(line_end, text) if line_end != "\n" or "\r" in text else text


class LineIndex:
    """Where the lines of one text start; immutable, made once for each version of a text.

    Line starts are kept in chunks relative to their first, so that the index of an edited text
    (`edited`) shares all but the chunks that the edit touches.
    """

    __slots__ = ("_bases", "_chunks", "_firsts", "text")

    def __init__(self, text: str) -> None:
        self._set(text, _chunked(_line_starts(text)))

    def _set(self, text: str, parts: Iterable[tuple[int, Sequence[int]]]) -> None:
        self.text = text
        self._bases: list[int] = []
        self._chunks: list[Sequence[int]] = []
        for base, chunk in parts:
            self._bases.append(base)
            self._chunks.append(chunk)
        self._firsts = list(accumulate(map(len, self._chunks), initial=0))

    @property
    def line_count(self) -> int:
        """The number of lines; an empty text has one."""
        return self._firsts[-1]

    def line_start(self, line: int) -> int:
        """Where a line starts; the end of the text for a line past the last."""
        if line >= self._firsts[-1]:
            return len(self.text)
        at = bisect_right(self._firsts, line) - 1
        return self._bases[at] + self._chunks[at][line - self._firsts[at]]

    def line_starts(self, first: int, last: int) -> list[int]:
        """Where the lines `first` to `last` start, both included."""
        found: list[int] = []
        at = bisect_right(self._firsts, first) - 1
        while at < len(self._chunks) and self._firsts[at] <= last:
            base, number = self._bases[at], self._firsts[at]
            chunk = self._chunks[at][max(0, first - number) : last + 1 - number]
            found += [base + start for start in chunk]
            at += 1
        return found

    def line_span(self, line: int) -> Span:
        """The line without its end; a line past the last is empty at the end of the text."""
        start, end = self.line_start(line), self.line_start(line + 1)
        if line + 1 < self._firsts[-1]:
            end -= 1
            if self.text[end] == "\n" and end > start and self.text[end - 1] == "\r":
                end -= 1
        return Span(start, end)

    def line_text(self, line: int) -> str:
        """The line without its end."""
        return self.line_span(line).cut(self.text)

    def line_of(self, offset: int) -> int:
        """The line that holds `offset`."""
        at = max(0, bisect_right(self._bases, offset) - 1)
        return self._firsts[at] + max(
            0, bisect_right(self._chunks[at], offset - self._bases[at]) - 1
        )

    def offset(self, position: Position, encoding: Encoding) -> int:
        """The code-point offset of a position.

        As the protocol demands, a character past the end of the line means the line's end and a
        line past the last means the end of the text. A position inside a character is that
        character's start.
        """
        if position.line < 0:
            return 0
        span = self.line_span(position.line)
        return span.start + _column(span.cut(self.text), max(0, position.character), encoding)

    def position(self, offset: int, encoding: Encoding) -> Position:
        """The position of a code-point offset; one inside a line end is that line's end."""
        offset = min(max(0, offset), len(self.text))
        line = self.line_of(offset)
        span = self.line_span(line)
        return Position(line, units(self.text[span.start : min(offset, span.end)], encoding))

    def edited(self, edit: Edit) -> "LineIndex":
        """The index of the text after `edit`; costs about as much as copying the text."""
        start, end, old = edit.span.start, edit.span.end, self.text
        text = f"{old[:start]}{edit.text}{old[end:]}"
        new_end = start + len(edit.text)
        # A start before the edit or behind it hangs on characters that stay; only starts from
        # `start` to `end`, both included, can change.
        first = max(0, bisect_left(self._bases, start) - 1)
        last = max(0, bisect_right(self._bases, end) - 1)
        head_base, tail_base = self._bases[first], self._bases[last]
        head, tail = self._chunks[first], self._chunks[last]
        moved = new_end - end
        starts = [head_base + s for s in head[: bisect_left(head, start - head_base)]]
        if start == 0:
            starts.append(0)
        starts += _starts_within(text, start, new_end)
        starts += [tail_base + s + moved for s in tail[bisect_right(tail, end - tail_base) :]]
        index = LineIndex.__new__(LineIndex)
        before = zip(self._bases[:first], self._chunks[:first], strict=True)
        after = (
            (base + moved, chunk)
            for base, chunk in zip(self._bases[last + 1 :], self._chunks[last + 1 :], strict=True)
        )
        index._set(text, [*before, *_chunked(starts), *after])  # noqa: SLF001 - a second constructor
        return index


def _line_starts(text: str) -> list[int]:
    if text.count("\r") != text.count("\r\n"):
        return [0, *(match.end() for match in _LINE_BREAK.finditer(text))]
    lengths = [len(line) + 1 for line in text.split("\n")]
    lengths.pop()  # what follows the last line break starts no other line
    return list(accumulate(lengths, initial=0))


def _starts_within(text: str, start: int, end: int) -> list[int]:
    """The line starts from `start` to `end`, both included, 0 excepted."""
    found = (match.end() for match in _LINE_BREAK.finditer(text, max(0, start - 1), end + 1))
    return [at for at in found if at <= end]


def _chunked(starts: list[int]) -> Iterable[tuple[int, Sequence[int]]]:
    size = len(starts) if len(starts) <= 2 * _CHUNK else _CHUNK
    for at in range(0, len(starts), size or 1):
        base = starts[at]
        yield base, [start - base for start in starts[at : at + size]]


def _column(line: str, wanted: int, encoding: Encoding) -> int:
    """The code points of `line` that lie wholly within its first `wanted` units."""
    if encoding == "utf-32" or line.isascii():
        return min(wanted, len(line))
    if encoding == "utf-8":
        raw = line.encode("utf-8", "surrogatepass")
        while wanted < len(raw) and raw[wanted] & _CONTINUED[0] == _CONTINUED[1]:
            wanted -= 1
        return len(raw[:wanted].decode("utf-8", "surrogatepass"))
    for before, match in enumerate(_ASTRAL.finditer(line)):
        if wanted <= match.start() + before + 1:
            return min(match.start(), wanted - before)
    return min(len(line), wanted - len(_ASTRAL.findall(line)))


def edit_of(lines: LineIndex, change: Change, encoding: Encoding) -> Edit:
    """A change as an edit of the indexed text.

    A range given backwards is turned round. A whole text becomes the part that differs. Where
    UTF-16 positions divide a character, the half that stays is kept, as an editor that stores
    UTF-16 keeps it, and joins what it meets.
    """
    if change.range is None:
        return difference(lines.text, joined(change.text))
    first, last = sorted(change.range)
    text = lines.text
    start, end = lines.offset(first, encoding), lines.offset(last, encoding)
    new = change.text
    if encoding == "utf-16" and not (text.isascii() and new.isascii()):
        high = _half(lines, first, start)
        low = _half(lines, last, end)
        new = high[:1] + new + low[1:]
        end += bool(low)
        return _joined_edit(text, Edit(Span(start, end), new))
    return _joined_edit(text, Edit(Span(start, end), new))


def _half(lines: LineIndex, position: Position, offset: int) -> str:
    """The surrogates of the character that a UTF-16 position divides; else nothing."""
    line = lines.line_span(lines.line_of(offset))
    if offset >= line.end or not _ASTRAL.match(lines.text, offset):
        return ""
    if position.line < 0 or units(lines.text[line.start : offset], "utf-16") >= position.character:
        return ""
    code = ord(lines.text[offset]) - 0x10000
    return chr(0xD800 + (code >> 10)) + chr(0xDC00 + (code & 0x3FF))


def _joined_edit(text: str, edit: Edit) -> Edit:
    """The edit, widened over lone surrogates beside it that pair with one of its own."""
    start, end, new = edit.span.start, edit.span.end, edit.text
    follows = new or text[end : end + 1]
    if start > 0 and _HIGH.match(text[start - 1]) and _LOW.match(follows):
        start -= 1
        new = text[start] + new
    if end < len(text) and _LOW.match(text[end]) and new and _HIGH.match(new[-1]):
        new += text[end]
        end += 1
    return Edit(Span(start, end), joined(new))


def resolve_changes(
    lines: LineIndex, changes: Sequence[Change], encoding: Encoding
) -> tuple[LineIndex, tuple[Edit, ...]]:
    """The text after an editor's changes, and the edits in order, each of the text before it.

    Each change is given in positions of the text that the changes before it left.
    """
    together = _upwards(lines, changes, encoding) if len(changes) >= _MANY else None
    if together is not None:
        text = apply_edits(lines.text, together)
        if not _SURROGATE.search(text):  # halves that meet are joined one change at a time
            return LineIndex(text), together
    edits: list[Edit] = []
    for change in changes:
        edit = edit_of(lines, change, encoding)
        edits.append(edit)
        lines = lines.edited(edit)
    return lines, tuple(edits)


def _upwards(
    lines: LineIndex, changes: Sequence[Change], encoding: Encoding
) -> tuple[Edit, ...] | None:
    """The changes as edits of the first text, where each ends before the one preceding it starts.

    Editors report "replace all" and formatting as thousands of changes from the end of the text
    to its start. What stands before a change does not move, so one pass over the text does.
    """
    edits: list[Edit] = []
    before = len(lines.text) + 1
    for change in changes:
        edit = edit_of(lines, change, encoding)
        if edit.span.end >= before or change.range is None:
            return None
        before = edit.span.start
        edits.append(edit)
    return tuple(edits)
