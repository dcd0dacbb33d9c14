"""The sentences that people read in their editor, in Simplified Chinese.

They are written in English where they arise, perhaps in another process, and so they stay in logs
and on terminals. `chinese.json` has the Chinese for them, in the form of the extension's bundles:
`{0}` stands for what varies. It is looked up where a sentence leaves for the editor.
"""

import json
import re
from functools import cache
from importlib import resources

_SLOT = re.compile(r"\{\d+\}")
_LAYERS = 4  # of sentences in sentences; a hostile text might nest them for ever


def reads_chinese(locale: str) -> bool:
    """Whether an editor's locale, such as `zh-cn`, means Chinese."""
    return locale.lower().replace("_", "-").split("-")[0] == "zh"


def in_chinese(sentence: str, layers: int = _LAYERS) -> str:
    """A sentence in Chinese; one that has no translation stays as it is.

    What varies in it may be a sentence of its own, and another one may follow it.
    """
    if sentence in _table():
        return _table()[sentence]
    if layers == 0:
        return sentence
    for literals, chinese in _patterns():
        if (found := _varying(literals, sentence)) is not None:
            return chinese.format(*(_part(part, layers - 1) for part in found))
    first, stop, rest = sentence.partition(". ")
    known = _table().get(f"{first}.") if stop else None
    return sentence if known is None else known + in_chinese(rest, layers - 1)


def _part(text: str, layers: int) -> str:
    """What varies in a sentence: a list of phrases, a sentence, or a name that stays."""
    first, *others = text.split(" and ")
    if others and (known := in_chinese(first, layers)) != first:
        return "、".join((known, *(in_chinese(other, layers) for other in others)))
    return in_chinese(text, layers)


def _varying(literals: tuple[str, ...], text: str) -> list[str] | None:
    """What stands between the literals of a pattern; None where they do not make up the text."""
    first, *between, last = literals
    if len(text) < len(first) + len(last) or not (text.startswith(first) and text.endswith(last)):
        return None
    parts, rest = [], text[len(first) : len(text) - len(last)]
    for literal in between:
        part, found, rest = rest.partition(literal)
        if not found:
            return None
        parts.append(part)
    return [*parts, rest]


@cache
def _table() -> dict[str, str]:
    """Chinese by English."""
    text = resources.files("quillon").joinpath("chinese.json").read_text("utf-8")
    table: dict[str, str] = json.loads(text)
    return table


@cache
def _patterns() -> list[tuple[tuple[str, ...], str]]:
    """The literals around what varies, with the Chinese; those that say the most come first."""
    split = [(tuple(_SLOT.split(english)), zh) for english, zh in _table().items()]
    varying = [(literals, zh) for literals, zh in split if len(literals) > 1]
    return sorted(varying, key=lambda pattern: -sum(map(len, pattern[0])))
