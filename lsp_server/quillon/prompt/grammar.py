"""The grammar that a tool call is decoded under: offered tools, and arguments of their schema."""

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from quillon.engine.base import Constraint
from quillon.prompt import gbnf
from quillon.prompt.dialects import Dialect
from quillon.prompt.parser import parameter_schemas
from quillon.prompt.patterns import pattern_rule
from quillon.prompt.schemagrammar import MAX_TEXT, Hold, Place, Rules, hold_nothing
from quillon.prompt.schemas import Schema, allowed_values, limits
from quillon_tools.validator import make_validator

_log = logging.getLogger(__name__)

MAX_LIVE = 4000  # values of one parameter; with more it is a free text
_MAX_LIVE_LENGTH = 300  # characters of one
_MAX_CALLS = 8  # in one answer
_XML_WORDS = ("</parameter", "</function>", "</tool_call>", "<parameter=", "<tool_call>")

Live = Mapping[tuple[str, str], Sequence[str]]


def schema_constraint(
    definitions: Sequence[Mapping[str, Any]],
    dialect: Dialect,
    *,
    live: Live | None = None,
) -> Constraint | None:
    """What holds calls to the offered tools and to their schemas; None without any tool.

    The grammar wakes at the dialect's trigger, with which it begins; several calls may follow
    each other, and nothing else may follow them. `live` are the values that a string parameter
    can have, by tool and parameter: paths and symbols that exist.
    """
    return constraint(definitions, dialect, strings=hold_to_live(live or {}, dialect))


def constraint(
    definitions: Sequence[Mapping[str, Any]],
    dialect: Dialect,
    *,
    strings: Hold = hold_nothing,
    integers: Hold = hold_nothing,
) -> Constraint | None:
    """The constraint of a dialect, its strings and integers held as told."""
    tools = parameter_schemas(definitions)
    if not tools:
        return None
    grammar = gbnf.Grammar()
    rules = Rules(grammar, strings=strings, integers=integers)
    call = _call(rules, tools, dialect)
    if dialect.kind == "json":
        return Constraint(grammar.text(call), dialect.trigger)
    newline = _newline(grammar)
    root = f"{call} ({newline} {call}){{0,{_MAX_CALLS - 1}}} {newline}"
    return Constraint(grammar.text(root), dialect.trigger)


def one_of_these(
    lists: Sequence[Sequence[tuple[str, Schema]]], dialect: Dialect
) -> Constraint | None:
    """What makes an answer the calls of one of the lists, each a tool and its arguments' schema.

    None where there is no list, and where the dialect has but one call in an answer.
    """
    if not lists or dialect.kind == "json":
        return None
    grammar = gbnf.Grammar()
    rules = Rules(grammar, strings=hold_nothing, integers=hold_nothing)
    newline = _newline(grammar)
    written = (
        f" {newline} ".join(_call(rules, dict([c]), dialect) for c in each) for each in lists
    )
    return Constraint(grammar.text(f"({' | '.join(written)}) {newline}"), None)


def _newline(grammar: gbnf.Grammar) -> str:
    return grammar.rule("newline", gbnf.literal("\n") + "?")


def _call(rules: Rules, tools: Mapping[str, Schema], dialect: Dialect) -> str:
    """The rule for a call of one of the tools."""
    grammar, newline = rules.grammar, _newline(rules.grammar)
    write = {"hermes": _hermes, "function_xml": _function_xml, "json": _json}[dialect.kind]
    calls = [_written_call(write, rules, name, schema) for name, schema in tools.items()]
    body = grammar.rule("call-body", " | ".join(calls))
    if dialect.kind == "json":
        head = gbnf.literal('{"tool_call": {"name": ')
        return f"{head} {body}"
    tags = gbnf.literal("<tool_call>"), gbnf.literal("</tool_call>")
    return grammar.rule("call", f"{tags[0]} {newline} {body} {newline} {tags[1]}")


def hold_to_live(live: Live, dialect: Dialect) -> Hold:
    """Hold string parameters to the values that exist, where these are few enough."""

    def hold(rules: Rules, place: Place, schema: Schema) -> str | None:
        if len(place.path) != 1:
            return None
        values = live.get((place.tool, place.path[0]), ())
        return values_rule(rules, values, schema, dialect) if len(values) <= MAX_LIVE else None

    return hold


def values_rule(
    rules: Rules, values: Sequence[str], schema: Schema, dialect: Dialect
) -> str | None:
    """A rule for exactly those of `values` that the schema accepts; None where it is none.

    Many parameters have the same values: of one list, which must not change, it is made once.
    """
    bounds = [schema.get(key) for key in ("minLength", "maxLength", "pattern")]
    make = partial(_values_rule, rules, values, schema, dialect)
    return rules.grammar.once(f"values {id(values)} {bounds}", make) or None


def _values_rule(rules: Rules, values: Sequence[str], schema: Schema, dialect: Dialect) -> str:
    least, most = limits(schema, "Length", _MAX_LIVE_LENGTH)
    matches = make_validator({"pattern": schema["pattern"]}) if "pattern" in schema else None
    fitting = [
        written
        for value in values
        if least <= len(value) <= min(most, _MAX_LIVE_LENGTH)
        and (written := _written(value, dialect)) is not None
        and (matches is None or matches.is_valid(value))
    ]
    return gbnf.trie(rules.grammar, "value", fitting) if fitting else ""


def _written_call(
    write: Callable[[Rules, str, Schema], str], rules: Rules, name: str, schema: Schema
) -> str:
    try:
        return rules.grammar.attempt(lambda: write(rules, name, schema))
    # Schemas come from others: keywords of the wrong type, nesting without end.
    except (ValueError, TypeError, AttributeError, KeyError, OverflowError, RecursionError) as e:
        _log.info("the arguments of %s are decoded freely: %s", name, e)
        return write(rules, name, {"additionalProperties": True})


def _hermes(rules: Rules, name: str, schema: Schema) -> str:
    head = '{"name": ' + json.dumps(name, ensure_ascii=False) + ', "arguments": '
    return f"{gbnf.literal(head)} {rules.arguments(name, schema)} {gbnf.literal('}')}"


def _json(rules: Rules, name: str, schema: Schema) -> str:
    head = json.dumps(name, ensure_ascii=False) + ', "arguments": '
    return f"{gbnf.literal(head)} {rules.arguments(name, schema)} {gbnf.literal('}}')}"


def _function_xml(rules: Rules, name: str, schema: Schema) -> str:
    rules.enter(schema)
    bodies = [_xml_body(rules, name, shape) for shape in rules.shapes(schema)]
    body = rules.grammar.rule("parameters", " | ".join(bodies)) if bodies else gbnf.NOTHING
    head, end = gbnf.literal(f"<function={name}>\n"), gbnf.literal("</function>")
    return f"{head} {body} {end}"


def _xml_body(rules: Rules, name: str, schema: Schema) -> str:
    properties = schema.get("properties")
    declared = properties if isinstance(properties, Mapping) else {}
    members = {
        key: _xml_parameter(rules, Place(name, (key,)), each)
        for key, each in declared.items()
        if each is not False
    }
    if not members:
        return _free_parameters(rules) if schema.get("additionalProperties") else '""'
    return rules.members(members, frozenset(schema.get("required") or ()), "")


def _free_parameters(rules: Rules) -> str:
    raw = gbnf.without(rules.grammar, "raw", _XML_WORDS)
    name = gbnf.bounded(rules.grammar, "name", "[^<>\\n]", 1, 64)
    return f'("<parameter=" {name} ">\\n" {raw} "\\n</parameter>\\n"){{0,16}}'


def _xml_parameter(rules: Rules, place: Place, schema: Any) -> str:
    key = place.path[-1]
    head, end = gbnf.literal(f"<parameter={key}>\n"), gbnf.literal("\n</parameter>\n")
    return rules.grammar.rule(key, f"{head} {_xml_value(rules, place, schema)} {end}")


def _xml_value(rules: Rules, place: Place, schema: Any) -> str:
    schema = rules.plain(schema)
    values = allowed_values(schema)
    if values is not None:
        texts = [v if isinstance(v, str) else json.dumps(v, ensure_ascii=False) for v in values]
        return gbnf.trie(rules.grammar, "enum", texts) if texts else gbnf.NOTHING
    if schema.get("type") != "string":
        return rules.value(schema, place)
    held = rules.held(schema, place)
    if held is not None:
        return held
    if isinstance(schema.get("pattern"), str):
        rule = pattern_rule(rules.grammar, schema["pattern"], escaped=False)
        if rule is not None:
            return rule
    if "maxLength" in schema or schema.get("minLength"):
        char = rules.grammar.rule("plain-char", "[^<]")
        least, most = limits(schema, "Length", MAX_TEXT)
        return gbnf.bounded(rules.grammar, "plain", char, least, most)
    return gbnf.without(rules.grammar, "raw", _XML_WORDS)


def _written(value: str, dialect: Dialect) -> str | None:
    """A value as it is generated, or None where the dialect cannot write it."""
    if dialect.kind != "function_xml":
        return gbnf.json_text(value)
    return None if any(word in value for word in _XML_WORDS) else value
