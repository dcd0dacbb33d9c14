"""What a JSON Schema says, as far as decoding and reading need it."""

import math
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

Schema = Mapping[str, Any]

_MANY = 1000


def resolved(reference: str, root: Schema) -> Any:
    """The schema that a `$ref` inside `root` points to, or True, which says nothing."""
    if reference != "#" and not reference.startswith("#/"):
        return True
    at: Any = root
    for part in reference.removeprefix("#").split("/")[1:]:
        name = unquote(part).replace("~1", "/").replace("~0", "~")
        if isinstance(at, list) and name.isdecimal() and int(name) < len(at):
            at = at[int(name)]
        else:
            at = at.get(name, True) if isinstance(at, Mapping) else True
    # A schema that is nothing but a reference to itself says nothing, too.
    return True if at == {"$ref": reference} else at


def allowed_values(schema: Schema) -> list[Any] | None:
    """The values that `enum` or `const` leaves, or None where neither is there."""
    if "const" in schema:
        return [schema["const"]]
    values = schema.get("enum")
    if not isinstance(values, list):
        return None
    kinds = set(types_in(schema)) if "type" in schema else None
    return [value for value in values if kinds is None or _kind(value) & kinds]


def bounds(schema: Schema) -> tuple[float | None, float | None]:
    """The least and the greatest value of a number."""
    low, high = schema.get("minimum"), schema.get("maximum")
    above, below = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")
    if isinstance(above, (int, float)) and not isinstance(above, bool):
        step = above + 1 if float(above).is_integer() else math.nextafter(above, math.inf)
        low = step if low is None else max(low, step)
    if isinstance(below, (int, float)) and not isinstance(below, bool):
        step = below - 1 if float(below).is_integer() else math.nextafter(below, -math.inf)
        high = step if high is None else min(high, step)
    return low, high


def limits(schema: Schema, what: str, most: int) -> tuple[int, int]:
    """The least and the greatest of a number of things, the latter at most `most` or the least.

    Raises:
        ValueError: The schema demands more things than can be written out.
    """
    least = max(0, int(schema.get(f"min{what}", 0)))
    highest = int(schema.get(f"max{what}", most))
    if least > _MANY:
        raise ValueError(f"a minimum of {least} is too much for a grammar")
    return least, max(least, min(highest, most))


def types_in(schema: Schema) -> list[str]:
    """The types that a schema names or, by its keywords, means; `anything` where it does not."""
    declared = schema.get("type")
    if isinstance(declared, str):
        return [declared]
    if isinstance(declared, list) and declared:
        return [kind for kind in declared if isinstance(kind, str)]
    for keyword, kind in _IMPLIED.items():
        if keyword in schema:
            return [kind]
    return ["anything"]


_IMPLIED = {
    "properties": "object",
    "required": "object",
    "additionalProperties": "object",
    "items": "array",
    "prefixItems": "array",
    "minItems": "array",
    "maxItems": "array",
    "minProperties": "object",
    "maxProperties": "object",
    "patternProperties": "object",
    "propertyNames": "object",
    "contains": "array",
    "uniqueItems": "array",
    "minLength": "string",
    "maxLength": "string",
    "pattern": "string",
    "minimum": "number",
    "maximum": "number",
    "exclusiveMinimum": "number",
    "exclusiveMaximum": "number",
    "multipleOf": "number",
}


def _kind(value: Any) -> set[str]:
    if value is None:
        return {"null"}
    if isinstance(value, bool):
        return {"boolean"}
    if isinstance(value, int):
        return {"integer", "number"}
    names = {str: "string", float: "number", list: "array", dict: "object"}
    return {names.get(type(value), "object")}
