"""The session with one editor: all state that changes, on the event loop only.

Whoever computes takes a frozen snapshot and asks, after each await, whether it `is_current`.
"""

import logging
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from quillon.capabilities import ClientCapabilities
from quillon.context.diagnostics import Diagnostic
from quillon.context.document import Document, DocumentSnapshot
from quillon.context.neighbours import Neighbour
from quillon.context.recent import Recent, Visit
from quillon.settings import Settings
from quillon.text import Change, Span
from quillon.uri import path_of_uri, uri_key
from quillon_tools.workspace import Problem

logger = logging.getLogger(__name__)

Listener = Callable[[DocumentSnapshot], None]


class Session:
    """Open documents, settings, what the client can do, and where the user was."""

    def __init__(
        self,
        settings: Settings | None = None,
        client: ClientCapabilities | None = None,
        roots: Sequence[Path] = (),
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.settings = settings or Settings()
        self.client = client or ClientCapabilities()
        self.roots: tuple[Path, ...] = tuple(roots)
        # Whether the user vouches for the workspace; only a client that knows says no.
        self.trusted = True
        self._clock = clock
        self._documents: dict[str, Document] = {}
        self._by_path: dict[Path, str] = {}
        self._reported: dict[str, tuple[str, tuple[Diagnostic, ...]]] = {}
        self._noted: dict[str, tuple[DocumentSnapshot, tuple[Diagnostic, ...]]] = {}
        self._recent = Recent()
        self._listeners: list[Listener] = []

    # Documents

    def open(self, uri: str, language_id: str, version: int, text: str) -> DocumentSnapshot:
        """A document was opened. Opened again without a close, it has the new text."""
        key, path = uri_key(uri), path_of_uri(uri)
        if key in self._documents:
            logger.warning("%s was opened twice; the later text counts", uri)
        document = Document(uri, path, language_id, version, text)
        self._documents[key] = document
        if path is not None:
            self._by_path[path] = key
        self._recent.visit(key, Span(0, 0), self._clock())
        return self._tell(document.snapshot())

    def change(self, uri: str, version: int, changes: Sequence[Change]) -> DocumentSnapshot | None:
        """Apply an editor's changes; None where the document is not open.

        The editor owns the text, so a version that does not rise is noted and the changes count.
        """
        document = self._documents.get(uri_key(uri))
        if document is None:
            logger.warning("%s was changed but is not open; the change is ignored", uri)
            return None
        before = document.snapshot().version
        if version <= before:
            logger.warning("%s went from version %d to %d", uri, before, version)
        span = document.change(version, changes, self.client.encoding)
        self._recent.edit(uri_key(uri), span, self._clock())
        return self._tell(document.snapshot())

    def close(self, uri: str) -> None:
        """A document was closed: its text is on disk again. Unknown documents are no error."""
        key = uri_key(uri)
        document = self._documents.pop(key, None)
        if document is None:
            logger.warning("%s was closed but is not open", uri)
            return
        self._noted.pop(key, None)
        path = document.snapshot().path
        if path is not None and self._by_path.get(path) == key:
            del self._by_path[path]

    def snapshot(self, uri: str) -> DocumentSnapshot | None:
        """The document as it is now; None where it is not open."""
        document = self._documents.get(uri_key(uri))
        return None if document is None else document.snapshot()

    def snapshots(self) -> tuple[DocumentSnapshot, ...]:
        """All open documents, in the order in which they were opened."""
        return tuple(document.snapshot() for document in self._documents.values())

    def is_current(self, snapshot: DocumentSnapshot) -> bool:
        """Whether the document is still as the snapshot has it."""
        return self.snapshot(snapshot.uri) is snapshot

    def listen(self, listener: Listener) -> None:
        """Call `listener` with the new snapshot whenever a document was opened or changed."""
        self._listeners.append(listener)

    def _tell(self, snapshot: DocumentSnapshot) -> DocumentSnapshot:
        for listener in self._listeners:
            listener(snapshot)
        return snapshot

    # Where the user was

    def visit(self, snapshot: DocumentSnapshot, offset: int) -> None:
        """The user's cursor was seen at a place."""
        self._recent.visit(uri_key(snapshot.uri), Span(offset, offset), self._clock())

    def recent(self) -> tuple[Visit, ...]:
        """The documents the user was in, the latest first; closed ones included."""
        return self._recent.latest()

    def neighbours(self, snapshot: DocumentSnapshot) -> tuple[Neighbour, ...]:
        """The other open documents with the user's visits, the latest visited first."""
        visits = {visit.uri: visit for visit in self.recent()}
        own = uri_key(snapshot.uri)
        ordered = sorted(
            (key for key in self._documents if key != own),
            key=lambda key: -visits[key].order if key in visits else 0,
        )
        return tuple(Neighbour(self._documents[key].snapshot(), visits.get(key)) for key in ordered)

    # Diagnostics

    def set_diagnostics(self, uri: str, diagnostics: Sequence[Diagnostic]) -> None:
        """Replace the problems of a document; a server hears only what clients pass on."""
        if diagnostics:
            self._reported[uri_key(uri)] = (uri, tuple(diagnostics))
        else:
            self._reported.pop(uri_key(uri), None)

    def note_diagnostics(
        self, snapshot: DocumentSnapshot, diagnostics: Sequence[Diagnostic]
    ) -> None:
        """Keep problems that a request named in passing, until the document changes."""
        key = uri_key(snapshot.uri)
        before = self._noted.get(key)
        known = before[1] if before is not None and before[0] is snapshot else ()
        self._noted[key] = (snapshot, tuple(dict.fromkeys((*known, *diagnostics))))

    def diagnostics(self, uri: str) -> tuple[Diagnostic, ...]:
        """The known problems of a document."""
        key = uri_key(uri)
        found = list(self._reported.get(key, (uri, ()))[1])
        noted = self._noted.get(key)
        if noted is not None and self.is_current(noted[0]):
            found += noted[1]
        return tuple(dict.fromkeys(found))

    # `Buffers` and `Diagnostics` of the tools' workspace. Tools run in threads: these only read,
    # and what they read is replaced as a whole, never changed.

    def text_of(self, path: Path) -> str | None:
        """The text of an open file, as the editor has it; None where the file is not open."""
        snapshot = self._open_file(path)
        return None if snapshot is None else snapshot.text

    def open_paths(self) -> tuple[Path, ...]:
        """The files that are open."""
        return tuple(self._by_path)

    def version_of(self, path: Path) -> int | None:
        """The editor's version of an open file; None where the file is not open."""
        snapshot = self._open_file(path)
        return None if snapshot is None else snapshot.version

    def problems(self, path: Path | None) -> Sequence[Problem]:
        """The known problems of one file, or with None of every file."""
        found = []
        uris = {key: uri for key, (uri, _) in list(self._reported.items())}
        uris |= {key: snapshot.uri for key, (snapshot, _) in list(self._noted.items())}
        for uri in uris.values():
            where = path_of_uri(uri)
            if where is not None and path in (None, where):
                found += [_problem(where, one) for one in self.diagnostics(uri)]
        return found

    def _open_file(self, path: Path) -> DocumentSnapshot | None:
        key = self._by_path.get(path)
        document = self._documents.get(key) if key is not None else None
        return None if document is None else document.snapshot()


def _problem(path: Path, one: Diagnostic) -> Problem:
    return Problem(
        path=path,
        line=one.first_line + 1,
        column=one.column + 1,
        severity=one.severity,
        message=one.message,
        source=one.source,
    )
