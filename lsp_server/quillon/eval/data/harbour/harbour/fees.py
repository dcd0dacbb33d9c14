"""What ships pay, in cents."""

RATES = {"day": 40, "night": 55}
FREE_HOURS = 2


def mooring_fee(length, hours, rate="day"):
    """The fee of a stay: for each metre and hour beyond the free ones."""
    paid = max(0, hours - FREE_HOURS)
    return round(length * paid * RATES[rate])


def with_discount(cents, percent):
    """The amount less a discount, never below zero."""
    return max(0, cents - cents * percent // 100)


def split_bill(cents, parts):
    """Divide an amount so that the parts differ by at most a cent; the first ones pay more."""
    share, rest = divmod(cents, parts)
    return [share + 1] * rest + [share] * (parts - rest)


def overdue(bills, today):
    """Return the ids of the bills that were due before today, the oldest first."""
    late = [(due, bill) for bill, due in bills.items() if due < today]
    return [bill for due, bill in sorted(late)]


def euros(cents):
    """Write an amount as people do, such as 12.05."""
    sign = "-" if cents < 0 else ""
    whole, rest = divmod(abs(cents), 100)
    return f"{sign}{whole}.{rest:02d}"
