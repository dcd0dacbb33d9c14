"""Parts of other open files that help to write in this one.

A part is chosen by what the file imports, where the user was, and which names both share. What was
chosen stays, in its order, until the cursor is somewhere else: new parts are appended, so that
what a model remembers of the prompt before them stays valid.
"""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from quillon.context.definitions import imports_region
from quillon.context.document import DocumentSnapshot
from quillon.context.recent import Visit
from quillon.text import Span, encodable
from quillon_tools.secret_files import secret_part

CHUNK = 32  # lines
_NEAR = 24  # lines around the cursor that say what is being written about
_LARGEST = 200_000  # characters of a file that is looked at
_NAME = re.compile(r"[A-Za-z_]\w{2,}")


class Neighbour(msgspec.Struct, frozen=True):
    """Another document, and when the user was there."""

    snapshot: DocumentSnapshot
    visit: Visit | None = None


class Snippet(msgspec.Struct, frozen=True):
    """Lines of another file; `path` is relative to the workspace, with forward slashes."""

    path: str
    text: str
    span: Span
    uri: str
    revision: int
    score: float


def relative_path(path: Path | None, roots: Sequence[Path]) -> str | None:
    """A path as the model sees it: from the root that holds it, else the bare name."""
    if path is None:
        return None
    inside = [root for root in roots if path.is_relative_to(root)]
    if not inside:
        return path.name
    root = max(inside, key=lambda one: len(one.parts))
    return path.relative_to(root).as_posix()


def is_private(path: Path | None) -> bool:
    """Whether a file may hold secrets, and therefore is in no prompt that it was not named for."""
    return path is not None and secret_part(path.parts) is not None


def names_in(text: str) -> frozenset[str]:
    """The identifiers of a text, three letters or longer."""
    return frozenset(_NAME.findall(text))


def jaccard(one: frozenset[str], other: frozenset[str]) -> float:
    """The share of names that two sets have in common: 0 to 1."""
    if not one or not other:
        return 0.0
    return len(one & other) / len(one | other)


def choose(
    snapshot: DocumentSnapshot,
    offset: int,
    neighbours: Iterable[Neighbour],
    roots: Sequence[Path],
    most: int,
) -> list[Snippet]:
    """The best part of each neighbour that has one, the best first, at most `most`."""
    lines = snapshot.lines
    line = lines.line_of(offset)
    near = Span(lines.line_start(max(0, line - _NEAR)), lines.line_start(line + _NEAR))
    local = names_in(near.cut(snapshot.text))
    imports = imports_region(snapshot).cut(snapshot.text)
    found = [
        snippet
        for neighbour in neighbours
        if (snippet := _best_part(snapshot, neighbour, local, imports, roots)) is not None
    ]
    found.sort(key=lambda snippet: (-snippet.score, snippet.path))
    return found[:most]


def _best_part(
    snapshot: DocumentSnapshot,
    neighbour: Neighbour,
    local: frozenset[str],
    imports: str,
    roots: Sequence[Path],
) -> Snippet | None:
    other = neighbour.snapshot
    path = relative_path(other.path, roots)
    if other.uri == snapshot.uri or path is None or is_private(other.path):
        return None
    if not other.text.strip() or len(other.text) > _LARGEST:
        return None
    overlap, span = max(
        ((jaccard(local, names_in(span.cut(other.text))), span) for span in _chunks(other)),
        key=lambda pair: pair[0],
    )
    score = 4 * overlap + _kinship(snapshot, neighbour, imports)
    if score <= 0:
        return None
    text = encodable(span.cut(other.text))
    return Snippet(path, text, span, other.uri, other.revision, score)


def _chunks(snapshot: DocumentSnapshot) -> list[Span]:
    lines = snapshot.lines
    if lines.line_count <= CHUNK * 3 // 2:
        return [snapshot.full_span()]
    return [
        Span(lines.line_start(first), lines.line_start(first + CHUNK))
        for first in range(0, lines.line_count, CHUNK)
    ]


def _kinship(snapshot: DocumentSnapshot, neighbour: Neighbour, imports: str) -> float:
    """What speaks for a file apart from its text: imports, place, language, recent edits."""
    other = neighbour.snapshot
    score = 0.0
    if other.path is not None and _imported(other.path, imports):
        score += 2
    if other.path is not None and snapshot.path is not None:
        score += 0.3 * (other.path.parent == snapshot.path.parent)
    if other.language_id != snapshot.language_id:
        score -= 0.5
    if neighbour.visit is not None and neighbour.visit.edits:
        score += 0.5
    return score


def _imported(path: Path, imports: str) -> bool:
    """Whether an import names the file, or its folder where the file stands for the folder."""
    stem = path.parent.name if path.stem in ("__init__", "index", "mod", "lib") else path.stem
    return bool(stem) and re.search(rf"(?<!\w){re.escape(stem)}(?!\w)", imports) is not None
