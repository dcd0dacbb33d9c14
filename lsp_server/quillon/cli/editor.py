"""A language client in a few lines: what the demonstration uses in place of an editor."""

import asyncio
import logging
import sys
import uuid
from asyncio.subprocess import Process
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from lsprotocol import types as lsp
from pygls.lsp.client import LanguageClient
from pygls.protocol import LanguageServerProtocol

from quillon import __version__, protocol
from quillon.engine.launch import describe_exit
from quillon.message_types import make_converter, message_type, result_type
from quillon.uri import uri_of_path

_CAPABILITIES = lsp.ClientCapabilities(
    general=lsp.GeneralClientCapabilities(position_encodings=[lsp.PositionEncodingKind.Utf8]),
    text_document=lsp.TextDocumentClientCapabilities(
        inline_completion=lsp.InlineCompletionClientCapabilities(),
        code_action=lsp.CodeActionClientCapabilities(
            data_support=True,
            resolve_support=lsp.ClientCodeActionResolveOptions(properties=["edit"]),
            code_action_literal_support=lsp.ClientCodeActionLiteralOptions(
                code_action_kind=lsp.ClientCodeActionKindOptions(value_set=["quickfix"])
            ),
        ),
    ),
    workspace=lsp.WorkspaceClientCapabilities(
        workspace_edit=lsp.WorkspaceEditClientCapabilities(
            document_changes=True, resource_operations=[lsp.ResourceOperationKind.Create]
        )
    ),
    experimental={"quillon": {"chat": True, "approve": True}},
)

T = TypeVar("T")
_PATIENCE = 10.0  # seconds that a server has to end
_ROOM = 1 << 16  # bytes of its last words

Watcher = Callable[[dict[str, Any]], None]
Approver = Callable[[protocol.ApproveParams], protocol.ApproveResult]


class ServerEndedError(Exception):
    """The language server ended while it was needed; the message says how, and what to do."""


class _ClientProtocol(LanguageServerProtocol):
    """pygls's client protocol with our methods' types."""

    # Those of pygls are wrapped in a cache; ours are look-ups already.
    def get_message_type(self, method: str) -> type[Any] | None:  # type: ignore[override]
        return message_type(method) or super().get_message_type(method)

    def get_result_type(self, method: str) -> type[Any] | None:  # type: ignore[override]
        if method == protocol.CHAT:
            return result_type(protocol.ChatResult)
        if method == protocol.STATUS_GET:
            return result_type(protocol.StatusParams)
        return super().get_result_type(method)


class _Client(LanguageClient):
    """A client that tells when its server has ended."""

    def __init__(self) -> None:
        super().__init__(
            "quillon-demo",
            __version__,
            protocol_cls=_ClientProtocol,
            converter_factory=make_converter,
        )
        self.ended = asyncio.Event()

    async def server_exit(self, server: Process) -> None:  # noqa: ARG002 - as pygls calls it
        """Called when the process of the server has ended."""
        self.ended.set()


class Editor:
    """An editor with one folder, driving `quillon lsp` over its standard streams.

    Whatever waits for the server raises `ServerEndedError` where that ends first.
    """

    def __init__(self, root: Path, approve: Approver) -> None:
        # It logs an answer that comes after Ctrl-C as a failure, with a traceback.
        logging.getLogger("pygls").setLevel(logging.CRITICAL)
        self.root = root
        self._versions: dict[str, int] = {}
        self._watchers: dict[str, Watcher] = {}
        self._explanations: asyncio.Queue[protocol.ExplainParams] = asyncio.Queue()
        self.messages: list[str] = []
        self.told: set[str] = set()  # notices that were shown
        self._settled = asyncio.Event()
        self.client = _Client()
        self._said = b""  # the end of what the server said on its standard error
        self._reading: asyncio.Task[None] | None = None
        self._listen(approve)

    def _listen(self, approve: Approver) -> None:
        handlers: dict[str, Callable[[Any], Any]] = {
            lsp.PROGRESS: self._on_progress,
            protocol.APPROVE: approve,
            protocol.EXPLAIN: self._explanations.put_nowait,
            protocol.STATUS: self._on_status,
            lsp.WINDOW_SHOW_MESSAGE: lambda params: self.messages.append(params.message),
        }
        for method, handler in handlers.items():
            self.client.protocol.fm.add_builtin_feature(method, handler)

    def _on_progress(self, params: lsp.ProgressParams) -> None:
        watcher = self._watchers.get(str(params.token))
        if watcher is not None and isinstance(params.value, dict):
            watcher(params.value)

    def _on_status(self, params: protocol.StatusParams) -> None:
        if params.state in ("ready", "failed"):
            self._settled.set()

    async def start(self, settings: dict[str, Any], log: Path) -> None:
        """Start the server and shake hands."""
        command = (sys.executable, "-I", "-m", "quillon", "lsp", "--log-file", str(log))
        # Ctrl-C is ours: a server that ended of it could not be told to.
        await self.client.start_io(*command, cwd=self.root, start_new_session=True)
        # All the time: a server whose pipe is full would wait for a reader.
        self._reading = asyncio.create_task(self._read_errors())
        opening = lsp.InitializeParams(
            capabilities=_CAPABILITIES,
            workspace_folders=[lsp.WorkspaceFolder(uri_of_path(self.root), self.root.name)],
            initialization_options=settings,
        )
        await self._while_it_lives(self.client.initialize_async(opening))
        self.client.initialized(lsp.InitializedParams())

    async def stop(self) -> None:
        """End the server, in order if it lets us."""
        server = self.client._server  # noqa: SLF001 - pygls has no other way to the process
        if server is None:
            return
        with suppress(ServerEndedError, TimeoutError):
            async with asyncio.timeout(_PATIENCE):
                await self._while_it_lives(self.client.shutdown_async(None))
                self.client.exit(None)
                await self.client.ended.wait()
        if server.returncode is None:
            with suppress(ProcessLookupError):
                server.kill()
        if self._reading is not None:
            self._reading.cancel()
        await self.client.stop()  # type: ignore[no-untyped-call]  # of pygls

    async def _while_it_lives(self, work: Awaitable[T]) -> T:
        """The result of what the server is asked or waited for."""
        task = asyncio.ensure_future(work)
        ending = asyncio.ensure_future(self.client.ended.wait())
        try:
            await asyncio.wait({task, ending}, return_when=asyncio.FIRST_COMPLETED)
            if self.client.ended.is_set() and (not task.done() or task.exception()):
                raise ServerEndedError(await self._last_words())
            return task.result()
        finally:
            task.cancel()
            ending.cancel()

    async def _read_errors(self) -> None:
        server = self.client._server  # noqa: SLF001 - as in `stop`
        if server is not None and server.stderr is not None:
            while piece := await server.stderr.read(_ROOM):
                self._said = (self._said + piece)[-_ROOM:]

    async def _last_words(self) -> str:
        """How the server ended, for people."""
        server = self.client._server  # noqa: SLF001 - as in `stop`
        if self._reading is not None:
            # What it started may have inherited the stream and keep it open.
            await asyncio.wait({self._reading}, timeout=1)
        said = self._said.decode(errors="replace").strip()
        how = describe_exit(None if server is None else server.returncode)
        last = said.splitlines()[-1].rstrip(".") if said else ""
        because = f" and said: {last}" if last else ""
        return (
            f"The language server ended too early: {how}{because}. Start the command again; "
            "`quillon doctor` checks the installation."
        )

    async def status(self) -> protocol.StatusParams:
        """What the server says of its engine."""
        asked = self.client.protocol.send_request_async(protocol.STATUS_GET)
        answer: protocol.StatusParams = await self._while_it_lives(asked)
        return answer

    async def wait_until_ready(self) -> protocol.StatusParams:
        """The status once the model is loaded or has failed."""
        while True:
            # Before asking: what is told together with the answer must not be forgotten.
            self._settled.clear()
            status = await self.status()
            if status.state in ("ready", "busy", "failed"):
                return status
            await self._while_it_lives(self._settled.wait())

    def open(self, name: str, text: str | None = None) -> str:
        """Open a file, with other text than on disk if given; its URI."""
        path = self.root / name
        uri = uri_of_path(path)
        if uri in self._versions:
            self.client.text_document_did_close(
                lsp.DidCloseTextDocumentParams(lsp.TextDocumentIdentifier(uri))
            )
        self._versions[uri] = self._versions.get(uri, 0) + 1
        content = path.read_text("utf-8") if text is None else text
        self.client.text_document_did_open(
            lsp.DidOpenTextDocumentParams(
                lsp.TextDocumentItem(uri, "python", self._versions[uri], content)
            )
        )
        return uri

    async def ghost_text(self, uri: str, line: int, character: int, *, asked: bool) -> str | None:
        """What the server suggests at a place: `asked` for by its key, or while typing."""
        trigger = lsp.InlineCompletionTriggerKind
        params = lsp.InlineCompletionParams(
            text_document=lsp.TextDocumentIdentifier(uri),
            position=lsp.Position(line, character),
            context=lsp.InlineCompletionContext(trigger.Invoked if asked else trigger.Automatic),
        )
        answer = await self._while_it_lives(
            self.client.text_document_inline_completion_async(params)
        )
        found = answer.items if isinstance(answer, lsp.InlineCompletionList) else answer
        items = list(found or ())
        return str(items[0].insert_text) if items else None

    async def actions(
        self, uri: str, line: int, problem: str | None = None
    ) -> list[lsp.CodeAction]:
        """The code actions at a line, where another tool may have found a problem."""
        place = lsp.Range(lsp.Position(line, 0), lsp.Position(line, 0))
        severity = lsp.DiagnosticSeverity.Warning
        found = [lsp.Diagnostic(place, problem, severity=severity)] if problem else []
        params = lsp.CodeActionParams(
            lsp.TextDocumentIdentifier(uri), place, lsp.CodeActionContext(diagnostics=found)
        )
        answer = await self._while_it_lives(self.client.text_document_code_action_async(params))
        return [action for action in answer or [] if isinstance(action, lsp.CodeAction)]

    async def execute(self, command: lsp.Command) -> Any:
        """Run a command of the server's."""
        params = lsp.ExecuteCommandParams(command.command, command.arguments)
        return await self._while_it_lives(self.client.workspace_execute_command_async(params))

    async def explanation(self) -> protocol.ExplainParams:
        """What the server asks to be put to the chat, once it does."""
        return await self._while_it_lives(self._explanations.get())

    async def chat(self, params: protocol.ChatParams, watch: Watcher) -> protocol.ChatResult:
        """One turn of the chat; `watch` gets each progress value."""
        token = uuid.uuid4().hex
        self._watchers[token] = watch
        try:
            asked = msgspec.structs.replace(params, partial_result_token=token)
            answer: protocol.ChatResult = await self._while_it_lives(
                self.client.protocol.send_request_async(protocol.CHAT, asked)
            )
        finally:
            del self._watchers[token]
        return answer
