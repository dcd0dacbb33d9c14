"""What the states of the reader share: where they lead, and the text that a call is read from."""

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

from quillon.prompt.outlet import Outlet
from quillon.prompt.reading import NotJsonError, Reading, calls_in, load, name_in
from quillon.prompt.stream import Tag

OPEN, CLOSE = "<tool_call>", "</tool_call>"
FUNCTION, FUNCTION_END = "<function=", "</function>"
CUT = "the answer ended before the call did"
MISSING_BRACES = "missing closing braces"
_MAX_RAW = 1024 * 1024  # characters of a broken call that are kept


class State(Protocol):
    """One state of the reader."""

    def feed(self, item: str | Tag) -> "Step":
        """Take an item; the step's rest is what the next state begins with."""
        ...

    def finish(self, *, complete: bool) -> "Step | None":
        """The answer is over, `complete` or cut off; a step where a rest must be read afresh."""
        ...


class Step(NamedTuple):
    """The next state, and what it shall be fed before anything else."""

    state: State
    rest: str | Tag | None = None


class Reader(Protocol):
    """What a state knows of the whole."""

    outlet: Outlet
    tools: Mapping[str, Mapping[str, Any]] | None  # parameter schemas by name; None: unknown
    anywhere: bool  # bare JSON may begin anywhere

    @property
    def tags_are_text(self) -> bool:
        """Whether tags are spelled in text, and are not tokens."""
        ...

    def to_text(self) -> State:
        """The state between calls."""
        ...

    def to_closers(self, closers: tuple[str, ...]) -> State:
        """The state behind a call, where these belong to it."""
        ...


class Source:
    """The text that one call is read from, kept for the case that it cannot be read.

    `fence` stands before it and is text only if there is no call. A broken call ends at one of
    `closers`, which belong to it, or before one of `openers`.
    """

    def __init__(
        self, reader: Reader, opening: str, *, tagged: bool = True, fence: str = ""
    ) -> None:
        self.reader = reader
        self.tagged = tagged
        self.closers: tuple[str, ...] = (CLOSE,) if reader.tags_are_text else ()
        self.openers: tuple[str, ...] = (OPEN,) if reader.tags_are_text else ()
        if not self.tagged:
            self.closers += (FUNCTION_END,)
            self.openers += (FUNCTION,)
        self._fence = fence
        self._parts = [opening]
        self._length = len(opening)
        self._before = 0

    @property
    def text(self) -> str:
        """All of it."""
        return "".join(self._parts)

    @property
    def payload(self) -> str:
        """What stands behind the tag."""
        return self.text[self._before :]

    def add(self, text: str) -> None:
        """More of the text."""
        text = text[: max(0, _MAX_RAW - self._length)]
        self._parts.append(text)
        self._length += len(text)

    def drop(self, count: int) -> None:
        """Its last characters belong to what follows."""
        if count:
            self._parts = [self.text[:-count]]
            self._length -= count

    def begin_payload(self) -> None:
        """What was added so far is the tag and blanks."""
        self._before = self._length

    def end_in(self, text: str, start: int = 0) -> tuple[int, str] | None:
        """Where in `text` the first of `closers` and `openers` stands, and which it is."""
        ends = (*self.closers, *self.openers)
        found = [(at, end) for end in ends if (at := text.find(end, start)) >= 0]
        return min(found, default=None)

    def cut(self, problem: str, *, mend: bool) -> Step | None:
        """The broken call up to its first end inside the text; what follows is read afresh.

        None where the text holds no end.
        """
        text = self.text
        found = self.end_in(text, self._before)
        if found is None:
            return None
        at, end = found
        payload = text[self._before : at]
        if end in self.closers:
            at += len(end)
        self._parts = [text[:at]]
        state = self.settle(payload, problem) if mend else self.fail(problem)
        return Step(state, text[at:])

    def settle(self, payload: str, problem: str) -> State:
        """The calls of a payload that has come to its closing tag, mended if that is possible."""
        try:
            readings, repair = understood(payload)
        except NotJsonError:
            return self.fail(problem)
        return self.call(readings, repair)

    def call(self, readings: list[Reading], repair: str | None) -> State:
        """It is these calls; the state behind them."""
        if all(reading.problem for reading in readings):
            self._unfence()
        self.reader.outlet.calls(readings, self.text, repair)
        return self.reader.to_closers(("```",) if self._fence else ())

    def fail(self, problem: str) -> State:
        """It is a broken call."""
        self._unfence()
        self.reader.outlet.broken(name_in(self.text), self.text, problem)
        return self.reader.to_text()

    def be_text(self) -> State:
        """It is no call at all."""
        self._unfence()
        self.reader.outlet.text(self.text)
        return self.reader.to_text()

    def _unfence(self) -> None:
        self.reader.outlet.text(self._fence)
        self._fence = ""


def understood(payload: str) -> tuple[list[Reading], str | None]:
    """The calls of a tag's content, and what was mended.

    Raises:
        NotJsonError: It cannot be read; the message is for the model.
    """
    try:
        value, repair = load(payload)
    except NotJsonError as error:
        raise NotJsonError(f"the call is not valid JSON: {error}") from error
    readings = calls_in(value)
    if readings is None:
        raise NotJsonError('a call is an object with "name" and "arguments"')
    if repair == MISSING_BRACES and not all(reading.explicit for reading in readings):
        raise NotJsonError("the call is not valid JSON: it ends before its arguments")
    return readings, repair


def partial(text: str, *wholes: str) -> int:
    """The length of the longest end of `text` that is the beginning of one of `wholes`."""
    longest = max(map(len, wholes), default=1) - 1
    for size in range(min(len(text), longest), 0, -1):
        if any(whole.startswith(text[-size:]) for whole in wholes):
            return size
    return 0
