"""`quillon complete` and `quillon explain`: one place in one file, without an editor."""

import asyncio
import re
from contextlib import suppress
from pathlib import Path

import msgspec

from quillon.assist.actions import ActionKind, offers
from quillon.assist.actions_run import Surroundings
from quillon.assist.edits import BadAnswer
from quillon.assist.explain import explain
from quillon.assist.inline import Suggester
from quillon.assist.inline_place import Query
from quillon.assist.inline_reason import Nothing
from quillon.cli.markdown import ReadableMarkdown
from quillon.cli.output import Output, fail
from quillon.context.document import DocumentSnapshot
from quillon.engine.choose import open_engine
from quillon.session import Session
from quillon.settings import Settings
from quillon.text import Position, Span
from quillon.uri import uri_of_path
from quillon_tools.calls import ToolError
from quillon_tools.languages import language_of
from quillon_tools.workspace import Workspace

_PLACE = re.compile(r"(?P<file>.+?):(?P<line>\d{1,18})(?::(?P<column>\d{1,18}))?", re.DOTALL)
_NOTHING = 3  # the exit status where the model has no suggestion: nothing failed


class CompletionLine(msgspec.Struct, frozen=True, rename="camel"):
    """The suggestion, for `--json`: `text` replaces the columns `start` to `end` of its line.

    Columns count code points from 1. Without a suggestion `text` is null and `reason` says why.
    `echoed`: the file itself says it elsewhere.
    """

    file: str
    line: int
    start: int
    end: int
    text: str | None
    reason: str | None = None
    echoed: bool = False


class ExplanationLine(msgspec.Struct, frozen=True):
    """The explanation, for `--json`."""

    title: str
    markdown: str


async def run_complete(settings: Settings, folder: Path, place: str, output: Output) -> int:
    """Print the suggestion at a place; status 3 where there is none."""
    file, line, column = _parse(place, output, needs_column=True)
    session, snapshot = await asyncio.to_thread(_open, settings, folder, file, output)
    cursor = _offset(snapshot, file, line, column, output)
    engine = open_engine(settings)
    try:
        with output.working("loading the model"):
            await engine.info()
        query = Query(snapshot, cursor, invoked=True, roots=session.roots)
        # Asked for on the command line, whatever an editor's settings switch off.
        inline = msgspec.structs.replace(settings.inline, enabled=True, disabled_languages=())
        with output.working("thinking"):
            answer = await Suggester().suggest(query, engine, inline)
    finally:
        await engine.aclose()
    if isinstance(answer, Nothing):
        output.value(CompletionLine(file, line, column, column, None, answer.sentence))
        output.notice(f"No suggestion: {answer.sentence}")
        return _NOTHING
    start = snapshot.lines.position(answer.span.start, "utf-32").character + 1
    end = snapshot.lines.position(answer.span.end, "utf-32").character + 1
    output.value(CompletionLine(file, line, start, end, answer.text, echoed=answer.echoed))
    output.line(answer.text)
    return 0


async def run_explain(settings: Settings, folder: Path, place: str, output: Output) -> int:
    """Print the explanation of the definition at a line."""
    file, line, _ = _parse(place, output, needs_column=False)
    session, snapshot = await asyncio.to_thread(_open, settings, folder, file, output)
    at = _offset(snapshot, file, line, 1, output)
    indent = len(snapshot.lines.line_span(line - 1).cut(snapshot.text)) - len(
        snapshot.lines.line_span(line - 1).cut(snapshot.text).lstrip()
    )
    found = await asyncio.to_thread(offers, snapshot, Span(at + indent, at + indent), ())
    offer = next((offer for offer in found if offer.kind is ActionKind.EXPLAIN), None)
    if offer is None:
        fail(f"There is no code at {file}:{line} to explain.", json=output.json)
    around = Surroundings(roots=session.roots, read=lambda _path: None)
    engine = open_engine(settings)
    try:
        with output.working("loading the model"):
            await engine.info()
        with output.working("thinking"):
            page = await explain(engine, snapshot, offer, around, lambda _text: None)
    except BadAnswer as error:
        fail(str(error), json=output.json)
    finally:
        await engine.aclose()
    output.value(ExplanationLine(page.title, page.markdown))
    output.show(ReadableMarkdown(page.markdown))
    return 0


def _parse(place: str, output: Output, *, needs_column: bool) -> tuple[str, int, int]:
    match = _PLACE.fullmatch(place)
    form = "FILE:LINE:COL" if needs_column else "FILE:LINE"
    if match is None or (needs_column and match["column"] is None):
        example = "src/app.py:12:8" if needs_column else "src/app.py:12"
        wrong = f"{place!r} names no place. Write {form}, counted from 1, such as {example}."
        fail(wrong, json=output.json, status=2)
    line, column = int(match["line"]), int(match["column"] or 1)
    if not line or not column:
        fail(f"{place!r}: lines and columns are counted from 1.", json=output.json, status=2)
    return match["file"], line, column


def _open(
    settings: Settings, folder: Path, file: str, output: Output
) -> tuple[Session, DocumentSnapshot]:
    """The file as an editor would open it; refused where the guard would refuse it."""
    path = folder / file
    with suppress(OSError, RuntimeError):  # a circle of links; whoever opens it says so
        # The guard refuses `../` and links that leave the folder; a person may name them.
        path = path.resolve()
    if path.is_dir():
        fail(f"{file} is a folder, and a file is needed.", json=output.json)
    # A file outside the folder was named by the user, who may; the file's own folder is its root.
    root = folder if path.is_relative_to(folder) else path.parent
    try:
        workspace = Workspace((root,))
        content = workspace.read_text(workspace.resolve(str(path)))
    except ToolError as error:
        fail(str(error), json=output.json)
    language = language_of(path)
    session = Session(settings, roots=(root,))
    uri = uri_of_path(path)
    session.open(uri, language.id if language else "plaintext", 1, content.text)
    snapshot = session.snapshot(uri)
    if snapshot is None:
        raise AssertionError(uri)
    return session, snapshot


def _offset(snapshot: DocumentSnapshot, file: str, line: int, column: int, output: Output) -> int:
    count = snapshot.lines.line_count
    if line > count:
        lines = "1 line" if count == 1 else f"{count} lines"
        fail(f"{file} has {lines}; there is no line {line}.", json=output.json)
    length = len(snapshot.lines.line_text(line - 1))
    if column > length + 1:
        characters = "1 character" if length == 1 else f"{length} characters"
        said = f"Line {line} of {file} has {characters}; there is no column {column}."
        fail(said, json=output.json)
    return snapshot.lines.offset(Position(line - 1, column - 1), "utf-32")
