"""One connection to an engine process: requests out, events in, and watching for silence.

The host answers pings from its loop's thread, whatever it decodes, so silence means that it is
stopped, deadlocked or starved. Silent for `Patience.silence`, it loses what runs. It is killed
when it is silent for `Patience.stuck` and sleeps all the while although our pings wait for it, else
only after `Patience.grace`, since a busy machine must not lose its model.
"""

import asyncio
import re
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import suppress
from itertools import count as counter
from typing import Any

import msgspec

from quillon.engine import base
from quillon.engine.base import (
    EngineError,
    EngineInfo,
    EngineLost,
    Event,
    Finished,
    ModelError,
    PromptTooLong,
)
from quillon.engine.wire import (
    MAX_FRAME,
    PROTOCOL_VERSION,
    Cancel,
    Counted,
    Done,
    EventFrame,
    Failed,
    Hello,
    InfoReply,
    Ping,
    Progress,
    ToClient,
    ToHost,
    Welcome,
    WireError,
    decode_for_client,
    encode,
    read_frame,
)

_SURROGATE = re.compile("[\ud800-\udfff]")
_LOADED = ("ready", "busy")
_SETTLED = (*_LOADED, "failed")


class Patience(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds. `ping` lies between two looks; `start` limits the start of a process."""

    ping: float = 0.25
    silence: float = 1.6
    stuck: float = 3.0
    grace: float = 10.0
    welcome: float = 10.0
    start: float = 60.0
    backoff: float = 0.5


Reply = Event | Counted | Done | InfoReply | EngineError


class Connection:
    """A connection that was welcomed.

    `lost` is done once it is over, with the reason; `was_needed` then tells whether it served
    anybody: a request ran, or the model was being loaded.
    """

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        info: EngineInfo,
        patience: Patience,
    ) -> None:
        self.info = info
        self.was_needed = False
        self.lost: asyncio.Future[EngineLost] = asyncio.get_running_loop().create_future()
        self.on_progress: Callable[[EngineInfo, float | None], None] = lambda _info, _part: None
        self.on_silent: Callable[[], None] = lambda: None
        # What changes while the host does anything; None where nothing can be said.
        self.pulse: Callable[[], float | None] = lambda: None
        self._reader = reader
        self._writer = writer
        self._patience = patience
        self._ids = counter(1)
        self._pending: dict[int, asyncio.Queue[Reply]] = {}
        self._silent_for = 0.0
        self._hung = False
        self._last_pulse: float | None = None
        self._awake = asyncio.Event()  # cleared while the host is silent
        self._awake.set()
        self._wanted = asyncio.Event()  # set while somebody waits for the host
        self._changed = asyncio.Event()  # set at each change of `info`
        self._tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._watch())]

    @classmethod
    async def open(
        cls,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        token: str,
        patience: Patience,
    ) -> "Connection":
        """Say hello and wait for the welcome.

        Raises:
            EngineLost: The host is of another version, closed or said something else.
            TimeoutError: It said nothing.
        """
        try:
            writer.write(encode(Hello(PROTOCOL_VERSION, token)))
            async with asyncio.timeout(patience.welcome):
                payload = await read_frame(reader)
            info = _welcome(payload)
        except TimeoutError:
            writer.close()
            raise
        except (OSError, WireError) as error:
            writer.close()
            raise EngineLost(f"the engine process did not answer: {error}") from error
        except BaseException:
            writer.close()
            raise
        return cls(reader, writer, info, patience)

    async def loaded(self) -> EngineInfo:
        """What the host runs, once its model is loaded.

        Raises:
            ModelError: The model cannot be loaded.
            EngineLost: The host is gone.
        """
        self._want()
        while self.info.state not in _LOADED:
            if self.info.state == "failed":
                raise ModelError(self.info.message or "the model could not be loaded")
            self._changed.clear()
            await self._race(self._changed.wait())
        return self.info

    async def responsive(self) -> None:
        """Wait while the host is silent: it has its grace before it gets more to do.

        Raises:
            EngineLost: It is gone.
        """
        if self.lost.done() or not self._awake.is_set():
            await self._race(self._awake.wait())

    async def generate(self, message: Callable[[int], ToHost]) -> AsyncGenerator[Event, None]:
        """The events of one generation; leaving early cancels it."""
        number, replies = await self._send(message)
        try:
            while True:
                reply = await replies.get()
                if isinstance(reply, EngineError):
                    raise reply
                if isinstance(reply, (Counted, Done, InfoReply)):
                    raise EngineLost("the engine process answered something else")
                yield reply
                if isinstance(reply, Finished):
                    return
        finally:
            self._give_up(number)

    async def ask(self, message: Callable[[int], ToHost]) -> Counted | Done | InfoReply:
        """The one reply to a message that is no generation."""
        number, replies = await self._send(message)
        try:
            reply = await replies.get()
        finally:
            self._give_up(number)
        if isinstance(reply, EngineError):
            raise reply
        if isinstance(reply, (Counted, Done, InfoReply)):
            return reply
        raise EngineLost("the engine process answered something else")

    @property
    def is_busy(self) -> bool:
        """Whether requests of this connection run."""
        return bool(self._pending)

    async def aclose(self, reason: EngineLost) -> None:
        """`close`, and wait until the socket is closed."""
        self.close(reason)
        await asyncio.wait(self._tasks)
        with suppress(OSError):
            await self._writer.wait_closed()

    def close(self, reason: EngineLost) -> None:
        """End the connection and everything that runs on it; the host goes on."""
        if self.lost.done():
            return
        self.was_needed = self._hung or self.is_busy or self.info.state not in _SETTLED
        self.lost.set_result(reason)
        self._fail_pending(reason)
        self._awake.set()
        for task in self._tasks:
            task.cancel()
        self._writer.close()

    async def _send(self, message: Callable[[int], ToHost]) -> tuple[int, asyncio.Queue[Reply]]:
        await self.responsive()
        number = next(self._ids)
        frame = _frame(message(number))
        if len(frame) > MAX_FRAME:
            raise PromptTooLong(
                f"the text has {len(frame) >> 20} MiB, more than any context: shorten it"
            )
        replies: asyncio.Queue[Reply] = asyncio.Queue()
        self._pending[number] = replies
        self._write(frame)
        self._want()
        return number, replies

    def _give_up(self, number: int) -> None:
        """Cancel the request unless it has ended: what ended is no longer pending."""
        if self._pending.pop(number, None) is not None:
            self._write(encode(Cancel(number)))

    def _write(self, frame: bytes) -> None:
        # Nobody waits for the peer to read: a silent one is the watcher's business.
        if not self.lost.done():
            with suppress(OSError, RuntimeError):
                self._writer.write(frame)

    def _want(self) -> None:
        if not self._wanted.is_set():
            self._silent_for = 0.0
            self._wanted.set()

    async def _race(self, work: Coroutine[Any, Any, Any]) -> None:
        """Wait for `work`, or raise what the connection was lost to."""
        task = asyncio.ensure_future(work)
        try:
            await asyncio.wait({task, self.lost}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            task.cancel()
        if self.lost.done():
            raise EngineLost(*self.lost.result().args)

    async def _listen(self) -> None:
        reason = "the engine process stopped; ask again"
        try:
            while (payload := await read_frame(self._reader)) is not None:
                self._silent_for = 0.0
                self._hung = False
                self._awake.set()
                self._take(decode_for_client(payload))
        except ConnectionError:
            pass  # killed with our pings unread, it resets the connection: the same end
        except (WireError, OSError) as error:
            reason = f"the engine process stopped or broke the protocol ({error}); ask again"
        finally:
            self.close(EngineLost(reason))

    def _take(self, message: ToClient) -> None:
        if isinstance(message, Progress):
            self.info = message.info
            self._changed.set()
            self.on_progress(message.info, message.fraction)
        elif isinstance(message, EventFrame):
            self._reply(message.id, message.event)
        elif isinstance(message, Failed):
            self._reply(message.id, _error(message))
        elif isinstance(message, (Counted, Done, InfoReply)):
            self._reply(message.id, message)

    def _reply(self, number: int, reply: Reply) -> None:
        # Replies to pings, and to what was given up, have nobody who waits.
        replies = self._pending.get(number)
        if replies is not None:
            if not isinstance(reply, Event) or isinstance(reply, Finished):
                del self._pending[number]
            replies.put_nowait(reply)

    async def _watch(self) -> None:
        """Ping while somebody waits; tell silence from a stall of our own loop by the clock."""
        loop, patience = asyncio.get_running_loop(), self._patience
        while True:
            await self._wanted.wait()
            self._write(encode(Ping(next(self._ids))))
            before = loop.time()
            await asyncio.sleep(patience.ping)
            # If this loop itself stood still, the host's answer may lie unread.
            self._silent_for += min(loop.time() - before, 2 * patience.ping)
            if self._silent_for >= patience.silence and self._awake.is_set():
                self._lose_silent()
            if self._silent_for >= patience.grace or self._is_stuck():
                self.on_silent()
                self.close(EngineLost("the engine process did not answer and was ended"))
            if not self._pending and self._awake.is_set() and self.info.state in _SETTLED:
                self._wanted.clear()

    def _is_stuck(self) -> bool:
        """Whether the host has slept since it fell silent, for too long."""
        if not self._hung or self._silent_for < self._patience.stuck:
            return False
        return self._last_pulse is not None and self.pulse() == self._last_pulse

    def _lose_silent(self) -> None:
        self._hung = True
        self._last_pulse = self.pulse()
        self._awake.clear()
        numbers = list(self._pending)
        self._fail_pending(EngineLost("the engine process does not answer; ask again"))
        for number in numbers:
            self._write(encode(Cancel(number)))

    def _fail_pending(self, error: EngineError) -> None:
        pending, self._pending = self._pending, {}
        for replies in pending.values():
            replies.put_nowait(type(error)(*error.args))  # each reader raises its own


def _frame(message: ToHost) -> bytes:
    try:
        return encode(message)
    except UnicodeEncodeError:
        # Lone surrogates: JSON from an editor may carry them, and so do odd file names.
        clean = _without_surrogates(msgspec.to_builtins(message))
        return encode(msgspec.convert(clean, type(message)))


def _without_surrogates(value: Any) -> Any:
    if isinstance(value, str):
        return _SURROGATE.sub("\ufffd", value)
    if isinstance(value, dict):
        return {key: _without_surrogates(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_surrogates(item) for item in value]
    return value


def _welcome(payload: bytes | None) -> EngineInfo:
    message = None if payload is None else decode_for_client(payload)
    if not isinstance(message, Welcome) or message.version != PROTOCOL_VERSION:
        raise EngineLost("the engine process does not speak this version's protocol")
    return message.info


def _error(message: Failed) -> EngineError:
    kind = getattr(base, message.kind, None)
    if isinstance(kind, type) and issubclass(kind, EngineError):
        return kind(message.message)
    return EngineError(f"{message.kind}: {message.message}")
