"""The daily report."""

from harbour.fees import euros, mooring_fee


def berth_line(number, ship):
    """One line of the report on a berth."""
    if ship is None:
        return f"{number:>2} free"
    return f"{number:>2} {ship.name} ({ship.length:g} m)"


def daily_report(quay, hours):
    """All berths, and what the ships owe for so many hours."""
    lines = [berth_line(n, quay.moored.get(n)) for n in range(len(quay.lengths))]
    owed = sum(mooring_fee(ship.length, hours) for ship in quay.moored.values())
    return "\n".join([*lines, f"owed {euros(owed)}"])


def initials(name):
    """The initials of a ship's name, in capitals."""
    return "".join(word[0].upper() for word in name.split())
