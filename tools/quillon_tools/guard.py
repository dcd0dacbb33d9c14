"""Stopping a model that goes in circles: budgets and repetition, within one turn.

A call is known by its name and canonical arguments. What counts as no progress follows what
other assistants found in practice: the same call again, two calls in turn, and one tool again
and again without a call that works.
"""

import json
from collections import Counter

from quillon_tools.calls import ToolCall

FAILURES = 4
STOPS = 2
_CYCLE = 4
_ANSWER = "Answer now with what you have learnt."


class LoopGuard:
    """What one turn has called so far, and why it may call no more.

    `exhausted` is set once no further call of the turn will run, whatever it is.
    """

    def __init__(self, calls: int) -> None:
        self._limit = calls
        self._made = 0
        self._attempts: list[str] = []
        self._done: set[str] = set()
        self._failures: Counter[str] = Counter()
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

    def ended(self, call: ToolCall, *, ok: bool, changed: bool = False) -> None:
        """A call ended. After one that changed something, others may give new results."""
        self._failures[call.name] = 0 if ok else self._failures[call.name] + 1
        if ok and changed:
            self._done = {_fingerprint(call)}

    def _why(self, call: ToolCall, key: str) -> str | None:
        if self.exhausted or self._made >= self._limit:
            self.exhausted = True
            return f"the tool calls of this turn are used up (at most {self._limit}). {_ANSWER}"
        if self._goes_in_circles():
            self.exhausted = True
            return f"the same calls are made in turn, and nothing new comes of it. {_ANSWER}"
        if key in self._done:
            return (
                f"this call of {call.name} was made before with the same arguments, and its result "
                f"stands above. Use it, or call with other arguments. {_ANSWER}"
            )
        if self._failures[call.name] >= FAILURES:
            return f"{call.name} failed {FAILURES} times in a row. {_ANSWER}"
        return None

    def _goes_in_circles(self) -> bool:
        last = self._attempts[-_CYCLE:]
        return len(last) == _CYCLE and last[:2] == last[2:]


def _fingerprint(call: ToolCall) -> str:
    try:
        return json.dumps([call.name, call.arguments], sort_keys=True)
    except (TypeError, ValueError, RecursionError):
        return repr((call.name, call.id))
