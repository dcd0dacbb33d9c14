"""Texts of function XML as values of a schema's types."""

import pytest

from quillon.prompt.values import value_of

VALUES = [
    ("5", {}, "5"),
    ("\n a\n\n", {}, " a\n"),
    ("\r\na\r\n", {}, "a"),
    ("5", {"type": "string"}, "5"),
    ("5", {"type": "integer"}, 5),
    (" -5\n", {"type": "integer"}, -5),
    ("007", {"type": "integer"}, 7),
    ("1_000", {"type": "integer"}, "1_000"),
    ("5.5", {"type": "integer"}, "5.5"),
    ("9" * 5000, {"type": "integer"}, "9" * 5000),
    ("5.0", {"type": "number"}, 5),
    ("1e3", {"type": "number"}, 1000.0),
    ("18446744073709551615", {"type": "number"}, 18446744073709551615),
    ("1e999", {"type": "number"}, "1e999"),
    ("nan", {"type": "number"}, "nan"),
    ("True", {"type": "boolean"}, True),
    ("0", {"type": "boolean"}, False),
    ("yes", {"type": "boolean"}, "yes"),
    ("1", {"type": ["boolean", "integer"]}, 1),
    ("null", {"type": "string"}, "null"),
    ("null", {"type": ["string", "null"]}, None),
    ("NULL", {"type": "integer"}, None),
    ("none", {"type": ["string", "null"]}, "none"),
    ("12", {"type": ["string", "integer"]}, 12),
    ('{"a": [1]}', {"type": "object"}, {"a": [1]}),
    ("{'a': True}", {"type": "object"}, {"a": True}),
    ("[1]", {"type": "object"}, "[1]"),
    ("[NaN]", {"type": "array"}, "[NaN]"),
    ('["a"]', {"anyOf": [{"type": "array"}, {"type": "string"}]}, ["a"]),
    ("a", {"anyOf": [{"type": "array"}, {"type": "string"}]}, "a"),
    ("3", {"enum": [1, 2, 3]}, 3),
    ("3", {"const": "3"}, "3"),
    ("3", {"type": "integer", "nullable": True}, 3),
    ("null", {"type": "string", "nullable": True}, None),
    ("3", {"type": "uint32"}, 3),
    ("2.5", {"type": "double"}, 2.5),
    ("x", {"type": "interval"}, "x"),
    ("4", {"type": "interval"}, 4),
]


@pytest.mark.parametrize(("text", "schema", "value"), VALUES)
def test_values(text, schema, value):
    found = value_of(text, schema)
    assert found == value
    assert type(found) is type(value)


def test_references_are_followed_and_circles_are_left():
    root = {"$defs": {"n": {"type": "integer"}, "c": {"$ref": "#/$defs/c"}}}
    assert value_of("3", {"$ref": "#/$defs/n"}, root) == 3
    assert value_of("3", {"$ref": "#/$defs/c"}, root) == "3"
    assert value_of("3", {"$ref": "#/nowhere/1"}, root) == "3"
    deep = {"anyOf": [{"$ref": "#"}, {"type": "integer"}]}
    assert value_of("3", {"$ref": "#"}, deep) == 3
