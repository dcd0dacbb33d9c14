"""The message layer: typed `quillon/*` messages, lifecycle errors, no tracebacks on the wire.

What it changes in pygls, and why:

* Messages of our own methods have the classes of `message_types`.
* Requests before `initialize` and after `shutdown` are answered with the errors that the
  specification asks for; pygls runs the former and drops the latter, once the shutdown is done.
* A message that is not JSON, or that is malformed, is answered; pygls only logs it.
* A request is about its document as it was when the request came; pygls starts a handler later,
  and what came with the request in one piece has been done by then.
* An exception in a handler becomes one sentence; pygls sends the traceback.
* An answer of the client that cannot be understood fails the request that waits for it, and a
  request that nobody waits for any more is cancelled; pygls waits for ever, and tells nobody.
"""

import asyncio
import functools
import json
import logging
import uuid
from collections.abc import Callable
from concurrent.futures import Future
from contextvars import ContextVar
from typing import Any

import attrs
import msgspec
from cattrs import Converter
from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException
from pygls.lsp.server import LanguageServer
from pygls.protocol import LanguageServerProtocol

from quillon import __version__
from quillon.assist.conversations import ConversationStore
from quillon.assist.inline import Suggester
from quillon.chinese import in_chinese, reads_chinese
from quillon.context.document import DocumentSnapshot
from quillon.engine.base import Engine, EngineError, EngineInfo
from quillon.handshake import understood
from quillon.message_types import MsgId, awaited_type, make_converter, message_type
from quillon.refusals import (
    NOT_VERSION_2,
    PARSE_ERROR,
    Malformed,
    invalid_params,
    malformed,
    untimely,
    usable_id,
)
from quillon.session import Session
from quillon.settings import Settings

logger = logging.getLogger(__name__)

# Called with how much of the model is loaded, from 0 to 1, or None.
StatusListener = Callable[[float | None], None]


class RequestFailed(JsonRpcException):
    """The request was valid and could not be carried out; the message is for people."""

    CODE = -32803
    MESSAGE = "Request failed"


class ContentModified(JsonRpcException):
    """The document changed while the request ran, so its result would be wrong."""

    CODE = -32801
    MESSAGE = "The document changed meanwhile"


# The document that the request at hand names, as it was when the request came.
_ASKED: ContextVar[DocumentSnapshot | None] = ContextVar("asked", default=None)


class QuillonProtocol(LanguageServerProtocol):
    """The message layer of `QuillonServer`."""

    _server: "QuillonServer"

    def __init__(self, server: "QuillonServer", converter: Converter) -> None:
        super().__init__(server, converter)
        self._initialized = False
        # The id of an `initialize` that the handshake answered before we were loaded.
        self.answered: MsgId | None = None

    # Those of pygls are wrapped in a cache; ours are look-ups already.
    def get_message_type(self, method: str) -> type[Any] | None:  # type: ignore[override]
        """The class of a request or notification."""
        return message_type(method) or super().get_message_type(method)

    def get_result_type(self, method: str) -> type[Any] | None:  # type: ignore[override]
        """The class of the response to a request that the server sends."""
        return awaited_type(method) or super().get_result_type(method)

    def structure_message(self, data: dict[str, Any]) -> Any:
        """A message object from JSON; one that is malformed keeps its id, to be answered."""
        if "jsonrpc" in data:  # else it is a part of a message
            awaited = usable_id(data.get("id")) in self._result_types
            if (wrong := malformed(data, awaited=awaited)) is not None:
                return wrong
        try:
            return super().structure_message(data)
        except JsonRpcException as error:
            if "method" not in data:
                self._result_types.pop(data["id"], None)
                senseless = lsp.ResponseError(error.code, "The client's answer makes no sense")
                return lsp.ResponseErrorMessage(data["id"], senseless)
            reason = invalid_params(data, error)
            if self._is_answered(data):
                logger.warning("initialize has wrong parameters: %s", reason)
                return super().structure_message({**data, "params": understood(data["params"])})
            return Malformed(data.get("id"), reason, answered="id" in data)

    def handle_message(self, message: Any) -> None:
        """Dispatch a message, or answer why it cannot be."""
        if isinstance(message, Malformed):
            if message.answered:
                self._refuse(message.id, message.error)
            else:
                logger.warning("A message is passed over: %s", message.error)
            return
        method = getattr(message, "method", None)
        if getattr(message, "jsonrpc", None) != self.VERSION:
            number = getattr(message, "id", None) if method is not None else None
            self._refuse(number, NOT_VERSION_2)
            return
        if method is not None and hasattr(message, "id"):
            reason = untimely(method, initialized=self._initialized, shut_down=self._shutdown)
            if reason is not None:
                self._refuse(message.id, reason)
                return
            self._initialized = True
        elif method is not None and not self._initialized and method != lsp.EXIT:
            return  # the specification drops notifications before initialize
        super().handle_message(message)
        if method == lsp.SHUTDOWN:
            self._shutdown = True  # now, and not when its handler is done: what follows is late

    def _handle_request(self, msg_id: MsgId, method_name: str, params: Any) -> None:
        # pygls runs it in a context of its own, which the handler's task takes over.
        document = getattr(params, "text_document", None)
        if document is not None:
            _ASKED.set(self._server.session.snapshot(document.uri))
        super()._handle_request(msg_id, method_name, params)

    def _is_answered(self, data: dict[str, Any]) -> bool:
        """Whether a message is the `initialize` that the handshake answered."""
        return (
            self.answered is not None
            and data.get("id") == self.answered
            and data.get("method") == lsp.INITIALIZE
        )

    def send_request_async(
        self, method: str, params: Any | None = None, msg_id: MsgId | None = None
    ) -> asyncio.Future[Any]:
        """Ask the client. Whoever stops waiting takes the request back."""
        number = msg_id if msg_id is not None else str(uuid.uuid4())
        future = self.send_request(method, params, msg_id=number)
        future.add_done_callback(functools.partial(self._take_back, number))
        return asyncio.wrap_future(future)

    def _take_back(self, number: MsgId, future: Future[Any]) -> None:
        if future.cancelled():
            # Later: on shutdown pygls cancels while it goes through these very dictionaries.
            asyncio.get_running_loop().call_soon(self._forget, number)
            self.notify(lsp.CANCEL_REQUEST, lsp.CancelParams(number))

    def _forget(self, number: MsgId) -> None:
        self._request_futures.pop(number, None)
        self._result_types.pop(number, None)

    def _run_generator(
        self, future: Future[Any] | None, *, gen: Any, result_future: Future[Any]
    ) -> None:
        # The session ends while a handler runs: pygls logs the traceback of it.
        if future is not None and future.cancelled():
            gen.close()
            result_future.cancel()
            return
        super()._run_generator(future, gen=gen, result_future=result_future)

    def _send_response(
        self, msg_id: MsgId, result: Any | None = None, error: Any | None = None
    ) -> None:
        if self.answered is not None and msg_id == self.answered:
            self.answered = None
            if error is not None:
                logger.error("initialize was answered and then failed: %s", error)
            return
        if error is not None:
            error = attrs.evolve(error, message=self._server.for_user(error.message))
        super()._send_response(msg_id, result, error)

    def _refuse(self, msg_id: MsgId | None, error: JsonRpcException) -> None:
        self._send_data(
            {"jsonrpc": "2.0", "id": msg_id, "error": {"code": error.code, "message": str(error)}}
        )

    def _serialize_message(self, data: Any) -> Any:
        if isinstance(data, msgspec.Struct):
            return msgspec.to_builtins(data)
        return super()._serialize_message(data)


class QuillonServer(LanguageServer):
    """The language server: pygls plus the session and the engine that handlers work with."""

    protocol: QuillonProtocol

    def __init__(
        self,
        session: Session,
        open_engine: Callable[[Settings], Engine],
        open_conversations: Callable[[Session], ConversationStore],
        overrides: dict[str, Any],
    ) -> None:
        super().__init__(
            "quillon",
            __version__,
            protocol_cls=QuillonProtocol,
            converter_factory=make_converter,
            max_workers=2,
        )
        self.session = session
        # Settings from the command line, which win over the editor's.
        self.overrides = overrides
        # What features do once the client is ready, in the order of their registration.
        self.when_ready: list[Callable[[], None]] = []
        # What features let go of when the session ends.
        self.when_closed: list[Callable[[], None]] = []
        # What is waited for, off the event loop, before the process ends.
        self.when_left: list[Callable[[], None]] = []
        # Why the last request for a suggestion got none; None after a suggestion.
        self.no_suggestion: str | None = None
        self.echoed = False
        self.status_listeners: list[StatusListener] = []
        # Serves both kinds of completion, so that they share generations and memory.
        self.suggester = Suggester()
        self._open_engine = open_engine
        self._engine: Engine | None = None
        self._opened_for: object = None
        self._unsubscribe: Callable[[], None] = lambda: None
        self._open_conversations = open_conversations
        self._stores: dict[object, ConversationStore] = {}

    @property
    def engine(self) -> Engine:
        """The engine of the present settings, opened (not started) at first use."""
        if self._engine is None:
            settings = self.session.settings
            self._engine = self._open_engine(settings)
            self._opened_for = (settings.model, settings.engine)
            self._unsubscribe = self._engine.subscribe(self._engine_changed)
        return self._engine

    @property
    def conversations(self) -> ConversationStore:
        """The stored conversations of this workspace: of its first folder, as it is now."""
        folder = self.session.roots[:1]
        if folder not in self._stores:
            self._stores[folder] = self._open_conversations(self.session)
        return self._stores[folder]

    def store_of(self, conversation_id: str) -> ConversationStore:
        """The store of a conversation: one that began in other folders stays in theirs."""
        present = self.conversations
        holding = (store for store in self._stores.values() if store.has(conversation_id))
        return present if present.has(conversation_id) else next(holding, present)

    def holds(self, engine: Engine) -> bool:
        """Whether it is the engine in use, and not one that was let go of."""
        return self._engine is engine

    async def replace_engine(self) -> None:
        """Let go of the engine, so that its next use opens one for changed settings."""
        engine, self._engine = self._engine, None
        if engine is not None:
            self._unsubscribe()
            await engine.aclose()

    async def close(self) -> None:
        """Let go of everything that runs for this session. Twice is no error."""
        closing, self.when_closed = self.when_closed, []
        for close in closing:
            close()
        await self.replace_engine()

    async def leave(self) -> None:
        """Wait for what was let go of to end: a program that is left behind would stay."""
        for wait in self.when_left:
            await asyncio.to_thread(wait)

    async def settle_engine(self) -> None:
        """Let go of an engine that was opened for other settings than the present ones."""
        settings = self.session.settings
        if self._engine is not None and self._opened_for != (settings.model, settings.engine):
            await self.replace_engine()

    def for_user(self, text: str) -> str:
        """A sentence of ours in the language that the user reads."""
        return in_chinese(text) if reads_chinese(self.session.client.locale) else text

    def tell_user(self, kind: lsp.MessageType, text: str) -> None:
        """Show a sentence of ours."""
        self.window_show_message(lsp.ShowMessageParams(kind, self.for_user(text)))

    def asked_about(self, uri: str) -> DocumentSnapshot | None:
        """The document that the request at hand names, as it was when that came; None: not open."""
        asked = _ASKED.get()
        return self.session.snapshot(uri) if asked is None else asked

    def report_status(self) -> None:
        """Tell who watches that the engine may have another state."""
        self._tell(None)

    def report_no_suggestion(self, reason: str) -> None:
        """Note why there was no suggestion, and tell who watches."""
        if reason != self.no_suggestion:
            self.no_suggestion = reason
            self._tell(None)

    def report_suggestion(self, *, echoed: bool) -> None:
        """Note that there was a suggestion, and who says it: the user's own files or the model."""
        if self.no_suggestion is not None or echoed is not self.echoed:
            self.no_suggestion, self.echoed = None, echoed
            self._tell(None)

    def _engine_changed(self, _info: EngineInfo, fraction: float | None) -> None:
        self._tell(fraction)

    def _tell(self, fraction: float | None) -> None:
        for listener in self.status_listeners:
            listener(fraction)

    def feature(self, feature_name: str, options: Any | None = None) -> Callable[[Any], Any]:
        """Register a handler; its exceptions reach the client as one sentence."""
        register = super().feature(feature_name, options)

        def decorator(handler: Any) -> Any:
            register(guarded(handler))
            return handler

        return decorator

    def command(self, command_name: str) -> Callable[[Any], Any]:
        """Register a command; its exceptions reach the client as one sentence."""
        register = super().command(command_name)

        def decorator(handler: Any) -> Any:
            register(guarded(handler))
            return handler

        return decorator

    def report_server_error(self, error: Exception, source: Any) -> None:
        """Answer what is no JSON; log everything else that no request waits for."""
        if isinstance(error, json.JSONDecodeError | UnicodeDecodeError | RecursionError):
            self.protocol._refuse(None, PARSE_ERROR)  # noqa: SLF001 - our own protocol class
        elif not isinstance(error, JsonRpcException):
            logger.error("While handling a message: %s (%s)", error, source)


def guarded(handler: Any) -> Any:
    """The handler with every exception turned into an answer that a person can read."""
    if asyncio.iscoroutinefunction(handler):

        @functools.wraps(handler)
        async def guard_async(*args: Any, **kwargs: Any) -> Any:
            try:
                return await handler(*args, **kwargs)
            except Exception as error:  # noqa: BLE001 - the one place where handlers end
                raise readable(error, handler.__name__) from None

        return guard_async

    @functools.wraps(handler)
    def guard(*args: Any, **kwargs: Any) -> Any:
        try:
            return handler(*args, **kwargs)
        except Exception as error:  # noqa: BLE001 - the one place where handlers end
            raise readable(error, handler.__name__) from None

    return guard


def readable(error: Exception, where: str) -> JsonRpcException:
    """The error as the client sees it."""
    if isinstance(error, JsonRpcException):
        return error
    if isinstance(error, EngineError) or getattr(error, "for_people", False):
        return RequestFailed(str(error))
    logger.error("Defect in %s", where, exc_info=error)
    return RequestFailed(
        f"Quillon failed in {where} ({type(error).__name__}). This is a defect; the log has more."
    )
