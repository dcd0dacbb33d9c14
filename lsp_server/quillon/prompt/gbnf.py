"""GBNF, the grammar notation of llama.cpp: rules, literals, tries, number ranges, bounded text.

llama.cpp keeps one stack for each way in which what was generated can go on, and asks each of
them about each token. So what is written here avoids alternatives that begin alike: values are
tries, and bounded repetitions have one way to be read at any time.
"""

import json
import re
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from itertools import pairwise

_BLOCK = 32  # characters that a bounded text grows by
_DIGITS = 15  # digits of an integer that any JSON reader keeps exact
_STEP = 6  # characters that are compared at once
_PLAIN = re.compile(r'[^"\\\x00-\x1f\x7f]*')
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_CLASS_ESCAPES = _ESCAPES | {"]": "\\]", "[": "\\[", "^": "\\x5E", "-": "\\x2D"}


def literal(text: str) -> str:
    """A terminal that is exactly `text`."""
    return f'"{text if _PLAIN.fullmatch(text) else text.translate(_WRITTEN)}"'


def one_of(characters: Iterable[str], *, negated: bool = False) -> str:
    """A terminal of one character of a set, or of none of them."""
    chars = "".join(_CLASS_ESCAPES.get(c) or _printable(c) for c in sorted(set(characters)))
    return f"[{'^' if negated else ''}{chars}]"


# No character at all: a rule that nothing can satisfy.
NOTHING = r"[^\x00-\U0010FFFF]"


class Grammar:
    """Rules under construction; the same body is written once.

    Names begin with `prefix`. With a capital letter in it they are none of another grammar's, whose
    text may stand beside this one's.
    """

    def __init__(self, prefix: str = "") -> None:
        self._prefix = prefix
        self._count = 0
        self._made: dict[str, str] = {}
        self._rules: dict[str, str] = {}
        self._names: dict[str, str] = {}

    def rule(self, hint: str, body: str) -> str:
        """The name of a rule with this body."""
        known = self._names.get(body)
        if known is not None:
            return known
        name = self.reserve(hint)
        self.define(name, body)
        return name

    def reserve(self, hint: str) -> str:
        """A new name, to be defined later: for rules that refer to themselves."""
        base = name = self._prefix + _base(hint)
        while name in self._rules:
            self._count += 1
            name = f"{base}-{self._count}"
        self._rules[name] = ""
        return name

    def define(self, name: str, body: str) -> None:
        """Give a reserved name its body."""
        self._rules[name] = body
        self._names.setdefault(body, name)

    def attempt(self, write: Callable[[], str]) -> str:
        """What `write` returns; where it raises, the rules are as they were."""
        rules, names, made = dict(self._rules), dict(self._names), dict(self._made)
        try:
            return write()
        except BaseException:
            self._rules, self._names, self._made = rules, names, made
            raise

    def once(self, key: str, make: Callable[[], str]) -> str:
        """The rule that `make` makes, made at the first time."""
        if key not in self._made:
            self._made[key] = make()
        return self._made[key]

    def text(self, root: str) -> str:
        """The whole grammar with `root` as its root."""
        rules = [f"{name} ::= {body}" for name, body in self._rules.items()]
        return "\n".join([f"root ::= {root}", *rules, ""])

    def text_beside(self, other: str, root: str) -> str:
        """The grammar of `root` or of another whole grammar; no name of ours may be one of its."""
        return f"{self.text(f'Other | {root}')}Other ::= {other.removeprefix('root ::= ')}"


def trie(grammar: Grammar, hint: str, values: Iterable[str]) -> str:
    """A rule that is exactly one of `values`, which are written as they shall be generated.

    Of the values in order, neighbours share the most: one pass along them opens and closes the
    nodes, so that some thousands take milliseconds.
    """
    ordered = sorted(set(values))
    write = _quoted if _PLAIN.fullmatch("".join(ordered)) else literal
    # The open nodes, from the root on: at which length they fork, and their alternatives so far.
    depths, options = [0], [list[str]()]
    ahead = 0
    for value, following in pairwise([*ordered, ""]):
        ahead = _shared(value, following, ahead)
        if ahead > depths[-1]:
            depths.append(ahead)
            options.append([])
        depth = depths[-1]
        options[-1].append(write(value[depth:]))
        while ahead < depth:
            name = grammar.rule(hint, " | ".join(options.pop()))
            depths.pop()
            if depths[-1] < ahead:
                depths.append(ahead)
                options.append([])
            options[-1].append(f"{write(value[depths[-1] : depth])} {name}")
            depth = depths[-1]
    return grammar.rule(hint, " | ".join(options[0]))


def _shared(value: str, following: str, guess: int) -> int:
    """The length of the common beginning of two texts; `guess` is that of the pair before."""
    at = guess if value[:guess] == following[:guess] else 0
    most = min(len(value), len(following))
    while at + _STEP <= most and value[at : at + _STEP] == following[at : at + _STEP]:
        at += _STEP
    while at < most and value[at] == following[at]:
        at += 1
    return at


def _quoted(text: str) -> str:
    """A terminal that is exactly `text`, in which nothing needs an escape."""
    return f'"{text}"'


def bounded(grammar: Grammar, hint: str, char: str, least: int, most: int) -> str:
    """A rule for `least` to `most` times the rule `char`.

    llama.cpp writes out a repetition; blocks keep the number of rules small for long texts.
    """
    least = min(least, most)
    if most <= 2 * _BLOCK:
        return grammar.rule(hint, f"{char}{{{least},{most}}}")
    block = grammar.rule(f"{hint}-block", f"{char}{{{_BLOCK}}}")
    blocks, rest = divmod(most, _BLOCK)
    name = grammar.rule(f"{hint}-{rest}", f"{char}{{0,{rest}}}")
    short = grammar.rule(f"{hint}-short", f"{char}{{0,{_BLOCK - 1}}}")
    for _ in range(blocks):
        name = grammar.rule(f"{hint}-up", f"{block} {name} | {short}")
    # The least number is small in practice; it is written in front.
    if not least:
        return name
    rest_rule = bounded(grammar, hint, char, 0, most - least)
    return grammar.rule(hint, f"{char}{{{least}}} {rest_rule}")


def integer(low: int | None, high: int | None) -> str:
    """The body for the integers from `low` to `high`, without leading zeros and without -0."""
    if low is not None and high is not None and low > high:
        low = high
    options: list[str] = []
    if low is None or low < 0:
        least = 1 if high is None or high >= 0 else -high
        digits = _natural(least, None if low is None else -low)
        options.append(f'"-" ({digits})')
    if high is None or high >= 0:
        options.append(_natural(max(low or 0, 0), high))
    return " | ".join(option for option in options if option)


def _natural(low: int, high: int | None) -> str:
    options: list[str] = []
    if low == 0:
        options.append('"0"')
        low = 1
    if high is not None and high < low:
        return " | ".join(options)
    size = len(str(low))
    if high is None:
        options.append(_between(str(low), "9" * size))
        if size < _DIGITS:
            options.append(f"[1-9] [0-9]{{{size},{_DIGITS - 1}}}")
        return " | ".join(options)
    for length in range(size, len(str(high)) + 1):
        first, last = max(low, 10 ** (length - 1)), min(high, 10**length - 1)
        options.append(_between(str(first), str(last)))
    return " | ".join(options)


def _between(low: str, high: str) -> str:
    """Digits from `low` to `high`, both of the same length."""
    if low == high:
        return literal(low)
    if low.strip("0") == "" and high.strip("9") == "":
        return _any_digits(len(low))
    if len(low) == 1:
        return _digit(low, high)
    if low[0] == high[0]:
        return f"{literal(low[0])} ({_between(low[1:], high[1:])})"
    rest = len(low) - 1
    first, last = int(low[0]), int(high[0])
    options: list[str] = []
    if low[1:].strip("0"):
        options.append(f"{literal(low[0])} ({_between(low[1:], '9' * rest)})")
        first += 1
    high_end = f"{literal(high[0])} ({_between('0' * rest, high[1:])})"
    if high[1:].strip("9"):
        last -= 1
    else:
        high_end = ""
    if first <= last:
        options.append(f"{_digit(str(first), str(last))} {_any_digits(rest)}")
    return " | ".join([*options, *filter(None, [high_end])])


def _digit(low: str, high: str) -> str:
    return f"[{low}-{high}]" if low != high else literal(low)


def _any_digits(count: int) -> str:
    return f"[0-9]{{{count}}}"


def without(grammar: Grammar, hint: str, forbidden: Sequence[str]) -> str:
    """A rule for any text, of any length, in which none of `forbidden` stands.

    The rules are the states of the automaton that searches for the words.
    """
    return grammar.once(f"without {forbidden}", lambda: _without(grammar, hint, forbidden))


def _without(grammar: Grammar, hint: str, forbidden: Sequence[str]) -> str:
    states, letters = _automaton(tuple(forbidden))
    names = [grammar.reserve(f"{hint}-{size}") for size in range(len(states))]
    for name, targets in zip(names, states, strict=True):
        options = ['""', f"{one_of(letters, negated=True)} {names[0]}"]
        options += [f"{one_of(chars)} {names[target]}" for target, chars in targets.items()]
        grammar.define(name, " | ".join(options))
    return names[0]


@lru_cache(maxsize=8)
def _automaton(forbidden: tuple[str, ...]) -> tuple[list[dict[int, str]], str]:
    """For each state, of which 0 is the first, the characters that lead to others; and all these.

    A state is what was read of a word; a character that would end a word leads nowhere.
    """
    states = sorted({word[:size] for word in forbidden for size in range(len(word))}, key=len)
    numbers = {state: number for number, state in enumerate(states)}
    letters = "".join(sorted({char for word in forbidden for char in word}))
    found: list[dict[int, str]] = []
    for state in states:
        targets: dict[int, str] = {}
        for char in letters:
            read = state + char
            if not any(read.endswith(word) for word in forbidden):
                known = next(read[at:] for at in range(len(read) + 1) if read[at:] in numbers)
                targets[numbers[known]] = targets.get(numbers[known], "") + char
        found.append(targets)
    return found, letters


def json_text(value: str) -> str:
    """A string as it stands between the quotes of JSON."""
    if _PLAIN.fullmatch(value):
        return value
    return json.dumps(value, ensure_ascii=False)[1:-1]


@lru_cache(maxsize=1024)
def _base(hint: str) -> str:
    """A rule's name without its number; `root` is the whole grammar's own."""
    base = re.sub(r"[^a-z0-9]+", "-", hint.lower()).strip("-")[:40].replace("root", "base")
    return base or "rule"


def _printable(char: str) -> str:
    code = ord(char)
    if code < 0x20 or code == 0x7F:  # noqa: PLR2004 - the control characters of ASCII
        return f"\\x{code:02X}"
    return char


_WRITTEN = str.maketrans({chr(c): _printable(chr(c)) for c in (*range(0x20), 0x7F)} | _ESCAPES)
