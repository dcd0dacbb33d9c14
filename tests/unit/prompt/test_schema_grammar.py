"""Schemas as grammars: what they allow is valid, and what they leave out is named."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quillon.prompt.schemagrammar import json_grammar, json_rules
from quillon_testing.grammar_noise import chance, generated
from quillon_testing.tool_calls import INTEGER, STRING
from quillon_tools.validator import make_validator

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
