"""The engine in a process of its own, as the language server sees it.

Nothing starts before the first use. Then one task attaches to the model's running process or
starts it, and waits until the model is loaded; every request waits for that task. A process that
dies takes the running requests with it and is started again at the next use, then later each time;
after `MAX_CRASHES` in a row without an answer it is left alone until `retry`.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing, suppress
from pathlib import Path

import msgspec

from quillon.engine.base import (
    CLOSED,
    DeadlineExceeded,
    EngineError,
    EngineInfo,
    EngineLost,
    EngineState,
    EngineUnavailable,
    Event,
    Finished,
    ModelError,
    Prompt,
    Request,
)
from quillon.engine.connection import Connection, Patience
from quillon.engine.endpoint import Endpoint, endpoint_for
from quillon.engine.launch import (
    HostStopped,
    Launched,
    attach,
    attach_or_start,
    describe_exit,
    host_command,
    kill_host,
    pulse,
)
from quillon.engine.listeners import Listener, Listeners
from quillon.engine.models import ModelFile, verify, verify_adapter
from quillon.engine.wire import Count, Counted, Generate, Shutdown, Warm
from quillon.settings import ModelSettings, Settings

logger = logging.getLogger(__name__)

MAX_CRASHES = 3


class LocalEngine:
    """Implements `Engine` on the process that runs `model`, shared with other clients."""

    def __init__(
        self, settings: Settings, model: ModelFile, patience: Patience | None = None
    ) -> None:
        self._settings = _with_whole_paths(settings.model)
        self._model = model
        self._patience = patience or Patience()
        self._listeners = Listeners()
        self._connection: Connection | None = None
        self._starting: asyncio.Task[Connection] | None = None
        self._launched: Launched | None = None
        self._crashes = 0
        self._refused: tuple[str, EngineError] | None = None
        self._closed = False
        self._info = self._own_info("absent", "")

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener(info, fraction)` at each change of state; the result ends that."""
        return self._listeners.subscribe(listener)

    async def generate(self, request: Request) -> AsyncIterator[Event]:
        """The events of one generation, waiting until the model is loaded.

        Raises:
            EngineError: As `Engine` says.
        """
        loop = asyncio.get_running_loop()
        began = loop.time()
        connection = await self._ready_within(request.deadline)
        if request.deadline is not None:
            left = max(0.0, request.deadline - (loop.time() - began))
            request = msgspec.structs.replace(request, deadline=left)
        events = connection.generate(lambda number: Generate(number, request))
        async with aclosing(events):
            async for event in events:
                if isinstance(event, Finished):
                    self._crashes = 0
                yield event

    async def count(self, texts: Sequence[str]) -> list[int]:
        """The number of tokens of each text, special tokens not parsed."""
        connection = await self._ready()
        reply = await connection.ask(lambda number: Count(number, tuple(texts)))
        if not isinstance(reply, Counted) or len(reply.counts) != len(texts):
            raise EngineLost("the engine process answered something else")
        return list(reply.counts)

    async def warm(self, prompt: Prompt, cache_key: str | None = None) -> None:
        """Evaluate a prompt at the lowest priority."""
        connection = await self._ready()
        await connection.ask(lambda number: Warm(number, prompt, cache_key))

    async def info(self) -> EngineInfo:
        """What the process runs, waiting until the model is loaded."""
        await self._ready()
        return self._info

    def state(self) -> EngineInfo:
        """What is known now."""
        return self._info

    def retry(self) -> None:
        """Forget what failed, so that the next use starts the process again."""
        self._crashes = 0
        self._refused = None

    async def stop(self) -> bool:
        """End the model's process, whoever uses it; False where none runs."""
        endpoint = await asyncio.to_thread(endpoint_for, self._model.path, self._settings)
        connection = self._connection or await attach(endpoint, self._patience)
        if connection is None:
            return False
        self._connection = None
        await _shut_down(connection, self._patience)
        self._tell(self._own_info("absent", "the engine was stopped"))
        return True

    async def aclose(self) -> None:
        """Let go of the process, which goes on for its other clients."""
        self._closed = True
        if self._starting is not None:
            self._starting.cancel()
            await asyncio.wait([self._starting])
        if self._connection is not None:
            await self._connection.aclose(EngineLost(CLOSED))

    async def _ready_within(self, deadline: float | None) -> Connection:
        try:
            async with asyncio.timeout(deadline):
                return await self._ready()
        except TimeoutError as error:
            raise DeadlineExceeded(
                f"the model was not loaded within the {deadline:g} seconds of the request"
            ) from error

    async def _ready(self) -> Connection:
        """A connection whose model is loaded and whose process answers."""
        while True:
            connection = self._connection
            if connection is None or connection.lost.done() or self._starting is not None:
                connection = await self._wait_for_start()
            try:
                await connection.responsive()
            except EngineLost:
                if self._closed:
                    raise
                continue  # it did not come back and was ended: start another
            return connection

    async def _wait_for_start(self) -> Connection:
        if self._closed:
            raise EngineUnavailable(CLOSED)
        if self._starting is None:
            self._starting = asyncio.create_task(self._start())
            self._starting.add_done_callback(self._started)
        try:
            # Whoever gives up waiting does not stop the start: the next request needs it too.
            return await asyncio.shield(self._starting)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and not task.cancelling():  # not we were cancelled, the start was
                raise EngineLost(CLOSED) from None
            raise

    def _started(self, task: "asyncio.Task[Connection]") -> None:
        self._starting = None
        # Asked for even if nobody waits any more, or asyncio would complain.
        error = None if task.cancelled() else task.exception()
        if isinstance(error, EngineError):
            self._tell(self._own_info("failed", str(error)))
        elif error is not None:
            logger.error("The start of the engine failed", exc_info=error)

    async def _start(self) -> Connection:
        """Attach or start until a model is loaded or has failed for good."""
        if self._refused is None:
            self._tell(self._own_info("loading", "the model file is looked at"))
        endpoint = await asyncio.to_thread(self._prepare)
        if self._refused is not None and self._refused[0] == endpoint.key:
            raise _again(self._refused[1])
        while True:
            if self._crashes > 1:  # one may be bad luck: then nobody should wait
                await asyncio.sleep(self._patience.backoff * 2 ** (self._crashes - 2))
            try:
                return await self._load(endpoint)
            except ModelError as error:
                self._refused = (endpoint.key, error)
                raise
            except HostStopped as error:
                self._crashes += 1
                await self._check_crashes(endpoint, error)
            except EngineLost as error:  # counted when the connection was lost
                await self._check_crashes(endpoint, error)

    async def _load(self, endpoint: Endpoint) -> Connection:
        self._tell(self._own_info("loading", "the engine process starts"))
        self._launched = None
        command = host_command(self._model.path, self._settings)
        connection = await attach_or_start(endpoint, command, self._patience, self._launch)
        self._adopt(connection)
        try:
            await connection.loaded()
        except ModelError:
            # It is of no use to anybody, and a later try needs a fresh one.
            self._connection = None
            await _shut_down(connection, self._patience)
            raise
        return connection

    def _prepare(self) -> Endpoint:
        """Look at the files, in a thread, before a process is started on them."""
        verify(self._model.path)
        if self._settings.adapter:
            verify_adapter(Path(self._settings.adapter))
        return endpoint_for(self._model.path, self._settings)

    def _launch(self, launched: Launched) -> None:
        self._launched = launched

    def _adopt(self, connection: Connection) -> None:
        self._connection = connection
        connection.on_progress = self._progress
        connection.on_silent = lambda: kill_host(connection.info.pid)
        connection.pulse = lambda: pulse(connection.info.pid)
        connection.lost.add_done_callback(lambda future: self._lost(connection, future.result()))
        self._progress(connection.info, None)

    def _progress(self, info: EngineInfo, fraction: float | None) -> None:
        self._tell(msgspec.structs.replace(info, embedded=self._model.embedded), fraction)

    def _lost(self, connection: Connection, reason: EngineLost) -> None:
        if self._connection is connection:
            self._connection = None
            self._crashes += connection.was_needed
            self._tell(self._own_info("absent", str(reason)))

    async def _check_crashes(self, endpoint: Endpoint, error: EngineError) -> None:
        if self._crashes < MAX_CRASHES:
            return
        launched = self._launched
        # The exit status follows the end of the connection by a moment.
        status = await asyncio.to_thread(launched.wait, 1.0) if launched is not None else None
        final = EngineUnavailable(
            f"The engine failed {self._crashes} times in a row with the model "
            f"{self._model.path}; the last time {describe_exit(status)}. Its log is "
            f"{endpoint.log_path}. Choose a smaller model or context, or restart the engine."
        )
        self._refused = (endpoint.key, final)
        raise final from error

    def _own_info(self, state: EngineState, message: str) -> EngineInfo:
        return EngineInfo(
            state=state,
            message=message,
            model=self._model.path.stem,
            path=str(self._model.path),
            embedded=self._model.embedded,
        )

    def _tell(self, info: EngineInfo, fraction: float | None = None) -> None:
        self._info = info
        self._listeners.tell(info, fraction)


def _again(error: EngineError) -> EngineError:
    """A copy to raise: an error that is raised each time anew collects every traceback."""
    return type(error)(*error.args)


def _with_whole_paths(settings: ModelSettings) -> ModelSettings:
    """The settings for a process that runs in another folder."""
    if not settings.adapter:
        return settings
    path = Path(settings.adapter)
    with suppress(RuntimeError):  # no such home folder; the path itself is told as missing
        path = path.expanduser()
    return msgspec.structs.replace(settings, adapter=str(path.absolute()))


async def _shut_down(connection: Connection, patience: Patience) -> None:
    try:
        async with asyncio.timeout(patience.grace):
            with suppress(EngineLost):  # it may be gone before it answers
                await connection.ask(Shutdown)
            await connection.lost
    except TimeoutError:
        kill_host(connection.info.pid)
    await connection.aclose(EngineLost("the engine was stopped"))
