"""Where a suggestion must end: at repetition, at what stands below the cursor, at half a character.

`Trimmer.cut` is asked while the model still writes, after each line, and once more at the end:
what it cuts off can only grow worse, so a cut ends the generation.
"""

import re
from collections.abc import Sequence

import msgspec

from quillon.assist.suggestion import Surroundings
from quillon.text import REPLACEMENT

_LOOPS = re.compile(r"(.{3,}?)\1{5,}$|(.{10,}?)\2{3,}$")
_LOOP_WINDOW = 400  # characters of the last line that are searched for a loop
_LONGEST_PERIOD = 4  # lines
_REPEATS = 3  # equal blocks of lines that make a loop
_TELLING = 8  # characters; a shorter line may well equal the line above
_BRACKETS = {")": "(", "]": "[", "}": "{"}


class Cut(msgspec.Struct, frozen=True):
    """The text that stays, and why the rest does not."""

    text: str
    cause: str  # "repetition", "below", "block" or "broken"


def intact(text: str, document: str) -> str:
    """`text` up to where the model wrote half a character.

    It writes in bytes, and bytes that are no character come as one that stands for that. Where the
    document has such ones itself, it may write them too.
    """
    end = text.find(REPLACEMENT)
    return text if end < 0 or REPLACEMENT in document else text[:end]


def cut(text: str, around: Surroundings, *, complete: bool) -> Cut | None:
    """Where `text` must end before its own end, or None.

    Unless it is `complete`, its last line may still grow and is not compared.
    """
    return (
        _cut_below(text, around, complete=complete)
        or _cut_copy_of_above(text, around, complete=complete)
        or _cut_loop(text, complete=complete)
    )


def _cut_below(text: str, around: Surroundings, *, complete: bool) -> Cut | None:
    """Cut before the first line that already stands below the cursor."""
    if not around.below:
        return None
    lines = text.split("\n")
    for index, line in enumerate(lines if complete else lines[:-1]):
        whole = (around.before + line if index == 0 else line).rstrip()
        if whole != around.below[0].rstrip() or not whole:
            continue
        if index == 0 and not line.strip():
            continue  # the cursor's own line equals the next: nothing was suggested yet
        kept = "\n".join(lines[:index])
        if _is_telling(whole) or _closes_more(kept + "\n" + line):
            return Cut(kept, "below")
    return None


def _cut_copy_of_above(text: str, around: Surroundings, *, complete: bool) -> Cut | None:
    """Cut everything where the first line only says again what the line above says."""
    first, *rest = text.split("\n", 1)
    if not (complete or rest) or around.before.strip():
        return None
    line = (around.before + first).strip()
    if len(line) >= _TELLING and line == around.above.strip():
        return Cut("", "repetition")
    return None


def loop(text: str) -> str | None:
    """The text up to the first round of what it repeats at its end; None: it does not."""
    found = _cut_loop(text, complete=False)
    return None if found is None else found.text


def _cut_loop(text: str, *, complete: bool) -> Cut | None:
    """Cut after the first round of lines, or of characters in the last line, that repeat."""
    lines = text.split("\n")
    tail = lines[-1][-_LOOP_WINDOW:]
    match = _LOOPS.search(tail)
    if match is not None and any(map(str.isalnum, match.group())):
        unit = match.group(1) or match.group(2)
        return Cut(text[: len(text) - len(match.group()) + len(unit)], "repetition")
    whole = lines if complete else lines[:-1]
    for period in range(1, _LONGEST_PERIOD + 1):
        if _repeats(whole, period):
            return Cut("\n".join(whole[: len(whole) - period * (_REPEATS - 1)]), "repetition")
    return None


def _repeats(lines: Sequence[str], period: int) -> bool:
    """Whether the last lines are `_REPEATS` equal blocks of `period` lines that say something."""
    if len(lines) < period * _REPEATS:
        return False
    blocks = [lines[len(lines) - period * n : len(lines) - period * (n - 1)] for n in (1, 2, 3)]
    return blocks[0] == blocks[1] == blocks[2] and any(map(_is_telling, blocks[0]))


def _is_telling(line: str) -> bool:
    return any(char.isalnum() or char in "\"'`" for char in line)


def _closes_more(text: str) -> bool:
    """Whether `text` closes brackets that it did not open."""
    opened: list[str] = []
    for char in text:
        if char in "([{":
            opened.append(char)
        elif char in _BRACKETS and (not opened or opened.pop() != _BRACKETS[char]):
            return True
    return False
