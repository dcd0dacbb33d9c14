"""Rewrites a JSON Schema into plain alternatives, for which a grammar has rules.

What one of the alternatives accepts, the schema accepts; they may accept less. Where nothing
narrower can be said (a text that is *not* some other text), a keyword is left to the validator
and named in `left`.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from quillon.prompt.intersection import TYPES, Flat, intersection, same
from quillon.prompt.schemas import Schema
from quillon_tools.validator import TooMuchWork, bounded_work, make_validator

_MOST = 64  # alternatives of one schema
_MAX_STEPS = 20_000  # schemas that are looked at, all in all
_APPLIED = frozenset(
    {
        *("$ref", "allOf", "anyOf", "oneOf", "if", "then", "else", "not", "dependencies"),
        *("dependentRequired", "dependentSchemas", "unevaluatedProperties", "unevaluatedItems"),
    }
)
# With these beside it, what is evaluated depends on more than the alternative that is written.
_UNCERTAIN = frozenset(
    {*("not", "if", "oneOf", "dependentSchemas", "dependencies", "$dynamicRef", "contains")}
)


class Narrowing:
    """Narrows schemas of one document; `left` are the keywords that the validator decides alone."""

    def __init__(self, root: Schema, resolve: Callable[[str], Any]) -> None:
        self.left: set[str] = set()
        self._steps = 0
        self._root = root
        self._resolve = resolve

    def alternatives(self, schema: Any) -> list[Flat]:
        """Schemas without applicators in place, each of which accepts a part of `schema`.

        Raises:
            ValueError: The schema combines more than a grammar can write out.
        """
        self._steps += 1
        if self._steps > _MAX_STEPS:
            raise ValueError("the schema combines too many schemas for a grammar")
        if not isinstance(schema, Mapping):
            return [] if schema is False else [{}]
        if "const" in schema or isinstance(schema.get("enum"), list):
            return self._finite(schema)
        if "$dynamicRef" in schema:
            self.left.add("$dynamicRef")
        found: list[Flat] = [_own(schema)]
        if isinstance(schema.get("$ref"), str):
            found = self._refer(found, schema["$ref"])
        for part in schema.get("allOf") or ():
            found = self._both(found, self.alternatives(part))
        if schema.get("anyOf"):
            found = self._both(found, self._any(schema["anyOf"]))
        for keyword, apply in (
            ("oneOf", self._one),
            ("if", self._conditional),
            ("dependentRequired", self._dependent),
            ("dependentSchemas", self._dependent),
            ("dependencies", self._dependent),
            ("not", self._not),
        ):
            if keyword in schema:
                found = apply(found, schema, keyword)
        return [self._closed(each, schema) for each in found]

    def _finite(self, schema: Schema) -> list[Flat]:
        """The values that are listed and valid."""
        values = [schema["const"]] if "const" in schema else schema["enum"]
        if len(asserted(schema)) > 1:
            values = [value for value in values if self._accepts(schema, value)]
        drop = {*_APPLIED, *_CHECKED, *_OTHERS}
        rest = {key: each for key, each in schema.items() if key not in drop}
        return [{**rest, "enum": values}] if values else []

    def _accepts(self, schema: Schema, value: Any) -> bool:
        try:
            with bounded_work():
                return bool(make_validator(dict(self._root)).evolve(schema=schema).is_valid(value))
        except TooMuchWork:
            return False
        except Exception:  # noqa: BLE001 - foreign schemas break the validator in many ways
            return False

    def _refer(self, found: list[Flat], reference: str) -> list[Flat]:
        self.look_at(reference)
        return self._both(found, self.alternatives(self._resolve(reference)))

    def look_at(self, reference: str) -> None:
        """Leave what a reference by a name says to the validator: only pointers are followed."""
        if reference != "#" and not reference.startswith("#/"):
            self.left.add("$ref")

    def _any(self, options: Sequence[Any]) -> list[Flat]:
        return [each for option in options for each in self.alternatives(option)]

    def _both(self, one: list[Flat], other: list[Flat]) -> list[Flat]:
        if len(one) * len(other) > _MOST and len(one) > 1 and len(other) > 1:
            self.left.add("anyOf")
            return one
        both = (intersection(a, b, self.left) for a in one for b in other)
        return [each for each in both if each is not None]

    def _one(self, found: list[Flat], schema: Schema, _keyword: str) -> list[Flat]:
        options = list(schema["oneOf"])
        flat = [self.alternatives(option) for option in options]
        chosen: list[Flat] = []
        for at, own in enumerate(flat):
            for other, option in enumerate(options):
                if other != at and self._both(own, flat[other]):
                    own = self._both(own, self._negated(option))  # noqa: PLW2901 - it narrows
            chosen += own
        if not chosen and any(flat):
            self.left.add("oneOf")
            chosen = [each for own in flat for each in own]
        return self._both(found, chosen)

    def _conditional(self, found: list[Flat], schema: Schema, _keyword: str) -> list[Flat]:
        if "then" not in schema and "else" not in schema:
            return found
        then = self.alternatives(schema.get("then", True))
        other = self.alternatives(schema.get("else", True))
        met = self._both(self._both(found, self.alternatives(schema["if"])), then)
        # What satisfies both arms is valid whether the condition holds or not.
        unmet = self._both(self._both(found, self._negated(schema["if"])), other)
        if not unmet:
            unmet = self._both(self._both(found, then), other)
        if not met and not unmet:
            self.left.add("if")
            return found
        return met + unmet

    def _dependent(self, found: list[Flat], schema: Schema, keyword: str) -> list[Flat]:
        for name, needs in schema[keyword].items():
            needed = {"required": needs} if isinstance(needs, list) else needs
            without = [{"type": "object", "properties": {name: False}}]
            present: list[Flat] = [{"type": "object", "required": [name]}]
            with_it = self._both(present, self.alternatives(needed))
            others: list[Flat] = [{"type": [kind for kind in TYPES if kind != "object"]}]
            found = self._both(found, without + with_it + others)
        return found

    def _not(self, found: list[Flat], schema: Schema, _keyword: str) -> list[Flat]:
        refused = schema["not"]
        if refused is True or refused == {}:
            return []
        narrower = self._both(found, self._negated(refused))
        if not narrower:
            self.left.add("not")
        return narrower or found

    def _negated(self, schema: Any) -> list[Flat]:
        """Alternatives of which no value is accepted by `schema`."""
        if not isinstance(schema, Mapping):
            return [{}] if schema is False else []
        negations = [each for key in schema for each in self._opposites(key, schema[key])]
        return [flat for each in negations for flat in self.alternatives(each)]

    def _opposites(self, keyword: str, value: Any) -> list[Schema]:
        if keyword == "$ref" and isinstance(value, str) and value.startswith("#/"):
            target = self._resolve(value)
            # A negation that refers to itself has no end.
            return [] if "$ref" in str(target) else [{"not": target}]
        opposite = _OPPOSITES.get(keyword)
        return opposite(value) if opposite is not None else []

    def _closed(self, flat: Flat, schema: Schema) -> Flat:
        """`flat` with what the schema says of members and elements that nothing else names."""
        flat = dict(flat)
        for keyword, rest in (
            ("unevaluatedProperties", "additionalProperties"),
            ("unevaluatedItems", "items"),
        ):
            if keyword not in schema:
                continue
            if keywords(schema) & _UNCERTAIN:
                self.left.add(keyword)
            elif rest not in flat:
                flat[rest] = schema[keyword]
            if "type" not in flat and rest in flat:
                flat["type"] = "object" if rest == "additionalProperties" else "array"
        return flat


# Assertions that a listed value may violate.
_CHECKED = frozenset(
    {
        *("properties", "required", "additionalProperties", "patternProperties", "propertyNames"),
        *("minProperties", "maxProperties", "items", "prefixItems", "contains", "uniqueItems"),
        *("minItems", "maxItems", "minLength", "maxLength", "pattern", "minimum", "maximum"),
        *("exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    }
)
_OTHERS = frozenset({"type", "enum", "const", "minContains", "maxContains", "$dynamicRef"})


def asserted(schema: Schema) -> set[str]:
    """The keywords of a schema that can refuse a value."""
    return {key for key in schema if key in _APPLIED or key in _CHECKED or key in _OTHERS}


def _own(schema: Schema) -> Flat:
    own = {key: value for key, value in schema.items() if key not in _APPLIED}
    if isinstance(own.get("items"), list):  # as drafts before 2020-12 had it
        own["prefixItems"] = own.pop("items")
        own["items"] = own.pop("additionalItems", True)
    return own


def member_schema(schema: Schema, name: str, own: Any) -> Any:
    """What a member of an object has to be by its name: `own`, and what patterns say of it.

    False where `propertyNames` refuses the name.
    """
    if not make_validator(schema.get("propertyNames", True)).is_valid(name):
        return False
    patterns = schema.get("patternProperties") or {}
    matching = [
        each
        for pattern, each in patterns.items()
        if make_validator({"pattern": pattern}).is_valid(name)
    ]
    return {"allOf": [own, *matching]} if matching else own


def keywords(schema: Any) -> set[str]:
    """Every key inside of a schema."""
    if isinstance(schema, Mapping):
        return set(schema).union(*map(keywords, schema.values()))
    if isinstance(schema, list):
        return set().union(*map(keywords, schema))
    return set()


def _other_types(value: Any) -> list[Schema]:
    named = {value} if isinstance(value, str) else set(value)
    named |= {"number", "integer"} if named & {"number", "integer"} else set()
    kinds = [kind for kind in TYPES if kind not in named]
    return [{"type": kinds}] if kinds else []


def _other_values(values: Sequence[Any]) -> list[Schema]:
    """Every boolean, null and type that is not among the values."""
    kinds = {dict: "object", list: "array", str: "string", int: "number", float: "number"}
    used = {kinds[type(value)] for value in values if type(value) in kinds}
    used |= {"boolean", "null"} | ({"integer"} if "number" in used else set())
    free = [kind for kind in TYPES if kind not in used]
    few = [each for each in (True, False, None) if not any(same(each, v) for v in values)]
    return [{"type": free}, {"enum": few}] if few else [{"type": free}]


def _bound(kind: str, keyword: str, step: int) -> Callable[[Any], list[Schema]]:
    return lambda value: [{"type": kind, keyword: value + step}] if value + step >= 0 else []


def _number(keyword: str) -> Callable[[Any], list[Schema]]:
    return lambda value: [{"type": "number", keyword: value}]


_OPPOSITES: dict[str, Callable[[Any], list[Schema]]] = {
    "type": _other_types,
    "const": lambda value: _other_values([value]),
    "enum": _other_values,
    "not": lambda value: [value] if isinstance(value, Mapping) else [],
    "anyOf": lambda options: [{"allOf": [{"not": option} for option in options]}],
    "allOf": lambda parts: [{"not": part} for part in parts],
    "required": lambda names: [{"type": "object", "properties": {n: False}} for n in names],
    "properties": lambda inner: [
        {"type": "object", "required": [name], "properties": {name: {"not": each}}}
        for name, each in inner.items()
    ],
    "minimum": _number("exclusiveMaximum"),
    "maximum": _number("exclusiveMinimum"),
    "exclusiveMinimum": _number("maximum"),
    "exclusiveMaximum": _number("minimum"),
    "minLength": _bound("string", "maxLength", -1),
    "maxLength": _bound("string", "minLength", 1),
    "minItems": _bound("array", "maxItems", -1),
    "maxItems": _bound("array", "minItems", 1),
}
