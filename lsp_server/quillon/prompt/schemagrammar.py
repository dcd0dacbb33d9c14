"""JSON Schema as grammar rules for the JSON, or the raw text, of a value.

What the rules let through, the schema's validator accepts; the reverse need not hold: white
space is fixed, numbers are short, texts and lists are bounded, and of an object only declared
properties may be given. What cannot be said more narrowly (patterns with look-arounds, a text
that is *not* another, ...) is left to the validator, and `json_rules` tells the keywords.
"""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from quillon.prompt import gbnf
from quillon.prompt.narrowing import Narrowing, asserted, member_schema
from quillon.prompt.patterns import pattern_rule
from quillon.prompt.schemas import (
    Schema,
    allowed_values,
    bounds,
    limits,
    resolved,
    types_in,
)

MAX_TEXT = 4096  # characters of a string without a bound of its own
MAX_ITEMS = 64  # elements of an array without a bound of its own
_MAX_MEMBERS = 16  # members of an object whose keys are free
_ANY_ORDER = 5  # properties that may come in any order: 2**5 rules
_MAX_MULTIPLES = 200
_BOUND = 10**15

_CHAR = (
    r"""[^"\\\x00-\x1F\x7F] | "\\" (["\\/bfnrt] | """
    r""""u" ([0-9a-cA-CeEfF] [0-9a-fA-F]{3} | [dD] [0-7] [0-9a-fA-F]{2}))"""
)
_SEPARATOR = '"," " "?'
_COLON = '":" " "?'
_ALL_TYPES = ("string", "number", "boolean", "null", "array", "object")


class Place(msgspec.Struct, frozen=True):
    """Where a value stands: the tool's name and the path of property names to the value."""

    tool: str
    path: tuple[str, ...] = ()


# What a string or an integer is held to at a place: a rule for what stands between the quotes,
# or for the digits. None: whatever the schema says.
Hold = Callable[["Rules", Place, Schema], str | None]


def hold_nothing(_rules: "Rules", _place: Place, _schema: Schema) -> str | None:
    """No other bounds than the schema's."""
    return None


def json_grammar(schema: Any) -> str:
    """The grammar of the JSON of a value, and of nothing else."""
    return json_rules(schema)[0]


def json_rules(schema: Any) -> tuple[str, frozenset[str]]:
    """The grammar, and the keywords that it leaves to the validator, wholly or in part."""
    rules = Rules(gbnf.Grammar())
    rules.enter(schema if isinstance(schema, Mapping) else {})
    return rules.grammar.text(rules.value(schema, Place(""))), frozenset(rules.left)


class Rules:
    """Makes the rules of one grammar.

    `strings` and `integers` may hold values to what a conversation contains.
    """

    def __init__(
        self,
        grammar: gbnf.Grammar,
        *,
        strings: Hold = hold_nothing,
        integers: Hold = hold_nothing,
    ) -> None:
        self.grammar = grammar
        self._strings = strings
        self._integers = integers
        self._root: Schema = {}
        self._references: dict[str, str] = {}
        self._narrowing = Narrowing({}, self._resolved)

    @property
    def left(self) -> set[str]:
        """The keywords, of what was entered last, that are left to the validator."""
        return self._narrowing.left

    def arguments(self, tool: str, schema: Schema) -> str:
        """A rule for the JSON object of a tool's arguments."""
        self.enter(schema)
        # A tool that declares nothing takes nothing.
        return self.value({"type": "object", "properties": {}, **schema}, Place(tool))

    def enter(self, schema: Schema) -> None:
        """Resolve references in `schema` from now on."""
        self._root = schema
        self._references = {}
        self._narrowing = Narrowing(schema, self._resolved)

    def value(self, schema: Any, place: Place) -> str:
        """A rule for the JSON of a value."""
        if not isinstance(schema, Mapping):
            return self._nothing() if schema is False else self._anything()
        said = asserted(schema)
        if said == {"$ref"} and isinstance(schema["$ref"], str):
            return self._reference(schema["$ref"], place)
        if said == {"anyOf"} and schema["anyOf"]:
            base = {key: each for key, each in schema.items() if key != "anyOf"}
            return self._union([self._option(base, each, place) for each in schema["anyOf"]])
        return self._union([self._flat(each, place) for each in self.shapes(schema)])

    def shapes(self, schema: Any) -> list[dict[str, Any]]:
        """Schemas without references and combinations at the top: a value is of one of them."""
        return self._narrowing.alternatives(schema)

    def members(self, members: Mapping[str, str], required: frozenset[str], separator: str) -> str:
        """A rule for each of `members` at most once, the `required` ones always.

        Few members may come in any order; many come in theirs.
        """
        arrange = self._any_order if len(members) <= _ANY_ORDER else self._in_order
        return arrange(members, required, separator)

    def held(self, schema: Schema, place: Place) -> str | None:
        """The rule that a string is held to, if any."""
        return self._strings(self, place, schema)

    def plain(self, schema: Any) -> Schema:
        """The one schema without references and combinations; with several, what they share."""
        shapes = self.shapes(schema)
        if len(shapes) == 1:
            return shapes[0]
        return schema if shapes and isinstance(schema, Mapping) else {"enum": []}

    def string_body(self, schema: Schema, place: Place) -> str:
        """A rule for what stands between the quotes of a string."""
        held = self.held(schema, place)
        if held is not None:
            return held
        if isinstance(schema.get("pattern"), str):
            rule = pattern_rule(self.grammar, schema["pattern"], escaped=True)
            if rule is not None and not {"minLength", "maxLength"} & set(schema):
                return rule
            self._narrowing.left.add("pattern")
        least, most = limits(schema, "Length", MAX_TEXT)
        char = self.grammar.rule("char", _CHAR)
        return gbnf.bounded(self.grammar, "text", char, least, most)

    def scalar(self, kind: str, schema: Schema, place: Place) -> str:
        """A rule for a number, a boolean or null."""
        if kind == "boolean":
            return self.grammar.rule("boolean", '"true" | "false"')
        if kind == "null":
            return self.grammar.rule("null", '"null"')
        held = self._integers(self, place, schema) if kind == "integer" else None
        if held is not None:
            return held
        low, high = bounds(schema)
        if schema.get("multipleOf"):
            return self._multiples(schema["multipleOf"], low, high)
        whole = gbnf.integer(_ceil(low), _floor(high))
        if kind == "integer":
            return self.grammar.rule("integer", whole)
        return self.grammar.rule("number", _number(whole, low, high))

    def _option(self, base: Schema, option: Any, place: Place) -> str:
        """A rule for one of the schemas of `anyOf`, which may be true or false."""
        if option is False:
            return self._nothing()
        return self.value({**base, **option} if isinstance(option, Mapping) else base, place)

    def _flat(self, schema: Schema, place: Place) -> str:
        """A rule for one of the `shapes`."""
        values = allowed_values(schema)
        if values is not None:
            texts = [json.dumps(value, ensure_ascii=False) for value in values]
            return gbnf.trie(self.grammar, "enum", texts) if texts else self._nothing()
        return self._union([self._of_type(kind, schema, place) for kind in types_in(schema)])

    def _of_type(self, kind: str, schema: Schema, place: Place) -> str:
        if kind == "string":
            return self.grammar.rule("string", f'"\\"" {self.string_body(schema, place)} "\\""')
        if kind == "object":
            return self._object(schema, place)
        if kind == "array":
            return self._array(schema, place)
        if kind in {"integer", "number", "boolean", "null"}:
            return self.scalar(kind, schema, place)
        return self._anything()

    def _union(self, rules: Sequence[str]) -> str:
        unique = list(dict.fromkeys(rules)) or [self._nothing()]
        if len(unique) > 1 and self._nothing() in unique:
            unique.remove(self._nothing())
        return unique[0] if len(unique) == 1 else self.grammar.rule("any-of", " | ".join(unique))

    def _reference(self, reference: str, place: Place) -> str:
        known = self._references.get(reference)
        self._narrowing.look_at(reference)
        if known is None:
            known = self._references[reference] = self.grammar.reserve("ref")
            self.grammar.define(known, self.value(self._resolved(reference), place))
        return known

    def _resolved(self, reference: str) -> Any:
        return resolved(reference, self._root)

    def _multiples(self, of: float, low: float | None, high: float | None) -> str:
        start = math.ceil((low if low is not None else 0) / of)
        end = start + _MAX_MULTIPLES
        if high is not None:
            end = min(end, math.floor(high / of))
        values = [number * of for number in range(start, end + 1)]
        texts = [json.dumps(int(v) if v == int(v) else v) for v in values]
        return gbnf.trie(self.grammar, "multiple", texts or ["0"])

    def _array(self, schema: Schema, place: Place) -> str:
        items = schema.get("items", True)
        first = [self.value(each, place) for each in schema.get("prefixItems") or ()]
        least, most = limits(schema, "Items", MAX_ITEMS)
        if "contains" in schema:
            items, least, most = self._containing(schema, items, least, most)
        if schema.get("uniqueItems"):
            most = min(most, max(1, least))
            if least > 1:
                self.left.add("uniqueItems")
        if self._nothing() in first:
            first = first[: first.index(self._nothing())]
            most = min(most, len(first))
        item = self.value(items, place) if most > len(first) else self._nothing()
        if item == self._nothing():
            item, most = "", min(most, len(first))
        if most < least:
            return self._nothing()
        return self.grammar.rule("array", f'"[" {_list(first, item, least, most)} "]"')

    def _containing(
        self, schema: Schema, items: Any, least: int, most: int
    ) -> tuple[Any, int, int]:
        """Elements that are all of what the array has to contain, in the number that it needs."""
        needed = int(schema.get("minContains", 1))
        if needed == 0 and "maxContains" not in schema:
            return items, least, most
        if schema.get("prefixItems"):
            self.left.add("contains")
            return items, least, most
        both = {"allOf": [items, schema["contains"]]}
        return both, max(least, needed), min(most, int(schema.get("maxContains", most)))

    def _object(self, schema: Schema, place: Place) -> str:
        properties = schema.get("properties")
        declared: dict[str, Any] = dict(properties) if isinstance(properties, Mapping) else {}
        required = [name for name in schema.get("required") or () if isinstance(name, str)]
        rest = schema.get("additionalProperties")
        if not declared and not required and (properties is None or rest):
            return self._free_object(schema, place)
        declared = {**dict.fromkeys(required, True if rest is None else rest), **declared}
        declared = {name: member_schema(schema, name, each) for name, each in declared.items()}
        values = {name: self.value(value, _inside(place, name)) for name, value in declared.items()}
        possible = [name for name, rule in values.items() if rule != self._nothing()]
        most = int(schema.get("maxProperties", len(possible)))
        if not set(required) <= set(possible) or most < len(set(required)):
            return self._nothing()
        # With fewer places than properties, the first of the optional ones get them.
        kept = sorted(possible, key=lambda name: name not in required)[:most]
        if int(schema.get("minProperties", 0)) > len(set(required)):
            self.left.add("minProperties")
        kept = [name for name in possible if name in kept]
        rules = [f"{_key(name)} {_COLON} {values[name]}" for name in kept]
        members = {n: self.grammar.rule(n, each) for n, each in zip(kept, rules, strict=True)}
        if not members:
            return self.grammar.rule("empty", '"{" "}"')
        body = self.members(members, frozenset(required), _SEPARATOR)
        return self.grammar.rule("object", f'"{{" {body} "}}"')

    def _any_order(
        self, members: Mapping[str, str], required: frozenset[str], separator: str
    ) -> str:
        def rest(missing: tuple[str, ...], before: str) -> str:
            options = [] if required & set(missing) else ['""']
            for name in missing:
                others = tuple(other for other in missing if other != name)
                options.append(f"{before} {members[name]} {rest(others, separator)}".strip())
            return self.grammar.rule("members", " | ".join(options)) if missing else '""'

        return rest(tuple(members), "")

    def _in_order(
        self, members: Mapping[str, str], required: frozenset[str], separator: str
    ) -> str:
        first, later = '""', '""'
        for name, rule in reversed(list(members.items())):
            go_on = f"{rule} {later}"
            if name in required:
                first, later = go_on, f"{separator} {go_on}"
            else:
                first, later = f"{go_on} | {first}", f"{separator} {go_on} | {later}"
            first = self.grammar.rule("first", first)
            later = self.grammar.rule("later", later)
        return first

    def _free_object(self, schema: Schema, place: Place) -> str:
        key, values = self._free_member(schema, place)
        inner = self.value(values, _inside(place, "*"))
        least, most = limits(schema, "Properties", _MAX_MEMBERS)
        if self._nothing() in {key, inner} or most == 0:
            return self.grammar.rule("empty", '"{" "}"') if least == 0 else self._nothing()
        member = self.grammar.rule("free-member", f"{key} {_COLON} {inner}")
        if least > 1:  # keys may repeat, and then count once
            self.left.add("minProperties")
        return self.grammar.rule("free-object", f'"{{" {_list([], member, least, most)} "}}"')

    def _free_member(self, schema: Schema, place: Place) -> tuple[str, Any]:
        """The rule of a free key, and the schema of what stands behind it."""
        names = schema.get("propertyNames", True)
        free = Place(place.tool, ("*",))
        patterns = schema.get("patternProperties")
        if not patterns:
            key = {"allOf": [{"type": "string", "maxLength": 64}, names]}
            return self.value(key, free), schema.get("additionalProperties", True)
        # What any pattern asks for fits a key that several of them match, too.
        every = {"allOf": list(patterns.values())}
        rules = [pattern_rule(self.grammar, pattern, escaped=True) for pattern in patterns]
        known = " | ".join(rule for rule in rules if rule is not None)
        if names is not True or not known:
            return self._nothing(), every
        return self.grammar.rule("key", f'"\\"" ({known}) "\\""'), every

    def _nothing(self) -> str:
        return self.grammar.rule("nothing", gbnf.NOTHING)

    def _anything(self) -> str:
        known = self._references.get("*")
        if known is None:
            known = self._references["*"] = self.grammar.reserve("anything")
            kinds = [self._of_type(kind, {}, Place("*")) for kind in _ALL_TYPES]
            self.grammar.define(known, " | ".join(kinds))
        return known


def _inside(place: Place, name: str) -> Place:
    return Place(place.tool, (*place.path, name))


def _key(name: str) -> str:
    return gbnf.literal(json.dumps(name, ensure_ascii=False))


def _number(whole: str, low: float | None, high: float | None) -> str:
    """Whole numbers, and fractions that lie between two whole numbers inside the bounds."""
    fraction = '"." [0-9]{0,14} [1-9]'
    up = gbnf.integer(max(0, _ceil(low) or 0), None if high is None else math.floor(high) - 1)
    options = [whole]
    if high is None or high >= 1:
        options.append(f"({up}) {fraction}")
    if low is None or low <= -1:
        down = gbnf.integer(0, None if low is None else -math.ceil(low) - 1)
        options.append(f'"-" ({down}) {fraction}')
    return " | ".join(options)


def _list(first: Sequence[str], item: str, least: int, most: int) -> str:
    """Elements with separators: `first` in turn, then `item`, `least` to `most` in all."""
    if most <= 0:
        return '""'
    parts = list(first[:most])
    body = ""
    rest_most = most - len(parts)
    if item and rest_most > 0:
        rest_least = max(0, least - len(parts))
        if parts:
            body = f"({_SEPARATOR} {item}){{{rest_least},{rest_most}}}"
        else:
            body = f"{item} ({_SEPARATOR} {item}){{{max(0, rest_least - 1)},{rest_most - 1}}}"
            return f"({body})?" if least == 0 else body
    for index in range(len(parts) - 1, -1, -1):
        separator = f"{_SEPARATOR} " if index else ""
        body = f"{separator}{parts[index]} {body}".strip()
        if index >= least:
            body = f"({body})?"
    return body or '""'


def _ceil(value: float | None) -> int | None:
    return None if value is None else math.ceil(max(-_BOUND, min(_BOUND, value)))


def _floor(value: float | None) -> int | None:
    return None if value is None else math.floor(max(-_BOUND, min(_BOUND, value)))
