"""From the JSON of a call to the call, with narrow repairs.

What is repaired is only what can have meant one thing: a raw line end in a string, missing
braces at the very end, single quotes in a text without backslashes. All else is told to the
model, which can mend it better than a guess.
"""

import json
import re
from collections.abc import Callable, Collection, Iterable
from typing import Any

import msgspec

from quillon.prompt.jsonscan import JsonError, JsonScanner

_MISSING_BRACES = 2  # more than these, and something else is wrong
_STRING = re.compile(r"""'[^']*'|"[^"]*\"""")
_PYTHON = re.compile(r"\b(?:True|False|None)\b")
_JSON_OF = {"True": "true", "False": "false", "None": "null"}
_NAME = re.compile(r"""["']name["']\s*:\s*["']([^"'\n]{1,100})["']""")
_ESCAPED_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")

# The keys that the outermost object of a call may begin with.
CALL_KEYS = frozenset(
    {"name", "arguments", "parameters", "function", "tool_call", "tool_calls", "id", "type"}
)


class Reading(msgspec.Struct, frozen=True):
    """A name and arguments, as read from JSON. `problem` is set where they are unusable."""

    name: str | None
    arguments: dict[str, Any] = {}
    problem: str | None = None
    explicit: bool = True  # false for an object that merely looks like a call


class NotJsonError(Exception):
    """A text is not JSON and cannot be repaired; the message says where it goes wrong."""


def load(text: str) -> tuple[Any, str | None]:
    """The value of a JSON text, and what had to be mended for it.

    Raises:
        NotJsonError: It is no JSON, or mending it would be guessing.
    """
    text = text.strip()
    try:
        return _strict(text), None
    except NotJsonError as error:
        problem = error
    for mend, repair in _REPAIRS:
        mended = mend(text)
        if mended is not None:
            try:
                return _lenient(mended), repair
            except NotJsonError:
                continue
    raise problem


def calls_in(value: Any) -> list[Reading] | None:  # noqa: PLR0911 - one form a line
    """The calls that a JSON value stands for, or None where it is no call at all.

    Understood are `{"name", "arguments"}`, the same with `parameters` or with the name under
    `function`, OpenAI's `{"function": {...}}`, `{"tool_call": {...}}`, `{"tool_calls": [...]}`
    and arrays of these.
    """
    if isinstance(value, list):
        return _calls_in_list(value)
    if not isinstance(value, dict):
        return None
    if "tool_calls" in value and isinstance(value["tool_calls"], list):
        return [_explicit(item) for item in value["tool_calls"]]
    if "tool_call" in value:
        return [_explicit(value["tool_call"])]
    if isinstance(value.get("function"), dict):
        return calls_in(value["function"])
    name = value.get("name", value.get("function"))
    if not isinstance(name, str):
        return None
    given = "arguments" in value or "parameters" in value
    if not given and set(value) - {"name", "function", "id", "type"}:
        return None
    name = name.strip()
    if not name:
        return [Reading(None, problem="the call has an empty name")]
    arguments = value.get("arguments", value.get("parameters"))
    return [_reading(name, arguments, explicit=given)]


def name_in(raw: str) -> str | None:
    """The name that a broken call seems to have."""
    found = _NAME.search(raw, 0, 4000)
    return found[1] if found else None


def known(readings: Iterable[Reading], names: Collection[str] | None) -> bool:
    """Whether one of the calls names an offered tool; with `names` None every tool is offered."""
    if names is None:
        return any(reading.name for reading in readings if reading.explicit)
    return any(reading.name in names for reading in readings)


def loads(text: str) -> Any:
    """The value of a JSON text by the standard; strings may hold raw line ends.

    Raises:
        NotJsonError: It is not JSON, or holds what JSON has no value for.
    """
    return _lenient(text)


def _strict(text: str) -> Any:
    return _decode(text, strict=True)


def _lenient(text: str) -> Any:
    return _decode(text, strict=False)


def _decode(text: str, *, strict: bool) -> Any:
    try:
        value = json.loads(text, strict=strict, parse_constant=_refuse, parse_float=_finite)
    except json.JSONDecodeError as error:
        raise NotJsonError(f"{error.msg.lower()} at character {error.pos}") from error
    except RecursionError as error:
        raise NotJsonError("it nests too deeply") from error
    except ValueError as error:  # a number of thousands of digits
        raise NotJsonError(str(error)) from error
    if _ESCAPED_SURROGATE.search(text) and not _encodable(value):
        raise NotJsonError("a string holds half of a surrogate pair")
    return value


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is no JSON value")


def _finite(text: str) -> float:
    value = float(text)
    if value in {float("inf"), float("-inf")}:
        raise ValueError(f"the number {text[:40]} is too large")
    return value


def _encodable(value: Any) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _braces(text: str) -> str | None:
    """The text with up to two braces added at its end, where nothing but those is missing."""
    scanner = JsonScanner(lenient=True)
    try:
        if scanner.feed(text) is not None:
            return None
    except JsonError:
        return None
    missing = scanner.missing
    if not missing or missing.strip("}") or len(missing) > _MISSING_BRACES:
        return None
    return text + missing


def _single_quotes(text: str) -> str | None:
    """A Python literal as JSON. Without backslashes every quote can only be what it seems."""
    if "'" not in text or "\\" in text:
        return None
    parts: list[str] = []
    at = 0
    for match in _STRING.finditer(text):
        parts += (_json_words(text[at : match.start()]), json.dumps(match[0][1:-1]))
        at = match.end()
    return "".join((*parts, _json_words(text[at:])))


def _json_words(text: str) -> str:
    return _PYTHON.sub(lambda match: _JSON_OF[match[0]], text)


_REPAIRS: tuple[tuple[Callable[[str], str | None], str], ...] = (
    (str, "raw line ends in a string"),
    (_braces, "missing closing braces"),
    (_single_quotes, "single quotes"),
)


def _calls_in_list(value: list[Any]) -> list[Reading] | None:
    found = [calls_in(item) if isinstance(item, dict) else None for item in value]
    if not any(found):
        return None
    return [
        reading
        for item, readings in zip(value, found, strict=True)
        for reading in (readings or [_no_call(item)])
    ]


def _explicit(value: Any) -> Reading:
    readings = calls_in(value) if isinstance(value, dict) else None
    return readings[0] if readings else _no_call(value)


def _no_call(value: Any) -> Reading:
    excerpt = json.dumps(value, ensure_ascii=False)[:80]
    return Reading(None, problem=f"{excerpt} has no name and arguments of a call")


def _reading(name: str, arguments: Any, *, explicit: bool) -> Reading:
    if isinstance(arguments, str):
        try:
            arguments = _lenient(arguments) if arguments.strip() else {}
        except NotJsonError as error:
            return Reading(name, problem=f"the arguments are a string that is no JSON: {error}")
    if arguments is None:
        arguments = {}
    if not isinstance(arguments, dict):
        kind = type(arguments).__name__
        return Reading(name, problem=f"the arguments must be an object, not {kind}")
    return Reading(name, arguments, explicit=explicit)
