"""Where a completion ends: with the block, or the statement, that the cursor stands in.

A completion is read as tokens, brackets and line starts outside strings and comments, and each
line start is compared with the indentation at the cursor. That needs neither a finished text nor
a parse for each line that arrives.

    def f(x):▮               a block opens left of the cursor: it ends with the first line that
        return x             is indented no more than the line of `def`
    y = f(1)                 ◀ ends before this
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import Literal

import msgspec

from quillon.context.document import DocumentSnapshot
from quillon.context.indentation import CLOSERS, OPENERS, indent_of, is_blank, outward

# What goes on with a statement at its own indentation.
_GOES_ON = re.compile(r"\s*(?:else|elif|except|finally|catch|rescue|ensure|while\b.*;)\b|\s*[{.?:]")
_WORD = re.compile(r"\s*\w*\Z")
_CLOSING_REST = re.compile(r"[)\]}]+[;,]?")
_LIFETIMES = frozenset({"rust"})  # a quote may stand alone there


class Token(msgspec.Struct, frozen=True):
    """A bracket or a line end outside strings and comments, from code point `start` to `end`."""

    kind: Literal["open", "close", "line"]
    start: int
    end: int


class _Place(msgspec.Struct, frozen=True):
    """What stands at the cursor.

    `opened`: a block opens on the line left of the cursor. `blank`: nothing stands there.
    `base` is the indentation that the end is measured by, `depth` the brackets that the statement
    left of the cursor has open. `closed` says that the block is closed in the text that follows.
    """

    opened: bool
    blank: bool
    base: int
    depth: int
    closed: bool


def truncate_completion(snapshot: DocumentSnapshot, offset: int, text: str) -> str:
    """A completion cut where the block or the statement at the cursor ends."""
    end = completion_end(snapshot, offset, text, final=True)
    return text if end is None else text[:end]


def completion_end(
    snapshot: DocumentSnapshot, offset: int, text: str, *, final: bool = False
) -> int | None:
    """Where in `text`, which would stand at `offset`, the block at the cursor ends.

    None: what comes next may still belong to it. Unless `final`, more text may follow, and a last
    line of which only part of a word is known decides nothing.
    """
    place = _place(snapshot, offset, text)
    depth, has_body = place.depth, False
    for token in tokens(text, snapshot):
        if token.kind == "open":
            depth += 1
        elif token.kind == "close":
            if depth == 0:
                return _at_closer(place, text, token)
            depth -= 1
        elif depth > 0:
            has_body = True
        else:
            line = text[token.end :].split("\n", 1)[0]
            undecided = not final and "\n" not in text[token.end :] and _WORD.match(line)
            if not undecided and _ends_before(place, text[: token.start], line, has_body=has_body):
                return len(text[: token.start].rstrip())
            has_body = has_body or (not is_blank(line) and indent_of(line) > place.base)
    return None


def _ends_before(place: _Place, before: str, line: str, *, has_body: bool) -> bool:
    """Whether a line, outside all brackets, no longer belongs to the block."""
    top = place.blank and place.base == 0
    if is_blank(line):
        # At the top level a paragraph ends; a block may hold blank lines.
        return top and not has_body and not is_blank(before)
    indent = indent_of(line)
    if line.lstrip()[0] in CLOSERS:
        return False  # the closer itself decides
    if place.opened:
        return indent <= place.base
    if top:
        return indent == 0 and has_body and not _GOES_ON.match(line)
    if place.blank:
        return indent < place.base
    return indent <= place.base and not _GOES_ON.match(line)


def _at_closer(place: _Place, text: str, token: Token) -> int:
    """The end at a bracket that closes what was open before the cursor."""
    if place.closed or not (place.opened or place.blank):
        return len(text[: token.start].rstrip())
    match = _CLOSING_REST.match(text, token.start)
    # Only the first bracket closes this block; further ones close what is around it.
    rest = match[0] if match else text[token.start : token.end]
    return token.end + (1 if rest[1:2] in (";", ",") else 0)


def _place(snapshot: DocumentSnapshot, offset: int, text: str) -> _Place:
    lines = snapshot.lines
    line = lines.line_of(offset)
    span = lines.line_span(line)
    before, after = snapshot.text[span.start : offset], snapshot.text[offset : span.end]
    blank = is_blank(before)
    opened = opens_block(snapshot, before) and before.rstrip()[-1] not in "(["
    first = next((one for one in (before + text).split("\n") if not is_blank(one)), before)
    base = indent_of(first if blank else before)
    depth = 0 if blank else max(0, _open(before, snapshot) - _closed(after, snapshot) - opened)
    return _Place(
        opened, blank, base, depth, _is_closed(snapshot, line, after, base, opened=opened)
    )


def _open(text: str, snapshot: DocumentSnapshot) -> int:
    """The brackets that a line leaves open."""
    depth = 0
    for token in tokens(text, snapshot):
        depth = max(0, depth + {"open": 1, "close": -1}.get(token.kind, 0))
    return depth


def _closed(text: str, snapshot: DocumentSnapshot) -> int:
    """The brackets that the rest of a line closes without having opened them."""
    depth = closed = 0
    for token in tokens(text, snapshot):
        depth += {"open": 1, "close": -1}.get(token.kind, 0)
        closed = max(closed, -depth)
    return closed


def _is_closed(
    snapshot: DocumentSnapshot, line: int, after: str, base: int, *, opened: bool
) -> bool:
    """Whether what follows the cursor closes the block: a closer under the line that opened it."""
    if after.strip()[:1] in tuple(CLOSERS):
        return True
    lines = snapshot.lines
    opener = base if opened else _opener_indent(snapshot, line, base)
    for number in range(line + 1, lines.line_count):
        text = lines.line_text(number)
        if not is_blank(text) and indent_of(text) <= opener:
            return indent_of(text) == opener and text.lstrip()[0] in CLOSERS
    return False


def _opener_indent(snapshot: DocumentSnapshot, line: int, base: int) -> int:
    above = next(outward(snapshot.lines, line, base), None)
    return -1 if above is None else indent_of(snapshot.lines.line_text(above))


def opens_block(snapshot: DocumentSnapshot, line: str) -> bool:
    """Whether a line, up to the cursor, ends in what opens a block in its language."""
    shown = line.rstrip()
    if not shown:
        return False
    if snapshot.language is not None and snapshot.language.id == "python":
        # A colon inside brackets is a slice, a key or an annotation.
        return shown[-1] in OPENERS or (shown[-1] == ":" and not _open_brackets(shown))
    return shown[-1] in OPENERS or shown.endswith("=>") or _opens_unknown(snapshot, shown)


def _opens_unknown(snapshot: DocumentSnapshot, shown: str) -> bool:
    words = (":", " do", " then", "begin")
    return snapshot.language is None and shown.endswith(words)


def _open_brackets(line: str) -> bool:
    return sum(line.count(c) for c in OPENERS) > sum(line.count(c) for c in CLOSERS)


def tokens(text: str, snapshot: DocumentSnapshot) -> Iterator[Token]:
    """The brackets and line ends of a text that starts in code."""
    language = snapshot.language
    pattern = _pattern(
        language.line_comment if language is not None else "#",
        language is not None and language.id in _LIFETIMES,
    )
    for match in pattern.finditer(text):
        char = match[0]
        if char in OPENERS:
            yield Token("open", match.start(), match.end())
        elif char in CLOSERS:
            yield Token("close", match.start(), match.end())
        elif char == "\n":
            yield Token("line", match.start(), match.end())


@cache
def _pattern(line_comment: str, lifetimes: bool) -> re.Pattern[str]:  # noqa: FBT001 - cache key
    """Strings and comments as wholes, brackets and line ends one by one.

    A string that is not closed ends with its line, or with the text where it may span lines.
    """
    single = r"'(?:\\[^\n]*?|[^'\\\n])'" if lifetimes else r"'(?:\\.|[^'\\\n])*(?:'|(?=\n)|\Z)"
    wholes = [
        r'"""(?:\\.|[^\\])*?(?:"""|\Z)',
        r"'''(?:\\.|[^\\])*?(?:'''|\Z)",
        r'"(?:\\.|[^"\\\n])*(?:"|(?=\n)|\Z)',
        single,
        r"`(?:\\.|[^`\\])*(?:`|\Z)",
        re.escape(line_comment) + r"[^\n]*",
    ]
    if line_comment == "//":
        wholes.append(r"/\*.*?(?:\*/|\Z)")
    return re.compile("|".join([*wholes, r"[(\[{]", r"[)\]}]", r"\n"]), re.DOTALL)
