"""Ends in order what a signal ends: what it has started ends with it."""

import asyncio
import signal
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, TypeVar

T = TypeVar("T")

# By which other programs, editors and closing terminals end us. Ctrl-C is Python's own.
_SIGNALS = ("SIGTERM", "SIGHUP")


class SignalledError(Exception):
    """A signal ended the work; `status` is what shells make of that."""

    def __init__(self, number: signal.Signals) -> None:
        super().__init__(number)
        self.number = number
        self.status = 128 + number


def when_signalled(call: Callable[[signal.Signals], object]) -> None:
    """Call on the running loop, with its number, for every signal that is to end us."""
    for name in _SIGNALS:
        # Windows has no such signals, or no way to wait for them.
        with suppress(AttributeError, NotImplementedError):
            number = getattr(signal, name)
            asyncio.get_running_loop().add_signal_handler(number, call, number)


async def heeding_signals(job: Coroutine[Any, Any, T]) -> T:
    """The result of a job, which a signal cancels.

    Raises:
        SignalledError: A signal came first.
    """
    running = asyncio.create_task(job)
    received: list[signal.Signals] = []

    def stop(number: signal.Signals) -> None:
        received.append(number)
        running.cancel()

    when_signalled(stop)
    try:
        return await running
    except asyncio.CancelledError:
        running.cancel()  # Ctrl-C cancels us and not the job
        await asyncio.wait({running})
        if not received:
            raise
        raise SignalledError(received[0]) from None


async def until_interrupted(job: Coroutine[Any, Any, T]) -> T | None:
    """The result of a job, which Ctrl-C stops; None: it did.

    The next Ctrl-C does what it did before, even while the job still ends.
    """
    loop, running = asyncio.get_running_loop(), asyncio.create_task(job)
    before, interrupted = signal.getsignal(signal.SIGINT), False

    def stop(_number: int, _frame: object) -> None:
        nonlocal interrupted
        interrupted = True
        signal.signal(signal.SIGINT, before)
        loop.call_soon_threadsafe(running.cancel)

    # Not a handler of the loop: Windows has none, and the one of before could not be put back.
    signal.signal(signal.SIGINT, stop)
    try:
        return await running
    except asyncio.CancelledError:
        running.cancel()
        await asyncio.wait({running})
        ourselves = asyncio.current_task()
        if not interrupted or (ourselves is not None and ourselves.cancelling()):
            raise
        return None
    finally:
        signal.signal(signal.SIGINT, before)
