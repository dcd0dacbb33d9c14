"""Holes in code, where a cursor would stand: what is missing is known, and asked of a model."""

import ast
import random
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import msgspec

HoleKind = Literal["rest of line", "whole line", "lines"]
_KINDS: tuple[HoleKind, ...] = ("rest of line", "rest of line", "whole line", "whole line", "lines")
_WORD = re.compile(r"\b\w")
_LONGEST = 80  # characters of a line that is asked for
_SHORTEST = 3
_TRIES = 40


class Hole(msgspec.Struct, frozen=True):
    """A text in three parts, of which the middle is asked for; `path` lies below `root`."""

    kind: HoleKind
    root: Path
    path: Path
    prefix: str
    middle: str
    suffix: str

    @property
    def id(self) -> str:
        """The same for the same hole on another machine."""
        return f"{self.path.relative_to(self.root).as_posix()}@{len(self.prefix)}"


def holes(files: Sequence[tuple[Path, Path]], count: int, seed: int) -> Iterator[Hole]:
    """`count` holes in random files, pairs of a root and a path; fewer where files have no place.

    Of five, two ask for the rest of a line (half from a word's beginning), two for a whole line
    behind its indentation, one for two to four lines.
    """
    rng = random.Random(seed)  # noqa: S311 - no secret
    seen: set[str] = set()
    for number in range(count):
        for _ in range(_TRIES):
            root, path = rng.choice(files)
            hole = _cut(root, path, _KINDS[number % len(_KINDS)], rng)
            if hole is not None and hole.id not in seen:
                seen.add(hole.id)
                yield hole
                break


def _cut(root: Path, path: Path, kind: HoleKind, rng: random.Random) -> Hole | None:
    text = _text(path)
    lines = text.split("\n")
    prose = _prose(text)
    numbers = [n for n, line in enumerate(lines) if n not in prose and _asks(line)]
    if len(numbers) < _TRIES // 4:
        return None
    number = rng.choice(numbers)
    line = lines[number]
    start = len(line) - len(line.lstrip())
    end = number
    if kind == "rest of line":
        start = _column(line, start, rng)
    elif kind == "lines":
        end = number + rng.randint(1, 3)
        if end >= len(lines) or not all(map(_asks, lines[number : end + 1])):
            return None
    before = sum(len(one) + 1 for one in lines[:number]) + start
    after = sum(len(one) + 1 for one in lines[:end]) + len(lines[end])
    middle = text[before:after]
    if len(middle.strip()) < _SHORTEST - (kind == "rest of line"):
        return None
    return Hole(kind, root, path, text[:before], middle, text[after:])


def _asks(line: str) -> bool:
    shown = line.strip()
    return _SHORTEST <= len(shown) <= _LONGEST and not shown.startswith("#")


def _column(line: str, indent: int, rng: random.Random) -> int:
    words = [match.start() for match in _WORD.finditer(line) if match.start() > indent]
    if words and rng.random() < 0.5:  # noqa: PLR2004 - half of them
        return rng.choice(words)
    return rng.randint(indent + 1, len(line) - 1)


def _prose(text: str) -> set[int]:
    """The lines, from 0, of texts that stand alone, such as docstrings."""
    try:
        module = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set(range(text.count("\n") + 1))
    return {
        number - 1
        for node in ast.walk(module)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        for number in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8").replace("\r\n", "\n")
    except (OSError, UnicodeDecodeError):
        return ""
