"""Search in the text of files: literal or by RE2, within bounds of time, size and rows."""

# ruff: noqa: D417 - injected parameters are not the model's, so docstrings leave them out

import re
from collections.abc import Iterator
from typing import Any

import msgspec
import re2  # type: ignore[import-untyped]  # the package has no types

from quillon_tools.calls import Failed, Retry, ToolError
from quillon_tools.files import MAX_LINE, shortened
from quillon_tools.masking import masked_lines
from quillon_tools.textfile import in_utf8, is_binary
from quillon_tools.tool import tool
from quillon_tools.workers import Stop
from quillon_tools.workspace import ConfinedPath, Workspace

MAX_MATCHES = 50
MAX_SEARCHED_BYTES = 2_000_000
MAX_CONTEXT = 10
_MAX_PATTERN = 1000
_META = re.compile(r"[\\.^$*+?()\[\]{}|]")


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
        pattern: Text on one line.
        path: File or folder.
        regex: As a regex.
        context: Lines around matches.
    """
    if not pattern.strip() or "\n" in pattern or len(pattern) > _MAX_PATTERN:
        raise Retry("pattern must be some text on one line")
    readings = _readings(pattern, regex=regex)
    if not readings:
        raise Retry(f"{pattern!r} is no regular expression that RE2 knows")
    around = min(max(0, context), MAX_CONTEXT)
    left_out = _search(workspace, stop, path, readings, around)
    best = next((reading for reading in readings if reading.found), None)
    if best is None:
        notes = [f"files left out because they are too large or unreadable: {left_out}"]
        return "\n".join(["No matches.", *(f"[{note}]" for note in notes if left_out)])
    rows = _rows(best.found[:MAX_MATCHES])
    if len(best.found) > MAX_MATCHES:
        rows.append("[... more matches; search a folder or for more text ...]")
    return "\n".join([*rows, *([f"[{best.note}]"] if best.note else [])])


class _Reading:
    """One way to read a pattern, and what it has found. `note` tells that it is not the first."""

    def __init__(self, expression: Any, note: str = "") -> None:
        self.expression = expression
        self.note = note
        self.found: list[Match] = []


def _readings(pattern: str, *, regex: bool) -> list[_Reading]:
    """The ways to read a pattern; a later one counts where no earlier one finds anything."""
    ways = [(compiled(pattern, literal=not regex), "")]
    if not regex and _META.search(pattern):
        note = "the pattern was read as a regular expression"
        ways.append((compiled(pattern, literal=False), note))
    if not regex and pattern.lower() != pattern.upper():
        note = "these differ from the pattern in upper and lower case"
        ways.append((compiled(pattern, literal=True, exact=False), note))
    return [_Reading(expression, note) for expression, note in ways if expression is not None]


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
    workspace: Workspace,
    stop: Stop,
    path: ConfinedPath | None,
    readings: list[_Reading],
    around: int,
) -> int:
    """Try every reading in one pass over the files; how many files could not be searched."""
    left_out = 0
    for file in workspace.walk(path, stop=stop):
        stop.check()
        try:
            raw = searchable(workspace, file)
        except ToolError:
            left_out += 1
            continue
        for reading in readings:
            most = MAX_MATCHES + 1 - len(reading.found)
            if reading.expression.search(raw) is not None and not is_binary(raw):
                reading.found += _matches(file, raw, reading.expression, around, most)
            if reading.found:
                break  # the later readings are not needed any more
        if len(readings[0].found) > MAX_MATCHES:
            break
    return left_out


def searchable(workspace: Workspace, path: ConfinedPath) -> bytes:
    """A file's bytes, in UTF-8 whatever form the file has its text in.

    Nothing for a binary file that is too large.

    Raises:
        ToolError: It cannot be read, or is over `MAX_SEARCHED_BYTES`.
    """
    opened = workspace.open_text(path)
    if opened is not None:
        return _without_keys(opened.text.encode("utf-8", "replace"))
    try:
        raw = workspace.read_bytes(path, MAX_SEARCHED_BYTES)
    except Failed:
        if is_binary(workspace.head(path)):
            return b""
        raise
    return _without_keys(in_utf8(raw))


def _without_keys(raw: bytes) -> bytes:
    """The text without private keys: the lines of one have no form by which to know them."""
    if b"PRIVATE KEY" not in raw:
        return raw
    return masked_lines(raw.decode("latin-1")).encode("latin-1")  # every byte is a character


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
