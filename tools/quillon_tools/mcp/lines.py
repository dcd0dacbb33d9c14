"""Lines of bytes from somebody who may send anything: bounded in length, in number and in sum."""

import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import msgspec

MAX_LINE = 4 << 20
_KEPT = 300
# Where writers of JSON-RPC put the id: before everything long, or after it.
_ID_FIRST = re.compile(rb'\s*\{\s*(?:"jsonrpc"\s*:\s*"2\.0"\s*,\s*)?"id"\s*:\s*(\d{1,15})\s*,')
_ID_LAST = re.compile(rb'"id"\s*:\s*(\d{1,15})\s*(?:,\s*"jsonrpc"\s*:\s*"2\.0"\s*)?\}\s*$')


class FloodError(Exception):
    """More came than anybody can have asked for."""


class LongLine(msgspec.Struct, frozen=True):
    """What is kept of a line that was longer than the limit."""

    head: bytes
    tail: bytes

    @property
    def number(self) -> int | None:
        """The id of the answer that the line was; None where it cannot be told."""
        found = _ID_FIRST.match(self.head) or _ID_LAST.search(self.tail)
        return int(found[1]) if found else None


class Allowance:
    """How much may come: so much at once, and so much more with every second.

    Amounts are bytes and messages. What is left unused is not saved beyond the first amount.
    """

    def __init__(
        self,
        *,
        size: float = float(256 << 20),
        size_per_second: float = float(4 << 20),
        messages: float = 2000.0,
        messages_per_second: float = 200.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._most = (size, messages)
        self._gain = (size_per_second, messages_per_second)
        self._left = [size, messages]
        self._clock = clock
        self._last = clock()

    def spend(self, *, size: int = 0, messages: int = 0) -> None:
        """Take what came off the allowance.

        Raises:
            FloodError: It is used up.
        """
        now = self._clock()
        passed, self._last = now - self._last, now
        for index, amount in enumerate((size, messages)):
            gained = self._left[index] + passed * self._gain[index]
            self._left[index] = min(self._most[index], gained) - amount
        if min(self._left) < 0:
            raise FloodError("it sent more than anybody asked for")


async def lines(
    read: Callable[[], Awaitable[bytes]], allowance: Allowance, *, limit: int = MAX_LINE
) -> AsyncIterator[bytes | LongLine]:
    """The lines that `read` gives piece by piece, empty bytes being the end.

    A line without an end is none. Never holds more than `limit` bytes and one piece.

    Raises:
        FloodError: The allowance is used up.
    """
    line = _Line(limit)
    while piece := await read():
        allowance.spend(size=len(piece))
        *ended, rest = piece.split(b"\n")
        for part in ended:
            line.add(part)
            whole, line = line, _Line(limit)
            if whole.size:
                allowance.spend(messages=1)
                yield whole.value()
        line.add(rest)


class _Line:
    def __init__(self, limit: int) -> None:
        self.size = 0
        self._limit = limit
        self._kept = bytearray()
        self._tail = b""

    def add(self, piece: bytes) -> None:
        self.size += len(piece)
        if self.size <= self._limit:
            self._kept += piece
            return
        # Too long: from now on only its two ends are of use.
        tail = self._tail or bytes(self._kept[-_KEPT:])
        self._tail = (tail + piece)[-_KEPT:]
        self._kept += piece[: max(0, _KEPT - len(self._kept))]
        del self._kept[_KEPT:]

    def value(self) -> bytes | LongLine:
        if self.size <= self._limit:
            return bytes(self._kept)
        return LongLine(bytes(self._kept), self._tail)
