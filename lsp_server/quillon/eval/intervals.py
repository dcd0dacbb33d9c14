"""95 % confidence intervals for shares and means."""

import math
import random
from collections.abc import Callable, Sequence
from statistics import fmean, median

Interval = tuple[float, float]
_Z = 1.959964  # of the normal distribution, for 95 %
_RESAMPLES = 1000


def wilson(hits: int, total: int) -> Interval:
    """Wilson's score interval of a share; everything is possible where nothing was counted.

    Source: E. B. Wilson, Probable inference, JASA 22 (1927).
    """
    if not total:
        return 0.0, 1.0
    share, square = hits / total, _Z**2
    middle = share + square / (2 * total)
    spread = _Z * math.sqrt(share * (1 - share) / total + square / (4 * total**2))
    scale = 1 + square / total
    return max(0.0, (middle - spread) / scale), min(1.0, (middle + spread) / scale)


def of_median(values: Sequence[float]) -> Interval:
    """The percentile bootstrap of a median; the same values give the same interval."""
    return _bootstrap(values, median)


def of_difference(differences: Sequence[float]) -> Interval:
    """The percentile bootstrap of the mean of paired differences."""
    return _bootstrap(differences, fmean)


def _bootstrap(values: Sequence[float], statistic: Callable[[Sequence[float]], float]) -> Interval:
    rng = random.Random(len(values))  # noqa: S311 - no secret; the same every time
    if not values:
        return 0.0, 0.0
    found = sorted(statistic(rng.choices(values, k=len(values))) for _ in range(_RESAMPLES))
    return found[int(0.025 * _RESAMPLES)], found[int(0.975 * _RESAMPLES) - 1]
