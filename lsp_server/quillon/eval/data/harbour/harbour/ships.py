"""Ships that call at the harbour."""

from dataclasses import dataclass, field

MAX_DRAUGHT = 9.5


@dataclass
class Ship:
    """A ship as its captain reports it; measures are in metres."""

    name: str
    length: float
    draught: float
    cargo: dict = field(default_factory=dict)

    def is_laden(self):
        """Whether anything is aboard."""
        return any(weight > 0 for weight in self.cargo.values())

    def tonnage(self):
        """The weight of the whole cargo in tons."""
        return sum(self.cargo.values())

    def unload(self, goods):
        """Take goods off the ship and return their weight."""
        if goods not in self.cargo:
            raise MissingCargo(goods)
        return self.cargo.pop(goods)


class MissingCargo(LookupError):
    """The ship does not carry these goods."""


def heaviest_ship(ships):
    """Return the ship with the largest tonnage, or None without ships."""
    return max(ships, key=Ship.tonnage, default=None)


def parse_manifest(text):
    """Read a manifest: one line for each kind of goods, such as "coal: 120"."""
    cargo = {}
    for line in text.splitlines():
        goods, colon, weight = line.partition(":")
        if colon:
            cargo[goods.strip()] = float(weight)
    return cargo


def fits_channel(ship, depth):
    """Whether a ship can pass water of this depth with a hand's breadth to spare."""
    return ship.draught + 0.1 <= min(depth, MAX_DRAUGHT)
