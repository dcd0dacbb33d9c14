"""What two plain schemas both accept, as one schema."""

import math
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

from quillon.prompt.schemas import allowed_values

TYPES = ("string", "number", "integer", "boolean", "null", "array", "object")

Flat = dict[str, Any]  # a schema without `$ref`, `allOf`, `anyOf`, ... at its top


def intersection(one: Flat, other: Flat, left: set[str]) -> Flat | None:
    """A schema that accepts nothing but what both accept; None where nothing can be.

    Keywords of which only one of two can be written are added to `left`.
    """
    both = {**one, **other}
    for keyword in one.keys() & other.keys():
        if one[keyword] == other[keyword]:
            continue
        if keyword in _JOINED:
            both[keyword] = _JOINED[keyword](one[keyword], other[keyword])
        elif keyword in _ALONE:
            left.add(keyword)
    _values(one, other, both)
    _members(one, other, both)
    _elements(one, other, both)
    return both if _possible(both) else None


def same(one: Any, other: Any) -> bool:
    """Whether two values are the same to JSON Schema, for which true is not 1."""
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def _kinds(one: Any, other: Any) -> list[str]:
    first = _with_integer([one] if isinstance(one, str) else one)
    second = _with_integer([other] if isinstance(other, str) else other)
    kinds = [kind for kind in first if kind in second]
    return [kind for kind in kinds if kind != "integer" or "number" not in kinds]


def _with_integer(kinds: list[str]) -> list[str]:
    return [*kinds, "integer"] if "number" in kinds else list(kinds)


def _least(one: Any, other: Any) -> Any:
    return min(one, other)


def _greatest(one: Any, other: Any) -> Any:
    return max(one, other)


def _multiple(one: Any, other: Any) -> Any:
    first, second = Fraction(str(one)), Fraction(str(other))
    parts = (first.numerator * second.denominator, second.numerator * first.denominator)
    joined = Fraction(math.lcm(*parts), first.denominator * second.denominator)
    return int(joined) if joined.denominator == 1 else float(joined)


def _each(one: Any, other: Any) -> Any:
    """What a member or an element has to be for both."""
    if one is False or other is False:
        return False
    if not isinstance(one, Mapping) or not isinstance(other, Mapping):
        return other if one is True else one
    return {"allOf": [one, other]} if one and other and one != other else one or other


_JOINED: dict[str, Callable[[Any, Any], Any]] = {
    "type": _kinds,
    "required": lambda one, other: list(dict.fromkeys([*one, *other])),
    "propertyNames": _each,
    "uniqueItems": lambda one, other: one or other,
    **dict.fromkeys(("minimum", "exclusiveMinimum", "minLength", "minItems"), _greatest),
    "minProperties": _greatest,
    "multipleOf": _multiple,
    **dict.fromkeys(("maximum", "exclusiveMaximum", "maxLength", "maxItems"), _least),
    "maxProperties": _least,
}
_ALONE = frozenset({"pattern", "contains", "minContains", "maxContains"})


def _values(one: Flat, other: Flat, both: Flat) -> None:
    if "enum" in one and "enum" in other:
        both["enum"] = [v for v in one["enum"] if any(same(v, w) for w in other["enum"])]
    if "type" in both and "enum" in both:
        both["enum"] = allowed_values(both)


def _members(one: Flat, other: Flat, both: Flat) -> None:
    """Members are what either side says of them by name, and else what it says of all others."""
    patterns = [side["patternProperties"] for side in (one, other) if "patternProperties" in side]
    if len(patterns) > 1:
        joined = dict(patterns[0])
        for pattern, each in patterns[1].items():
            joined[pattern] = _each(joined.get(pattern, True), each)
        both["patternProperties"] = joined
    names = [*(one.get("properties") or ()), *(other.get("properties") or ())]
    if names:
        both["properties"] = {
            name: _each(_member(one, name), _member(other, name)) for name in dict.fromkeys(names)
        }
    if "additionalProperties" in one and "additionalProperties" in other:
        both["additionalProperties"] = _each(
            one["additionalProperties"], other["additionalProperties"]
        )


def _member(side: Flat, name: str) -> Any:
    named = side.get("properties") or {}
    return named[name] if name in named else side.get("additionalProperties", True)


def _elements(one: Flat, other: Flat, both: Flat) -> None:
    prefixes = [side.get("prefixItems") or [] for side in (one, other)]
    size = max(map(len, prefixes))
    if size:
        both["prefixItems"] = [_each(_element(one, at), _element(other, at)) for at in range(size)]
    if "items" in one and "items" in other:
        both["items"] = _each(one["items"], other["items"])


def _element(side: Flat, at: int) -> Any:
    prefix = side.get("prefixItems") or []
    return prefix[at] if at < len(prefix) else side.get("items", True)


def _possible(schema: Flat) -> bool:
    if schema.get("type") == [] or schema.get("enum") == []:
        return False
    properties = schema.get("properties") or {}
    return not any(properties.get(name) is False for name in schema.get("required") or ())
