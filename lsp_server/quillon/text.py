"""Positions in text as plain values: spans, edits and the index that maps them to lines.

Offsets count Unicode code points, that is, they index a Python `str`. An editor's columns count
UTF-8 bytes, UTF-16 units or code points, as negotiated; `LineIndex` is the only translator.
Lines end at `\\n`, `\\r\\n` or `\\r`, as the Language Server Protocol has it, and at nothing else
(`str.splitlines` would also split at form feeds and at U+2028).
"""

import re
from bisect import bisect_right
from collections.abc import Sequence
from typing import Literal

import msgspec

Encoding = Literal["utf-8", "utf-16", "utf-32"]

_LINE_END = re.compile(r"\r\n|\n|\r")


class Span(msgspec.Struct, frozen=True, order=True):
    """A half-open range of code points: `start` is in, `end` is out."""

    start: int
    end: int

    def __len__(self) -> int:
        return self.end - self.start

    def contains(self, offset: int) -> bool:
        """Whether `offset` lies in the span, its end included (a cursor may stand there)."""
        return self.start <= offset <= self.end

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


def units(text: str, encoding: Encoding) -> int:
    """The length of `text` in units of `encoding`."""
    if encoding == "utf-32" or text.isascii():
        return len(text)
    if encoding == "utf-8":
        return len(text.encode("utf-8", "surrogatepass"))
    return len(text) + sum(c > "\uffff" for c in text)


class LineIndex:
    """Where the lines of one text start; immutable, made once for each version of a text."""

    __slots__ = ("_ends", "_starts", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        starts, ends = [0], []
        for match in _LINE_END.finditer(text):
            ends.append(match.start())
            starts.append(match.end())
        ends.append(len(text))
        self._starts = starts
        self._ends = ends

    @property
    def line_count(self) -> int:
        """The number of lines; an empty text has one."""
        return len(self._starts)

    def line_span(self, line: int) -> Span:
        """The line without its end; a line past the last is empty at the end of the text."""
        if line >= len(self._starts):
            return Span(len(self.text), len(self.text))
        return Span(self._starts[line], self._ends[line])

    def line_of(self, offset: int) -> int:
        """The line that holds `offset`."""
        return bisect_right(self._starts, offset) - 1

    def offset(self, position: Position, encoding: Encoding) -> int:
        """The code-point offset of a position.

        As the protocol demands, a character past the end of the line means the line's end and a
        line past the last means the end of the text. A position inside a character is that
        character's start.
        """
        if position.line < 0:
            return 0
        span = self.line_span(position.line)
        line = span.cut(self.text)
        wanted = max(0, position.character)
        if encoding == "utf-32" or line.isascii():
            return span.start + min(wanted, len(line))
        seen = 0
        for index, char in enumerate(line):
            seen += units(char, encoding)
            if seen > wanted:
                return span.start + index
        return span.end

    def position(self, offset: int, encoding: Encoding) -> Position:
        """The position of a code-point offset; one inside a line end is that line's end."""
        offset = min(max(0, offset), len(self.text))
        line = self.line_of(offset)
        span = self.line_span(line)
        return Position(line, units(self.text[span.start : min(offset, span.end)], encoding))
