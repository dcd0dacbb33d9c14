"""Where the user was: documents visited and places edited, latest first."""

from collections import OrderedDict

import msgspec

from quillon.text import Span

_LIMIT = 64


class Visit(msgspec.Struct, frozen=True):
    """A document that was opened, edited or looked at.

    `span` is the last place touched, in the document's text of that time. `order` rises with every
    visit; `edits` counts the changes made there. `time` is in seconds of a monotonic clock.
    """

    uri: str
    span: Span
    order: int
    time: float
    edits: int = 0


class Recent:
    """A ring of the latest visits, one for each document."""

    def __init__(self, limit: int = _LIMIT) -> None:
        self._limit = limit
        self._visits: OrderedDict[str, Visit] = OrderedDict()
        self._order = 0

    def visit(self, uri: str, span: Span, time: float) -> None:
        """The user looked at a place."""
        self._add(uri, span, time, edits=0)

    def edit(self, uri: str, span: Span, time: float) -> None:
        """The user changed a place."""
        self._add(uri, span, time, edits=1)

    def latest(self) -> tuple[Visit, ...]:
        """All visits, the latest first."""
        return tuple(reversed(self._visits.values()))

    def _add(self, uri: str, span: Span, time: float, *, edits: int) -> None:
        before = self._visits.pop(uri, None)
        self._order += 1
        made = edits + (before.edits if before else 0)
        self._visits[uri] = Visit(uri, span, self._order, time, made)
        while len(self._visits) > self._limit:
            self._visits.popitem(last=False)
