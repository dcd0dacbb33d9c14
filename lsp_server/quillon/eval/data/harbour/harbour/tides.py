"""Tides, by a rule of thumb."""

import math

PERIOD = 12.42


def water_level(hours, mean=4.0, swing=2.0):
    """The level in metres so many hours after high water."""
    return mean + swing * math.cos(2 * math.pi * hours / PERIOD)


def hours_to_high_water(hours):
    """How long it is until the next high water."""
    return (PERIOD - hours) % PERIOD


def rule_of_twelfths(swing):
    """How far the water falls in each of the six hours after high water."""
    return [swing * part / 12 for part in (1, 2, 3, 3, 2, 1)]


def is_rising(hours):
    """Whether the water rises at this time."""
    return hours % PERIOD > PERIOD / 2


class TideTable:
    """Levels that were written down, by hour."""

    def __init__(self, readings):
        self.readings = dict(readings)

    def highest(self):
        """Return the hour of the highest reading."""
        return max(self.readings, key=self.readings.get)

    def between(self, start, end):
        """Return the readings of the hours from start to end, both included."""
        return {hour: level for hour, level in self.readings.items() if start <= hour <= end}

    def smoothed(self):
        """Return each reading as the mean of itself and its neighbours."""
        hours = sorted(self.readings)
        result = {}
        for place, hour in enumerate(hours):
            near = hours[max(0, place - 1) : place + 2]
            result[hour] = sum(self.readings[each] for each in near) / len(near)
        return result
