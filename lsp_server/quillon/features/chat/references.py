"""What a question refers to: documents as the editor has them, files as the guard reads them."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from quillon import protocol
from quillon.assist.chat import Attachment
from quillon.convert import span_from_lsp
from quillon.session import Session
from quillon.text import LineIndex, Span
from quillon.uri import path_of_uri
from quillon_tools.calls import ToolError
from quillon_tools.workspace import Workspace

_LONGEST = 40_000  # characters of one attachment; the token budget cuts further


async def attachments(
    session: Session, workspace: Workspace, references: Sequence[protocol.Reference]
) -> tuple[list[Attachment], list[str]]:
    """The texts that references name, and a sentence for each that could not be had."""
    attached, left_out = [], []
    for reference in references:
        try:
            text, label = await _read(session, workspace, reference.uri)
        except ToolError as error:
            left_out.append(f"{reference.uri} is left out: {error}")
            continue
        lines = LineIndex(text)
        span = Span(0, len(text))
        if reference.range is not None:
            span = span_from_lsp(lines, reference.range, session.client.encoding)
            first = lines.line_of(span.start) + 1
            # A selection that ends at the start of a line does not hold that line.
            last = lines.line_of(max(span.start, span.end - 1)) + 1
            label = f"{label}:{first}-{last}"
        cut = span.cut(text)
        if len(cut) > _LONGEST:
            left_out.append(f"{label}: {len(cut) - _LONGEST} characters left out")
            cut = cut[:_LONGEST]
        attached.append(Attachment(label, cut))
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
