"""A suggestion at a cursor, and how a model's text is fitted between what stands around it.

Editors close brackets and quotes as they are typed, so the text right of the cursor often is
what the model writes too. An item's span therefore covers the closers that the suggestion
brings itself; an empty span would leave a second `)` behind.
"""

import re

import msgspec

from quillon.text import Span

CLOSERS = ")]}>\"'`"
_OPENER_OF = {")": "(", "]": "[", "}": "{"}
_QUOTES = "\"'`"
_CLOSING_REST = re.compile(r"[\s)\]}>\"'`;:,]*")
_SHORT_OVERLAP = 2  # characters; a shorter overlap with the rest must be punctuation


class Suggestion(msgspec.Struct, frozen=True):
    r"""Replace `span` by `text`, whose lines end in `\n`.

    The span lies on one line and touches the cursor. `echoed`: the user's own files say it.
    """

    span: Span
    text: str
    echoed: bool = False


class Surroundings(msgspec.Struct, frozen=True):
    """What stands around a cursor: the line's two parts, and the nearest lines that are not blank.

    `above` is the nearest line before the cursor's, `below` are the next ones after it.
    """

    before: str
    after: str
    above: str
    below: tuple[str, ...]

    @property
    def ends_line(self) -> bool:
        """Whether only closers, separators and blanks stand right of the cursor."""
        return _CLOSING_REST.fullmatch(self.after) is not None

    @property
    def inside_word(self) -> bool:
        """Whether the cursor stands between two characters of one word."""
        return _is_word(self.before[-1:]) and _is_word(self.after[:1])


class Fitted(msgspec.Struct, frozen=True):
    """A text and how many characters right of the cursor it replaces."""

    text: str
    covers: int


def fit(text: str, around: Surroundings) -> Fitted:
    """The text as it can stand between the two parts of the line.

    Where more than closers follow, the text is cut before it repeats what follows.
    """
    if around.ends_line:
        return Fitted(text, closers_covered(text, around))
    line = text.split("\n", 1)[0]
    return Fitted(_without_rest(line, around.after), 0)


def closers_covered(text: str, around: Surroundings) -> int:
    """How many characters right of the cursor `text` brings itself.

    Only what closes something that was opened left of the cursor counts: `a, f(b)` brings
    nothing to `f(▮)`, `a, b)` brings the bracket.
    """
    scan = _Scan(around)
    for char in text:
        if not scan.feed(char):
            break
    return scan.covered


class _Scan:
    """Walks through a suggestion and keeps what is open in it."""

    def __init__(self, around: Surroundings) -> None:
        self.covered = 0
        self._rest = around.after
        self._opened: list[str] = []
        self._quote = _open_quote(around.before, around.after)
        self._opened_quote = False  # whether the open quote was opened by the text itself
        self._lockstep = False  # whether the character before was covered
        self._last = ""

    def feed(self, char: str) -> bool:
        """Read one character; false where the text closes more than stands in the line."""
        at = _skip_blanks(self._rest, self.covered)
        meets = self._rest[at : at + 1] == char
        closes = self._closes(char)
        if closes and char in _OPENER_OF and not meets:
            return False
        if meets and (closes or (self._lockstep and char in ":;,")):
            self.covered, self._lockstep = at + 1, True
        else:
            self._lockstep = False
        self._last = char
        return True

    def _closes(self, char: str) -> bool:
        """Whether `char` closes what was opened left of the cursor; notes what it opens."""
        if char == "\n" and self._quote != "`":
            self._quote = ""
        if self._quote:
            ends = char == self._quote
            self._quote = "" if ends else self._quote
            return ends and not self._opened_quote
        if char in _QUOTES:
            self._quote, self._opened_quote = char, True
        elif char in "([{<":
            self._opened.append(char)
        elif char in _OPENER_OF:
            return not self._pop(_OPENER_OF[char])
        elif char == ">" and self._last not in ("-", "="):
            return not self._pop("<")
        return False

    def _pop(self, opener: str) -> bool:
        """Close the nearest such opener of the text; false where there is none."""
        if opener not in self._opened:
            return False
        # A `<` on the way was a comparison, not a bracket.
        while self._opened.pop() != opener:
            pass
        return True


def _without_rest(line: str, rest: str) -> str:
    """`line` cut where it begins to repeat what stands right of the cursor."""
    rest = rest.rstrip()
    found = line.find(rest)
    if found >= 0:
        return line[:found]
    for length in range(min(len(line), len(rest)), 0, -1):
        if not line.endswith(rest[:length]):
            continue
        if length > _SHORT_OVERLAP or not any(map(_is_word, rest[:length])):
            return line[:-length]
    return line


def _open_quote(before: str, after: str) -> str:
    """The quote that is open at the cursor and closed right of it, or an empty text."""
    quote = after.lstrip()[:1]
    if quote and quote in _QUOTES and before.count(quote) % 2:
        return quote
    return ""


def _skip_blanks(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t":
        at += 1
    return at


def _is_word(char: str) -> bool:
    return char.isalnum() or char == "_"
