"""What indentation tells, where there is no grammar or the code is not finished."""

from collections.abc import Iterator

from quillon.text import LineIndex

_TAB = 4  # columns; only comparisons within one text count
CLOSERS = ")]}"
OPENERS = "([{"


def indent_of(line: str) -> int:
    """The columns of white space that a line starts with."""
    return len(line[: len(line) - len(line.lstrip(" \t"))].expandtabs(_TAB))


def is_blank(line: str) -> bool:
    """Whether a line shows nothing."""
    return not line.strip()


def outward(lines: LineIndex, line: int, indent: int) -> Iterator[int]:
    """The lines above `line` that open what it stands in: each less indented than the last.

    `indent` is the indentation to start from, which is that of `line` or of a cursor in it.
    """
    number = line - 1
    while number >= 0 and indent > 0:
        text = lines.line_text(number)
        if not is_blank(text) and indent_of(text) < indent:
            # A line of closers belongs to what was opened above it, at the same indentation.
            closes = text.lstrip()[0] in CLOSERS
            indent = indent_of(text) + closes
            if not closes:
                yield number
        number -= 1
