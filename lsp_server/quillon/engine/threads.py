"""How many threads generate a token, chosen again from what the steps take.

Generating is bound by memory, so a few threads are enough, and on a busy machine fewer are faster:
all of them wait for the one that does not get a processor. What is best changes while the process
lives, so now and then a few tokens are generated with one thread more or fewer.
"""

from collections import deque
from statistics import median

WINDOW = 16  # tokens that a trial is compared with
TRIAL = 6  # tokens of a trial
_GIVE_UP = 3  # tokens of a trial that is clearly worse
_BETTER = 0.9  # of the time per token: below, the trial wins
_WORSE = 1.5  # above, something has changed
_FIRST_PAUSE = 64  # tokens between trials; doubled by each that was in vain
_LONGEST_PAUSE = 1024


class ThreadTuner:
    """`threads` is the number to use for the next token; `note` tells how long it took.

    With less than 2 as `most` it stays what it was at the start.
    """

    def __init__(self, start: int, most: int) -> None:
        self.threads = start
        self._most = most
        self._chosen = start
        self._direction = -1  # fewer first: a busy machine is why one would change
        self._pause = self._wait = _FIRST_PAUSE
        self._usual: float | None = None
        self._times: deque[float] = deque(maxlen=WINDOW)
        self._trial: list[float] = []
        self._key: int | None = None

    def note(self, seconds: float, key: int) -> None:
        """One token of the generation `key` took so long; others are not compared with it."""
        if self._most <= 1:
            return
        if key != self._key:
            self._key, self._usual = key, None
            self._times.clear()
            self._end_trial()
        if self.threads != self._chosen:
            self._note_trial(seconds)
            return
        self._times.append(seconds)
        self._wait -= 1
        if len(self._times) < WINDOW:
            return
        usual = median(self._times)
        if self._usual is not None and usual > self._usual * _WORSE:
            self._pause, self._wait = _FIRST_PAUSE, min(self._wait, _FIRST_PAUSE)
        if self._usual is None or usual > self._usual * _WORSE or usual < self._usual:
            self._usual = usual
        if self._wait <= 0:
            self._begin_trial()

    def _begin_trial(self) -> None:
        if not 1 <= self._chosen + self._direction <= self._most:
            self._direction = -self._direction
        self.threads = self._chosen + self._direction
        self._trial = []

    def _note_trial(self, seconds: float) -> None:
        self._trial.append(seconds)
        now, usual = median(self._trial), median(self._times)
        if len(self._trial) >= TRIAL and now < usual * _BETTER:
            self._chosen = self.threads
            self._usual = now
            self._pause = _FIRST_PAUSE
            self._times.clear()
            self._end_trial()
        elif len(self._trial) >= TRIAL or (len(self._trial) >= _GIVE_UP and now > usual * _WORSE):
            self._direction = -self._direction
            self._pause = min(2 * self._pause, _LONGEST_PAUSE)
            self._end_trial()

    def _end_trial(self) -> None:
        self.threads = self._chosen
        self._trial = []
        self._wait = self._pause
