"""Search in the text of files: literal or by RE2, within bounds of time, size and rows."""

# ruff: noqa: D417 - injected parameters are not the model's, so docstrings leave them out

import codecs
import re
from collections.abc import Iterator
from typing import Any

import msgspec
import re2  # type: ignore[import-untyped]  # the package has no types

from quillon_tools.calls import Failed, Retry, ToolError
from quillon_tools.files import MAX_LINE, shortened
from quillon_tools.textfile import decode, is_binary
from quillon_tools.tool import tool
from quillon_tools.workers import Stop
from quillon_tools.workspace import ConfinedPath, Workspace

MAX_MATCHES = 50
MAX_SEARCHED_BYTES = 2_000_000
MAX_CONTEXT = 10
_MAX_PATTERN = 1000
_META = re.compile(r"[\\.^$*+?()\[\]{}|]")
_WIDE_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)


class Match(msgspec.Struct, frozen=True, gc=False):
    """A line that matches; `number` counts from 1. `before` and `after` are its neighbours."""

    path: ConfinedPath
    number: int
    text: str
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


@tool(effect="read")
def search_text(
    workspace: Workspace,
    stop: Stop,
    pattern: str,
    path: ConfinedPath | None = None,
    *,
    regex: bool = False,
    context: int = 0,
) -> str:
    """Search text in files.

    Args:
        pattern: The text, on one line.
        path: File or folder to search; everything if left out.
        regex: Whether the pattern is a regular expression (RE2).
        context: Lines to show around each match.
    """
    if not pattern.strip() or "\n" in pattern or len(pattern) > _MAX_PATTERN:
        raise Retry("pattern must be some text on one line")
    around = min(max(0, context), MAX_CONTEXT)
    notes: list[str] = []
    found: list[Match] = []
    for literal, exact, note in _attempts(pattern, regex=regex):
        expression = compiled(pattern, literal=literal, exact=exact)
        if expression is None:
            if regex:
                raise Retry(f"{pattern!r} is no regular expression that RE2 knows")
            continue
        found, notes = _search(workspace, stop, path, expression, around)
        if found:
            notes += [note] if note else []
            break
    rows = _rows(found[:MAX_MATCHES])
    if len(found) > MAX_MATCHES:
        rows.append("[... more matches; search a folder or for more text ...]")
    if not rows:
        rows = ["No matches."]
    return "\n".join([*rows, *(f"[{note}]" for note in notes)])


def _attempts(pattern: str, *, regex: bool) -> Iterator[tuple[bool, bool, str]]:
    """Ways to read the pattern, as (literal, exact case, note), until one finds something."""
    if regex:
        yield False, True, ""
        return
    yield True, True, ""
    if _META.search(pattern):
        yield False, True, "the pattern was read as a regular expression"
    if pattern.casefold() != pattern.swapcase():
        yield True, False, "these differ from the pattern in upper and lower case"


def compiled(pattern: str, *, literal: bool, exact: bool = True) -> Any:
    """The pattern as an expression on UTF-8 bytes; None where it is no expression."""
    options = re2.Options()
    options.log_errors = False
    options.literal = literal
    options.case_sensitive = exact
    try:
        return re2.compile(pattern if literal else f"(?m){pattern}", options)
    except re2.error:
        return None


def _search(
    workspace: Workspace, stop: Stop, path: ConfinedPath | None, expression: Any, around: int
) -> tuple[list[Match], list[str]]:
    found: list[Match] = []
    too_large = 0
    for file in workspace.walk(path, stop=stop):
        stop.check()
        try:
            raw = searchable(workspace, file)
        except ToolError:
            too_large += 1
            continue
        if raw is not None:
            found += _matches(file, raw, expression, around, MAX_MATCHES + 1 - len(found))
        if len(found) > MAX_MATCHES:
            break
    if found or not too_large:
        return found, []
    return found, [f"files left out because they are too large or unreadable: {too_large}"]


def searchable(workspace: Workspace, path: ConfinedPath) -> bytes | None:
    """A file's text as UTF-8, as far as it is UTF-8; None for a binary file.

    Raises:
        ToolError: It cannot be read, or is over `MAX_SEARCHED_BYTES`.
    """
    opened = workspace.open_text(path)
    if opened is not None:
        return opened.text.encode("utf-8", "replace")
    try:
        raw = workspace.read_bytes(path, MAX_SEARCHED_BYTES)
    except Failed:
        if is_binary(workspace.head(path)):
            return None
        raise
    if raw.startswith(_WIDE_MARKS):
        return decode(raw, str(path)).text.encode("utf-8", "replace")
    return None if is_binary(raw) else raw


def _matches(
    path: ConfinedPath, raw: bytes, expression: Any, around: int, most: int
) -> Iterator[Match]:
    """The matching lines of a text, each once."""
    at, number, counted = 0, 1, 0
    lines: list[bytes] | None = None
    while most > 0 and (match := expression.search(raw, at)) is not None:
        start = raw.rfind(b"\n", 0, match.start()) + 1
        end = raw.find(b"\n", match.start())
        end = len(raw) if end < 0 else end
        if start == end and start == len(raw):
            return  # an empty match after the last line
        number += raw.count(b"\n", counted, start)
        counted = start
        before: tuple[str, ...] = ()
        after: tuple[str, ...] = ()
        if around:
            lines = lines if lines is not None else raw.split(b"\n")
            before = tuple(map(_text, lines[max(0, number - 1 - around) : number - 1]))
            after = tuple(map(_text, lines[number : number + around]))
        yield Match(path, number, _text(_window(raw, start, end, match.start())), before, after)
        most -= 1
        at = end + 1
        if at > len(raw):
            return


def _window(raw: bytes, start: int, end: int, match: int) -> bytes:
    """The line, or of a very long one the part around the match."""
    if end - start <= MAX_LINE:
        return raw[start:end].strip()
    left = max(start, match - MAX_LINE // 2)
    right = min(end, left + MAX_LINE)
    return b"..." * (left > start) + raw[left:right].strip() + b"..." * (right < end)


def _text(line: bytes) -> str:
    return line.decode("utf-8", "replace").rstrip("\r")


def _rows(found: list[Match]) -> list[str]:
    """`path:line: text`; with neighbours, those as `path-line- text`."""
    rows: list[str] = []
    for match in found:
        if (match.before or match.after) and rows:
            rows.append("--")
        first = match.number - len(match.before)
        rows += [f"{match.path}-{n}- {shortened(t)}" for n, t in enumerate(match.before, first)]
        rows.append(f"{match.path}:{match.number}: {match.text}")
        rows += [
            f"{match.path}-{n}- {shortened(t)}" for n, t in enumerate(match.after, match.number + 1)
        ]
    return rows
