"""Holes for fill-in-the-middle, cut at characters where a user's cursor would stand."""

import random
import re

import msgspec

# Kinds of holes and how often each is cut.
KINDS = {
    "rest of line": 0.38,
    "whole line": 0.22,
    "lines": 0.16,
    "block": 0.12,
    "brackets": 0.12,
}
_OPEN, _CLOSE = "([{", ")]}"
_WORD_START = re.compile(r"\b\w")
_MAX_BLOCK_LINES = 12
_FEWEST_LINES = 4
# How often the cursor stands where a word begins, at the margin, inside empty brackets.
_AT_WORD, _AT_MARGIN, _IN_EMPTY = 0.5, 0.3, 0.5


class Hole(msgspec.Struct, frozen=True):
    """A text in three parts; the middle is what is to be written. No part is lost: p + m + s."""

    prefix: str
    middle: str
    suffix: str
    kind: str


def cut_hole(text: str, rng: random.Random, kind: str | None = None) -> Hole | None:
    """A hole of the given or a random kind, or None where the text has no place for it."""
    lines = text.split("\n")
    if len(lines) < _FEWEST_LINES:
        return None
    chosen = kind or rng.choices(list(KINDS), list(KINDS.values()))[0]
    starts = _line_starts(lines)
    candidates = [
        number
        for number in range(1, len(lines) - 1)
        if len(lines[number].strip()) > 2  # noqa: PLR2004
    ]
    if not candidates:
        return None
    number = rng.choice(candidates)
    span = _SPANS[chosen](lines, number, rng)
    if span is None:
        return None
    (first, column), (last, end) = span
    start, stop = starts[first] + column, starts[last] + end
    if start >= stop:
        return None
    return Hole(text[:start], text[start:stop], text[stop:], chosen)


Position = tuple[int, int]
Range = tuple[Position, Position]


def _rest_of_line(lines: list[str], number: int, rng: random.Random) -> Range | None:
    """From a point inside the line to its end; half of the points start a word."""
    line = lines[number]
    indent = _indent(line)
    starts = [match.start() for match in _WORD_START.finditer(line) if match.start() > indent]
    column = (
        rng.choice(starts)
        if starts and rng.random() < _AT_WORD
        else rng.randint(indent + 1, len(line) - 1)
    )
    return (number, column), (number, len(line))


def _whole_line(lines: list[str], number: int, rng: random.Random) -> Range | None:
    """A line without its end; the cursor stands at the margin or, mostly, at the indentation."""
    column = 0 if rng.random() < _AT_MARGIN else _indent(lines[number])
    return (number, column), (number, len(lines[number]))


def _lines(lines: list[str], number: int, rng: random.Random) -> Range | None:
    last = min(number + rng.randint(1, 5), len(lines) - 2)
    if last < number:
        return None
    column = 0 if rng.random() < _AT_MARGIN else _indent(lines[number])
    return (number, column), (last, len(lines[last]))


def _block(lines: list[str], _number: int, rng: random.Random) -> Range | None:
    """The indented lines under a line that opens a block, from the next line's indentation on."""
    openers = [
        index
        for index in range(len(lines) - 2)
        if lines[index].rstrip().endswith((":", "{"))
        and _indent(lines[index + 1]) > _indent(lines[index])
    ]
    if not openers:
        return None
    opener = rng.choice(openers)
    outer, last = _indent(lines[opener]), opener + 1
    while last + 1 < len(lines) - 1 and (
        not lines[last + 1].strip() or _indent(lines[last + 1]) > outer
    ):
        last += 1
    while not lines[last].strip():
        last -= 1
    if last - opener > _MAX_BLOCK_LINES or last >= len(lines) - 1 or last <= opener:
        return None
    column = len(lines[opener]) if rng.random() < _AT_MARGIN else -1
    start = (opener, column) if column >= 0 else (opener + 1, _indent(lines[opener + 1]))
    return start, (last, len(lines[last]))


def _brackets(lines: list[str], number: int, rng: random.Random) -> Range | None:
    """From a point inside a pair of brackets on one line up to the closing one, which stays."""
    line = lines[number]
    pairs: list[tuple[int, int]] = []
    stack: list[int] = []
    for column, character in enumerate(line):
        if character in _OPEN:
            stack.append(column)
        elif character in _CLOSE and stack:
            pairs.append((stack.pop(), column))
    pairs = [pair for pair in pairs if pair[1] - pair[0] > 2]  # noqa: PLR2004
    if not pairs:
        return None
    opening, closing = rng.choice(pairs)
    column = opening + 1 if rng.random() < _IN_EMPTY else rng.randint(opening + 1, closing - 1)
    return (number, column), (number, closing)


_SPANS = {
    "rest of line": _rest_of_line,
    "whole line": _whole_line,
    "lines": _lines,
    "block": _block,
    "brackets": _brackets,
}


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" \t"))


def _line_starts(lines: list[str]) -> list[int]:
    starts, offset = [], 0
    for line in lines:
        starts.append(offset)
        offset += len(line) + 1
    return starts
