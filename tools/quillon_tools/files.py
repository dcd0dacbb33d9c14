"""Tools that look at files and folders."""

# ruff: noqa: D417 - injected parameters are not the model's, so docstrings leave them out

import pathspec
import re2  # type: ignore[import-untyped]  # the package has no types

from quillon_tools.calls import Retry
from quillon_tools.masking import masked_lines
from quillon_tools.textfile import lines_of
from quillon_tools.tool import tool
from quillon_tools.workers import Stop
from quillon_tools.workspace import ConfinedPath, Workspace

MAX_LINES = 200
MAX_LINE = 400
MAX_ROWS = 200
_MAX_PATTERN = 400


@tool(effect="read")
def read_file(
    workspace: Workspace,
    path: ConfinedPath,
    start_line: int | None = None,
    end_line: int | None = None,
) -> str:
    """Read lines of a file.

    Args:
        path: File.
        start_line: First line, from 1.
        end_line: Last line.
    """
    file = workspace.read_text(path)
    lines = lines_of(masked_lines(file.text))
    if not lines:
        return f"{path} is empty."
    first = max(1, start_line or 1)
    last = len(lines) if end_line is None else min(end_line, len(lines))
    if first > len(lines):
        raise Retry(f"{path} has {len(lines)} lines, so there is no line {first}")
    if last < first:
        raise Retry(f"end_line {end_line} is before start_line {first}")
    shown = min(last, first + MAX_LINES - 1)
    rows = numbered(lines[first - 1 : shown], first)
    if shown < last:
        rows.append(f"[{path} has {len(lines)} lines; read on from line {shown + 1}]")
    if file.note:
        rows.append(f"[{file.note}]")
    return "\n".join(rows)


def numbered(lines: list[str], first: int) -> list[str]:
    """Lines as `number: text`; very long ones are cut."""
    return [f"{number}: {shortened(line)}" for number, line in enumerate(lines, first)]


def shortened(line: str) -> str:
    """A line of at most `MAX_LINE` characters; the cut is named."""
    if len(line) <= MAX_LINE:
        return line
    return f"{line[:MAX_LINE]} [... {len(line) - MAX_LINE} characters left out ...]"


@tool(effect="read")
def list_files(workspace: Workspace, path: ConfinedPath | None = None) -> str:
    """List a folder.

    Args:
        path: Folder.
    """
    folder = path or workspace.top
    if not folder.top and folder.real.is_file():
        raise Retry(f"{folder} is a file; use read_file")
    entries = workspace.visible(folder)
    if not entries:
        return f"{folder} is empty."
    names = [entry.path.name for entry in entries if entry.is_file]
    names += [f"{entry.path.name}/" for entry in entries if entry.is_folder]
    names += [f"{entry.path.name} (link)" for entry in entries if entry.is_link]
    names += [
        f"{entry.path.name} (no regular file)"
        for entry in entries
        if not (entry.is_folder or entry.is_file or entry.is_link)
    ]
    return "\n".join(limited(names, MAX_ROWS, "entries"))


@tool(effect="read")
def find_files(workspace: Workspace, stop: Stop, pattern: str) -> str:
    """Find files by a glob such as src/**/*.ts.

    Args:
        pattern: Glob.
    """
    spec = _glob(pattern)
    if spec is None:
        raise Retry(f"{pattern[:60]!r} is no glob such as *.py or src/**/*.ts")
    found = [
        str(path)
        for path in workspace.walk(stop=stop)
        if spec.check_file("/".join(path.parts)).include
    ]
    return "\n".join(limited(found, MAX_ROWS, "files")) or "No files found."


def _glob(pattern: str) -> pathspec.GitIgnoreSpec | None:
    line = pattern.strip().lstrip("!#")
    if not line or "\n" in line or len(line) > _MAX_PATTERN:
        return None
    try:
        return pathspec.GitIgnoreSpec.from_lines([line], backend="re2")
    except (ValueError, re2.error):
        return None


def limited(rows: list[str], most: int, what: str) -> list[str]:
    """The first rows, and a row that says how many were left out."""
    if len(rows) <= most:
        return rows
    return [*rows[:most], f"[... {len(rows) - most} more {what} ...]"]
