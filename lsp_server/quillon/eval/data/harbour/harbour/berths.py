"""Berths along the quay, and who lies where."""

from harbour.ships import Ship


class QuayFull(Exception):
    """No free berth is long enough."""


class Quay:
    """A row of berths; each holds at most one ship."""

    def __init__(self, lengths):
        self.lengths = list(lengths)
        self.moored = {}

    def free_berths(self):
        """Return the numbers of the berths where nobody lies."""
        return [number for number in range(len(self.lengths)) if number not in self.moored]

    def moor(self, ship):
        """Give a ship the shortest free berth that holds it, and return its number."""
        fitting = [number for number in self.free_berths() if self.lengths[number] >= ship.length]
        if not fitting:
            raise QuayFull(ship.name)
        berth = min(fitting, key=lambda number: self.lengths[number])
        self.moored[berth] = ship
        return berth

    def cast_off(self, name):
        """Let a ship leave; return whether it lay here."""
        for berth, ship in self.moored.items():
            if ship.name == name:
                del self.moored[berth]
                return True
        return False

    def occupancy(self):
        """The share of berths that are taken, from 0 to 1."""
        if not self.lengths:
            return 0.0
        return len(self.moored) / len(self.lengths)


def swap_berths(quay, first, second):
    """Exchange the ships of two berths; either may be empty."""
    one = quay.moored.pop(first, None)
    other = quay.moored.pop(second, None)
    if one is not None:
        quay.moored[second] = one
    if other is not None:
        quay.moored[first] = other


def pilot_boat():
    """The harbour's own boat."""
    return Ship("Petrel", 12.0, 1.4)
