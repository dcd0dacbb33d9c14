"""Code actions on their way through the client: what they carry, and back to the document.

An action is listed without the model and resolved, perhaps much later, with it. In between it
holds everything needed to find its place again, or to see that the place is no longer there.
"""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from pygls.exceptions import JsonRpcException

from quillon import convert, protocol
from quillon.assist.actions import ActionKind, Offer
from quillon.assist.actions_run import Surroundings
from quillon.assist.edits import Changed, Proposal
from quillon.chinese import reads_chinese
from quillon.context.diagnostics import Diagnostic, Severity
from quillon.context.document import DocumentSnapshot, snapshot_of
from quillon.rpc import ContentModified
from quillon.session import Session
from quillon.text import Edit, Encoding, Span
from quillon.uri import uri_of_path

EXPLAIN_COMMAND = "quillon.explain"

_MAX_FILE = 2_000_000  # bytes of a file that tests are added to


class ProblemData(protocol.Struct, frozen=True):
    """The diagnostic that an action is about."""

    range: protocol.Range
    message: str
    severity: Severity = "error"
    source: str = ""
    code: str = ""


class ActionData(protocol.Struct, frozen=True, omit_defaults=False):
    """`CodeAction.data`: what the action is about, in one version of a document."""

    uri: str
    version: int
    kind: ActionKind
    range: protocol.Range
    problem: ProblemData | None = None


def data_of(snapshot: DocumentSnapshot, offer: Offer, encoding: Encoding) -> dict[str, Any]:
    """What the action of an offer carries, as JSON."""
    problem = offer.problem
    data = ActionData(
        uri=snapshot.uri,
        version=snapshot.version,
        kind=offer.kind,
        range=protocol_range(snapshot, offer.span, encoding),
        problem=None
        if problem is None
        else ProblemData(
            range=protocol_range(snapshot, problem.span, encoding),
            message=problem.message,
            severity=problem.severity,
            source=problem.source,
            code=problem.code,
        ),
    )
    plain: dict[str, Any] = msgspec.to_builtins(data)
    return plain


def offer_of(session: Session, raw: object, title: str = "") -> tuple[DocumentSnapshot, Offer]:
    """The document and the offer that an action was made from.

    Raises:
        JsonRpcException: `raw` is not the data of an action of ours.
        ContentModified: The document was closed, or changed since the action was listed.
    """
    try:
        data = msgspec.convert(raw, ActionData)
    except msgspec.ValidationError as error:
        raise JsonRpcException(f"This is no code action of Quillon: {error}", -32602) from error
    snapshot = session.snapshot(data.uri)
    if snapshot is None or snapshot.version != data.version:
        raise ContentModified("The document changed since the action was offered. Ask again.")
    encoding = session.client.encoding
    span = convert.span_from_lsp(snapshot.lines, data.range, encoding)
    problem = None if data.problem is None else _problem(snapshot, data.problem, encoding)
    return snapshot, Offer(data.kind, title, span, problem)


def surroundings(session: Session, snapshot: DocumentSnapshot) -> Surroundings:
    """What actions may look at beside their document, as of now."""
    buffers = {document.path: document for document in session.snapshots()}

    def read(path: Path) -> DocumentSnapshot | None:
        return buffers.get(path) or _from_disk(path)

    return Surroundings(
        roots=session.roots,
        read=read,
        chinese=reads_chinese(session.client.locale),
        can_create=session.client.create_files and session.client.document_changes,
        neighbours=session.neighbours(snapshot),
    )


async def documents_of(session: Session, proposal: Proposal) -> Sequence[convert.DocumentEdit]:
    """The edits of a proposal, bound to the versions that they were made for.

    Raises:
        ContentModified: A document changed meanwhile, in the editor or on disk.
    """
    if not isinstance(proposal, Changed):
        if await asyncio.to_thread(proposal.path.exists):
            raise ContentModified(f"{proposal.path} exists by now. Ask again.")
        uri = uri_of_path(proposal.path)
        return [convert.DocumentEdit(uri, "", (Edit(Span(0, 0), proposal.text),), create=True)]
    snapshot = proposal.snapshot
    now = session.snapshot(snapshot.uri)
    if now is None and snapshot.path is not None:
        # Not open, or closed meanwhile: what counts is on disk, where nothing has a version.
        on_disk = await asyncio.to_thread(_from_disk, snapshot.path)
        now = session.snapshot(snapshot.uri)
        if now is None and (on_disk is None or on_disk.text != snapshot.text):
            raise _modified()
    if now is not None and now.text != snapshot.text:
        raise _modified()
    version = None if now is None else now.version
    return [convert.DocumentEdit(snapshot.uri, snapshot.text, proposal.edits, version)]


def _modified() -> ContentModified:
    return ContentModified("The document changed while the model worked. Ask again.")


def _from_disk(path: Path) -> DocumentSnapshot | None:
    """A file that no editor has open; None where it is no text of a reasonable size."""
    try:
        if not path.is_file() or path.stat().st_size > _MAX_FILE:
            return None
        text = path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    return None if "\0" in text else snapshot_of(uri_of_path(path), text, path=path)


def protocol_range(snapshot: DocumentSnapshot, span: Span, encoding: Encoding) -> protocol.Range:
    """What a span covers, as the editor names it."""
    first = snapshot.lines.position(span.start, encoding)
    last = snapshot.lines.position(span.end, encoding)
    return protocol.Range(
        start=protocol.Position(line=first.line, character=first.character),
        end=protocol.Position(line=last.line, character=last.character),
    )


def _problem(snapshot: DocumentSnapshot, data: ProblemData, encoding: Encoding) -> Diagnostic:
    span = convert.span_from_lsp(snapshot.lines, data.range, encoding)
    return Diagnostic(
        span=span,
        first_line=snapshot.lines.line_of(span.start),
        last_line=snapshot.lines.line_of(span.end),
        message=data.message,
        severity=data.severity,
        source=data.source,
        code=data.code,
    )
