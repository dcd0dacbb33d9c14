"""Values of parameters that arrive as plain text, typed by the tool's schema.

Function XML has no types: `5` is a number only where the schema says so. A text that does not
fit its type stays a text, for the validator to complain about.
"""

import re
from collections.abc import Mapping
from typing import Any

from quillon.prompt.reading import NotJsonError, load, loads
from quillon.prompt.schemas import resolved

_INTEGER = re.compile(r"-?\d{1,4000}")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][-+]?\d{1,4})?")
_MAX_REFERENCES = 20  # a schema may refer to itself

# Names of types that tool authors use beside JSON Schema's own.
_ALIASES = {
    "str": "string",
    "text": "string",
    "varchar": "string",
    "char": "string",
    "enum": "string",
    "int": "integer",
    "long": "integer",
    "short": "integer",
    "float": "number",
    "double": "number",
    "num": "number",
    "bool": "boolean",
    "dict": "object",
    "map": "object",
    "list": "array",
    "tuple": "array",
}
_KNOWN = frozenset({"null", "string", "integer", "number", "boolean", "object", "array"})


def value_of(text: str, schema: Mapping[str, Any] | None, root: Mapping[str, Any] = {}) -> Any:
    """The value that a parameter's text stands for; `root` resolves the schema's references.

    One line end on either side belongs to the format and not to the value. Without a type the
    text is the value.
    """
    text = _unwrapped(text)
    types = types_of(schema or {}, root)
    if not types:
        return text
    bare = text.strip()
    if bare.lower() == "null" and ("null" in types or "string" not in types):
        return None
    for kind in ("boolean", "integer", "number", "object", "array", "unknown"):
        if kind in types:
            found, value = _READERS[kind](bare)
            if found:
                return value
    if "boolean" in types and types <= {"boolean", "null"} and bare in {"0", "1"}:
        return bare == "1"
    return text


def types_of(schema: Mapping[str, Any], root: Mapping[str, Any]) -> set[str]:
    """The JSON types that a schema allows; empty where it does not say, `unknown` for others."""
    types: set[str] = set()
    _collect(schema, root, types, _MAX_REFERENCES)
    return types


def _collect(schema: Any, root: Mapping[str, Any], types: set[str], depth: int) -> None:
    if not isinstance(schema, Mapping) or depth == 0:
        return
    declared = schema.get("type")
    for name in declared if isinstance(declared, list) else [declared]:
        if isinstance(name, str):
            types.add(_type_named(name.lower()))
    if schema.get("nullable") is True:
        types.add("null")
    if not types:
        values = schema.get("enum", [schema["const"]] if "const" in schema else [])
        types |= {_type_of(value) for value in values if isinstance(values, list)}
    for key in ("anyOf", "oneOf", "allOf"):
        for option in schema.get(key) or ():
            _collect(option, root, types, depth - 1)
    reference = schema.get("$ref")
    if isinstance(reference, str):
        _collect(resolved(reference, root), root, types, depth - 1)


def _type_named(name: str) -> str:
    name = _ALIASES.get(name, name)
    if name in _KNOWN:
        return name
    return "integer" if re.fullmatch(r"u?int(?:eger)?\d*", name) else "unknown"


def _type_of(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    for kind, name in ((str, "string"), (int, "integer"), (float, "number"), (list, "array")):
        if isinstance(value, kind):
            return name
    return "object"


def _unwrapped(text: str) -> str:
    text = text.removeprefix("\r\n") if text.startswith("\r\n") else text.removeprefix("\n")
    return text.removesuffix("\r\n") if text.endswith("\r\n") else text.removesuffix("\n")


def _boolean(text: str) -> tuple[bool, Any]:
    return text.lower() in {"true", "false"}, text.lower() == "true"


def _integer(text: str) -> tuple[bool, Any]:
    return (True, int(text)) if _INTEGER.fullmatch(text) else (False, None)


def _number(text: str) -> tuple[bool, Any]:
    if _INTEGER.fullmatch(text):
        return True, int(text)
    if not _NUMBER.fullmatch(text):
        return False, None
    value = float(text)
    if value in {float("inf"), float("-inf")}:
        return False, None
    # 5.0 is read as 5, which every tool takes; 1.25e3 was meant as it stands.
    whole = value.is_integer() and abs(value) < 2**53 and "e" not in text.lower()
    return True, int(value) if whole else value


def _object(text: str) -> tuple[bool, Any]:
    return _of_kind(text, dict)


def _array(text: str) -> tuple[bool, Any]:
    return _of_kind(text, list)


def _of_kind(text: str, kind: type) -> tuple[bool, Any]:
    try:
        value, _ = load(text)
    except NotJsonError:
        return False, None
    return isinstance(value, kind), value


def _any_json(text: str) -> tuple[bool, Any]:
    try:
        return True, loads(text)
    except NotJsonError:
        return False, None


_READERS = {
    "boolean": _boolean,
    "integer": _integer,
    "number": _number,
    "object": _object,
    "array": _array,
    "unknown": _any_json,
}
