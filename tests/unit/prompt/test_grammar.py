"""What calls llama.cpp lets through under our grammars: what the validator accepts, and no more."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quillon.engine.llama_sampler import Grammar
from quillon.prompt.grammar import MAX_LIVE, schema_constraint
from quillon_testing.answers import definition, read
from quillon_testing.grammar_noise import chance, generated
from quillon_testing.tool_calls import HERMES, INTEGER, JSON, TOOLS, XML, hermes, xml
from quillon_tools.validator import make_validator

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
