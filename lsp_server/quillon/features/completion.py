"""`textDocument/completion`: the suggestion as an entry of the completion list.

For editors without inline completion, and off unless `quillon.inline.asCompletion` is set.
"""

import logging

from lsprotocol import types as lsp

from quillon import convert
from quillon.assist.inline_place import Query
from quillon.assist.inline_reason import NoSuggestion, Nothing
from quillon.assist.suggestion import Suggestion
from quillon.context.document import DocumentSnapshot
from quillon.engine.base import EngineError
from quillon.rpc import QuillonServer
from quillon.text import Span

logger = logging.getLogger(__name__)

_LABEL_LENGTH = 60  # characters


def register(server: QuillonServer) -> None:
    """Register the request; it is answered with null while the setting is off."""

    @server.feature(lsp.TEXT_DOCUMENT_COMPLETION)
    async def completion(
        ls: QuillonServer, params: lsp.CompletionParams
    ) -> lsp.CompletionList | None:
        snapshot = ls.asked_about(params.text_document.uri)
        settings = ls.session.settings.inline
        if not settings.as_completion:
            return None
        if snapshot is None:
            ls.report_no_suggestion(NoSuggestion.NOT_OPEN.value)
            return None
        if not ls.session.is_current(snapshot):  # typed on meanwhile: the editor asks again
            ls.report_no_suggestion(NoSuggestion.CHANGED.value)
            return lsp.CompletionList(is_incomplete=True, items=[])
        encoding = ls.session.client.encoding
        cursor = convert.offset_from_lsp(snapshot.lines, params.position, encoding)
        others = ls.session.neighbours(snapshot)
        # Editors say "invoked" for every typed letter, so nothing shows whether the user asked.
        query = Query(snapshot, cursor, neighbours=others, roots=ls.session.roots)
        try:
            answer = await ls.suggester.suggest(query, ls.engine, settings)
        except EngineError as error:  # the settings name no engine that could be opened
            answer = Nothing(NoSuggestion.NO_MODEL, str(error))
        except Exception as error:  # whatever failed, typing goes on undisturbed
            logger.exception("No suggestion because of a defect")
            answer = Nothing(NoSuggestion.ENGINE_FAILED, f"({type(error).__name__})")
        if isinstance(answer, Nothing):
            if answer.reason is not NoSuggestion.SUPERSEDED:
                ls.report_no_suggestion(answer.sentence)
            return lsp.CompletionList(is_incomplete=True, items=[])
        ls.report_suggestion(echoed=answer.echoed)
        return lsp.CompletionList(is_incomplete=True, items=[_item(ls, snapshot, answer)])


def _item(
    ls: QuillonServer, snapshot: DocumentSnapshot, suggestion: Suggestion
) -> lsp.CompletionItem:
    """An entry that replaces the word before the cursor too: by that word editors filter."""
    text = snapshot.text
    start = suggestion.span.start
    while start > 0 and (text[start - 1].isalnum() or text[start - 1] == "_"):
        start -= 1
    whole = text[start : suggestion.span.start] + suggestion.text
    first = whole.lstrip("\n").split("\n", 1)[0].strip() or whole.strip().split("\n", 1)[0]
    label = first if len(first) <= _LABEL_LENGTH else f"{first[: _LABEL_LENGTH - 1]}…"
    span = Span(start, suggestion.span.end)
    range_ = convert.range_to_lsp(snapshot.lines, span, ls.session.client.encoding)
    language = snapshot.language.id if snapshot.language is not None else ""
    return lsp.CompletionItem(
        label=label,
        kind=lsp.CompletionItemKind.Snippet,
        detail="Quillon",
        documentation=lsp.MarkupContent(
            lsp.MarkupKind.Markdown, f"```{language}\n{whole.strip()}\n```"
        ),
        filter_text=whole.split("\n", 1)[0],
        sort_text="\uffff",  # behind what language servers know for certain
        insert_text_format=lsp.InsertTextFormat.PlainText,
        insert_text_mode=lsp.InsertTextMode.AsIs,
        text_edit=lsp.TextEdit(range_, whole),
    )
