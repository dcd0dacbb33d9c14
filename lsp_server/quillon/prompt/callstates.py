"""The states of the reader inside and right behind a call."""

# ruff: noqa: D102, ARG002 - `State` describes the methods of all states

import re

from quillon.prompt.functionxml import HEADER, XmlError, XmlScanner, unquoted_name
from quillon.prompt.jsonscan import JsonError, JsonScanner
from quillon.prompt.reading import NotJsonError, Reading
from quillon.prompt.states import (
    CLOSE,
    CUT,
    OPEN,
    Source,
    State,
    Step,
    partial,
    understood,
)
from quillon.prompt.stream import Tag

FENCE = re.compile(r"```[\w+-]{0,20}[ \t]{0,20}\r?\n?\s{0,80}")
_MAX_PROSE = 200  # characters behind a spelled tag until it is taken for mere text
MAX_HEADER = 250  # characters of <function=...> and what may stand behind it
MAX_BLANKS = 2000
_OPEN_STRING = "the call is not valid JSON: a string is not closed"
_NO_PAYLOAD = 'between the tags must stand an object with "name" and "arguments"'


class Tagged:
    """Behind `<tool_call>`: what kind of call is it?"""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._hold = ""

    def feed(self, item: str | Tag) -> Step:
        if isinstance(item, Tag):
            if item.text == OPEN:
                return Step(self)  # opened twice
            self._source.add(self._hold)
            return _end_by_tag(self._source, item, _NO_PAYLOAD, mend=False)
        text = self._hold + item
        bare = text.lstrip()
        blanks = text[: len(text) - len(bare)]
        if len(blanks) >= MAX_BLANKS:
            return Step(Prose(self._source), text)
        payload = self._payload(bare)
        if payload is not None:
            state, consumed = payload
            self._source.add(blanks + bare[:consumed])
            self._source.begin_payload()
            return Step(state, bare[consumed:])
        if not self._undecided(bare):
            return Step(Prose(self._source), text)
        self._hold = text
        return Step(self)

    def finish(self, *, complete: bool) -> Step | None:
        if self._source.reader.tags_are_text:
            return Step(self._source.be_text(), self._hold)
        self._source.add(self._hold)
        self._source.fail(_NO_PAYLOAD if complete else CUT)
        return None

    def _payload(self, bare: str) -> tuple[State, int] | None:
        """The state that reads what begins here, and how much of it belongs to the tag."""
        source = self._source
        if bare.startswith(("{", "[")):
            return TaggedJson(source), 0
        fence = FENCE.match(bare)
        if fence and fence.end() < len(bare):
            return Tagged(source), fence.end()
        header = HEADER.match(bare)
        if header:
            return Function(source, header[1] or header[2]), header.end()
        if source.reader.tags_are_text and bare.startswith(OPEN):
            return Tagged(source), len(OPEN)  # opened twice
        return None

    def _undecided(self, bare: str) -> bool:
        if not bare or FENCE.fullmatch(bare) or bare in {"`", "``"}:
            return True
        if bare.startswith("<function"):
            return len(bare) < MAX_HEADER and not re.search(r"[>\n]", bare)
        return any(whole.startswith(bare) for whole in ("<function", OPEN))


class Prose:
    """Behind `<tool_call>`, where neither JSON nor a function follows.

    With a closing tag it is a broken call; without, someone writes about the tag, and what
    follows the tag is read as text.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._read: list[str] = []
        self._hold = ""
        self._chars = 0

    def feed(self, item: str | Tag) -> Step:
        source = self._source
        if isinstance(item, Tag):
            source.add("".join((*self._read, self._hold)))
            return _end_by_tag(source, item, _NO_PAYLOAD, mend=False)
        text, self._hold = self._hold + item, ""
        found = source.end_in(text)
        at = found[0] if found else len(text) - partial(text, *source.closers, *source.openers)
        self._chars += at
        too_long = source.reader.tags_are_text and self._chars > _MAX_PROSE
        if too_long or (found and found[1] == OPEN):
            return Step(source.be_text(), "".join((*self._read, text)))
        self._read.append(text[:at])
        if found is None:
            self._hold = text[at:]
            return Step(self)
        source.add("".join((*self._read, CLOSE)))
        return Step(source.fail(_NO_PAYLOAD), text[at + len(CLOSE) :])

    def finish(self, *, complete: bool) -> Step | None:
        text = "".join((*self._read, self._hold))
        if self._source.reader.tags_are_text:
            return Step(self._source.be_text(), text)
        self._source.add(text)
        self._source.fail(_NO_PAYLOAD if complete else CUT)
        return None


class TaggedJson:
    """Inside the JSON behind a tag."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._scanner = JsonScanner(lenient=True)

    def feed(self, item: str | Tag) -> Step:
        source = self._source
        if isinstance(item, Tag):
            problem = "the call is not valid JSON: it is not closed"
            return _end_by_tag(source, item, problem, mend=True)
        try:
            end = self._scanner.feed(item)
        except JsonError as error:
            source.add(item[: error.at])
            rest, mend = item[error.at :], not error.limit
            # A tag before the error stood in a string.
            step = source.cut(_OPEN_STRING, mend=mend)
            if step is not None:
                return Step(step.state, f"{step.rest}{rest}")
            problem = f"the call is not valid JSON: {error}"
            return Step(Skip(source, problem, mend=mend), rest)
        source.add(item[:end])
        if end is None:
            return Step(self)
        try:
            readings, repair = understood(source.payload)
        except NotJsonError as error:
            readings, repair = [Reading(None, problem=str(error))], None
        return Step(Confirm(source, readings, repair), item[end:])

    def finish(self, *, complete: bool) -> Step | None:
        # A string that was never closed may have swallowed the closing tag and more.
        step = self._source.cut(_OPEN_STRING, mend=True)
        if step is None:
            self._source.fail(CUT)
        return step


class Function:
    """Inside function XML, tagged or not."""

    def __init__(self, source: Source, name: str) -> None:
        tools = source.reader.tools
        self._source = source
        self._name = unquoted_name(name, tools)
        self._schema = tools.get(self._name) if tools is not None else None
        properties = (self._schema or {}).get("properties")
        self._scanner = XmlScanner(
            frozenset(properties) if isinstance(properties, dict) else None,
            tags_are_text=source.reader.tags_are_text,
        )

    def feed(self, item: str | Tag) -> Step:
        source = self._source
        if isinstance(item, Tag):
            if item.text == CLOSE and self._scanner.close():
                return Step(self._confirm(), item)
            problem = "the function is not closed by </function>"
            return _end_by_tag(source, item, problem, mend=False)
        source.add(item)
        try:
            rest = self._scanner.feed(item)
        except XmlError as error:
            source.drop(len(error.rest))
            step = source.cut(str(error), mend=False)
            if step is not None:
                return Step(step.state, f"{step.rest}{error.rest}")
            return Step(Skip(source, str(error), mend=False), error.rest)
        if rest is None:
            return Step(self)
        source.drop(len(rest))
        return Step(self._confirm(), rest)

    def finish(self, *, complete: bool) -> Step | None:
        if complete and self._scanner.ends_with_answer():
            return self._confirm().finish(complete=True)
        step = self._source.cut("the function is not closed by </function>", mend=False)
        if step is None:
            self._source.fail(CUT)
        return step

    def _confirm(self) -> State:
        reading = self._scanner.reading(self._name, self._schema)
        if not self._name:
            reading = Reading(None, problem="the function has no name")
        return Confirm(self._source, [reading], None)


class Confirm:
    """Behind a complete payload: is the call closed, or does the answer go on without?"""

    def __init__(self, source: Source, readings: list[Reading], repair: str | None) -> None:
        self._source = source
        self._readings = readings
        self._repair = repair
        self._hold = ""

    def feed(self, item: str | Tag) -> Step:  # noqa: PLR0911 - one case a line
        source = self._source
        if isinstance(item, Tag):
            if item.text == CLOSE:
                source.add(self._hold + CLOSE)
                return Step(self._call())
            return Step(self._call(), item)
        text, self._hold = self._hold + item, ""
        bare = text.lstrip(" \t\r\n,;")
        blanks = text[: len(text) - len(bare)]
        if len(blanks) >= MAX_BLANKS:
            return Step(self._call(), text)
        if bare.startswith("}"):
            self._repair = "an extra closing brace"
            return Step(self, bare[1:])
        if bare.startswith("```") and source.tagged:
            return Step(self, bare[3:])
        if source.reader.tags_are_text and bare.startswith(CLOSE):
            source.add(blanks + CLOSE)
            return Step(self._call(), bare[len(CLOSE) :])
        if source.tagged and bare.startswith(("{", "[")):
            self._call()
            return Step(TaggedJson(Source(source.reader, "")), bare)
        if not self._undecided(bare):
            return Step(self._call(), text)
        self._hold = text
        return Step(self)

    def finish(self, *, complete: bool) -> Step | None:
        if complete:
            self._call()
        else:
            self._source.fail(CUT)
        return None

    def _call(self) -> State:
        return self._source.call(self._readings, self._repair)

    def _undecided(self, bare: str) -> bool:
        ends = ("```" if self._source.tagged else "", CLOSE)
        return not bare or any(end.startswith(bare) for end in ends if end)


class Skip:
    """Inside a call that is known to be broken: on to its end."""

    def __init__(self, source: Source, problem: str, *, mend: bool) -> None:
        self._source = source
        self._problem = problem
        self._mend = mend
        self._hold = ""

    def feed(self, item: str | Tag) -> Step:
        source = self._source
        if isinstance(item, Tag):
            source.add(self._hold)
            return _end_by_tag(source, item, self._problem, mend=self._mend)
        text, self._hold = self._hold + item, ""
        found = source.end_in(text)
        if found is None:
            held = partial(text, *source.closers, *source.openers)
            self._hold = text[len(text) - held :]
            source.add(text[: len(text) - held])
            return Step(self)
        at, end = found
        source.add(text[:at])
        if end in source.openers:
            return Step(source.fail(self._problem), text[at:])
        payload = source.payload
        source.add(end)
        mended = source.settle(payload, self._problem) if self._mend else None
        return Step(mended or source.fail(self._problem), text[at + len(end) :])

    def finish(self, *, complete: bool) -> Step | None:
        self._source.add(self._hold)
        self._source.fail(self._problem if complete else CUT)
        return None


def _end_by_tag(source: Source, tag: Tag, problem: str, *, mend: bool) -> Step:
    """The payload is over because a tag came as a token."""
    if tag.text != CLOSE:
        return Step(source.fail(problem), tag)
    payload = source.payload
    source.add(CLOSE)
    return Step(source.settle(payload, problem) if mend else source.fail(problem))
