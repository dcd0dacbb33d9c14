"""What a question refers to: documents as the editor has them, files as the guard reads them."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import msgspec

from quillon import protocol
from quillon.assist.attachments import Attachment, Source
from quillon.context.document import DocumentSnapshot
from quillon.convert import span_from_lsp
from quillon.session import Session
from quillon.text import Encoding, LineIndex, Span
from quillon.uri import path_of_uri
from quillon_tools.calls import Failed, ToolError
from quillon_tools.workspace import Workspace

_MOST = 100  # references of one question
_LONGEST = 400_000  # characters of one attachment that are looked at


async def attachments(
    session: Session, workspace: Workspace, references: Sequence[protocol.Reference]
) -> tuple[list[Attachment], list[str]]:
    """The texts that references name, and a sentence for each that could not be had."""
    attached, left_out = [], []
    for reference in references[:_MOST]:
        opened = session.snapshot(reference.uri)
        # In a thread: files are read, and the lines of long texts are counted.
        look = _Look(session.roots, session.client.encoding, workspace, opened)
        try:
            found, notice = await asyncio.to_thread(look.at, reference)
        except ToolError as error:
            left_out.append(f"{_label(session.roots, reference.uri)} is left out: {error}")
            continue
        attached.append(found)
        left_out += [notice] if notice else []
    if len(references) > _MOST:
        more = len(references) - _MOST
        left_out.append(f"{more} of {len(references)} references are left out: at most {_MOST}")
    return attached, left_out


class _Look(msgspec.Struct, frozen=True):
    """What a reference is looked up with; everything in it may be read from any thread."""

    roots: tuple[Path, ...]
    encoding: Encoding
    workspace: Workspace
    opened: DocumentSnapshot | None

    def at(self, reference: protocol.Reference) -> tuple[Attachment, str]:
        """What is attached, and a sentence on what is left out of it, or nothing. Blocks.

        Raises:
            ToolError: It cannot be had.
        """
        text, lines = self._read(reference.uri)
        label = path = _label(self.roots, reference.uri)
        span = Span(0, len(text))
        if reference.range is not None:
            span = span_from_lsp(lines, reference.range, self.encoding)
            first = lines.line_of(span.start) + 1
            # A selection that ends at the start of a line does not hold that line.
            last = lines.line_of(max(span.start, span.end - 1)) + 1
            label = f"{path}:{first}-{last}"
        notice = ""
        if len(span) > _LONGEST:
            notice = f"{label}: {len(span) - _LONGEST} characters left out"
            span = Span(span.start, span.start + _LONGEST)
        return Attachment(label, span.cut(text), Source(path, lines, span)), notice

    def _read(self, uri: str) -> tuple[str, LineIndex]:
        """The text of a document: the editor's, else the disk's as the guard reads it."""
        if self.opened is not None:
            return self.opened.text, self.opened.lines
        file = self.workspace.resolve(uri)
        path = path_of_uri(uri)
        if path is not None and path.is_dir():
            raise Failed("it is a folder; attach its files, or ask what is in it")
        text = self.workspace.read_text(file).text
        return text, LineIndex(text)


def _label(roots: Sequence[Path], uri: str) -> str:
    """The name by which the model knows a document."""
    path = path_of_uri(uri)
    for root in roots:
        if path is not None and path.is_relative_to(root):
            return path.relative_to(root).as_posix()
    return uri if path is None else path.name
