"""Documents: a mutable holder for the event loop, and frozen snapshots for everybody else."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from quillon.context.tree import ANEW_BYTES, Tree, parsed, settled
from quillon.text import Change, Edit, Encoding, LineIndex, Span, joined, resolve_changes
from quillon_tools.languages import Language, language_of

MAX_TREE_CHARACTERS = 2_000_000
# A question about a large text does not wait longer for a reparse: an unclosed bracket can make
# tree-sitter read all of the rest of the file anew.
_PATIENCE = 0.008  # seconds


class _Latest:
    """The last tree of a document, from which the next is made."""

    __slots__ = ("tree",)

    def __init__(self) -> None:
        self.tree: Tree | None = None


class _Parse:
    """The tree of one version, made when first asked for.

    Two threads that ask at once both parse, and either result is right.
    """

    __slots__ = ("_done", "_latest", "_tree", "language", "text")

    def __init__(self, text: str, language: Language | None, latest: _Latest) -> None:
        self.text = text
        self.language = language
        self._latest = latest
        self._tree: Tree | None = None
        self._done = language is None or len(text) > MAX_TREE_CHARACTERS

    def tree(self) -> Tree | None:
        if not self._done and self.language is not None:
            patience = _PATIENCE if len(self.text) > ANEW_BYTES else None
            tree = parsed(self.text, self.language, self._latest.tree, patience=patience)
            self._keep(tree)
        return self._tree

    def settled(self) -> Tree | None:
        tree = self.tree()
        if tree is not None and tree.provisional:
            self._keep(settled(tree))
        return self._tree

    def is_ready(self) -> bool:
        return self._done and (self._tree is None or not self._tree.provisional)

    def _keep(self, tree: Tree | None) -> None:
        self._tree = tree
        self._done = True
        if tree is not None:
            self._latest.tree = tree


class DocumentSnapshot(msgspec.Struct, frozen=True, eq=False):
    """One document as it was at one moment; it stays valid whatever the editor does next.

    `revision` counts the changes that this session saw and only rises; `version` is the editor's
    own number, to be sent back with edits. `path` is None where the URI names no file.
    """

    uri: str
    path: Path | None
    language_id: str
    version: int
    revision: int
    text: str
    lines: LineIndex
    parse: _Parse

    @property
    def language(self) -> Language | None:
        """The language, by the editor's id, else by the file's name; None: not one we parse."""
        return self.parse.language

    @property
    def tree(self) -> Tree | None:
        """The syntax tree, parsed when first asked for.

        Equal to a fresh parse, or marked `provisional`. None where there is no grammar for the
        language or the text is longer than `MAX_TREE_CHARACTERS`.
        """
        return self.parse.tree()

    @property
    def is_parsed(self) -> bool:
        """Whether `settled` costs nothing."""
        return self.parse.is_ready()

    def settled(self) -> Tree | None:
        """The tree, equal to a fresh parse. May take long on a large text: call it in a thread."""
        return self.parse.settled()

    def line_text(self, line: int) -> str:
        """A line without its end."""
        return self.lines.line_text(line)

    def full_span(self) -> Span:
        """The span of the whole text."""
        return Span(0, len(self.text))


def snapshot_of(
    uri: str, text: str, *, language_id: str = "", path: Path | None = None, version: int = 0
) -> DocumentSnapshot:
    """A snapshot of a text that no editor has open: a file read from disk, or a test's source."""
    return Document(uri, path, language_id, version, text).snapshot()


class Document:
    """An open document: its text after every change, on the event loop only."""

    __slots__ = ("_latest", "_snapshot")

    def __init__(
        self, uri: str, path: Path | None, language_id: str, version: int, text: str
    ) -> None:
        self._latest = _Latest()
        text = joined(text)
        self._snapshot = DocumentSnapshot(
            uri=uri,
            path=path,
            language_id=language_id,
            version=version,
            revision=0,
            text=text,
            lines=LineIndex(text),
            parse=_Parse(text, _language(language_id, path), self._latest),
        )

    def snapshot(self) -> DocumentSnapshot:
        """The document as it is now."""
        return self._snapshot

    def change(self, version: int, changes: Sequence[Change], encoding: Encoding) -> Span:
        """Apply the changes in order; the span, in the new text, that holds all of them."""
        old = self._snapshot
        lines, edits = resolve_changes(old.lines, changes, encoding)
        self._snapshot = msgspec.structs.replace(
            old,
            version=version,
            revision=old.revision + 1,
            text=lines.text,
            lines=lines,
            parse=_Parse(lines.text, old.language, self._latest),
        )
        return touched(edits, len(lines.text))


def touched(edits: Sequence[Edit], length: int) -> Span:
    """The span of the final text, `length` long, that holds what all edits in order changed."""
    start, end = length, 0
    for edit in edits:
        start = min(start, edit.span.start)
        end = max(end, edit.span.end) + len(edit.text) - len(edit.span)
    return Span(min(start, length), max(min(end, length), min(start, length)))


def _language(language_id: str, path: Path | None) -> Language | None:
    if not language_id:
        return language_of(path) if path is not None else None
    found = language_of(language_id)  # some editors join ids, as in `python.django`
    return found or next(
        (lang for part in language_id.split(".") if (lang := language_of(part))), None
    )
