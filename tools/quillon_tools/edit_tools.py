"""Tools that propose changes. They write nothing: a proposal is shown, approved, then applied."""

# ruff: noqa: D417 - injected parameters are not the model's, so docstrings leave them out

import re
from collections import defaultdict
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import pairwise

from quillon_tools.calls import Edit, Failed, FileEdit, Proposal, Retry
from quillon_tools.files import shortened
from quillon_tools.masking import masked_lines
from quillon_tools.textfile import lines_of
from quillon_tools.tool import tool
from quillon_tools.unified import unified_diff
from quillon_tools.workspace import ConfinedPath, TextFile, Workspace

MAX_SEARCH = 40_000
MAX_EDITS = 50
_NEAR = 0.6
_SHOWN = 5


@dataclass(frozen=True)
class Replacement:
    """One change.

    Attributes:
        path: File.
        search: Text found exactly once.
        replace: New text.
    """

    path: ConfinedPath
    search: str
    replace: str


@tool(effect="edit")
def propose_edit(workspace: Workspace, edits: list[Replacement]) -> Proposal:
    """Propose changes.

    Args:
        edits: Changes.
    """
    if not 0 < len(edits) <= MAX_EDITS:
        raise Retry(f"edits must hold 1 to {MAX_EDITS} changes")
    by_file: dict[ConfinedPath, list[Replacement]] = defaultdict(list)
    for edit in edits:
        by_file[edit.path].append(edit)
    files = tuple(_file_edit(workspace, path, each) for path, each in by_file.items())
    names = ", ".join(str(path) for path in by_file)
    return Proposal(
        label=f"Proposed {len(edits)} change{'s' * (len(edits) > 1)} in {names}.",
        files=files,
        diff="".join(
            unified_diff(str(path), file) for path, file in zip(by_file, files, strict=True)
        ),
    )


@tool(effect="edit")
def create_file(workspace: Workspace, path: ConfinedPath, content: str) -> Proposal:
    """Propose a file.

    Args:
        path: File.
        content: Text.
    """
    if not path.parts or path.real.exists() or workspace.open_text(path) is not None:
        raise Retry(f"{path} exists; change it with propose_edit")
    file = FileEdit(str(path.real), (Edit(0, 0, content),), before="", create=True)
    return Proposal(f"Proposed the new file {path}.", (file,), unified_diff(str(path), file))


def _file_edit(
    workspace: Workspace, path: ConfinedPath, replacements: list[Replacement]
) -> FileEdit:
    file = workspace.read_text(path)
    if not file.exact:
        # Who applies the edit would save the replacements of what is broken, too.
        raise Failed(
            f"{path} is not valid {file.encoding}, and changing it would lose what is broken in "
            "it; tell the user to mend its encoding first"
        )
    edits = sorted(
        (_edit(path, file.text, replacement) for replacement in replacements),
        key=lambda edit: edit.start,
    )
    for first, second in pairwise(edits):
        if second.start < first.end:
            raise Retry(f"two changes of {path} overlap; make them one")
    return FileEdit(_name(workspace, path, file), tuple(edits), file.text, file.version)


def _name(workspace: Workspace, path: ConfinedPath, file: TextFile) -> str:
    """The absolute path by which the editor knows an open file, else the real one."""
    known = workspace.open_name(path) if file.version is not None else None
    return str(known or path.real)


def _edit(path: ConfinedPath, text: str, wanted: Replacement) -> Edit:
    search, replace = wanted.search, wanted.replace
    if not search:
        raise Retry("search is empty; it must be text that stands in the file exactly once")
    if len(search) > MAX_SEARCH:
        raise Retry(f"search is longer than {MAX_SEARCH} characters; name a smaller part")
    if "\r\n" in text and "\r\n" not in search:
        # Models write line feeds; the file keeps the line ends it has.
        search, replace = search.replace("\n", "\r\n"), replace.replace("\n", "\r\n")
    first = text.find(search)
    if first < 0:
        raise Retry(_not_found(path, text, search))
    if text.find(search, first + 1) >= 0:
        raise Retry(_not_unique(path, text, search))
    if search == replace:
        raise Retry(f"search and replace are the same, so nothing in {path} would change")
    return Edit(first, first + len(search), replace)


def _not_unique(path: ConfinedPath, text: str, search: str) -> str:
    starts = [match.start() for match in re.finditer(re.escape(search), text)][: _SHOWN + 1]
    lines = ", ".join(str(text.count("\n", 0, start) + 1) for start in starts[:_SHOWN])
    more = " and more" if len(starts) > _SHOWN else ""
    return (
        f"search stands in {path} more than once, at lines {lines}{more}; "
        "add lines before or after it, so that it is found once"
    )


def _not_found(path: ConfinedPath, text: str, search: str) -> str:
    """What is wrong, with the place that looks most like what was searched."""
    message = f"search does not stand in {path}"
    lines = lines_of(masked_lines(text))
    wanted = [line.strip() for line in lines_of(search) if line.strip()]
    if not wanted:
        return message
    if loose := _same_but_for_spaces(lines, wanted):
        return f"{message} with these spaces; lines {loose} hold it with others:\n" + "\n".join(
            shortened(line) for line in lines[loose - 1 : loose - 1 + len(wanted)]
        )
    best, at = 0.0, 0
    matcher = SequenceMatcher(autojunk=False)
    matcher.set_seq2(wanted[0][:200])
    for number, line in enumerate(lines[:20_000]):
        matcher.set_seq1(line.strip()[:200])
        if matcher.real_quick_ratio() > best and matcher.quick_ratio() > best:
            best, at = max((best, at), (matcher.ratio(), number))
    if best < _NEAR:
        return f"{message}; read the file and copy the text from it"
    return f"{message}; the nearest is line {at + 1}:\n{shortened(lines[at])}"


def _same_but_for_spaces(lines: list[str], wanted: list[str]) -> int | None:
    """The first line, from 1, where the lines stand with other white space at their ends."""
    stripped = [line.strip() for line in lines]
    for start in range(len(stripped) - len(wanted) + 1):
        if stripped[start : start + len(wanted)] == wanted:
            return start + 1
    return None
