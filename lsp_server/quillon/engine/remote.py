"""The engine on a server that speaks OpenAI's interface: vLLM, llama-server, Ollama.

Prompts are rendered here and sent as they are, so that templates and fill-in-the-middle work as
they do locally. A server without plain completions gets conversations as messages.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing

import msgspec

from quillon.engine.base import (
    CLOSED,
    DeadlineExceeded,
    Delta,
    EngineError,
    EngineInfo,
    EngineState,
    EngineUnavailable,
    Event,
    Finished,
    FinishReason,
    Priority,
    Prompt,
    PromptTooLong,
    Request,
    Segment,
    Started,
    Timings,
    Usage,
)
from quillon.engine.listeners import Listener, Listeners
from quillon.engine.remote_discovery import discover, tokenize
from quillon.engine.remote_http import PathMissing, RemoteHttp, StillLoading
from quillon.engine.remote_server import RemoteModel, estimate_tokens, payload, prompt_text
from quillon.engine.remote_stream import Piece, read_pieces
from quillon.settings import Settings

_LOADING_POLL = 1.0  # seconds between looks at a server that loads its model
_COUNTS_AT_ONCE = 8
_BETWEEN_TRIES = 2.0  # seconds; each key typed would wait for a server that is not there


class RemoteEngine:
    """Implements `Engine` on the server of `settings.engine.url`.

    Raises:
        EngineUnavailable: The URL is none.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._http = RemoteHttp(settings.engine.url or "")
        self._model: RemoteModel | None = None
        self._finding = asyncio.Lock()
        self._counting = asyncio.Semaphore(_COUNTS_AT_ONCE)
        self._listeners = Listeners()
        self._running = 0
        self._failed: tuple[float, EngineError] | None = None
        self._closed = False
        self._info = self._without_model("absent", "")

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener(info, fraction)` at each change of state; the result ends that."""
        return self._listeners.subscribe(listener)

    async def generate(self, request: Request) -> AsyncIterator[Event]:
        """The events of one generation.

        Raises:
            EngineError: As `Engine` says.
        """
        loop = asyncio.get_running_loop()
        end = None if request.deadline is None else loop.time() + request.deadline
        async with aclosing(self._play(request)) as events:
            while True:
                try:
                    # Around each wait, for between two events the reader's own code runs.
                    async with asyncio.timeout_at(end):
                        event = await anext(events)
                except StopAsyncIteration:
                    return
                except TimeoutError as error:
                    raise DeadlineExceeded(
                        f"the answer was not complete after {request.deadline:g} seconds"
                    ) from error
                yield event

    async def count(self, texts: Sequence[str]) -> list[int]:
        """The number of tokens of each text: the server's, or an estimate that is too high."""
        model = await self._found()
        return list(await asyncio.gather(*(self._count(model, text) for text in texts)))

    async def warm(self, prompt: Prompt, cache_key: str | None = None) -> None:
        """Have the server evaluate a prompt, if it is known to keep what it evaluated."""
        model = await self._found()
        if model.kind in {"llama-server", "vllm"} and not model.chat_only:
            request = Request(
                prompt=prompt, max_tokens=1, priority=Priority.WARM, cache_key=cache_key
            )
            async with aclosing(self._play(request)) as events:
                async for _ in events:
                    pass

    async def info(self) -> EngineInfo:
        """What the server runs, waiting while it loads."""
        await self._found()
        return self._info

    def state(self) -> EngineInfo:
        """What is known now."""
        return self._info

    async def aclose(self) -> None:
        """Close the connections; running requests end in `EngineLost`."""
        self._closed = True
        await self._http.aclose()

    async def _found(self) -> RemoteModel:
        """The server's model, looked for at the first use and until it is found."""
        if self._closed:
            raise EngineUnavailable(CLOSED)
        async with self._finding:
            if self._model is None:
                self._model = await self._try_to_find()
                self._tell(self._model.info(self._http.url))
        return self._model

    async def _try_to_find(self) -> RemoteModel:
        loop = asyncio.get_running_loop()
        if self._failed is not None and loop.time() < self._failed[0]:
            # A copy: an error that is raised each time anew collects every traceback.
            raise type(self._failed[1])(*self._failed[1].args)
        try:
            return await self._discover()
        except EngineError as error:
            self._failed = (loop.time() + _BETWEEN_TRIES, error)
            self._tell(self._without_model("failed", str(error)))
            raise

    async def _discover(self) -> RemoteModel:
        while True:
            try:
                return await discover(self._http, self._settings)
            except StillLoading as error:
                self._tell(self._without_model("loading", str(error)))
                await asyncio.sleep(_LOADING_POLL)

    async def _count(self, model: RemoteModel, text: str) -> int:
        if model.tokenizes:
            async with self._counting:
                try:
                    return await tokenize(self._http, model, prompt_text((Segment(text),)))
                except PathMissing:
                    pass
        return estimate_tokens(text)

    async def _play(self, request: Request) -> AsyncGenerator[Event, None]:
        loop = asyncio.get_running_loop()
        began = loop.time()
        model = await self._found()
        prompt_tokens = await self._count(model, prompt_text(request.prompt))
        if prompt_tokens >= model.context:
            raise PromptTooLong(
                f"the prompt has about {prompt_tokens} tokens and the context {model.context}: "
                "shorten the prompt, or give the server a larger context"
            )
        yield Started(prompt_tokens, 0)
        answer = _Answer(prompt_tokens, began)
        self._note_running(1)
        try:
            async with aclosing(self._pieces(request, model)) as pieces:
                async for piece in pieces:
                    answer.note(piece, loop.time())
                    if piece.text:
                        yield Delta(piece.text, piece.tokens)
        except EngineUnavailable:
            self._model = None  # it may come back with another model
            raise
        finally:
            self._note_running(-1)
        yield answer.finished(loop.time())

    async def _pieces(self, request: Request, model: RemoteModel) -> AsyncGenerator[Piece, None]:
        path, body = payload(request, model)
        try:
            async with aclosing(self._read(path, body)) as pieces:
                async for piece in pieces:
                    yield piece
        except PathMissing:
            if model.chat_only or model.kind == "ollama":
                raise
            model = msgspec.structs.replace(model, chat_only=True)
            self._model = model
            self._tell(model.info(self._http.url))
            async with aclosing(self._pieces(request, model)) as pieces:
                async for piece in pieces:
                    yield piece

    async def _read(self, path: str, body: dict[str, object]) -> AsyncGenerator[Piece, None]:
        base = self._http.root if path.startswith("/api/") else self._http.url
        async with (
            aclosing(self._http.stream(f"{base}{path}", body)) as chunks,
            aclosing(read_pieces(chunks)) as pieces,
        ):
            async for piece in pieces:
                yield piece

    def _note_running(self, change: int) -> None:
        self._running += change
        state = "busy" if self._running else "ready"
        self._tell(msgspec.structs.replace(self._info, state=state))

    def _without_model(self, state: EngineState, message: str) -> EngineInfo:
        return EngineInfo(
            state=state,
            model=self._settings.engine.remote_model or "",
            path=self._http.url,
            message=message,
        )

    def _tell(self, info: EngineInfo) -> None:
        self._info = info
        self._listeners.tell(info)


class _Answer:
    """What is known of one answer while it comes."""

    def __init__(self, prompt_tokens: int, began: float) -> None:
        self._began = began
        self._first: float | None = None
        self._reason: FinishReason = "stop"
        self._pieces = 0
        self._usage = Usage(prompt_tokens, 0, 0)

    def note(self, piece: Piece, now: float) -> None:
        if piece.text:
            self._pieces += len(piece.tokens) or 1
            self._first = self._first or now
        if piece.reason is not None:
            self._reason = piece.reason
        if piece.prompt_tokens is not None or piece.completion_tokens:
            prompt = piece.prompt_tokens or self._usage.prompt_tokens
            self._usage = Usage(prompt, piece.cached_tokens, piece.completion_tokens)

    def finished(self, now: float) -> Finished:
        first = self._first or now
        usage = self._usage
        if not usage.completion_tokens:
            usage = msgspec.structs.replace(usage, completion_tokens=self._pieces)
        prefill, decode = first - self._began, now - first
        return Finished(self._reason, usage, Timings(0.0, prefill, decode, prefill))
