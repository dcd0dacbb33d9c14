"""From drawn tokens to the text of an answer: characters, stop texts and grammar triggers.

Pure Python over bytes and token ids; the native samplers are in `llama`.
"""

import codecs
from collections import deque
from collections.abc import Sequence

from quillon.engine.base import Delta, Token


class Answer:
    """Turns tokens into deltas whose text is never cut inside a character or a stop text.

    Bytes wait until their character is complete, and text that may be the beginning of a stop
    text waits until it is known not to be. A token leaves in the delta that completes its text.
    Control tokens, such as `<|im_start|>`, have no text in the answer.
    """

    def __init__(self, stop: Sequence[str] = ()) -> None:
        self.stopped = False
        self._stop = tuple(text for text in stop if text)
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._held = ""
        self._sent = 0  # characters that left
        self._waiting: deque[tuple[int, Token]] = deque()  # (where its text ends, token)

    def add(self, token: Token, *, control: bool = False) -> Delta | None:
        """The delta that this token completes, if any; `stopped` tells that a stop text came."""
        before = self._length
        if not control:
            self._held += self._decoder.decode(token.bytes)
        pending = bool(self._decoder.getstate()[0])
        # A token that ends inside a character belongs to the delta with that character.
        self._waiting.append((self._length + pending, token))
        cut = self._find_stop(before)
        if cut is not None:
            self.stopped = True
            return self._send(cut)
        return self._send(len(self._held) - self._possible_stop())

    def finish(self) -> Delta | None:
        """The text that waited for a stop text which did not come. Half characters are dropped."""
        if self.stopped:
            return None
        return self._send(len(self._held))

    @property
    def _length(self) -> int:
        return self._sent + len(self._held)

    def _find_stop(self, before: int) -> int | None:
        """Where in the held text the earliest stop text begins."""
        found = [
            at
            for text in self._stop
            if (at := self._held.find(text, max(0, before - self._sent - len(text) + 1))) >= 0
        ]
        return min(found, default=None)

    def _possible_stop(self) -> int:
        """The length of the longest end of the held text that begins a stop text."""
        return max((_overlap(self._held, text) for text in self._stop), default=0)

    def _send(self, count: int) -> Delta | None:
        text, self._held = self._held[:count], self._held[count:]
        self._sent += count
        tokens = []
        while self._waiting and self._waiting[0][0] <= self._sent:
            tokens.append(self._waiting.popleft()[1])
        return Delta(text, tuple(tokens)) if text or tokens else None


class Trigger:
    """Watches an answer for the text that wakes a sleeping grammar."""

    def __init__(self, text: str) -> None:
        self._text = text.encode()
        self._tail = b""

    def feed(self, piece: bytes) -> bytes | None:
        """What was generated from the trigger's first byte on, once it is complete; else None."""
        seen = self._tail + piece
        at = seen.find(self._text)
        if at >= 0:
            return seen[at:]
        self._tail = seen[max(0, len(seen) - len(self._text) + 1) :]
        return None


def _overlap(text: str, stop: str) -> int:
    for size in range(min(len(text), len(stop) - 1), 0, -1):
        if text.endswith(stop[:size]):
            return size
    return 0
