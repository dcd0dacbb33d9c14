"""Stopping a model that goes in circles: budgets and repetition, within one turn.

A call is known by its name and canonical arguments, and it made progress where its result holds
a line that no result of the turn held before. What counts as no progress follows what other
assistants found in practice: the same call again, a few calls in turn, one tool that fails or
finds nothing again and again, and reading on where everything was read. Each ends in a sentence
for the model, and then in an answer without tools.
"""

import json
from collections import Counter, deque

from quillon_tools.calls import ToolCall

FAILURES = 4
STOPS = 2
IDLE = 8
_CYCLES = (2, 3, 4)  # calls that are made in turn, this many of them
_WINDOW = 15  # the latest calls, of which `IDLE` may be without progress
_MAX_LINES = 200_000  # lines of results that are remembered
_ANSWER = "Answer now with what you have learnt."


class LoopGuard:
    """What one turn has called so far, and why it may call no more.

    `exhausted` is set once no further call of the turn will run, whatever it is.
    """

    def __init__(self, calls: int) -> None:
        self._limit = calls
        self._made = 0
        self._attempts: deque[str] = deque(maxlen=2 * max(_CYCLES))
        self._done: set[str] = set()
        self._failures: Counter[str] = Counter()
        self._idle: Counter[str] = Counter()
        self._latest: deque[bool] = deque(maxlen=_WINDOW)
        self._lines: set[int] = set()
        self._stops = 0
        self.exhausted = False

    def stop(self, call: ToolCall) -> str | None:
        """Why a call is not looked at, for the model; None: it may go on. Counts the call."""
        key = _fingerprint(call)
        self._attempts.append(key)
        why = self._why(call, key)
        if why is None:
            self._made += 1
            self._done.add(key)
            return None
        self._stops += 1
        # A model that does not hear is not told again and again.
        self.exhausted = self.exhausted or self._stops >= STOPS
        return why

    def ended(self, call: ToolCall, *, ok: bool, result: str, changed: bool = False) -> None:
        """A call ended. After one that changed something, others may give new results."""
        news = self._has_news(result)
        progress = ok and (changed or news)
        self._failures[call.name] = 0 if ok else self._failures[call.name] + 1
        self._idle[call.name] = 0 if progress else self._idle[call.name] + 1
        self._latest.append(progress)
        if ok and changed:
            self._done = {_fingerprint(call)}

    def _has_news(self, result: str) -> bool:
        """Whether a result holds a line that none before it held."""
        lines = {hash(line) for line in map(str.strip, result.splitlines()) if line}
        news = not lines <= self._lines
        if len(self._lines) < _MAX_LINES:
            self._lines |= lines
        return news

    def _why(self, call: ToolCall, key: str) -> str | None:
        if (over := self._over(call)) is not None:
            self.exhausted = True
            return over
        if key in self._done:
            return (
                f"this call of {call.name} was made before with the same arguments, and its result "
                f"stands above. Use it, or call with other arguments. {_ANSWER}"
            )
        if self._failures[call.name] >= FAILURES:
            return f"{call.name} failed {FAILURES} times in a row. {_ANSWER}"
        return None

    def _over(self, call: ToolCall) -> str | None:
        """Why the turn may make no call at all any more."""
        if self.exhausted or self._made >= self._limit:
            return f"the tool calls of this turn are used up (at most {self._limit}). {_ANSWER}"
        if self._goes_in_circles():
            return f"the same calls are made in turn, and nothing new comes of it. {_ANSWER}"
        if self._idle[call.name] >= IDLE:
            return f"{IDLE} calls of {call.name} in a row brought nothing new. {_ANSWER}"
        if self._latest.count(False) >= IDLE:
            return f"{IDLE} of the last {len(self._latest)} calls brought nothing new. {_ANSWER}"
        return None

    def _goes_in_circles(self) -> bool:
        made = list(self._attempts)
        return any(
            len(made) >= 2 * length and made[-length:] == made[-2 * length : -length]
            for length in _CYCLES
        )


def _fingerprint(call: ToolCall) -> str:
    try:
        return json.dumps([call.name, call.arguments], sort_keys=True)
    except (TypeError, ValueError, RecursionError):
        return repr((call.name, call.id))
