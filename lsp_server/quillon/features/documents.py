"""Documents: opened, changed and closed by the editor, kept by the session.

pygls keeps a copy of every text of its own. It splits lines where the protocol does not (form
feeds, U+2028) and copies the whole text line by line for each keystroke. `register` puts our
handlers in the place of its built-in ones, so that the session's text is the only one:
`server.workspace` knows no documents, and nobody may ask it for one.
"""

import asyncio

from lsprotocol import types as lsp

from quillon import protocol
from quillon.context.document import DocumentSnapshot
from quillon.context.tree import Tree
from quillon.convert import change_from_lsp, diagnostics_from_lsp
from quillon.rpc import QuillonServer, guarded

_PARSE_DELAY = 0.05  # seconds of silence before a thread parses what was typed
_PARSE_AHEAD = 16_000  # characters; shorter texts are parsed when somebody asks


def register(server: QuillonServer) -> None:
    """Register document synchronisation and the diagnostics that clients pass on."""
    session = server.session
    ahead = _Ahead(server)

    def did_open(params: lsp.DidOpenTextDocumentParams) -> None:
        document = params.text_document
        session.open(document.uri, document.language_id, document.version, document.text)
        ahead.parse(document.uri, 0)

    def did_change(params: lsp.DidChangeTextDocumentParams) -> None:
        document = params.text_document
        changes = [change_from_lsp(event) for event in params.content_changes]
        snapshot = session.change(document.uri, document.version, changes)
        if snapshot is not None and len(snapshot.text) > _PARSE_AHEAD:
            ahead.parse(document.uri, _PARSE_DELAY)

    def did_close(params: lsp.DidCloseTextDocumentParams) -> None:
        session.close(params.text_document.uri)

    builtin = server.protocol.fm.add_builtin_feature
    builtin(lsp.TEXT_DOCUMENT_DID_OPEN, guarded(did_open))
    builtin(lsp.TEXT_DOCUMENT_DID_CHANGE, guarded(did_change))
    builtin(lsp.TEXT_DOCUMENT_DID_CLOSE, guarded(did_close))

    @server.feature(protocol.DIAGNOSTICS)
    def diagnostics(ls: QuillonServer, params: protocol.DiagnosticsParams) -> None:
        snapshot = ls.session.snapshot(params.uri)
        lines = snapshot.lines if snapshot is not None else None
        found = diagnostics_from_lsp(lines, params.diagnostics, ls.session.client.encoding)
        ls.session.set_diagnostics(params.uri, found)


class _Ahead:
    """Parses large texts in a thread, so that whoever asks for a tree finds it."""

    def __init__(self, server: QuillonServer) -> None:
        self._server = server
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._running: set[str] = set()

    def parse(self, uri: str, delay: float) -> None:
        """Parse the document as it is after `delay` seconds without another call for it."""
        if (timer := self._timers.pop(uri, None)) is not None:
            timer.cancel()
        self._timers[uri] = asyncio.get_running_loop().call_later(delay, self._start, uri)

    def _start(self, uri: str) -> None:
        del self._timers[uri]
        snapshot = self._server.session.snapshot(uri)
        if snapshot is None or snapshot.is_parsed or uri in self._running:
            return
        self._running.add(uri)
        done = asyncio.get_running_loop().run_in_executor(
            self._server.thread_pool, snapshot.settled
        )
        done.add_done_callback(lambda parse: self._finished(snapshot, parse))

    def _finished(self, snapshot: DocumentSnapshot, parse: asyncio.Future[Tree | None]) -> None:
        self._running.discard(snapshot.uri)
        if parse.cancelled() or parse.exception() is not None:
            return  # the server is leaving, or whoever asks for the tree meets the same error
        if not self._server.session.is_current(snapshot) and snapshot.uri not in self._timers:
            self._start_again(snapshot.uri)

    def _start_again(self, uri: str) -> None:
        if self._server.session.snapshot(uri) is not None:
            self.parse(uri, _PARSE_DELAY)
