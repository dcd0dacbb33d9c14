"""Arguments that say the right thing in the wrong type, read as what they say.

This happens only where validation failed, only in ways that lose nothing, and what it gives is
validated again: digits in a string for an integer, `"true"` for a boolean, JSON in a string for
an object or an array, an integer for a string, one value for an array of such, null for something
optional, another case for an enum's value.
"""

import copy
import json
import re
from collections.abc import Iterator
from typing import Any, cast

import msgspec
from jsonschema.exceptions import ValidationError
from jsonschema.protocols import Validator

from quillon_tools.schema import Schema

MAX_DEPTH = 64
MAX_SIZE = 1_000_000
_ROUNDS = 4
_SHOWN = 60
_INTEGER = re.compile(r"-?\d{1,18}", re.ASCII)
_NUMBER = re.compile(r"-?\d{1,18}(\.\d{1,18})?([eE][+-]?\d{1,2})?", re.ASCII)


def unfit_for_validation(value: Any) -> str | None:
    """Why a value is not looked at any further, found without recursion and in linear time."""
    size = 0
    pending: list[tuple[Any, int]] = [(value, 1)]
    while pending:
        each, depth = pending.pop()
        if depth > MAX_DEPTH:
            return f"they are nested deeper than {MAX_DEPTH}"
        texts = [each] if isinstance(each, str) else []
        if isinstance(each, dict):
            texts = [str(name) for name in each]
            pending += [(below, depth + 1) for below in each.values()]
        elif isinstance(each, list):
            pending += [(below, depth + 1) for below in each]
        size += 1 + sum(len(text) for text in texts)
        if size > MAX_SIZE:
            return f"they are larger than {MAX_SIZE} characters"
        if any(_has_surrogate(text) for text in texts):
            return "they hold half a character (a lone surrogate)"
    return None


def _has_surrogate(text: str) -> bool:
    return not text.isascii() and any("\ud800" <= char <= "\udfff" for char in text)


def excerpt(value: Any) -> str:
    """The JSON of a value, cut to a few words."""
    try:
        text = json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError):
        text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def coerced(
    validator: Validator, arguments: dict[str, Any]
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The arguments with what can be mended mended, and sentences on what was."""
    notes: list[str] = []
    # A mended value may show the next one: an object that was a string has members.
    for _round in range(_ROUNDS):
        errors = list(validator.iter_errors(arguments))
        if not errors:
            break
        mended = copy.deepcopy(arguments)
        new = [note for error in errors if (note := _mend(mended, error, validator)) is not None]
        if not new:
            break
        arguments = mended
        notes += filter(None, new)
    return arguments, tuple(notes)


def _mend(arguments: dict[str, Any], error: ValidationError, validator: Validator) -> str | None:
    if error.validator not in {"type", "enum", "anyOf"} or not error.absolute_path:
        return None
    holder: Any = arguments
    *above, last = error.absolute_path
    value = error.instance
    try:
        for step in above:
            holder = holder[step]
        if holder[last] != value:
            return None  # another error of the same value was mended already
    except (KeyError, IndexError, TypeError):
        return None
    if value is None and _is_optional(error, validator):
        del holder[last]
        return ""  # nothing to tell: it means the same
    schema = cast("Schema", error.schema)
    fitting = validator.evolve(schema=schema)
    candidates = [c for c in _candidates(value, schema) if unfit_for_validation(c) is None]
    chosen = [c for c in candidates if fitting.is_valid(c)]
    # JSON of the right kind is taken with its faults: what is wrong inside is then said inside.
    if isinstance(value, str):
        chosen += [c for c in candidates if c != [value] and _is_kind(c, schema)]
    if not chosen:
        return None
    holder[last] = chosen[0]
    return f"{error.json_path}: {excerpt(value)} was read as {excerpt(chosen[0])}"


def _is_kind(value: Any, schema: Schema) -> bool:
    kind = schema.get("type")
    return (kind == "object" and isinstance(value, dict)) or (
        kind == "array" and isinstance(value, list)
    )


def _is_optional(error: ValidationError, validator: Validator) -> bool:
    """Whether the value is a member of an object that does not demand it."""
    *above, last = error.absolute_path
    schema: Any = validator.schema
    for step in above:
        key = "items" if isinstance(step, int) else "properties"
        schema = schema.get(key, {})
        schema = schema if key == "items" else schema.get(step, {})
        if not isinstance(schema, dict):
            return False
    return (
        isinstance(last, str)
        and last in schema.get("properties", {})
        and last not in schema.get("required", [])
    )


def _candidates(value: Any, schema: Schema) -> Iterator[Any]:
    """Values that say the same as `value` in another type, the likeliest first."""
    members = [schema, *schema.get("anyOf", [])]
    kinds = {
        kind
        for member in members
        for kind in (
            [member["type"]] if isinstance(member.get("type"), str) else member.get("type", [])
        )
    }
    if isinstance(value, str):
        yield from _from_string(value, kinds)
        for member in members:
            choices = [choice for choice in member.get("enum", []) if isinstance(choice, str)]
            same = [choice for choice in choices if choice.casefold() == value.strip().casefold()]
            if len(same) == 1:
                yield same[0]
    elif "string" in kinds and isinstance(value, int) and not isinstance(value, bool):
        yield str(value)
    if "array" in kinds and not isinstance(value, list):
        yield [value]


def _from_string(text: str, kinds: set[str]) -> Iterator[Any]:
    plain = text.strip()
    if "integer" in kinds and _INTEGER.fullmatch(plain):
        yield int(plain)
    if "number" in kinds and _NUMBER.fullmatch(plain):
        yield float(plain) if re.search(r"[.eE]", plain) else int(plain)
    if "boolean" in kinds and plain.lower() in {"true", "false"}:
        yield plain.lower() == "true"
    if kinds & {"object", "array"} and plain[:1] in {"{", "["}:
        try:
            decoded = msgspec.json.decode(plain.encode())
        except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
            return
        yield decoded
        yield [decoded]
