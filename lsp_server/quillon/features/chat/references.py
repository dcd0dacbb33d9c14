"""What a question refers to: documents as the editor has them, files as the guard reads them."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from quillon import protocol
from quillon.assist.attachments import Attachment, Source
from quillon.convert import span_from_lsp
from quillon.session import Session
from quillon.text import LineIndex, Span
from quillon.uri import path_of_uri
from quillon_tools.calls import ToolError
from quillon_tools.workspace import Workspace

_LONGEST = 400_000  # characters of one attachment that are looked at


async def attachments(
    session: Session, workspace: Workspace, references: Sequence[protocol.Reference]
) -> tuple[list[Attachment], list[str]]:
    """The texts that references name, and a sentence for each that could not be had."""
    attached, left_out = [], []
    for reference in references:
        try:
            text, path = await _read(session, workspace, reference.uri)
        except ToolError as error:
            left_out.append(f"{reference.uri} is left out: {error}")
            continue
        lines, label = LineIndex(text), path
        span = Span(0, len(text))
        if reference.range is not None:
            span = span_from_lsp(lines, reference.range, session.client.encoding)
            first = lines.line_of(span.start) + 1
            # A selection that ends at the start of a line does not hold that line.
            last = lines.line_of(max(span.start, span.end - 1)) + 1
            label = f"{path}:{first}-{last}"
        if len(span) > _LONGEST:
            left_out.append(f"{label}: {len(span) - _LONGEST} characters left out")
            span = Span(span.start, span.start + _LONGEST)
        attached.append(Attachment(label, span.cut(text), Source(path, lines, span)))
    return attached, left_out


async def _read(session: Session, workspace: Workspace, uri: str) -> tuple[str, str]:
    """The text of a document and the name by which the model knows it."""
    path = path_of_uri(uri)
    snapshot = session.snapshot(uri)
    if snapshot is not None:
        return snapshot.text, _label(session, path, uri)
    confined = workspace.resolve(uri)
    content = await asyncio.to_thread(workspace.read_text, confined)
    return content.text, _label(session, path, uri)


def _label(session: Session, path: Path | None, uri: str) -> str:
    for root in session.roots:
        if path is not None and path.is_relative_to(root):
            return path.relative_to(root).as_posix()
    return uri if path is None else path.name
