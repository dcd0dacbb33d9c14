"""The states of the reader outside calls: text, reasoning, JSON that may be a call."""

# ruff: noqa: D102, ARG002 - `State` describes the methods of all states

import re

from quillon.prompt.callstates import FENCE, MAX_BLANKS, MAX_HEADER, Function, Tagged
from quillon.prompt.functionxml import HEADER
from quillon.prompt.jsonscan import JsonError, JsonScanner
from quillon.prompt.reading import CALL_KEYS, NotJsonError, Reading, calls_in, known, load, loads
from quillon.prompt.states import CLOSE, OPEN, Reader, Source, State, Step, partial
from quillon.prompt.stream import Tag

_THINK, _THINK_END = "<think>", "</think>"
_INTERESTING = re.compile(r"[<{\[`]")
# Other models' tags, which models mix up with their own.
_WRAPPER = re.compile(r"<(tools?|function_call|response|json|JSON|xml)>\s{0,80}")
_WRAPPERS = ("<tool>", "<tools>", "<function_call>", "<response>", "<json>", "<JSON>", "<xml>")
_FUNCTION_GOES_ON = ("<parameter", "</function>", "{")
_UNMISTAKABLE = frozenset({"tool_call", "tool_calls"})


class Text:
    """Text of the answer, up to whatever may begin a call or reasoning."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._hold = ""

    def feed(self, item: str | Tag) -> Step:
        if isinstance(item, Tag):
            return self._tag(item)
        text, self._hold = self._hold + item, ""
        at = 0
        while match := _INTERESTING.search(text, at):
            self._reader.outlet.text(text[at : match.start()])
            at = match.start()
            decided = self._decide(text[at:], "")
            if isinstance(decided, Step):
                return decided
            self._reader.outlet.text(text[at : at + decided])
            at += decided
        self._reader.outlet.text(text[at:])
        return Step(self)

    def finish(self, *, complete: bool) -> Step | None:
        self._reader.outlet.text(self._hold)
        return None

    def _tag(self, tag: Tag) -> Step:
        hold, self._hold = self._hold, ""
        outlet = self._reader.outlet
        if tag.text == OPEN:
            fence = hold if FENCE.fullmatch(hold) else ""
            outlet.text("" if fence else hold)
            return Step(Tagged(Source(self._reader, OPEN, fence=fence)))
        outlet.text(hold)
        if tag.text == _THINK:
            return Step(Reasoning(self._reader))
        if tag.text != CLOSE and not (tag.text == _THINK_END and outlet.reasoned):
            outlet.text(tag.text)
        return Step(self)

    def _decide(self, rest: str, prefix: str) -> Step | int:
        """The step to take at this character, or how many characters are text.

        `prefix` is a code fence or another opening right before, not text yet.
        """
        if rest[0] == "<":
            return self._angle(rest, prefix)
        if rest[0] != "`":
            return self._bracket(rest, prefix)
        if prefix or not self._reader.outlet.at_line_start:
            return 1
        fence = FENCE.match(rest)
        if rest in {"`", "``"} or (fence and fence.end() == len(rest)):
            return self._wait(rest)
        if fence is None:
            return 1
        end = fence.end()
        decided = self._decide(rest[end:], fence[0]) if rest[end] in "<{[" else 0
        return end + decided if isinstance(decided, int) else decided

    def _wait(self, text: str) -> Step:
        self._hold = text
        return Step(self)

    def _bracket(self, rest: str, prefix: str) -> Step | int:
        outlet = self._reader.outlet
        if outlet.tail.rstrip().endswith(OPEN):
            return 1  # the tag was spelled out in text: so is what it holds
        begins = bool(prefix) or outlet.at_line_start or self._reader.anywhere
        return Step(BareJson(self._reader, prefix, begins=begins), rest)

    def _angle(self, rest: str, prefix: str) -> Step | int:  # noqa: PLR0911 - one case a line
        reader = self._reader
        tags = (OPEN,) if reader.tags_are_text else ()
        if rest.startswith(tags):
            return Step(Tagged(Source(reader, OPEN, fence=prefix)), rest[len(OPEN) :])
        if rest.startswith(_THINK) and not prefix and self._may_think():
            return Step(Reasoning(reader), rest[len(_THINK) :])
        if rest.startswith(_THINK_END) and reader.outlet.reasoned and not self._quoted():
            return Step(self, rest[len(_THINK_END) :])
        wrapper = _WRAPPER.match(rest)
        if wrapper and wrapper.end() == len(rest):
            return self._wait(prefix + rest)
        if wrapper:
            opened = rest[wrapper.end()] in "{["
            return self._bracket(rest[wrapper.end() :], prefix + wrapper[0]) if opened else 1
        if rest.startswith("<function"):
            return self._function(rest, prefix)
        openings = (*tags, _THINK, _THINK_END, "<function", *_WRAPPERS)
        if any(opening.startswith(rest) for opening in openings):
            return self._wait(prefix + rest)
        return 1

    def _may_think(self) -> bool:
        return self._reader.outlet.at_line_start and not self._reader.outlet.in_fence

    def _quoted(self) -> bool:
        """Whether a tag that comes now is written about."""
        return self._reader.outlet.in_fence or self._reader.outlet.tail.endswith("`")

    def _function(self, rest: str, prefix: str) -> Step | int:
        header = HEADER.match(rest)
        if header is None:
            unfinished = len(rest) < MAX_HEADER and not re.search(r"[>\n]", rest)
            return self._wait(prefix + rest) if unfinished else 1
        after = rest[header.end() :].lstrip()
        if len(rest) - header.end() - len(after) >= MAX_HEADER:
            return 1
        if after.startswith(_FUNCTION_GOES_ON):
            source = Source(self._reader, header[0], tagged=False, fence=prefix)
            source.begin_payload()
            return Step(Function(source, header[1] or header[2]), rest[header.end() :])
        undecided = any(whole.startswith(after) for whole in _FUNCTION_GOES_ON)
        return self._wait(prefix + rest) if undecided else 1


class BareJson:
    """JSON without an opening tag: a call, or text.

    With `begins` it begins a line or a fence, or may be anywhere; else only its closing tag makes
    it a call.
    """

    def __init__(self, reader: Reader, prefix: str, *, begins: bool) -> None:
        self._reader = reader
        self._prefix = prefix
        self._begins = begins
        self._scanner = JsonScanner(lenient=False)
        self._parts: list[str] = []

    def feed(self, item: str | Tag) -> Step:
        if isinstance(item, Tag):
            return self.be_text(then=item)
        try:
            end = self._scanner.feed(item)
        except JsonError as error:
            self._parts.append(item[: error.at])
            return self.be_text(then=item[error.at :])
        self._parts.append(item[:end])
        if end is not None:
            return self._complete(item[end:])
        if self._scanner.first_key is None or self._may_be_call():
            return Step(self)
        self._reader.outlet.text(self._prefix)
        return Step(PlainJson(self._reader), "".join(self._parts))

    def finish(self, *, complete: bool) -> Step | None:
        if complete and self._reader.anywhere and self._is_mended():
            return None
        step = self.be_text(then="")
        return step if step.rest else None

    def _is_mended(self) -> bool:
        """Whether it was nothing but a call whose last braces are missing; then it is handed on."""
        text = "".join(self._parts)
        try:
            value, repair = load(text) if self._scanner.first_key in _UNMISTAKABLE else (None, None)
        except NotJsonError:
            return False
        readings = calls_in(value)
        if readings:
            self._reader.outlet.calls(readings, text, repair)
        return bool(readings)

    def be_call(self, readings: list[Reading]) -> State:
        """It is these calls; the state behind them."""
        self._reader.outlet.calls(readings, "".join(self._parts))
        return self._reader.to_closers(_closers(self._prefix))

    def be_text(self, then: str | Tag) -> Step:
        """It is text, up to a tag that stood in what looked like a string."""
        text = "".join(self._parts)
        outlet = self._reader.outlet
        outlet.text(self._prefix)
        at = text.find(OPEN) if self._reader.tags_are_text else -1
        if at >= 0 and not isinstance(then, Tag):
            outlet.text(text[:at])
            return Step(self._reader.to_text(), text[at:] + then)
        outlet.text(text)
        return Step(self._reader.to_text(), then)

    def _may_be_call(self) -> bool:
        key = self._scanner.first_key
        return key in CALL_KEYS or (key == "response" and self._reader.anywhere)

    def _complete(self, rest: str) -> Step:
        text = "".join(self._parts)
        try:
            value = loads(text) if self._may_be_call() else None
        except NotJsonError:
            value = None
        readings = calls_in(value)
        if readings and self._accepted(value, readings):
            if self._begins:
                return Step(self.be_call(readings), rest)
            return Step(Unopened(self._reader, self, readings), rest)
        if isinstance(value, dict) and value.keys() == {"response"} and self._may_be_call():
            self._reader.outlet.text(str(value["response"]))
            return Step(self._reader.to_text(), rest)
        return self.be_text(then=rest)

    def _accepted(self, value: object, readings: list[Reading]) -> bool:
        if self._reader.anywhere and isinstance(value, dict) and value.keys() & _UNMISTAKABLE:
            return True  # a wrong name in it is told to the model
        return known(readings, self._reader.tools)


class Unopened:
    """Behind JSON in the middle of a line, which is a call if a closing tag follows."""

    def __init__(self, reader: Reader, source: BareJson, readings: list[Reading]) -> None:
        self._reader = reader
        self._source = source
        self._readings = readings
        self._hold = ""

    def feed(self, item: str | Tag) -> Step:
        if isinstance(item, Tag):
            if item.text == CLOSE and not self._hold.strip():
                return Step(self._source.be_call(self._readings))
            state = self._source.be_text(then=item).state
            self._reader.outlet.text(self._hold)
            return Step(state, item)
        text = self._hold + item
        bare = text.lstrip()
        closes = self._reader.tags_are_text and bare.startswith(CLOSE)
        if closes and len(text) - len(bare) < MAX_BLANKS:
            return Step(self._source.be_call(self._readings), bare[len(CLOSE) :])
        if len(text) - len(bare) >= MAX_BLANKS or not CLOSE.startswith(bare):
            return self._source.be_text(then=text)
        self._hold = text
        return Step(self)

    def finish(self, *, complete: bool) -> Step | None:
        return self._source.be_text(then=self._hold)


class PlainJson:
    """JSON that is no call: text to its end, whatever it holds inside."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._scanner = JsonScanner(lenient=False)
        self._hold = ""

    def feed(self, item: str | Tag) -> Step:
        outlet = self._reader.outlet
        if isinstance(item, Tag):
            outlet.text(self._hold)
            return Step(self._reader.to_text(), item)
        try:
            end = self._scanner.feed(item)
        except JsonError as error:
            end = error.at
        text, self._hold = self._hold + item[:end], ""
        rest = "" if end is None else item[end:]
        tags = (OPEN,) if self._reader.tags_are_text else ()
        at = text.find(OPEN) if tags else -1
        if at >= 0:
            outlet.text(text[:at])
            return Step(self._reader.to_text(), text[at:] + rest)
        if end is not None:
            outlet.text(text)
            return Step(self._reader.to_text(), rest)
        keep = len(text) - partial(text, *tags)
        outlet.text(text[:keep])
        self._hold = text[keep:]
        return Step(self)

    def finish(self, *, complete: bool) -> Step | None:
        self._reader.outlet.text(self._hold)
        return None


class Closers:
    """Behind a call: blanks and closing tags that belong to it."""

    def __init__(self, reader: Reader, closers: tuple[str, ...]) -> None:
        self._reader = reader
        self._closers = (*closers, CLOSE) if reader.tags_are_text else closers
        self._hold = ""

    def feed(self, item: str | Tag) -> Step:
        if isinstance(item, Tag):
            hold, self._hold = self._hold, ""
            if item.text == CLOSE and not hold.strip():
                return Step(self)
            self._reader.outlet.text(hold)
            return Step(self._reader.to_text(), item)
        text, self._hold = self._hold + item, ""
        bare = text.lstrip()
        if len(text) - len(bare) >= MAX_BLANKS:
            return Step(self._reader.to_text(), text)
        for closer in self._closers:
            if bare.startswith(closer):
                return Step(self, bare[len(closer) :])
        if bare and not any(closer.startswith(bare) for closer in self._closers):
            return Step(self._reader.to_text(), text)
        self._hold = text
        return Step(self)

    def finish(self, *, complete: bool) -> Step | None:
        self._reader.outlet.text(self._hold)
        return None


class Reasoning:
    """Inside `<think>`; a second opening tag right behind the first is dropped."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._hold = ""
        self._begun = False
        reader.outlet.begin_reasoning()

    def feed(self, item: str | Tag) -> Step:
        outlet = self._reader.outlet
        if isinstance(item, Tag):
            if item.text == _THINK_END:
                outlet.reasoning(self._hold)
                return self._end(None)
            item = "" if item.text == _THINK and not self._begun else item.text
        text, self._hold = self._hold + item, ""
        if not self._begun:
            bare = text.lstrip()
            if _THINK.startswith(bare):
                self._hold = "" if bare == _THINK else bare
                self._begun = bare == _THINK
                return Step(self)
            text = bare.removeprefix(_THINK)
            self._begun = True
        at = text.find(_THINK_END)
        if at >= 0:
            outlet.reasoning(text[:at])
            return self._end(text[at + len(_THINK_END) :])
        keep = len(text) - partial(text, _THINK_END)
        outlet.reasoning(text[:keep])
        self._hold = text[keep:]
        return Step(self)

    def finish(self, *, complete: bool) -> Step | None:
        self._reader.outlet.reasoning(self._hold)
        return None

    def _end(self, rest: str | None) -> Step:
        self._reader.outlet.end_reasoning()
        return Step(self._reader.to_text(), rest)


def _closers(prefix: str) -> tuple[str, ...]:
    closers = tuple(f"</{name}>" for name in _WRAPPER.findall(prefix))
    return (*closers, "```") if prefix.startswith("```") else closers
