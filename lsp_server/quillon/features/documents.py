"""Documents: opened, changed and closed by the editor, kept by the session.

pygls keeps a copy of every text of its own. It splits lines where the protocol does not (form
feeds, U+2028) and copies the whole text line by line for each keystroke. `register` puts our
handlers in the place of its built-in ones, so that the session's text is the only one:
`server.workspace` knows no documents, and nobody may ask it for one.
"""

import asyncio
from concurrent.futures import Executor

from lsprotocol import types as lsp

from quillon import protocol
from quillon.convert import change_from_lsp, diagnostics_from_lsp
from quillon.rpc import QuillonServer, guarded
from quillon.session import Session

_PARSE_DELAY = 0.05  # seconds of silence before a thread parses what was typed
_PARSE_AHEAD = 16_000  # characters; shorter texts are parsed when somebody asks


def register(server: QuillonServer) -> None:
    """Register document synchronisation and the diagnostics that clients pass on."""
    session = server.session
    ahead = ParseAhead(session, server.thread_pool)

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


class ParseAhead:
    """Parses documents in a thread, so that whoever asks for a tree finds it."""

    def __init__(self, session: Session, pool: Executor) -> None:
        self._session = session
        self._pool = pool
        self._due: dict[str, float] = {}
        self.tasks: dict[str, asyncio.Task[None]] = {}

    def parse(self, uri: str, delay: float) -> None:
        """Parse the document as it is after `delay` seconds without another call for it."""
        self._due[uri] = asyncio.get_running_loop().time() + delay
        if uri not in self.tasks:
            self.tasks[uri] = asyncio.create_task(self._run(uri))

    async def _run(self, uri: str) -> None:
        loop = asyncio.get_running_loop()
        try:
            snapshot = None
            while snapshot is None or not self._session.is_current(snapshot):
                while (wait := self._due[uri] - loop.time()) > 0:  # noqa: ASYNC110 - it moves on
                    await asyncio.sleep(wait)
                snapshot = self._session.snapshot(uri)
                if snapshot is None or snapshot.is_parsed:
                    return
                await loop.run_in_executor(self._pool, snapshot.settled)
        finally:
            del self.tasks[uri], self._due[uri]
