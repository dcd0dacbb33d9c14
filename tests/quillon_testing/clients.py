"""Language clients with the capabilities of real editors, driving `quillon lsp` over stdio.

The recorded capabilities of pytest-lsp are a few years old; `capabilities_of` adds what today's
editors say beyond them, read from Neovim 0.12's `vim/lsp/protocol.lua` and from the sources of
vscode-languageclient 10.
"""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal, TypeVar

import pytest_lsp
from lsprotocol import types as lsp
from pytest_lsp.client import LanguageClient, register_lsp_features

from quillon.message_types import make_converter
from quillon.text import Edit as TextEdit
from quillon.text import LineIndex, Position, Span, apply_edits
from quillon.uri import uri_of_path
from quillon_testing.engines import end_engines
from quillon_testing.markers import Marked

T = TypeVar("T")
EditorName = Literal["neovim", "vscode"]
EDITORS: tuple[EditorName, ...] = ("neovim", "vscode")
DEADLINE = 60.0  # seconds; machines that run tests are shared and slow


def capabilities_of(editor: EditorName) -> lsp.ClientCapabilities:
    """What Neovim 0.12 or VS Code with today's client library says it can do."""
    if editor == "neovim":
        said = pytest_lsp.client_capabilities("neovim@v0.11.0")
        action = said.text_document.code_action
        action.disabled_support = True
        action.honors_change_annotations = True
    else:
        said = pytest_lsp.client_capabilities("visual-studio-code@v1.65.2")
        said.general.position_encodings = [lsp.PositionEncodingKind.Utf16]
        said.text_document.code_action.tag_support = lsp.CodeActionTagOptions(
            [lsp.CodeActionTag.LlmGenerated]
        )
        said.workspace.text_document_content = lsp.TextDocumentContentClientCapabilities(
            dynamic_registration=True
        )
    said.text_document.inline_completion = lsp.InlineCompletionClientCapabilities()
    return said


class Editor:
    """One editor session. Texts come and go with marks; positions are the editor's own."""

    def __init__(self, client: LanguageClient, encoding: str) -> None:
        self.client = client
        self.encoding = encoding
        self._versions: dict[str, int] = {}
        self._ids = 1_000_000  # out of the way of the client's own
        self._heard = asyncio.Event()
        handle = client.protocol.handle_message

        def handle_and_tell(message: Any) -> None:
            handle(message)
            self._heard.set()

        client.protocol.handle_message = handle_and_tell

    def open(self, path: Path, text: str, language: str = "python") -> str:
        """Open a document; its URI."""
        uri = uri_of_path(path)
        self._versions[uri] = 1
        self.client.text_document_did_open(
            lsp.DidOpenTextDocumentParams(lsp.TextDocumentItem(uri, language, 1, text))
        )
        return uri

    def replace(self, uri: str, text: str) -> None:
        """Replace a document's whole text."""
        self._versions[uri] += 1
        self.client.text_document_did_change(
            lsp.DidChangeTextDocumentParams(
                lsp.VersionedTextDocumentIdentifier(version=self._versions[uri], uri=uri),
                [lsp.TextDocumentContentChangeWholeDocument(text=text)],
            )
        )

    def position(self, text: str, offset: int) -> lsp.Position:
        """A place as this editor names it."""
        place = LineIndex(text).position(offset, self.encoding)
        return lsp.Position(place.line, place.character)

    def span(self, text: str, range_: lsp.Range) -> Span:
        """What a range of the server's covers."""
        lines = LineIndex(text)
        ends = (
            lines.offset(Position(end.line, end.character), self.encoding)
            for end in (range_.start, range_.end)
        )
        return Span(*ends)

    def applied(self, text: str, edits: Any) -> str:
        """The text after LSP text edits."""
        return apply_edits(text, [TextEdit(self.span(text, e.range), e.new_text) for e in edits])

    async def inline(
        self,
        uri: str,
        place: Marked,
        kind: lsp.InlineCompletionTriggerKind = lsp.InlineCompletionTriggerKind.Automatic,
        selected: lsp.SelectedCompletionInfo | None = None,
    ) -> list[lsp.InlineCompletionItem]:
        """The items for the cursor of a marked text."""
        answer = await self.client.text_document_inline_completion_async(
            lsp.InlineCompletionParams(
                text_document=lsp.TextDocumentIdentifier(uri),
                position=self.position(place.text, place.cursor),
                context=lsp.InlineCompletionContext(kind, selected),
            )
        )
        return list(answer.items)

    async def actions(
        self, uri: str, place: Marked, *problems: str, only: list[str] | None = None
    ) -> dict[str, lsp.CodeAction]:
        """The code actions for the selection of a marked text, by their titles."""
        selection = place.selection
        range_ = lsp.Range(
            self.position(place.text, selection.start), self.position(place.text, selection.end)
        )
        found = [lsp.Diagnostic(range_, problem) for problem in problems]
        answer = await self.client.text_document_code_action_async(
            lsp.CodeActionParams(
                lsp.TextDocumentIdentifier(uri), range_, lsp.CodeActionContext(found, only)
            )
        )
        return {action.title: action for action in answer}

    async def status(self) -> Any:
        """The server's status; its fields have the protocol's names."""
        return await self.client.protocol.send_request_async("quillon/status/get", None)

    async def no_suggestion(self) -> str | None:
        """Why there was no suggestion, as the status has it."""
        return (await self.status()).noSuggestion

    def start(self, method: str, params: Any) -> tuple[int, asyncio.Future[Any]]:
        """Send a request that is to be cancelled: its id and the future of its answer."""
        self._ids += 1
        future = self.client.protocol.send_request(method, params, msg_id=self._ids)
        return self._ids, asyncio.wrap_future(future)

    def cancel(self, request: int) -> None:
        """Cancel a request."""
        self.client.cancel_request(lsp.CancelParams(request))

    def progress(self) -> list[tuple[lsp.ProgressToken, str]]:
        """All progress so far: the token and the kind of each value."""
        reports = self.client.progress_reports.items()
        return [(token, value.kind) for token, values in reports for value in values]

    async def wait_for(self, ready: Callable[[], T]) -> T:
        """What `ready` gives once that is something; asked after every message."""
        async with asyncio.timeout(DEADLINE):
            while not (found := ready()):
                self._heard.clear()
                await self._heard.wait()
        return found


def script(*replies: str | dict[str, Any], **model: Any) -> dict[str, Any]:
    """What `editor_session` plays: replies or whole steps, and what else is said of the model."""
    steps = [{"reply": one} if isinstance(one, str) else one for one in replies]
    return {"steps": steps, **model}


async def when_ready(editor: Editor) -> None:
    """Wait until the model is loaded."""
    states = []

    @editor.client.feature("quillon/status")
    def on_status(params: Any) -> None:
        states.append(params.state)

    states.append((await editor.status()).state)
    await editor.wait_for(lambda: {"ready", "busy"} & set(states))


@asynccontextmanager
async def editor_session(
    editor: EditorName,
    folder: Path,
    script: dict[str, Any] | None,
    *,
    settings: dict[str, Any] | None = None,
    locale: str = "en",
    experimental: dict[str, Any] | None = None,
    **environment: str,
) -> AsyncIterator[Editor]:
    """An editor that opened `folder`, with a server that plays `script`, or runs a real model."""
    state = folder.parent / f"{folder.name}-state"
    state.mkdir(exist_ok=True)
    given = settings or {}
    if script is not None:
        played = state / "script.json"
        played.write_text(json.dumps(script), encoding="utf-8")
        given = {"engine": {"kind": "scripted", "script": str(played)}, **given}
    client = LanguageClient(converter_factory=make_converter)
    register_lsp_features(client)
    client.set_configuration(given, section="quillon")
    said = capabilities_of(editor)
    said.experimental = experimental
    await client.start_io(
        *(sys.executable, "-I", "-m", "quillon", "lsp", "--log-file", str(state / "server.log")),
        cwd=folder,
        env={
            **os.environ,
            "QUILLON_STATE_DIR": str(state),
            "QUILLON_RUNTIME_DIR": str(state / "run"),
            "XDG_CACHE_HOME": str(state / "cache"),
            **environment,
        },
    )
    try:
        result = await client.initialize_session(
            lsp.InitializeParams(
                capabilities=said,
                workspace_folders=[lsp.WorkspaceFolder(uri_of_path(folder), folder.name)],
                initialization_options=given,
                locale=locale,
            )
        )
        encoding = result.capabilities.position_encoding
        yield Editor(client, getattr(encoding, "value", encoding) or "utf-16")
        await client.shutdown_session()
    finally:
        server = client._server
        if server is not None and server.returncode is None:
            server.kill()  # a test failed: nobody said exit
        await client.stop()
        end_engines(state / "run")
