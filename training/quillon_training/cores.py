"""How many threads pay: as many as there are cores that nobody else uses."""

import psutil
import torch

_SHORTEST = 2.0  # seconds to judge by


class ThreadCount:
    """Uses the cores that nobody else does.

    A training at the lowest priority gets next to nothing of a core that another process uses, and
    then every parallel region waits for the thread on that core: two threads on one free core of
    two ran at a twentieth of the speed of one.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._process = psutil.Process()
        self._before = self._times()

    def adapt(self) -> int:
        """Set torch's threads from what others used since the last call, and return the number."""
        before, now = self._before, self._times()
        seconds, busy, own = (after - earlier for after, earlier in zip(now, before, strict=True))
        if seconds < _SHORTEST:
            return torch.get_num_threads()
        self._before = now
        others = max(0.0, busy - own) / seconds
        count = max(1, min(self._most, int(self._most - others + 0.35)))
        if count != torch.get_num_threads():
            torch.set_num_threads(count)
        return count

    def _times(self) -> tuple[float, float, float]:
        """Seconds of all cores together, divided by the cores; busy ones; our own."""
        cpu = psutil.cpu_times()
        idle = cpu.idle + getattr(cpu, "iowait", 0.0)
        total = sum(cpu[:8])
        own = self._process.cpu_times()
        return total / (psutil.cpu_count() or 1), total - idle, own.user + own.system
