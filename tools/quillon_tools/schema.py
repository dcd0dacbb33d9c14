"""Python types as JSON Schema (draft 2020-12), and values of those types from JSON.

One `Shape` holds both directions, so that what the schema admits is what `convert` understands.
Not supported, and refused by name: recursive types, tuples of one or of any length, sets, bytes,
and whatever else JSON has no form for.
"""

import dataclasses
import enum
import types
from collections.abc import Callable, Mapping, Sequence
from typing import (
    Annotated,
    Any,
    Literal,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

import msgspec

from quillon_tools.confinement import ConfinedPath
from quillon_tools.docstring import parse_docstring
from quillon_tools.validator import make_validator

Schema = dict[str, Any]
Resolve = Callable[[str], ConfinedPath]
Convert = Callable[[Any, Resolve], Any]

_MAX_DEPTH = 12
_PLAIN: dict[Any, str] = {
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
    None: "null",
    types.NoneType: "null",
}
_BARE: dict[Any, str] = {list: "array", tuple: "array", dict: "object"}
_META = {
    "ge": "minimum",
    "gt": "exclusiveMinimum",
    "le": "maximum",
    "lt": "exclusiveMaximum",
    "multiple_of": "multipleOf",
    "pattern": "pattern",
}


class UntypableError(Exception):
    """A type has no JSON Schema; the message names the type."""


class Shape(msgspec.Struct, frozen=True):
    """A type's schema, and the conversion of valid JSON into a value of the type.

    `is_path` marks strings that name files or folders of the workspace.
    """

    schema: Schema
    convert: Convert
    is_path: bool = False


def shape_of(kind: Any, *, depth: int = 0) -> Shape:
    """The shape of a type hint.

    Raises:
        UntypableError: The type, or a part of it, has no JSON Schema.
    """
    if depth > _MAX_DEPTH:
        raise UntypableError(f"{_name(kind)} is recursive or nested deeper than {_MAX_DEPTH}")
    if kind is ConfinedPath:
        return Shape({"type": "string"}, lambda value, resolve: resolve(value), is_path=True)
    if kind in _PLAIN or kind in _BARE or kind is Any:
        return _plain(kind)
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return _enumeration(kind)
    if get_origin(kind) is not None:
        return _generic(kind, get_origin(kind), get_args(kind), depth + 1)
    if dataclasses.is_dataclass(kind) or is_typeddict(kind) or _is_struct(kind):
        return _record(kind, depth + 1)
    raise UntypableError(f"{_name(kind)} has no JSON Schema")


def _plain(kind: Any) -> Shape:
    if kind is Any:
        return Shape({}, _same)
    convert = {int: _integer, tuple: _tuple}.get(kind, _same)
    return Shape({"type": _PLAIN.get(kind) or _BARE[kind]}, convert)


def _generic(kind: Any, origin: Any, arguments: tuple[Any, ...], depth: int) -> Shape:
    if origin is Annotated:
        return _annotated(shape_of(arguments[0], depth=depth), arguments[1:])
    if origin is Literal:
        return _literal(arguments)
    if origin in {Union, types.UnionType}:
        return _union([shape_of(member, depth=depth) for member in arguments])
    if origin in {list, Sequence}:
        return _array(shape_of(arguments[0], depth=depth))
    if origin is tuple:
        return _fixed_array(kind, arguments, depth)
    if origin in {dict, Mapping}:
        return _mapping(kind, arguments, depth)
    raise UntypableError(f"{_name(kind)} has no JSON Schema")


def _same(value: Any, _resolve: Resolve) -> Any:
    return value


def _tuple(value: Any, _resolve: Resolve) -> Any:
    return tuple(value)


def _integer(value: Any, _resolve: Resolve) -> int:
    return int(value)  # JSON Schema counts 1.0 as an integer


def _enumeration(kind: type[enum.Enum]) -> Shape:
    shape = _literal(tuple(member.value for member in kind))
    return Shape(shape.schema, lambda value, _resolve: kind(value))


def _literal(values: tuple[Any, ...]) -> Shape:
    names = [_PLAIN.get(type(value)) for value in values]
    if not values or None in names:
        raise UntypableError(f"choices {values!r} are not all strings, numbers, booleans or null")
    kinds = sorted({name for name in names if name})
    schema = {"type": kinds[0] if len(kinds) == 1 else kinds, "enum": list(values)}
    return Shape(schema, _same)


def _union(members: list[Shape]) -> Shape:
    unique: list[Shape] = []
    for member in members:
        if all(member.schema != other.schema for other in unique):
            unique.append(member)
    if len(unique) == 1:
        return unique[0]
    validators = [make_validator(member.schema) for member in unique]

    def convert(value: Any, resolve: Resolve) -> Any:
        for member, validator in zip(unique, validators, strict=True):
            if validator.is_valid(value):
                return member.convert(value, resolve)
        return value

    is_path = any(member.is_path for member in unique)
    if all(set(member.schema) == {"type"} for member in unique):
        names = sorted({member.schema["type"] for member in unique}, key=_null_last)
        return Shape({"type": names}, convert, is_path=is_path)
    return Shape({"anyOf": [member.schema for member in unique]}, convert, is_path=is_path)


def _null_last(name: str) -> tuple[bool, str]:
    return name == "null", name


def _array(item: Shape) -> Shape:
    return Shape(
        {"type": "array", "items": item.schema},
        lambda value, resolve: [item.convert(each, resolve) for each in value],
        is_path=item.is_path,
    )


def _fixed_array(kind: Any, arguments: tuple[Any, ...], depth: int) -> Shape:
    if len(arguments) < 2 or Ellipsis in arguments:  # noqa: PLR2004 - a pair is the least
        raise UntypableError(f"{_name(kind)} has no fixed length over one: use list")
    items = [shape_of(argument, depth=depth) for argument in arguments]
    schema = {
        "type": "array",
        "prefixItems": [item.schema for item in items],
        "minItems": len(items),
        "maxItems": len(items),
    }
    return Shape(
        schema,
        lambda value, resolve: tuple(
            item.convert(each, resolve) for item, each in zip(items, value, strict=True)
        ),
    )


def _mapping(kind: Any, arguments: tuple[Any, ...], depth: int) -> Shape:
    if arguments[0] is not str:
        raise UntypableError(f"{_name(kind)}: names in JSON objects are strings")
    item = shape_of(arguments[1], depth=depth)
    schema: Schema = {"type": "object"}
    if item.schema:
        schema["additionalProperties"] = item.schema
    return Shape(
        schema,
        lambda value, resolve: {name: item.convert(each, resolve) for name, each in value.items()},
    )


def _annotated(shape: Shape, notes: tuple[Any, ...]) -> Shape:
    schema = dict(shape.schema)
    for note in notes:
        if isinstance(note, str):
            schema["description"] = note
        elif isinstance(note, msgspec.Meta):
            schema |= _bounds(note, schema)
    return msgspec.structs.replace(shape, schema=schema)


def _bounds(meta: msgspec.Meta, schema: Schema) -> Schema:
    found = {
        keyword: getattr(meta, name)
        for name, keyword in _META.items()
        if getattr(meta, name) is not None
    }
    array = schema.get("type") == "array"
    for name, keyword in (("min_length", "min"), ("max_length", "max")):
        if (length := getattr(meta, name)) is not None:
            found[keyword + ("Items" if array else "Length")] = length
    if meta.description:
        found["description"] = meta.description
    return found


def _is_struct(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def _record(kind: Any, depth: int) -> Shape:
    """A dataclass, a msgspec struct or a `TypedDict` as a closed object."""
    hints = get_type_hints(kind, include_extras=True)
    required = _required_fields(kind)
    docs = parse_docstring(kind.__doc__)
    fields = {name: shape_of(hint, depth=depth) for name, hint in hints.items()}
    properties: Schema = {}
    for name, shape in fields.items():
        doc = docs.attributes.get(name) if docs else None
        note = {"description": doc.text} if doc else {}
        properties[name] = {**shape.schema, **note}
    schema: Schema = {
        "type": "object",
        "properties": properties,
        "required": [name for name in hints if name in required],
        "additionalProperties": False,
    }

    def convert(value: Any, resolve: Resolve) -> Any:
        values = {name: fields[name].convert(each, resolve) for name, each in value.items()}
        return values if is_typeddict(kind) else kind(**values)

    return Shape(schema, convert)


def _required_fields(kind: Any) -> frozenset[str]:
    if is_typeddict(kind):
        return frozenset(kind.__required_keys__)
    if _is_struct(kind):
        return frozenset(field.name for field in msgspec.structs.fields(kind) if field.required)
    return frozenset(
        field.name
        for field in dataclasses.fields(kind)
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    )


def _name(kind: Any) -> str:
    return kind.__name__ if isinstance(kind, type) and not get_args(kind) else str(kind)
