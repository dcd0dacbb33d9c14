"""What calls llama.cpp lets through under our grammars: what the validator accepts, and no more."""

import json
import random

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quillon.engine.llama_sampler import _CANDIDATE, Grammar
from quillon.prompt.dialects import Dialect
from quillon.prompt.grammar import MAX_LIVE, schema_constraint
from quillon.prompt.schemagrammar import json_grammar, json_rules
from quillon_testing.answers import definition, read
from quillon_tools.validator import make_validator

HERMES = Dialect("hermes", tag_tokens=True)
XML = Dialect("function_xml", tag_tokens=True)
JSON = Dialect("json", trigger='{"tool_call": ')
STRING, INTEGER = {"type": "string"}, {"type": "integer"}
TOOLS = [
    definition("lines", {"path": STRING, "start": INTEGER, "end": INTEGER}, "path"),
    definition("now"),
    definition("style", {"kind": {"enum": ["a", "ab", 'b"<']}, "deep": {"type": "boolean"}}),
    definition(
        "edit",
        {
            "edits": {
                "type": "array",
                "minItems": 1,
                "maxItems": 3,
                "items": {
                    "type": "object",
                    "properties": {"old": STRING, "new": {"type": ["string", "null"]}},
                    "required": ["old"],
                },
            }
        },
        "edits",
    ),
]


def hermes(*calls):
    return "\n".join(
        f'<tool_call>\n{{"name": "{name}", "arguments": {arguments}}}\n</tool_call>'
        for name, arguments in calls
    )


ALLOWED = {
    "in order": hermes(("lines", '{"path": "a.py", "start": 1, "end": 20}')),
    "in another order": hermes(("lines", '{"end": -3, "path": "a.py"}')),
    "only what is required": hermes(("lines", '{"path": ""}')),
    "no arguments": hermes(("now", "{}")),
    "without blanks": '<tool_call>{"name": "lines", "arguments": {"path":"a"}}</tool_call>',
    "an enum": hermes(("style", '{"kind": "ab"}')),
    "an enum that is escaped": hermes(("style", '{"kind": "b\\"<", "deep": true}')),
    "nested": hermes(("edit", '{"edits": [{"old": "a"}, {"old": "b", "new": null}]}')),
    "several": hermes(("now", "{}"), ("now", "{}")),
    "escapes and other scripts": hermes(
        ("lines", '{"path": "\\n\\u00e9\\\\日本\\"😀</tool_call>"}')
    ),
}
FORBIDDEN = {
    "another tool": hermes(("rm", "{}")),
    "a tool's beginning": hermes(("line", '{"path": "a"}')),
    "something missing": hermes(("lines", '{"start": 1}')),
    "something unknown": hermes(("lines", '{"path": "a", "mode": 1}')),
    "something twice": hermes(("lines", '{"path": "a", "path": "b"}')),
    "arguments for none": hermes(("now", '{"a": 1}')),
    "another type": hermes(("lines", '{"path": 5}')),
    "a text for a number": hermes(("lines", '{"path": "a", "start": "5"}')),
    "a fraction": hermes(("lines", '{"path": "a", "start": 1.5}')),
    "a leading zero": hermes(("lines", '{"path": "a", "start": 05}')),
    "outside an enum": hermes(("style", '{"kind": "c"}')),
    "too few": hermes(("edit", '{"edits": []}')),
    "too many": hermes(("edit", json.dumps({"edits": [{"old": "a"}] * 4}))),
    "wrong inside": hermes(("edit", '{"edits": [{"new": "a"}]}')),
    "endless blanks": hermes(("now", "{" + " " * 50 + "}")),
    "an endless string": hermes(("lines", json.dumps({"path": "a" * 5000}))),
    "a raw line end": hermes(("lines", '{"path": "a\nb"}')),
    "half a surrogate pair": hermes(("lines", '{"path": "\\ud800"}')),
    "not closed": '<tool_call>\n{"name": "now", "arguments": {}}',
    "text behind it": hermes(("now", "{}")) + " and",
    "no tag": '{"name": "now", "arguments": {}}',
}


@pytest.fixture(scope="module")
def hermes_grammar():
    return schema_constraint(TOOLS, HERMES)


@pytest.mark.parametrize("text", ALLOWED.values(), ids=ALLOWED)
def test_allowed(accepts, hermes_grammar, text):
    assert accepts(hermes_grammar.grammar, text)


@pytest.mark.parametrize("text", FORBIDDEN.values(), ids=FORBIDDEN)
def test_forbidden(accepts, hermes_grammar, text):
    assert not accepts(hermes_grammar.grammar, text)


def test_the_grammar_begins_with_its_trigger(model):
    for dialect in (HERMES, XML, JSON):
        made = schema_constraint(TOOLS, dialect)
        assert made.trigger == dialect.trigger
        running = Grammar(model, made.grammar)
        assert running.replay(model._raw_tokens(made.trigger, special=True))
        running.close()


def test_without_tools_there_is_nothing_to_hold():
    assert schema_constraint([], HERMES) is None


def xml(name, **values):
    body = "".join(f"<parameter={key}>\n{value}\n</parameter>\n" for key, value in values.items())
    return f"<tool_call>\n<function={name}>\n{body}</function>\n</tool_call>"


def test_function_xml(accepts):
    grammar = schema_constraint(TOOLS, XML).grammar
    for text in (
        xml("lines", path="a.py", end="12"),
        xml("lines", start="3", path="if a < b:\n  <div></div>\n</par"),
        xml("now"),
        xml("style", kind='b"<', deep="true"),
        xml("edit", edits='[{"old": "a", "new": null}]'),
    ):
        assert accepts(grammar, text), text
    for text in (
        xml("lines", start="1"),
        xml("lines", path="a", start="x"),
        xml("lines", path="a", other="b"),
        xml("lines", path="a</parameter>"),
        xml("lines", path="a\n<parameter=end>"),
        xml("rm"),
        xml("style", kind="c"),
    ):
        assert not accepts(grammar, text), text


def test_the_json_dialect(accepts):
    grammar = schema_constraint(TOOLS, JSON).grammar
    assert accepts(grammar, '{"tool_call": {"name": "lines", "arguments": {"path": "a"}}}')
    assert not accepts(grammar, '{"tool_call": {"name": "lines", "arguments": {}}}')


def test_live_values(accepts):
    paths = ["src/a.py", "src/ab.py", "src", 'odd "name".py', "日本.py"]
    grammar = schema_constraint(TOOLS, HERMES, live={("lines", "path"): paths}).grammar
    for path in paths:
        assert accepts(grammar, hermes(("lines", json.dumps({"path": path}, ensure_ascii=False))))
    for path in ("", "src/", "src/b.py", "src/a.pyc"):
        assert not accepts(grammar, hermes(("lines", json.dumps({"path": path}))))
    # The same name of another tool, and inside of objects, is free.
    assert accepts(grammar, hermes(("edit", '{"edits": [{"old": "anything"}]}')))


def test_thousands_of_live_values(accepts):
    paths = [f"pkg{n % 37}/module_{n}.py" for n in range(MAX_LIVE)]
    grammar = schema_constraint(TOOLS, HERMES, live={("lines", "path"): paths}).grammar
    assert accepts(grammar, hermes(("lines", f'{{"path": "{paths[1234]}"}}')))
    assert not accepts(grammar, hermes(("lines", '{"path": "pkg1/module_0.py"}')))
    # More than the limit are a free text.
    grammar = schema_constraint(TOOLS, HERMES, live={("lines", "path"): [*paths, "x"]}).grammar
    assert accepts(grammar, hermes(("lines", '{"path": "pkg1/module_0.py"}')))


SCHEMAS = [
    {"type": "integer", "minimum": -12, "maximum": 305},
    {"type": "integer", "exclusiveMinimum": 7},
    {"type": "integer", "maximum": -5},
    {"type": "integer", "multipleOf": 7, "minimum": 3, "maximum": 100},
    {"type": "number", "minimum": 0, "maximum": 1},
    {"type": "number", "exclusiveMaximum": -2.5},
    {"type": "string", "minLength": 2, "maxLength": 5},
    {"type": "string", "maxLength": 100},
    {"type": "string", "pattern": "^[a-z_]\\w*(\\.[a-z]+){0,2}$"},
    {"type": "string", "pattern": "ab|cd"},
    {"type": ["integer", "null", "boolean"]},
    {"anyOf": [{"type": "string", "maxLength": 2}, {"type": "array", "items": {"type": "null"}}]},
    {"enum": ["a", 1, None, [True], {"k": "v"}]},
    {"const": {"a": [1, 2]}},
    {"type": "array", "prefixItems": [INTEGER, STRING], "items": False, "minItems": 1},
    {"type": "array", "items": INTEGER, "uniqueItems": True},
    {"type": "array", "items": {"type": "array", "items": INTEGER, "maxItems": 2}, "minItems": 2},
    {"type": "object", "additionalProperties": {"type": "integer"}, "maxProperties": 2},
    {
        "type": "object",
        "properties": dict.fromkeys("abcdefgh", INTEGER),
        "required": ["b", "g"],
    },
    {
        "type": "object",
        "properties": {"tree": {"$ref": "#/$defs/tree"}},
        "$defs": {
            "tree": {
                "type": "object",
                "properties": {"value": INTEGER, "left": {"$ref": "#/$defs/tree"}},
                "required": ["value"],
            }
        },
    },
    {"allOf": [{"properties": {"a": INTEGER}}, {"properties": {"b": STRING}, "required": ["b"]}]},
    {"type": ["string", "integer"], "not": {"type": "integer"}},
    {"properties": {"a": INTEGER}, "not": {"required": ["b"]}, "type": "object"},
    {"type": "integer", "if": {"minimum": 10}, "then": {"multipleOf": 10}, "else": {"minimum": 5}},
    {"type": "array", "items": INTEGER, "contains": {"minimum": 5}},
    {"patternProperties": {"^[a-c]$": {"type": "boolean"}}},
    {"propertyNames": {"enum": ["a", "b"]}, "additionalProperties": INTEGER},
    {"properties": dict.fromkeys("ab", INTEGER), "dependentRequired": {"a": ["b"]}},
    {"oneOf": [INTEGER, {"type": "number", "minimum": 2}]},
    {"allOf": [{"properties": {"a": INTEGER}}], "unevaluatedProperties": False},
    {"allOf": [True, {"maximum": 9}, {"type": "integer", "minimum": 7}]},
    {"required": ["a"], "additionalProperties": {"type": "null"}},
    {},
    True,
]


@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda schema: json.dumps(schema)[:60])
@pytest.mark.parametrize("seed", range(3))
def test_whatever_is_generated_is_valid(model, schema, seed):
    text = generated(model, json_grammar(schema), chance(seed))
    assert make_validator(schema).is_valid(json.loads(text)), text


LEFT = {
    "not": {"type": "string", "not": {"const": "a"}},
    "oneOf": {"type": "string", "oneOf": [{"pattern": "a"}, {"pattern": "b"}]},
    "pattern": {"type": "string", "pattern": "(?=a)b"},
    "$ref": {"$ref": "other.json"},
}


@pytest.mark.parametrize(("keyword", "schema"), LEFT.items(), ids=LEFT)
def test_what_is_left_to_the_validator_is_named(accepts, keyword, schema):
    grammar, left = json_rules(schema)
    assert keyword in left
    assert accepts(grammar, '"ab"')


def test_schemas_that_combine_without_end_are_refused_in_no_time():
    steps = {str(n): {"anyOf": [{"$ref": f"#/$defs/{n + 1}"}] * 2} for n in range(40)}
    with pytest.raises(ValueError, match="too many"):
        json_grammar({"type": "object", "$ref": "#/$defs/0", "$defs": steps})


@pytest.mark.parametrize("dialect", [HERMES, XML, JSON], ids=lambda dialect: dialect.kind)
@pytest.mark.parametrize("seed", range(4))
def test_whatever_call_is_generated_is_read_and_valid(model, dialect, seed):
    # Noise would take its time to spell a closing tag: texts of function XML are bounded.
    short = definition(
        "lines", {"path": {"type": "string", "maxLength": 9}, "end": INTEGER}, "path"
    )
    tools = [short, *TOOLS[1:]] if dialect is XML else TOOLS
    text = generated(model, schema_constraint(tools, dialect).grammar, chance(seed))
    schemas = {tool["function"]["name"]: tool["function"]["parameters"] for tool in tools}
    pieces = read([text], tools=tools)
    assert pieces
    for kind, name, arguments in pieces:
        assert kind == "call"
        assert make_validator(schemas[name]).is_valid(arguments), text


def chance(seed):
    return random.Random(seed)  # noqa: S311 - the same noise each time


def _is_text(piece: bytes) -> bool:
    return piece.decode("utf-8", "ignore").encode() == piece


def generated(model, grammar, rng):
    """A text of random tokens that a grammar allows, which soon prefers what comes to an end."""
    running = Grammar(model, grammar)
    pieces = []
    ends = [token for token in range(model.vocab_size) if model.ends(token)]
    closing = [model._raw_tokens(text, special=True) for text in ('"', "}", "]", "</", "\n", ">")]
    favourites = [tokens[0] for tokens in closing if len(tokens) == 1]
    # llama.cpp lets parts of characters stand alone, which no text has: noise must not draw them.
    parts = [token for token in range(model.vocab_size) if not _is_text(model.piece(token))]
    try:
        for count in range(3000):
            candidates = np.zeros(model.vocab_size, _CANDIDATE)
            candidates["id"] = np.arange(model.vocab_size)
            running.mask(candidates)
            candidates["logit"][[*model.steering, *parts]] = -np.inf
            allowed = np.flatnonzero(np.isfinite(candidates["logit"]))
            good = [t for t in (*ends, *favourites) if t in set(allowed.tolist())]
            if good and (count > 30 or rng.random() < 0.2):
                token = int(rng.choice(good))
            else:
                token = int(rng.choice(allowed.tolist()))
            if model.ends(token):
                return b"".join(pieces).decode("utf-8")
            running.accept(token)
            pieces.append(model.piece(token))
    finally:
        running.close()
    raise AssertionError(b"".join(pieces))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.integers(-2000, 2000), st.integers(-2000, 2000), st.integers(-2500, 2500))
def test_ranges_of_integers(accepts, one, other, value):
    schema = {"type": "integer", "minimum": min(one, other), "maximum": max(one, other)}
    valid = min(one, other) <= value <= max(one, other)
    assert accepts(json_grammar(schema), str(value)) == valid


PATTERNS = {
    "^[a-zA-Z0-9_-]*$": (["", "a-b_C9"], ["a b", "é"]),
    "^\\d{4}-\\d{2}$": (["2024-01"], ["2024-1", "x2024-01"]),
    "^(?:src|lib)/.+\\.py$": (["src/a.py", "lib/x/y.py"], ["src/.py", "bin/a.py"]),
    "^a\\^\\$\\.\\[b$": (["a^$.[b"], ["ab"]),
    '^["\\\\]{2}$': (['"\\', '""'], ['"']),
    "^[^/]+$": (["a b"], ["a/b", ""]),
    "^colou?r$": (["color", "colour"], ["colouur"]),
    "x+": (["axb", "xx"], ["ab"]),
    "^\\p{L}+$": (["abc"], ["a1"]),
}


@pytest.mark.parametrize(("pattern", "texts"), PATTERNS.items(), ids=PATTERNS)
def test_patterns(accepts, pattern, texts):
    grammar = json_grammar({"type": "string", "pattern": pattern})
    validator = make_validator({"type": "string", "pattern": pattern})
    for text in texts[0]:
        assert validator.is_valid(text)
        assert accepts(grammar, json.dumps(text))
    for text in texts[1]:
        assert not validator.is_valid(text)
        assert not accepts(grammar, json.dumps(text, ensure_ascii=False))


@pytest.mark.parametrize("pattern", ["(?=a)b", "(a)\\1", "a**", "[b-a]", "a|^b$", "(", "a\\bb"])
def test_patterns_without_rules_are_the_validators(accepts, pattern):
    assert accepts(json_grammar({"type": "string", "pattern": pattern}), '"anything"')


ODD = {
    "a bound that is no number": {"properties": {"a": {"type": "string", "maxLength": "x"}}},
    "an endless text": {"properties": {"a": {"type": "string", "maxLength": 10**12}}},
    "far too many": {"properties": {"a": {"type": "array", "minItems": 10**9}}},
    "properties that are a list": {"properties": ["a"]},
    "required that is true": {"required": True, "properties": {"a": {}}},
    "a type that is a number": {"properties": {"a": {"type": 5}}},
    "an unknown type": {"properties": {"a": {"type": "date"}}},
    "a circle": {"properties": {"a": {"$ref": "#/properties/a"}}},
    "a reference to something odd": {
        "properties": {"a": {"$ref": "#/$defs/b"}},
        "$defs": {"b": {"type": "string", "maxLength": "x"}},
    },
    "a reference to nowhere": {"properties": {"a": {"$ref": "#/$defs/b"}}},
    "names that are rules": {"properties": {"root": {}, "char": {}, "x-1": {}, "x": {}, "": {}}},
    "names that are markup": {"properties": {'"] ::= | \n<|im_end|>': {"type": "integer"}}},
    "bounds that cross": {"properties": {"a": {"type": "integer", "minimum": 5, "maximum": 1}}},
    "not finite": {"properties": {"a": {"type": "number", "maximum": float("inf")}}},
}


def nested(depth):
    schema = {"type": "integer"}
    for _ in range(depth):
        schema = {"type": "object", "properties": {"a": schema}}
    return schema


ODD["deeper than Python"] = nested(5000)


@pytest.mark.parametrize("schema", ODD.values(), ids=ODD)
@pytest.mark.parametrize("dialect", [HERMES, XML], ids=lambda dialect: dialect.kind)
def test_odd_schemas_spoil_no_other_tool(accepts, dialect, schema):
    odd = {"type": "function", "function": {"name": "odd", "parameters": schema}}
    grammar = schema_constraint([odd, *TOOLS], dialect).grammar
    call = xml("now") if dialect is XML else hermes(("now", "{}"))
    assert accepts(grammar, call)


KEYWORDS = [
    *("type", "properties", "items", "enum", "anyOf", "allOf", "$ref", "required", "pattern"),
    *("minLength", "maxItems", "minimum", "multipleOf", "const", "additionalProperties"),
]
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 50) | st.sampled_from(["a", "array", "#"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYWORDS), inner, max_size=3)
    ),
    max_leaves=10,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ANYTHING)
def test_whatever_a_schema_is_llama_cpp_takes_the_grammar(accepts, schema):
    odd = {"type": "function", "function": {"name": "odd", "parameters": {"properties": schema}}}
    grammar = schema_constraint([odd, *TOOLS], HERMES).grammar
    assert accepts(grammar, hermes(("now", "{}")))
