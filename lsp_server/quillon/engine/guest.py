"""One client of the engine process: its frames in, answers and events out."""

import asyncio
import contextlib
import hmac
import logging
from collections import deque
from concurrent.futures import CancelledError
from typing import TYPE_CHECKING

from quillon.engine import wire
from quillon.engine.base import EngineError, Event, Finished, Priority, Request

if TYPE_CHECKING:
    from quillon.engine.host import Host
    from quillon.engine.scheduler import Job

logger = logging.getLogger(__name__)

_HELLO = 10.0  # seconds until a client must have shown the token
_MAX_UNREAD = 64 * 1024 * 1024  # bytes; a client that reads nothing is cut off


class Guest:
    """A connection; `run` lasts as long as it does."""

    def __init__(
        self, host: "Host", reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._host = host
        self._reader = reader
        self._writer = writer
        self._loop = asyncio.get_running_loop()
        self._jobs: dict[int, Job] = {}
        self._outbox: deque[tuple[int, Event | EngineError, bool]] = deque()
        self._waking = False
        self._counts: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Serve the client until it goes, is cut off or breaks the protocol."""
        try:
            if await self._greeted():
                while (payload := await wire.read_frame(self._reader)) is not None:
                    self._handle(wire.decode_for_host(payload))
        except wire.WireError as error:
            logger.warning("a client was cut off: %s", error)
        except (ConnectionError, TimeoutError) as error:
            logger.info("a client is gone: %r", error)
        finally:
            for job in self._jobs.values():
                self._host.worker.cancel(job)
            for task in self._counts:
                task.cancel()
            self._host.leave(self)
            self.close()

    def send(self, message: wire.ToClient) -> None:
        """Queue a frame; a client that does not read them is cut off."""
        transport = self._writer.transport
        if transport.is_closing():
            return
        self._writer.write(wire.encode(message))
        if transport.get_write_buffer_size() > _MAX_UNREAD:
            logger.warning("a client was cut off: it does not read its answers")
            transport.abort()

    def close(self) -> None:
        """Hang up."""
        self._writer.close()

    async def _greeted(self) -> bool:
        async with asyncio.timeout(_HELLO):
            payload = await wire.read_frame(self._reader)
        if payload is None:
            return False
        hello = wire.decode_for_host(payload)
        if not isinstance(hello, wire.Hello):
            raise wire.WireError("the first frame is not a greeting")
        if hello.version != wire.PROTOCOL_VERSION:
            raise wire.WireError(f"it speaks version {hello.version} of the protocol")
        if not hmac.compare_digest(hello.token.encode(), self._host.token.encode()):
            raise wire.WireError("it showed a wrong token")
        self._host.join(self)
        self.send(wire.Welcome(wire.PROTOCOL_VERSION, self._host.info()))
        return True

    def _handle(self, message: wire.ToHost) -> None:
        match message:
            case wire.Generate():
                self._start(message.id, message.request)
            case wire.Warm():
                request = Request(
                    prompt=message.prompt,
                    max_tokens=0,
                    priority=Priority.WARM,
                    cache_key=message.cache_key,
                )
                self._start(message.id, request, warm=True)
            case wire.Cancel():
                if message.id in self._jobs:
                    self._host.worker.cancel(self._jobs[message.id])
            case wire.Count():
                task = self._loop.create_task(self._count(message))
                self._counts.add(task)
                task.add_done_callback(self._counts.discard)
            case wire.Info():
                self.send(wire.InfoReply(message.id, self._host.info()))
            case wire.Ping():
                self.send(wire.Done(message.id))
            case wire.Shutdown():
                self.send(wire.Done(message.id))
                logger.info("a client asked the engine to end")
                self._host.ended.set()
            case wire.Hello():
                raise wire.WireError("a second greeting")

    def _start(self, number: int, request: Request, *, warm: bool = False) -> None:
        if number in self._jobs:
            raise wire.WireError(f"request {number} is running already")

        def emit(event: Event | EngineError) -> None:
            # On another thread. A loop that is behind is woken once for all that waits.
            self._outbox.append((number, event, warm))
            if not self._waking:
                self._waking = True
                with contextlib.suppress(RuntimeError):  # the loop may be closed already
                    self._loop.call_soon_threadsafe(self._deliver)

        self._jobs[number] = self._host.worker.submit(request, emit)

    def _deliver(self) -> None:
        self._waking = False
        while self._outbox:
            number, event, warm = self._outbox.popleft()
            if isinstance(event, EngineError):
                self._jobs.pop(number, None)
                self.send(wire.Failed(number, type(event).__name__, str(event)))
                continue
            ended = isinstance(event, Finished)
            if ended:
                self._jobs.pop(number, None)
            if not warm:
                self.send(wire.EventFrame(number, event))
            elif ended:
                self.send(wire.Done(number))

    async def _count(self, message: wire.Count) -> None:
        try:
            counts = await asyncio.wrap_future(self._host.worker.count(message.texts))
        except EngineError as error:
            self.send(wire.Failed(message.id, type(error).__name__, str(error)))
        except CancelledError:
            return
        else:
            self.send(wire.Counted(message.id, counts))
