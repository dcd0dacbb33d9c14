"""How sure the model is of a suggestion, from the probabilities of its tokens.

A line's confidence is the mean probability of its first tokens, blank ones left out: indentation
and line breaks are near certain and say nothing. (A mean of probabilities rather than of
log-probabilities: one surprising identifier in an otherwise certain line does not sink it.)
"""

import math
from collections.abc import Iterable

from quillon.engine.base import Token

FIRST_TOKENS = 5
LATER_LINES = 0.6  # of the least confidence: a line that follows a good one may be less sure


class Confidence:
    """Reads tokens as they come; `first` and `weak_line` say what they are worth."""

    def __init__(self) -> None:
        self._lines: list[list[float]] = [[]]

    def feed(self, tokens: Iterable[Token]) -> None:
        """Note the next tokens; those without a probability, or special, count for nothing."""
        for token in tokens:
            if token.special or token.logprob is None:
                continue
            seen = self._lines[-1]
            if token.bytes.strip() and len(seen) < FIRST_TOKENS:
                seen.append(math.exp(token.logprob))
            for _ in range(token.bytes.count(b"\n")):
                self._lines.append([])

    @property
    def decided(self) -> bool:
        """Whether enough tokens were read to judge the first line."""
        return len(self._told()) > 1 or len(self._lines[self._first()]) >= FIRST_TOKENS

    @property
    def first(self) -> float:
        """The confidence of the first line with text; 1 where no probability is known."""
        return _mean(self._lines[self._first()])

    def weak_line(self, least: float) -> int | None:
        """The first line, after that of `first`, whose confidence is too low; None: none."""
        for index in range(self._first() + 1, len(self._lines)):
            if _mean(self._lines[index]) < least * LATER_LINES:
                return index
        return None

    def _told(self) -> list[int]:
        return [index for index, line in enumerate(self._lines) if line]

    def _first(self) -> int:
        return next(iter(self._told()), 0)


def _mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else 1.0
