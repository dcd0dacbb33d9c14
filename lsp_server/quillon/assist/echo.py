"""What the user's own files say behind the words that stand before a cursor.

Code repeats itself: of lines that are written, one in seven was written before behind the same
words. Every place where the last words occur again votes for the rest of its line, the more the
longer the text agrees on both sides. (Cache language models: Tu et al. 2014, "On the localness of
software".) It takes a millisecond, and a model too small to write code cannot do better.
"""

import math
import operator
import re
from collections import Counter
from collections.abc import Iterator, Sequence

import msgspec

_SHORTEST_KEY, _LONGEST_KEY = 3, 96  # characters before the cursor that a place must share
_MOST_PLACES = 300
_LONGEST_BEFORE, _LONGEST_AFTER = 400, 200  # characters that are compared
_LONGEST_LINE = 200  # characters of a rest of a line that may be repeated
_FARTHEST = 60_000  # characters on each side of the cursor that are searched
_MOST_OTHERS = 120_000  # characters of other files
# A place's vote is (agreeing characters) ** _POWER, those behind the line at half; chosen on 3,000
# holes in packages, as were the weights of the confidence: a logistic regression of whether the
# first four characters were right, on 4,000 more.
_POWER, _BEHIND = 4, 0.5
# Weights of 1, the words that agree before, the share of the votes, the characters that agree
# behind; the second row is for the end of a text, where nothing can.
_WITHIN, _AT_END = (-3.3, 0.87, 1.93, 0.58), (-2.21, 1.11, 1.48, 0.0)
_WORD = re.compile(r"\w+")
_LINE_END = re.compile(r"[\r\n]")


class Echo(msgspec.Struct, frozen=True):
    """The rest of a line, and how probable it is that it begins rightly (0 to 1)."""

    text: str
    confidence: float


class _Place(msgspec.Struct, frozen=True):
    """What stands at a place, and how many characters agree before and behind it."""

    rest: str
    before: int
    after: int


def echo(before: str, after: str, others: Sequence[str] = ()) -> Echo | None:
    """What most likely stands between two parts of a text up to the line's end.

    `after` is without what an editor closed by itself in the cursor's line. None where nothing is
    said twice, or where most places say that the line ends here.
    """
    before, after = before[-_FARTHEST:], after[:_FARTHEST]
    votes: Counter[str] = Counter()
    longest: dict[str, tuple[int, int]] = {}
    for place in _places(before, after, _within(others)):
        votes[place.rest] += int((1 + place.before + _BEHIND * place.after) ** _POWER)
        agreed = longest.get(place.rest, (0, 0))
        longest[place.rest] = (max(agreed[0], place.before), max(agreed[1], place.after))
    if not votes:
        return None
    rest, weight = max(votes.items(), key=lambda vote: vote[1])
    if not rest.strip() or len(rest) > _LONGEST_LINE:
        return None
    agreeing, behind = longest[rest]
    signs = (
        1.0,
        math.log1p(_words(before, len(before) - agreeing)),
        weight / votes.total(),
        math.log1p(behind),
    )
    score = sum(map(operator.mul, _WITHIN if after.strip() else _AT_END, signs))
    return Echo(rest, 1 / (1 + math.exp(-score)))


def _words(text: str, start: int) -> int:
    """How many words begin in `text[start:]`."""
    inside = 0 < start < len(text) and _WORD.fullmatch(text[start - 1 : start + 1]) is not None
    return len(_WORD.findall(text, start)) - inside


def _places(before: str, after: str, others: Sequence[str]) -> Iterator[_Place]:
    """The places where the last characters before the cursor occur again."""
    texts = (before, after, *others)
    length = _SHORTEST_KEY
    if len(before) < length:
        return
    # A longer key leaves fewer places: those that agree most are left.
    while length < _LONGEST_KEY and _occurrences(texts, before[-length:]) > _MOST_PLACES:
        length *= 4
    key = before[-length:]
    left = _MOST_PLACES
    for text in texts:
        at = text.find(key)
        while at >= 0 and left > 0:
            place = at + len(key)
            if text is not before or place < len(before):
                left -= 1
                end = _line_end(text, place)
                agreed = _common_suffix(before, text, place)
                yield _Place(text[place:end].rstrip(), agreed, _common_prefix(after, text, end))
            at = text.find(key, at + 1)


def _line_end(text: str, start: int) -> int:
    """Where the line ends, or where it is longer than can be repeated."""
    most = min(len(text), start + _LONGEST_LINE + 1)
    found = _LINE_END.search(text, start, most)
    return most if found is None else found.start()


def _occurrences(texts: Sequence[str], key: str) -> int:
    return sum(text.count(key) for text in texts)


def _common_suffix(before: str, text: str, end: int) -> int:
    """How many characters `before` and `text[:end]` have in common at their ends."""
    low, high = 0, min(_LONGEST_BEFORE, len(before), end)
    while low < high:
        middle = (low + high + 1) // 2
        if before.endswith(text[end - middle : end]):
            low = middle
        else:
            high = middle - 1
    return low


def _common_prefix(after: str, text: str, start: int) -> int:
    """How many characters `after` and `text[start:]` have in common at their beginnings."""
    low, high = 0, min(_LONGEST_AFTER, len(after), len(text) - start)
    while low < high:
        middle = (low + high + 1) // 2
        if text.startswith(after[:middle], start):
            low = middle
        else:
            high = middle - 1
    return low


def _within(others: Sequence[str]) -> list[str]:
    """Other texts, as many as are searched."""
    kept, left = [], _MOST_OTHERS
    for text in others:
        if len(text) <= left:
            kept.append(text)
            left -= len(text)
    return kept
