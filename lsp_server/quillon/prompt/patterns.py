"""Regular expressions of JSON Schema's `pattern` as grammar rules.

Understood is what tool authors write: literals, classes, groups, alternatives, repetitions and
anchors at the ends. Anything else, such as a look-ahead, has no rules; the validator checks it.
"""

import re
from typing import NamedTuple

from quillon.prompt import gbnf

_MOST = 256  # repetitions where the pattern has no bound
_MAX_LENGTH = 500  # characters of a pattern
_CLASSES = {"d": ("09",), "w": ("09", "AZ", "__", "az"), "s": ("  ", "\t\t", "\n\n", "\r\r")}
# Of what Unicode calls a letter or a digit, models need no more than these; no more is let through.
_LETTERS, _DIGITS = [("A", "Z"), ("a", "z")], [("0", "9")]
_PROPERTIES = {
    **dict.fromkeys(("L", "Letter"), _LETTERS),
    **dict.fromkeys(("N", "Nd", "Number", "digit"), _DIGITS),
}
_BLANKS = " \t\n\r\f\v\u00a0\u1680\u2028\u2029\u202f\u205f\u3000\ufeff"
_PROPERTY = re.compile(r"p\{(\w+)\}")
_CONTROL = {"n": "\n", "r": "\r", "t": "\t"}
_QUANTIFIER = re.compile(r"\{(\d{1,3})(,(\d{0,3}))?\}")
_QUOTE, _BACKSLASH = '"', "\\"


class _Unsupported(Exception):  # noqa: N818 - never leaves this module
    """The pattern uses what has no rules here."""


class _Repeat(NamedTuple):
    least: int
    most: int


def pattern_rule(grammar: gbnf.Grammar, pattern: str, *, escaped: bool) -> str | None:
    """A rule for texts in which `pattern` is found, or None where there are no rules for it.

    `escaped`: the text stands inside the quotes of JSON.
    """
    if len(pattern) > _MAX_LENGTH:
        return None
    reader = _Reader(grammar, pattern, escaped=escaped)
    try:
        return reader.read()
    except _Unsupported:
        return None


class _Reader:
    """Reads one pattern from left to right."""

    def __init__(self, grammar: gbnf.Grammar, pattern: str, *, escaped: bool) -> None:
        self._grammar = grammar
        self._text = pattern
        self._at = 0
        self._escaped = escaped

    def read(self) -> str:
        anything = gbnf.bounded(self._grammar, "around", self._dot(), 0, 64)
        starts = self._text.startswith("^")
        self._at = int(starts)
        ends = self._text.endswith("$") and not self._text.endswith("\\$")
        if ends:
            self._text = self._text[:-1]
        body = self._alternatives()
        if self._at < len(self._text):
            raise _Unsupported
        if (starts or ends) and _top_alternatives(self._text):
            raise _Unsupported  # an anchor would belong to one alternative only
        parts = ["" if starts else anything, f"({body})", "" if ends else anything]
        return self._grammar.rule("pattern", " ".join(filter(None, parts)))

    def _alternatives(self) -> str:
        options = [self._sequence()]
        while self._peek() == "|":
            self._at += 1
            options.append(self._sequence())
        return " | ".join(options)

    def _sequence(self) -> str:
        parts: list[str] = []
        while self._at < len(self._text) and self._peek() not in "|)":
            atom = self._atom()
            repeat = self._repeat()
            if repeat is not None:
                rule = self._grammar.rule("part", atom)
                atom = gbnf.bounded(self._grammar, "parts", rule, repeat.least, repeat.most)
            parts.append(atom)
        return " ".join(parts) or '""'

    def _atom(self) -> str:
        char = self._next()
        if char == "(":
            return self._group()
        if char == "[":
            return self._class()
        if char == ".":
            return self._dot()
        if char == "\\":
            return self._escape()
        if char in "^$*+?{":
            raise _Unsupported
        return self._literal(char)

    def _group(self) -> str:
        if self._text.startswith("?:", self._at):
            self._at += 2
        elif self._peek() == "?":
            raise _Unsupported
        body = self._alternatives()
        if self._next() != ")":
            raise _Unsupported
        return f"({body})"

    def _repeat(self) -> _Repeat | None:
        simple = {"*": _Repeat(0, _MOST), "+": _Repeat(1, _MOST), "?": _Repeat(0, 1)}
        char = self._peek()
        if char in simple:
            self._at += 1
            found: _Repeat | None = simple[char]
        else:
            match = _QUANTIFIER.match(self._text, self._at)
            if match is None:
                return None
            self._at = match.end()
            least = int(match[1])
            most = least if match[2] is None else int(match[3] or max(least, _MOST))
            if most < least:
                raise _Unsupported
            found = _Repeat(least, most)
        if self._peek() in {"?", "+", "*", "{"}:
            raise _Unsupported  # lazy and possessive repetitions, repetitions of repetitions
        return found

    def _class(self) -> str:
        negated = self._peek() == "^"
        self._at += int(negated)
        ranges: list[tuple[str, str]] = []
        while self._peek() != "]" or not ranges:
            if negated and self._text.startswith(("\\s", "\\p"), self._at):
                ranges += self._excluded()
            else:
                ranges += self._range()
        self._at += 1
        return self._one_of(ranges, negated=negated)

    def _excluded(self) -> list[tuple[str, str]]:
        """What a class must not hold, and has to be named in full."""
        if self._text[self._at + 1] == "p":
            raise _Unsupported
        self._at += 2
        return [*((char, char) for char in _BLANKS), ("\u2000", "\u200a")]

    def _range(self) -> list[tuple[str, str]]:
        first = self._class_member()
        if len(first) > 1 or self._peek() != "-" or self._text[self._at + 1 : self._at + 2] == "]":
            return first
        self._at += 1
        last = self._class_member()
        if len(last) > 1 or last[0][0] < first[0][0]:
            raise _Unsupported
        return [(first[0][0], last[0][0])]

    def _class_member(self) -> list[tuple[str, str]]:
        char = self._next()
        if char != "\\":
            return [(char, char)]
        prop = _PROPERTY.match(self._text, self._at)
        if prop and prop[1] in _PROPERTIES:
            self._at = prop.end()
            return list(_PROPERTIES[prop[1]])
        char = self._next()
        if char in _CLASSES:
            return [(span[0], span[1]) for span in _CLASSES[char]]
        char = _CONTROL.get(char, char)
        if char.isalnum():
            raise _Unsupported
        return [(char, char)]

    def _escape(self) -> str:
        self._at -= 1
        return self._one_of(self._class_member(), negated=False)

    def _one_of(self, ranges: list[tuple[str, str]], *, negated: bool) -> str:
        if negated:
            inside = "".join(map(_written, ranges))
            special = r'"\\\x00-\x1F\x7F' if self._escaped else "<"
            return f"[^{inside}{special}]"
        plain = [r for r in ranges if not self._holds_special(r)]
        options = [f"[{''.join(map(_written, plain))}]"] if plain else []
        for first, last in ranges:
            if self._holds_special((first, last)):
                if first != last:
                    raise _Unsupported
                options.append(self._literal(first))
        return f"({' | '.join(options)})" if len(options) > 1 else options[0]

    def _holds_special(self, span: tuple[str, str]) -> bool:
        first, last = span
        specials = (_QUOTE, _BACKSLASH, *map(chr, range(0x20))) if self._escaped else ("<",)
        return any(first <= char <= last for char in specials)

    def _dot(self) -> str:
        return r'[^"\\\x00-\x1F\x7F\u2028\u2029]' if self._escaped else r"[^<\n\r\u2028\u2029]"

    def _literal(self, char: str) -> str:
        return gbnf.literal(gbnf.json_text(char) if self._escaped else char)

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _next(self) -> str:
        char = self._peek()
        if not char:
            raise _Unsupported
        self._at += 1
        return char


def _written(span: tuple[str, str]) -> str:
    first, last = (gbnf.one_of([char])[1:-1] for char in span)
    return first if span[0] == span[1] else f"{first}-{last}"


def _top_alternatives(pattern: str) -> bool:
    """Whether there is an alternative outside of groups and classes."""
    bare = re.sub(r"\\.|\[\^?\]?[^\]]*\]", "", pattern)
    depth = 0
    for char in bare:
        depth += (char == "(") - (char == ")")
        if char == "|" and depth == 0:
            return True
    return False
