"""Where a suggestion is asked for: a cursor in a document, and what stands around it."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from quillon.assist.suggestion import Surroundings
from quillon.context.document import DocumentSnapshot, snapshot_of
from quillon.context.neighbours import Neighbour
from quillon.text import Span

_LINES_BELOW = 3
_LOOK_AROUND = 50  # lines searched for one that is not blank


class Selected(msgspec.Struct, frozen=True):
    """The entry that is selected in the editor's completion list: the text it would put there."""

    span: Span
    text: str


class Query(msgspec.Struct, frozen=True, eq=False):
    """A cursor in a document. `invoked`: the user asked for a suggestion, by a key.

    `neighbours` are the other open documents, `roots` the folders of the workspace.
    """

    snapshot: DocumentSnapshot
    cursor: int
    invoked: bool = False
    selected: Selected | None = None
    neighbours: Sequence[Neighbour] = ()
    roots: Sequence[Path] = ()


class Place(msgspec.Struct, frozen=True, eq=False):
    """Where the model writes: the document as it would be with the selected entry put in."""

    snapshot: DocumentSnapshot
    cursor: int
    around: Surroundings

    @property
    def text(self) -> str:
        """The text of that document."""
        return self.snapshot.text


def place_of(query: Query) -> Place:
    """Where the model writes, and what stands around."""
    snapshot, cursor = query.snapshot, query.cursor
    if (selected := query.selected) is not None:
        text = snapshot.text
        snapshot = snapshot_of(
            snapshot.uri,
            text[: selected.span.start] + selected.text + text[selected.span.end :],
            language_id=snapshot.language_id,
            path=snapshot.path,
            version=snapshot.version,
        )
        cursor = selected.span.start + len(selected.text)
    return Place(snapshot, cursor, _surroundings(snapshot, cursor))


def _surroundings(snapshot: DocumentSnapshot, cursor: int) -> Surroundings:
    lines, text = snapshot.lines, snapshot.text
    line = lines.line_of(cursor)
    span = lines.line_span(line)
    above = (lines.line_text(n) for n in range(line - 1, max(-1, line - _LOOK_AROUND), -1))
    last = min(lines.line_count, line + _LOOK_AROUND)
    below = [shown for n in range(line + 1, last) if (shown := lines.line_text(n)).strip()]
    return Surroundings(
        before=text[span.start : cursor],
        after=text[cursor : span.end],
        above=next((shown for shown in above if shown.strip()), ""),
        below=tuple(below[:_LINES_BELOW]),
    )
