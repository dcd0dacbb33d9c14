"""The span grammar: string arguments are held to what the conversation contains.

A small model copies badly: it knows that a path belongs here, and misspells it. Under this
grammar it can only choose among the words, quoted texts, paths and identifiers that the user or
a tool has written, and the workspace's live values; whole numbers must occur, too. Parameters
that hold prose or code stay free.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from quillon.engine.base import Constraint
from quillon.prompt import gbnf
from quillon.prompt.dialects import Dialect
from quillon.prompt.grammar import MAX_LIVE, Live, constraint, values_rule
from quillon.prompt.schemagrammar import Place, Rules
from quillon.prompt.schemas import Schema, bounds

MAX_SPANS = 1200  # candidates in all
_FIRST_SHARE = 200  # of one text, so that a long result leaves room for the question
_MAX_NUMBERS = 300
_MAX_LENGTH = 90  # characters of a candidate
_MAX_CHARS = 48 * 1024  # of one text that are looked at, from its start

# Parameters whose values are made up and not copied, whatever the tool.
_PROSE = frozenset(
    {
        *("text", "content", "contents", "code", "body", "message", "summary", "reason"),
        *("explanation", "description", "instructions", "prompt", "question", "answer"),
        *("patch", "diff", "edits", "new_text", "old_text", "new_string", "old_string"),
        *("search", "replace", "replacement", "command", "args", "arguments"),
    }
)

_MADE_UP = re.compile(r"\bglob\b|\bregular expression\b", re.IGNORECASE)

_QUOTED = re.compile(r"`([^`\n]{1,90})`|\"([^\"\n]{1,90})\"|'([^'\n]{1,90})'|“([^”\n]{1,90})”")
_WORD = re.compile(r"[^\s，。？！、；：（）「」《》]+")
# A name with its folders; CJK text has no blanks around names.
_NAME = re.compile(r"[~./]{0,3}[A-Za-z_][\w./:\\-]*", re.ASCII)
_NUMBER = re.compile(r"\d{1,9}", re.ASCII)
_LOCATION = re.compile(r"(?::\d[\d:,-]*|#L\d[\dL-]*)$")
_QUOTES = "`\"'“”"
_BLANK = _QUOTES + " \t\r"
_AROUND = _QUOTES + "?!,;.:*"


def span_constraint(
    definitions: Sequence[Mapping[str, Any]],
    dialect: Dialect,
    texts: Sequence[str],
    *,
    live: Live | None = None,
    whole: bool = False,
    only: Mapping[tuple[str, str], Sequence[str]] | None = None,
    unmeant: Collection[str] = (),
) -> Constraint | None:
    """What holds calls to their schemas and string arguments to `texts` and `live`.

    `texts` are what users and tools have written, the oldest first; where they hold more
    candidates than fit, the latest count. `whole`: a path or name is copied as it stands, without
    its parts being candidates of their own. `only` are all values that a parameter, by its tool (or
    "*") and its name, can have; without any it is held as others are. Words of `unmeant`, which are
    in small letters, are no candidates.
    """
    spans = [span for span in candidates(texts, whole=whole) if span.lower() not in unmeant]
    numbers = [str(number) for number in numbers_in(texts)]
    known = live or {}

    def strings(rules: Rules, place: Place, schema: Schema) -> str | None:
        if is_free(place, schema):
            return None
        values = known.get((place.tool, place.path[0]), ()) if place.path else ()
        # Two tries: one of both would have to be made for every list of values.
        lists = [spans, values if len(values) <= MAX_LIVE else ()]
        if values := _only(place, only or {}):
            lists = [values]
        made = (values_rule(rules, each, schema, dialect) for each in lists if each)
        found = [rule for rule in made if rule is not None]
        if len(found) > 1:
            return rules.grammar.rule("value", " | ".join(found))
        return found[0] if found else None

    def integers(rules: Rules, place: Place, schema: Schema) -> str | None:
        if place.tool == "*" or "multipleOf" in schema:
            return None
        low, high = bounds(schema)
        fitting = [
            number
            for number in _only(place, only or {}) or numbers
            if (low is None or int(number) >= low) and (high is None or int(number) <= high)
        ]
        return gbnf.trie(rules.grammar, "number", fitting) if fitting else None

    return constraint(definitions, dialect, strings=strings, integers=integers)


def _only(place: Place, only: Mapping[tuple[str, str], Sequence[str]]) -> Sequence[str]:
    """All values that a place can have; () where that is not known."""
    name = str(place.path[-1]) if place.path else ""
    return only.get((place.tool, name)) or only.get(("*", name)) or ()


def is_free(place: Place, schema: Schema) -> bool:
    """Whether a string parameter is prose, code or a pattern, which is written and not copied.

    A tool says so by `contentMediaType` in its schema; some names and descriptions say it, too.
    """
    if place.tool == "*" or "contentMediaType" in schema:
        return True
    if place.path and place.path[-1] in _PROSE:
        return True
    return _MADE_UP.search(str(schema.get("description", ""))) is not None


def candidates(texts: Sequence[str], *, whole: bool = False) -> list[str]:
    """The strings that an argument may copy, the likeliest first; `whole`: no parts of names."""
    found: dict[str, None] = {}
    rest: list[Iterator[str]] = []
    for text in reversed(texts):
        spans = _spans(text[:_MAX_CHARS], whole=whole)
        _take(spans, found, min(MAX_SPANS, len(found) + _FIRST_SHARE))
        rest.append(spans)
    for spans in rest:
        _take(spans, found, MAX_SPANS)
    return list(found)


def numbers_in(texts: Sequence[str]) -> list[int]:
    """The whole numbers in the texts, the latest first, and 1, with which lines begin."""
    found: dict[int, None] = {1: None}
    for text in reversed(texts):
        for match in _NUMBER.finditer(text[:_MAX_CHARS]):
            found[int(match[0])] = None
            if len(found) >= _MAX_NUMBERS:
                return list(found)
    return list(found)


def _take(spans: Iterable[str], found: dict[str, None], limit: int) -> None:
    if len(found) >= limit:
        return
    for span in spans:
        if len(span) <= _MAX_LENGTH and span.strip(_BLANK):
            found[span] = None
            if len(found) >= limit:
                return


def _spans(text: str, *, whole: bool) -> Iterator[str]:
    for match in _QUOTED.finditer(text):
        yield match[match.lastindex or 0]
    for word in dict.fromkeys(_WORD.findall(text)):
        if word.isalnum() and word.isascii():
            yield word
        else:
            yield from _forms(word, whole=whole)


def _forms(word: str, *, whole: bool) -> Iterator[str]:
    """A word, and what of it is a name: without marks, brackets, line numbers, folders."""
    yield word.strip(_AROUND)
    yield word
    yield word.rstrip("?!,;.")
    for found in _NAME.findall(word):
        name = found.rstrip("./:\\-")
        place = _LOCATION.sub("", name) if ":" in name or "#" in name else name
        yield name
        yield place
        yield place.lstrip("~./")
        if whole:
            continue
        if "::" in place:
            yield from place.split("::")
        folder, slash, last = place.rpartition("/")
        if slash:
            yield folder
            yield last
        elif "." in place:
            yield from place.split(".")
