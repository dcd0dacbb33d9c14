"""Function XML, the calls of Qwen3-Coder and Qwen3.5, read while it arrives.

    <function=name>
    <parameter=key>
    value
    </parameter>
    </function>

Values are raw text, in which anything may stand, so the end of a value is where the format goes
on: at `</parameter>`; without one, at a line that opens a declared parameter, or at a
`</function>` with which the call ends.
"""

import re
import textwrap
from collections.abc import Collection, Mapping
from typing import Any

from quillon.prompt.jsonscan import MAX_CHARS, JsonError, JsonScanner
from quillon.prompt.reading import NotJsonError, Reading, loads
from quillon.prompt.values import value_of

HEADER = re.compile(r"<function(?:=([^<>\n]{1,200})|\s+name=[\"']?([^<>\"'\n]{1,200})[\"']?)>")
_PARAMETER = re.compile(r"<parameter(?:=([^<>\n]{1,200})|\s+name=[\"']?([^<>\"'\n]{1,200})[\"']?)>")
_DRIFTED_CLOSE = re.compile(r"\n?</parameter\w{0,20}>\s*\Z")
_BODY_BEGINS = ("<parameter", "</function>")
_OPENING = re.compile(rf"(?:<tool_call>|{HEADER.pattern})\s{{0,80}}")
_CALL_BEGINS = re.compile(
    rf"<tool_call>\s{{0,80}}(?:<function|\{{)|{HEADER.pattern}\s{{0,80}}(?:<parameter|</function>)"
)
_ENDED = re.compile(r"[>\n]")
_MAX_TAG = 300
_MAX_BLANKS = 200  # behind a </function> that may be part of a value
_VALUE_END, _FUNCTION_END, _CALL_END = "</parameter>", "</function>", "</tool_call>"
_AFTER_FUNCTION = (_CALL_END, "<tool_call>", "<function=", "```")


class XmlError(Exception):
    """The text is no function XML; the message is for the model.

    `rest` is the text from what cannot be right.
    """

    def __init__(self, message: str, rest: str) -> None:
        super().__init__(message)
        self.rest = rest


class XmlScanner:
    """Reads one function from behind its header.

    `declared` are the names of its parameters, None where the function is unknown.
    `tags_are_text`: a `</tool_call>` in the text may be the tag; else it is plain text.
    """

    def __init__(self, declared: Collection[str] | None, *, tags_are_text: bool) -> None:
        self.parameters: dict[str, str] = {}
        self.body: dict[str, Any] | None = None
        self._declared = declared
        self._tags_are_text = tags_are_text
        self._hold = ""
        self._chars = 0
        self._key: str | None = None
        self._value: list[str] = []
        self._line = ""  # the present line of the value, up to a few characters
        self._blanks = ""  # the line end and the blanks before the next tag
        self._indent = ""  # of the tag that opened the value
        self._json: JsonScanner | None = None
        self._json_text: list[str] = []

    def feed(self, text: str) -> str | None:
        """What follows the function's end, or None where the end has not come.

        Raises:
            XmlError: It is no function XML, or too long.
        """
        room = MAX_CHARS - self._chars
        self._chars += len(text)
        if len(text) > room:
            end = self._feed(text[:room])
            if end is not None:
                return end + text[room:]
            raise XmlError(f"it is longer than {MAX_CHARS} characters", self._hold + text[room:])
        return self._feed(text)

    def _feed(self, text: str) -> str | None:
        rest: str = self._hold + text
        self._hold = ""
        while rest:
            before = (len(rest), self._key, self._json)
            if self._json is not None:
                rest = self._scan_json(self._json, rest)
            elif self._key is not None:
                rest = self._scan_value(rest)
            else:
                rest = self._skip_blanks(rest)
                if rest.startswith(_FUNCTION_END):
                    return rest[len(_FUNCTION_END) :]
                if rest.startswith(_CALL_END) and self.parameters and self._tags_are_text:
                    return rest
                rest = self._scan_body(rest)
            if before == (len(rest), self._key, self._json):
                self._hold = rest
                break
        return None

    def close(self) -> bool:
        """Whether only the function's own end is missing where its call is closed."""
        if self._key is None:
            return bool(self.parameters) and not self._hold.strip()
        return self.ends_with_answer()

    def ends_with_answer(self) -> bool:
        """Whether what seemed part of a value is the function's end, now that nothing follows."""
        if self._key is None or self._hold.rstrip() != _FUNCTION_END:
            return False
        self._end_value(implicit=True)
        return True

    def reading(self, name: str, schema: Mapping[str, Any] | None) -> Reading:
        """The call, its values typed by the tool's parameter schema."""
        if self.body is not None:
            return Reading(name, self.body)
        root = schema or {}
        properties = root.get("properties")
        known = properties if isinstance(properties, Mapping) else {}
        return Reading(
            name,
            {key: value_of(text, known.get(key), root) for key, text in self.parameters.items()},
        )

    def _scan_body(self, rest: str) -> str:
        match = _PARAMETER.match(rest)
        if match:
            self._begin_value(match[1] or match[2])
            return rest[match.end() :]
        if rest.startswith("{") and not self.parameters and self.body is None:
            self._json = JsonScanner(lenient=True)
            return rest
        if rest and not _may_become(rest, ("<parameter=", "<parameter ", _FUNCTION_END, _CALL_END)):
            raise XmlError("between the parameters stands something that is no parameter", rest)
        if len(rest) > _MAX_TAG or (rest.startswith("<parameter") and _ENDED.search(rest)):
            raise XmlError("a parameter has no proper name", rest)
        return rest

    def _skip_blanks(self, rest: str) -> str:
        bare = rest.lstrip()
        blanks = self._blanks + rest[: len(rest) - len(bare)]
        self._blanks = "\n" * ("\n" in blanks) + blanks.rpartition("\n")[2][:_MAX_TAG]
        return bare

    def _begin_value(self, key: str) -> None:
        self._key = _unquoted(key.strip(), self._declared)
        self._line = ""
        self._indent = self._blanks[1:] if self._blanks.startswith("\n") else ""
        self._blanks = ""

    def _scan_json(self, scanner: JsonScanner, rest: str) -> str:
        try:
            end = scanner.feed(rest)
        except JsonError as error:
            raise XmlError(f"the arguments are no JSON: {error}", rest[error.at :]) from error
        self._json_text.append(rest[:end])
        if end is None:
            return ""
        self._json = None
        try:
            self.body = loads("".join(self._json_text))
        except NotJsonError as error:
            raise XmlError(f"the arguments are no JSON: {error}", rest[end:]) from error
        return rest[end:]

    def _scan_value(self, rest: str) -> str:
        """Take what surely belongs to the value; the rest begins with `<`, or is empty."""
        at = rest.find("<")
        if at < 0:
            self._take(rest)
            return ""
        self._take(rest[:at])
        rest = rest[at:]
        if rest.startswith(_VALUE_END):
            self._end_value(implicit=False)
            return rest[len(_VALUE_END) :]
        if (rest.startswith(_CALL_END) and self._tags_are_text) or _begins_call(rest):
            raise XmlError("a value is not closed by </parameter>", rest)
        if self._goes_on(rest):
            self._end_value(implicit=True)
            return rest
        if self._undecided(rest):
            return rest
        self._take("<")
        return rest[1:]

    def _goes_on(self, rest: str) -> bool:
        """Whether the format goes on here, although the value was not closed."""
        if rest.startswith(_FUNCTION_END):
            after = _behind_blanks(rest[len(_FUNCTION_END) :])
            return after is not None and after.startswith(_AFTER_FUNCTION)
        match = _PARAMETER.match(rest)
        if match is None or self._line.strip() or not self._value:
            return False
        name = match[1] or match[2]
        return self._declared is None or name.strip() in self._declared

    def _undecided(self, rest: str) -> bool:
        if rest.startswith(_FUNCTION_END):
            after = _behind_blanks(rest[len(_FUNCTION_END) :])
            return after is not None and _may_become(after, _AFTER_FUNCTION)
        if rest.startswith("<parameter"):
            return len(rest) < _MAX_TAG and not _ENDED.search(rest)
        if rest.startswith(("<function", "<tool_call>")):
            return _may_begin_call(rest)
        wholes = (_VALUE_END, _FUNCTION_END, "<parameter", _CALL_END, "<function", "<tool_call>")
        return _may_become(rest, wholes)

    def _take(self, text: str) -> None:
        if text:
            self._value.append(text)
            line = text.rpartition("\n")[2]
            self._line = line[:_MAX_TAG] if "\n" in text else (self._line + line)[:_MAX_TAG]

    def _end_value(self, *, implicit: bool) -> None:
        value = "".join(self._value)
        if implicit:
            value = _DRIFTED_CLOSE.sub("", value)
        if self._indent:
            value = _outdented(value, self._indent)
        if self._key is not None:
            self.parameters[self._key] = value
        self._key = None
        self._value.clear()


def unquoted_name(name: str, names: Collection[str] | None) -> str:
    """The name in a header, without quotes where only so it is a known one."""
    return _unquoted(name.strip(), names)


def _unquoted(name: str, known: Collection[str] | None) -> str:
    bare = name.strip("\"'")
    return bare if known is not None and name not in known and bare in known else name


def _begins_call(rest: str) -> bool:
    """Whether another call begins here: then the one before was not closed."""
    return _CALL_BEGINS.match(rest) is not None


def _may_begin_call(rest: str) -> bool:
    """Whether it is still open if another call begins here."""
    opening = _OPENING.match(rest)
    if opening is None:
        return rest.startswith("<function") and len(rest) < _MAX_TAG and not _ENDED.search(rest)
    after = rest[opening.end() :]
    wholes = ("<function", "{") if opening[0].startswith("<tool_call>") else _BODY_BEGINS
    return len(opening[0]) < _MAX_TAG and (not after or any(w.startswith(after) for w in wholes))


def _outdented(value: str, indent: str) -> str:
    """A value whose closing tag is indented like the tag that opened it: indented XML.

    The indentation is no part of the value then, neither the closing tag's nor that of the lines.
    """
    if not value.startswith("\n") or not value.endswith("\n" + indent):
        return value
    return textwrap.dedent(value[1 : len(value) - len(indent) - 1])


def _behind_blanks(text: str) -> str | None:
    bare = text.lstrip()
    return bare if len(text) - len(bare) < _MAX_BLANKS else None


def _may_become(text: str, wholes: tuple[str, ...]) -> bool:
    """Whether `text` is the beginning of one of `wholes`, or begins with one of them."""
    return any(whole.startswith(text) or text.startswith(whole) for whole in wholes)
