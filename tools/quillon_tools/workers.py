"""A few threads for what blocks: tools read disks and parse files there, never on the loop."""

import asyncio
import threading
from collections.abc import Callable
from concurrent import futures
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from quillon_tools.calls import Failed

T = TypeVar("T")

_THREADS = 4


class Stop:
    """Asks a tool's thread to end: its call was cancelled or has run out of time."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def set(self) -> None:
        """Ask."""
        self._event.set()

    def __bool__(self) -> bool:
        return self._event.is_set()

    def wait(self, seconds: float) -> None:
        """Sleep, but not on when asked to end."""
        self._event.wait(seconds)

    def check(self) -> None:
        """Leave the tool where it was asked to end.

        Raises:
            Failed: It was.
        """
        if self._event.is_set():
            raise Failed("stopped")


class Workers:
    """A bounded pool of threads. Threads start when first needed."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="tool")
        self._stops: set[Stop] = set()
        self._running: set[Future[Any]] = set()

    async def run(self, call: Callable[[], T], stop: Stop, seconds: float) -> T:
        """What a call returns, or raises, within a number of seconds.

        When the time is up, or the caller is cancelled, the call is asked to stop and not waited
        for.

        Raises:
            Failed: The time is up.
        """
        future = self._pool.submit(call)
        self._stops.add(stop)
        self._running.add(future)
        future.add_done_callback(lambda _future: self._stops.discard(stop))
        future.add_done_callback(self._running.discard)
        try:
            async with asyncio.timeout(seconds):
                return await asyncio.wrap_future(future)
        except TimeoutError:
            raise Failed(f"it took longer than {seconds:g} s and was stopped") from None
        finally:
            stop.set()

    def close(self) -> None:
        """Ask every call to stop, and take no more. Does not wait."""
        for stop in tuple(self._stops):
            stop.set()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def wait(self, seconds: float) -> None:
        """Wait for the calls that were asked to stop: they end the programs that they run."""
        futures.wait(tuple(self._running), seconds)
