"""Whether a native call has fallen asleep, such as in a deadlock, seen from its own process.

A step that computes keeps a thread running, one that waits for the disk or for its turn has a
thread that waits for it: only where all threads sleep for long does nothing go on. Linux alone
tells what threads do; elsewhere nothing is said.
"""

import threading
import time
from pathlib import Path

_TASKS = Path("/proc/self/task")
_SLEEPS = "S"


class Stillness:
    """Watches the threads of this process but the watching one."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._since: float | None = None

    def look(self, busy_for: float) -> bool:
        """Whether all threads were asleep at every look of the last seconds of the same step.

        `busy_for` is how long the running step takes already, 0 where none runs.
        """
        now = time.monotonic()
        if busy_for == 0.0 or not _all_sleep():
            self._since = None
            return False
        if self._since is None or busy_for < now - self._since:
            self._since = now
        return now - self._since >= self._seconds


def _all_sleep() -> bool:
    """Whether every other thread sleeps; False where that cannot be seen."""
    own, seen = str(threading.get_native_id()), False
    try:
        for task in _TASKS.iterdir():
            if task.name == own:
                continue
            # The name before it, in parentheses, may hold anything.
            state = (task / "stat").read_text("latin-1").rpartition(")")[2].split(maxsplit=1)[0]
            if state != _SLEEPS:
                return False
            seen = True
    except (OSError, IndexError):
        return False
    return seen
