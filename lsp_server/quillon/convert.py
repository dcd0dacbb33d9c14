"""The Language Server Protocol's types to ours and back.

Positions are in the encoding that was negotiated; texts that go out have the document's line
ends; edits carry the document version wherever the client takes one.
"""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import msgspec
from cattrs import Converter
from lsprotocol import types as lsp
from lsprotocol.converters import get_converter
from pygls.capabilities import ServerCapabilitiesBuilder, get_capability

from quillon.capabilities import ClientCapabilities
from quillon.context.diagnostics import Diagnostic, Severity
from quillon.context.document import DocumentSnapshot
from quillon.text import (
    Change,
    Edit,
    Encoding,
    LineIndex,
    Position,
    Span,
    line_end_of,
    with_line_ends,
)
from quillon.uri import path_of_uri, uri_of_path
from quillon_tools.calls import FileEdit, Proposal

_ENCODINGS: dict[str, Encoding] = {"utf-8": "utf-8", "utf-16": "utf-16", "utf-32": "utf-32"}
_SEVERITIES: dict[int, Severity] = {1: "error", 2: "warning", 3: "information", 4: "hint"}
_ANNOTATION = "quillon"


class _WirePosition(Protocol):
    """A position as it came: the protocol's, or that of one of our own messages."""

    @property
    def line(self) -> int: ...
    @property
    def character(self) -> int: ...


class _WireRange(Protocol):
    """A range as it came."""

    @property
    def start(self) -> _WirePosition: ...
    @property
    def end(self) -> _WirePosition: ...


class _WireDiagnostic(Protocol):
    """A problem as it came."""

    @property
    def range(self) -> _WireRange: ...
    @property
    def message(self) -> str: ...
    @property
    def severity(self) -> int | None: ...
    @property
    def code(self) -> int | str | None: ...
    @property
    def source(self) -> str | None: ...


class Outdated(Exception):  # noqa: N818 - what happened to the text, not a failure of ours
    """A document is not what an edit was made for any more; the message is for people."""


class Documents(Protocol):
    """What is open in the editor, and what the editor can do: a session."""

    client: ClientCapabilities

    def snapshot(self, uri: str) -> DocumentSnapshot | None:
        """The open document, or None."""
        ...


class DocumentEdit(msgspec.Struct, frozen=True):
    """Edits of one document, in offsets of `text`, which is the text that they were made for.

    `version` is None for a file that is not open. `create` makes the file first.
    """

    uri: str
    text: str
    edits: tuple[Edit, ...]
    version: int | None = None
    create: bool = False


# Positions and ranges


def position_from_lsp(position: _WirePosition) -> Position:
    """A position as it came."""
    return Position(position.line, position.character)


def position_to_lsp(position: Position) -> lsp.Position:
    """A position as it goes out."""
    return lsp.Position(position.line, position.character)


def offset_from_lsp(lines: LineIndex, position: _WirePosition, encoding: Encoding) -> int:
    """The code-point offset of a position; one outside the text is its nearest place."""
    return lines.offset(position_from_lsp(position), encoding)


def span_from_lsp(lines: LineIndex, range_: _WireRange, encoding: Encoding) -> Span:
    """What a range covers; one given backwards is turned round."""
    first, last = sorted(
        (
            offset_from_lsp(lines, range_.start, encoding),
            offset_from_lsp(lines, range_.end, encoding),
        )
    )
    return Span(first, last)


def range_to_lsp(lines: LineIndex, span: Span, encoding: Encoding) -> lsp.Range:
    """A span as the editor names it."""
    return lsp.Range(
        position_to_lsp(lines.position(span.start, encoding)),
        position_to_lsp(lines.position(span.end, encoding)),
    )


# Documents


def change_from_lsp(event: lsp.TextDocumentContentChangeEvent) -> Change:
    """A change as it came."""
    if isinstance(event, lsp.TextDocumentContentChangePartial):
        start, end = event.range.start, event.range.end
        return Change(event.text, (position_from_lsp(start), position_from_lsp(end)))
    return Change(event.text)


def diagnostics_from_lsp(
    lines: LineIndex | None,
    diagnostics: Sequence[_WireDiagnostic],
    encoding: Encoding,
) -> tuple[Diagnostic, ...]:
    """Problems as the editor reports them; without `lines` their spans are unknown and empty."""
    return tuple(_diagnostic(lines, one, encoding) for one in diagnostics)


def _diagnostic(lines: LineIndex | None, one: _WireDiagnostic, encoding: Encoding) -> Diagnostic:
    first, last = sorted((one.range.start.line, one.range.end.line))
    span, column = Span(0, 0), min(one.range.start, one.range.end, key=position_from_lsp).character
    if lines is not None:
        span = span_from_lsp(lines, one.range, encoding)
        column = span.start - lines.line_start(lines.line_of(span.start))
    return Diagnostic(
        span=span,
        first_line=max(0, first),
        last_line=max(0, last),
        message=one.message,
        severity=_SEVERITIES.get(int(one.severity or 1), "error"),
        source=one.source or "",
        code="" if one.code is None else str(one.code),
        column=max(0, column),
    )


# Edits


def text_edits_to_lsp(
    text: str, lines: LineIndex, edits: Sequence[Edit], encoding: Encoding
) -> list[lsp.TextEdit]:
    """Edits with the document's own line ends."""
    line_end = line_end_of(text)
    return [
        lsp.TextEdit(range_to_lsp(lines, edit.span, encoding), with_line_ends(edit.text, line_end))
        for edit in edits
    ]


def edits_of(snapshot: DocumentSnapshot, edits: Sequence[Edit]) -> DocumentEdit:
    """Edits of an open document, bound to its version."""
    return DocumentEdit(snapshot.uri, snapshot.text, tuple(edits), snapshot.version)


def workspace_edit_to_lsp(
    documents: Sequence[DocumentEdit], client: ClientCapabilities, *, confirm: str = ""
) -> lsp.WorkspaceEdit:
    """One workspace edit.

    With `confirm`, a label for people, a client that can asks the user before it applies
    anything. A client without `documentChanges` gets plain edits: the caller compares versions.

    Raises:
        ValueError: A file has to be created and the client cannot.
    """
    if not client.document_changes:
        return _plain(documents, client.encoding)
    annotated = bool(confirm) and client.change_annotations
    changes: list[Any] = []
    for document in documents:
        if document.create:
            if not client.create_files:
                raise ValueError(f"This editor cannot create {document.uri} by an edit")
            annotation = _ANNOTATION if annotated else None
            changes.append(lsp.CreateFile(document.uri, annotation_id=annotation))
        ends = document.create and client.new_file_is_a_line
        ready = _without_last_end(document) if ends else document
        changes.append(_document_edit(ready, client.encoding, annotated=annotated))
    annotations = {_ANNOTATION: lsp.ChangeAnnotation(confirm, needs_confirmation=True)}
    return lsp.WorkspaceEdit(
        document_changes=changes, change_annotations=annotations if annotated else None
    )


def _without_last_end(document: DocumentEdit) -> DocumentEdit:
    """The same for a file that has a line's end already: a second one would be an empty line."""
    if not document.edits:
        return document
    *before, last = document.edits
    kept = msgspec.structs.replace(last, text=last.text.removesuffix("\n"))
    return msgspec.structs.replace(document, edits=(*before, kept))


def _plain(documents: Sequence[DocumentEdit], encoding: Encoding) -> lsp.WorkspaceEdit:
    changes: dict[str, Sequence[lsp.TextEdit]] = {}
    for document in documents:
        if document.create:
            raise ValueError(f"This editor cannot create {document.uri} by an edit")
        lines = LineIndex(document.text)
        changes[document.uri] = text_edits_to_lsp(document.text, lines, document.edits, encoding)
    return lsp.WorkspaceEdit(changes=changes)


def _document_edit(
    document: DocumentEdit, encoding: Encoding, *, annotated: bool
) -> lsp.TextDocumentEdit:
    edits = text_edits_to_lsp(document.text, LineIndex(document.text), document.edits, encoding)
    return lsp.TextDocumentEdit(
        lsp.OptionalVersionedTextDocumentIdentifier(document.uri, document.version),
        [
            lsp.AnnotatedTextEdit(_ANNOTATION, edit.range, edit.new_text) if annotated else edit
            for edit in edits
        ],
    )


def proposal_to_lsp(proposal: Proposal, documents: Documents) -> dict[str, Any]:
    """A tool's proposal as the JSON of a `WorkspaceEdit` that asks before it is applied.

    Raises:
        Outdated: An open document has another text than the proposal was made for.
        ValueError: The client cannot apply it.
    """
    files = [_proposed(file, documents) for file in proposal.files]
    edit = workspace_edit_to_lsp(files, documents.client, confirm=proposal.label)
    plain: dict[str, Any] = _converter().unstructure(edit)
    return plain


@cache
def _converter() -> Converter:
    return get_converter()


def _proposed(file: FileEdit, documents: Documents) -> DocumentEdit:
    uri = uri_of_path(Path(file.path))
    snapshot = documents.snapshot(uri)
    edits = tuple(Edit(Span(edit.start, edit.end), edit.text) for edit in file.edits)
    if snapshot is None:
        return DocumentEdit(uri=uri, text=file.before, edits=edits, create=file.create)
    # It may have been opened, closed and opened again since: only the text counts.
    if file.create or snapshot.text != file.before:
        raise Outdated(f"{file.path} has changed since this was proposed. Ask again.")
    return DocumentEdit(
        uri=snapshot.uri,  # in the editor's own spelling
        text=file.before,
        edits=edits,
        version=snapshot.version,
    )


# The client


def workspace_roots(params: lsp.InitializeParams) -> tuple[Path, ...]:
    """The folders of the workspace that are folders of this machine."""
    uris = [folder.uri for folder in params.workspace_folders or ()]
    if not uris and params.root_uri:
        uris = [params.root_uri]
    paths = [path_of_uri(uri) for uri in uris]
    if not uris and params.root_path:
        paths = [Path(params.root_path)]
    return tuple(dict.fromkeys(path for path in paths if path is not None and path.is_absolute()))


def client_capabilities(params: lsp.InitializeParams) -> ClientCapabilities:
    """What the client said it can do; whatever it left out it cannot."""
    asked = params.capabilities

    def has(path: str) -> bool:
        return bool(get_capability(asked, path))

    def present(path: str) -> bool:
        return get_capability(asked, path) is not None

    def listed(path: str, value: object) -> bool:
        return value in (get_capability(asked, path) or ())

    actions = "text_document.code_action"
    edits = "workspace.workspace_edit"
    return ClientCapabilities(
        locale=params.locale or "",
        encoding=negotiated_encoding(asked),
        # Neovim says which files it can create or rename, and not that it takes such changes.
        document_changes=has(f"{edits}.document_changes") or has(f"{edits}.resource_operations"),
        create_files=listed(f"{edits}.resource_operations", lsp.ResourceOperationKind.Create),
        change_annotations=present(f"{edits}.change_annotation_support"),
        new_file_is_a_line=(params.client_info.name if params.client_info else "") == "Neovim",
        code_action_literals=present(f"{actions}.code_action_literal_support"),
        code_action_data=has(f"{actions}.data_support"),
        code_action_disabled=has(f"{actions}.disabled_support"),
        code_action_resolve_edit=listed(f"{actions}.resolve_support.properties", "edit"),
        llm_generated_tag=listed(
            f"{actions}.tag_support.value_set", lsp.CodeActionTag.LlmGenerated
        ),
        work_done_progress=has("window.work_done_progress"),
        show_document=has("window.show_document.support"),
        text_document_content=present("workspace.text_document_content"),
        configuration=has("workspace.configuration"),
        quillon_approve=_experimental(asked.experimental, "approve"),
        quillon_chat=_experimental(asked.experimental, "chat"),
    )


def negotiated_encoding(asked: lsp.ClientCapabilities) -> Encoding:
    """The client's first choice that we know, as pygls answers it; UTF-16 where it says nothing."""
    chosen = ServerCapabilitiesBuilder.choose_position_encoding(asked)
    return _ENCODINGS.get(str(getattr(chosen, "value", chosen)), "utf-16")


def _experimental(experimental: object, name: str) -> bool:
    quillon = experimental.get("quillon") if isinstance(experimental, dict) else None
    return isinstance(quillon, dict) and bool(quillon.get(name))
