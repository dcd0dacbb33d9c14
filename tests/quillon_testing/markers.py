"""Source text with marks: `▮` is a cursor, `«…»` a selection.

    marked("def f(▮): «pass»")  ->  text "def f(): pass", cursor 6, selection Span(9, 13)

Marks are not part of the text. They are written outside ASCII, because an ASCII mark such as
`<|cursor|>` would collide with the special tokens of models.
"""

import textwrap

import msgspec

from quillon.text import Encoding, LineIndex, Position, Span

CURSOR, OPEN, CLOSE = "▮", "«", "»"


class Marked(msgspec.Struct, frozen=True):
    """Text without its marks, and where they stood, in code points."""

    text: str
    cursors: tuple[int, ...]
    selections: tuple[Span, ...]

    @property
    def cursor(self) -> int:
        """The one cursor."""
        (cursor,) = self.cursors
        return cursor

    @property
    def selection(self) -> Span:
        """The one selection; a lone cursor is an empty selection."""
        if not self.selections:
            return Span(self.cursor, self.cursor)
        (selection,) = self.selections
        return selection

    @property
    def prefix(self) -> str:
        """The text before the cursor."""
        return self.text[: self.cursor]

    @property
    def suffix(self) -> str:
        """The text after the cursor."""
        return self.text[self.cursor :]

    def position(self, encoding: Encoding = "utf-16") -> Position:
        """The cursor as an editor names it."""
        return LineIndex(self.text).position(self.cursor, encoding)

    def range(self, encoding: Encoding = "utf-16") -> tuple[Position, Position]:
        """The selection as an editor names it."""
        lines, span = LineIndex(self.text), self.selection
        return lines.position(span.start, encoding), lines.position(span.end, encoding)


def marked(source: str) -> Marked:
    """Read the marks of a text.

    Raises:
        ValueError: A selection is not closed, not opened, or inside another.
    """
    parts: list[str] = []
    cursors: list[int] = []
    selections: list[Span] = []
    opened: int | None = None
    at = 0
    for char in source:
        if char == CURSOR:
            cursors.append(at)
        elif char == OPEN:
            if opened is not None:
                raise ValueError("a selection opens inside another")
            opened = at
        elif char == CLOSE:
            if opened is None:
                raise ValueError("a selection closes that was never opened")
            selections.append(Span(opened, at))
            opened = None
        else:
            parts.append(char)
            at += 1
    if opened is not None:
        raise ValueError("a selection is not closed")
    return Marked("".join(parts), tuple(cursors), tuple(selections))


def marked_block(source: str) -> Marked:
    """The marks of a triple-quoted text: dedented, its first line break removed."""
    return marked(textwrap.dedent(source).removeprefix("\n"))


def show(text: str, *cursors: int, selections: tuple[Span, ...] = ()) -> str:
    """The text with marks put back: the inverse of `marked`, for snapshots."""
    marks = [(cursor, 2, CURSOR) for cursor in cursors]
    for span in selections:
        marks += [(span.start, 1, OPEN), (span.end, 0 if len(span) else 3, CLOSE)]
    for at, _, mark in sorted(marks, reverse=True):
        text = text[:at] + mark + text[at:]
    return text
