"""Whether the files of a proposal still are what it was made for.

Between the proposal and the click that applies it, a file may be saved, formatted or checked out
anew. An open document has a version to compare; a file on disk has nothing but its text.
"""

import hashlib
from collections.abc import Iterable
from pathlib import Path

import msgspec

from quillon_tools.calls import Proposal, ToolError
from quillon_tools.visible import visible
from quillon_tools.workspace import Workspace


class Expected(msgspec.Struct, frozen=True):
    """A file and the digest of its text; None: there must be no such file yet."""

    path: Path
    digest: str | None


def digest_of(text: str) -> str:
    """What tells a text from every other one."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def expected(proposal: Proposal) -> tuple[Expected, ...]:
    """What the files of a proposal have to be when it is applied."""
    return tuple(
        Expected(Path(file.path), None if file.create else digest_of(file.before))
        for file in proposal.files
    )


def changed_since(workspace: Workspace, files: Iterable[Expected]) -> str | None:
    """A sentence on the first file that is not as expected, open documents before the disk.

    None where all are. Reads files, so call it from a thread.
    """
    for file in files:
        if (problem := _problem(workspace, file)) is not None:
            return problem
    return None


def _problem(workspace: Workspace, file: Expected) -> str | None:
    name = visible(str(file.path))
    place = workspace.locate(file.path)
    if place is None:
        return f"{name} is not in the workspace any more."
    if file.digest is None:
        exists = place.real.exists() or workspace.open_text(place) is not None
        return f"{name} exists by now. Ask again." if exists else None
    try:
        text = workspace.read_text(place).text
    except ToolError as error:
        return f"{name} cannot be read any more: {error}. Ask again."
    same = digest_of(text) == file.digest
    return None if same else f"{name} has changed since this was proposed. Ask again."
