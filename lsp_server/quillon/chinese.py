"""The sentences that people read in their editor, in Simplified Chinese.

They are written in English where they arise, perhaps in another process, and so they stay in logs
and on terminals. `chinese.json` has the Chinese for them, in the form of the extension's bundles:
`{0}` stands for a name or a number, and `{0!s}` for what may be a sentence of its own. It is looked
up where a sentence leaves for the editor.
"""

import json
import re
from functools import cache
from importlib import resources
from typing import NamedTuple

_SLOT = re.compile(r"\{\d+\}")
_SENTENCE = re.compile(r"\{(\d+)!s\}")
_LAYERS = 4  # of sentences in sentences; a hostile text might nest them for ever
_MOST = 50  # phrases of a list; a hostile text might have a hundred thousand


class _Pattern(NamedTuple):
    """A sentence in which something varies."""

    literals: tuple[str, ...]  # around what varies
    sentences: frozenset[int]  # which of the slots may hold a sentence
    chinese: str


def reads_chinese(locale: str) -> bool:
    """Whether an editor's locale, such as `zh-cn`, means Chinese."""
    return locale.lower().replace("_", "-").split("-")[0] == "zh"


def in_chinese(sentence: str, layers: int = _LAYERS) -> str:
    """A sentence in Chinese; one that has no translation stays as it is.

    It may hold sentences of their own, and another one may follow it. Names in it stay: they may
    be anything.
    """
    if sentence in _table():
        return _table()[sentence]
    if layers == 0:
        return sentence
    for pattern in _patterns():
        if (found := _varying(pattern, sentence)) is not None:
            for slot in pattern.sentences:
                found[slot] = _part(found[slot], layers - 1)
            return pattern.chinese.format(*found)
    first, stop, rest = sentence.partition(". ")
    known = _table().get(f"{first}.") if stop else None
    return sentence if known is None else known + in_chinese(rest, layers - 1)


def _part(text: str, layers: int) -> str:
    """A sentence in a sentence, or a list of phrases."""
    first, *others = text.split(" and ", _MOST)
    phrases = [first]
    for other in others:
        if _ends_with_file(phrases[-1]) or in_chinese(other, layers) != other:
            phrases.append(other)
        else:
            phrases[-1] += f" and {other}"
    return "、".join(in_chinese(phrase, layers) for phrase in phrases)


def _ends_with_file(phrase: str) -> bool:
    """Whether a phrase names lines of a file, and the name is there to its suffix."""
    return phrase.startswith("lines ") and "." in phrase.rpartition("/")[2]


def _varying(pattern: _Pattern, text: str) -> list[str] | None:
    """What stands between the literals of a pattern; None where they do not make up the text."""
    first, *between, last = pattern.literals
    if not _encloses(first, last, text):
        return None
    rest, ends = text[len(first) : len(text) - len(last)], list[str]()
    # A name may hold the literal that follows it: sentences at the end tell where it is over.
    while len(between) in pattern.sentences and between:
        start = _last_sentence(between[-1], rest)
        if start is None:
            break
        ends.insert(0, rest[start:])
        rest = rest[: start - len(between.pop())]
    parts = _between(between, rest)
    return None if parts is None else parts + ends


def _last_sentence(before: str, text: str) -> int | None:
    """Where the known sentence begins that a text ends with, after `before`."""
    whole = (len(text) - len(it) for it in _table() if text.endswith(before + it))
    known = next(whole, None)
    for (first, *between, last), _, _ in _patterns():
        if not first or not text.endswith(last):
            continue
        start = text.rfind(before + first, 0, len(text) - len(last))
        begun = start + len(before + first)
        # A known end counts before a guess, unless it is what varies in a longer sentence.
        if start < 0 or known not in (None, begun):
            continue
        if _between(between, text[begun : len(text) - len(last)]) is not None:
            return start + len(before)
    return known


def _encloses(first: str, last: str, text: str) -> bool:
    enough = len(text) >= len(first) + len(last)
    return enough and text.startswith(first) and text.endswith(last)


def _between(literals: list[str], text: str) -> list[str] | None:
    """The parts of a text that literals divide; each is taken where it comes first."""
    parts = []
    for literal in literals:
        part, found, text = text.partition(literal)
        if not found:
            return None
        parts.append(part)
    return [*parts, text]


@cache
def _table() -> dict[str, str]:
    """Chinese by English."""
    text = resources.files("quillon").joinpath("chinese.json").read_text("utf-8")
    table: dict[str, str] = json.loads(text)
    return table


@cache
def _patterns() -> list[_Pattern]:
    """Those that say the most come first; of two equal ones that which is sure how it begins."""
    found = [
        _Pattern(literals, frozenset(map(int, _SENTENCE.findall(chinese))), chinese)
        for english, chinese in _table().items()
        if len(literals := tuple(_SLOT.split(english))) > 1
    ]
    return sorted(found, key=lambda it: (-sum(map(len, it.literals)), not it.literals[0]))
