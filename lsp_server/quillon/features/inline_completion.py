"""`textDocument/inlineCompletion`: ghost text.

Never an error and always a range: an editor shows an error as a message at every keystroke, and
one that gets no range may guess it wrong. Why there is nothing is told by the status.
"""

import logging

from lsprotocol import types as lsp

from quillon import convert
from quillon.assist.inline_place import Query, Selected
from quillon.assist.inline_reason import NoSuggestion, Nothing
from quillon.assist.suggestion import Suggestion
from quillon.context.document import DocumentSnapshot
from quillon.engine.base import EngineError
from quillon.rpc import QuillonServer
from quillon.text import Encoding

logger = logging.getLogger(__name__)


def register(server: QuillonServer) -> None:
    """Register the request."""

    @server.feature(lsp.TEXT_DOCUMENT_INLINE_COMPLETION, lsp.InlineCompletionOptions())
    async def inline_completion(
        ls: QuillonServer, params: lsp.InlineCompletionParams
    ) -> lsp.InlineCompletionList:
        snapshot = ls.asked_about(params.text_document.uri)
        if snapshot is None:
            ls.report_no_suggestion(NoSuggestion.NOT_OPEN.value)
            return lsp.InlineCompletionList([])
        if not ls.session.is_current(snapshot):  # typed on meanwhile: nobody needs it any more
            return lsp.InlineCompletionList(_items(ls, snapshot, Nothing(NoSuggestion.CHANGED)))
        query = _query(ls, snapshot, params)
        ls.session.visit(snapshot, query.cursor)
        try:
            answer = await ls.suggester.suggest(query, ls.engine, ls.session.settings.inline)
        except EngineError as error:  # the settings name no engine that could be opened
            answer = Nothing(NoSuggestion.NO_MODEL, str(error))
        except Exception as error:  # whatever failed, typing goes on undisturbed
            logger.exception("No suggestion because of a defect")
            answer = Nothing(NoSuggestion.ENGINE_FAILED, f"({type(error).__name__})")
        return lsp.InlineCompletionList(_items(ls, snapshot, answer))


def _query(
    ls: QuillonServer, snapshot: DocumentSnapshot, params: lsp.InlineCompletionParams
) -> Query:
    encoding = ls.session.client.encoding
    cursor = convert.offset_from_lsp(snapshot.lines, params.position, encoding)
    invoked = params.context.trigger_kind is lsp.InlineCompletionTriggerKind.Invoked
    selected = _selected(snapshot, cursor, params.context.selected_completion_info, encoding)
    others = ls.session.neighbours(snapshot)
    return Query(snapshot, cursor, invoked, selected, others, ls.session.roots)


def _selected(
    snapshot: DocumentSnapshot,
    cursor: int,
    info: lsp.SelectedCompletionInfo | None,
    encoding: Encoding,
) -> Selected | None:
    """The selected entry of the completion list, where it is about the text at the cursor."""
    if info is None:
        return None
    span = convert.span_from_lsp(snapshot.lines, info.range, encoding)
    one_line = snapshot.lines.line_of(span.start) == snapshot.lines.line_of(span.end)
    return Selected(span, info.text) if one_line and span.contains(cursor) else None


def _items(
    ls: QuillonServer, snapshot: DocumentSnapshot, answer: Suggestion | Nothing
) -> list[lsp.InlineCompletionItem]:
    """The items of an answer; notes the reason where there are none."""
    if isinstance(answer, Nothing):
        # Another request has the word now; it reports what came of it.
        if answer.reason is not NoSuggestion.SUPERSEDED:
            ls.report_no_suggestion(answer.sentence)
        return []
    if not ls.session.is_current(snapshot):
        ls.report_no_suggestion(NoSuggestion.CHANGED.value)
        return []
    ls.report_suggestion(echoed=answer.echoed)
    range_ = convert.range_to_lsp(snapshot.lines, answer.span, ls.session.client.encoding)
    return [lsp.InlineCompletionItem(insert_text=answer.text, range=range_)]
