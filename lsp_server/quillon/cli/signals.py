"""Ends a command in order where a signal ends it: what it has started ends with it."""

import asyncio
import signal
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, TypeVar

T = TypeVar("T")

# By which other programs and closing terminals end a command. Ctrl-C is Python's own.
_SIGNALS = ("SIGTERM", "SIGHUP")


class SignalledError(Exception):
    """A signal ended the command; `status` is what shells make of that."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.status = 128 + number


async def heeding_signals(job: Coroutine[Any, Any, T]) -> T:
    """The result of a job, which a signal cancels.

    Raises:
        SignalledError: A signal came first.
    """
    running = asyncio.create_task(job)
    received: list[int] = []

    def stop(number: int) -> None:
        received.append(number)
        running.cancel()

    for name in _SIGNALS:
        # Windows has no such signals, or no way to wait for them.
        with suppress(AttributeError, NotImplementedError):
            number = getattr(signal, name)
            asyncio.get_running_loop().add_signal_handler(number, stop, number)
    try:
        return await running
    except asyncio.CancelledError:
        running.cancel()  # Ctrl-C cancels us and not the job
        await asyncio.wait({running})
        if not received:
            raise
        raise SignalledError(received[0]) from None
