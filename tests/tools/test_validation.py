import dataclasses
import json
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot
from jsonschema import Draft202012Validator
from msgspec import Meta

from quillon_tools.calls import Refusal, ToolCall
from quillon_tools.tool import tool
from quillon_tools.validation import ValidCall, nearest, unknown_tool, validate
from quillon_tools.validator import make_validator


@dataclasses.dataclass
class Item:
    name: str
    count: Annotated[int, Meta(ge=0)] = 0


@tool(effect="read")
def sample(
    text: str,
    number: Annotated[int, Meta(ge=1, le=100)] = 1,
    ratio: float = 0.5,
    flag: bool = False,
    mode: Literal["fast", "slow"] | None = None,
    items: list[Item] | None = None,
    options: dict[str, int] | None = None,
    item: Item | None = None,
    either: int | list[str] | None = None,
) -> str:
    """A tool with a parameter of every kind.

    Args:
        text: A.
        number: B.
        ratio: C.
        flag: D.
        mode: E.
        items: F.
        options: G.
        item: H.
        either: I.
    """
    return f"{text}{number}{ratio}{flag}{mode}{items}{options}{item}{either}"


def checked(**arguments: Any) -> ValidCall | Refusal:
    return validate(ToolCall("1", "sample", arguments), sample)


def check_accepted(arguments: dict[str, Any], expected: dict[str, Any], coerced: int = 0) -> None:
    valid = checked(**arguments)
    assert isinstance(valid, ValidCall), valid
    assert valid.arguments == expected
    assert len(valid.coercions) == coerced
    assert Draft202012Validator(sample.schema).is_valid(valid.arguments)


def check_refused(arguments: dict[str, Any]) -> list[str]:
    refusal = checked(**arguments)
    assert isinstance(refusal, Refusal)
    assert refusal.message.startswith("the arguments of sample do not fit:\n- $")
    return [str(violation) for violation in refusal.violations]


def test_arguments_that_fit_are_taken_as_they_are():
    arguments = {"text": "a", "number": 5, "items": [{"name": "x"}], "mode": "slow", "either": 1}
    check_accepted(arguments, arguments)


def test_every_violation_is_told_at_once():
    assert check_refused(
        {"txt": "a", "number": 1000, "mode": "slwo", "items": [{"nme": "x", "count": -1}]}
    ) == snapshot(
        [
            "$.items[0].count: expected at least 0, found -1.",
            "$.items[0].name: expected a string (required), found nothing.",
            '$.items[0].nme: expected one of name, count, found "x". Did you mean name?',
            '$.mode: expected one of "fast", "slow", found "slwo". Did you mean "slow"?',
            "$.number: expected at most 100, found 1000.",
            "$.text: expected a string (required), found nothing.",
            "$.txt: expected one of text, number, ratio, flag, mode, items, options, item, either,"
            ' found "a". Did you mean text?',
        ]
    )


def test_what_is_found_is_shown_short():
    (row,) = check_refused({"text": ["x" * 1000]})
    assert len(row) < 150
    assert row.startswith('$.text: expected a string, found ["xxx')


@pytest.mark.parametrize(
    ("name", "found", "read"),
    [
        ("number", "5", 5),
        ("number", " 5 ", 5),
        ("ratio", "0.25", 0.25),
        ("ratio", "1", 1),
        ("flag", "true", True),
        ("flag", "False", False),
        ("mode", "FAST", "fast"),
        ("items", '[{"name": "x"}]', [{"name": "x"}]),
        ("items", {"name": "x"}, [{"name": "x"}]),
        ("items", '{"name": "x"}', [{"name": "x"}]),
        ("item", '{"name": "x", "count": 2}', {"name": "x", "count": 2}),
        ("options", '{"a": 1}', {"a": 1}),
        ("either", "7", 7),
        ("either", "a", ["a"]),
    ],
)
def test_coerced(name, found, read):
    check_accepted({"text": "a", name: found}, {"text": "a", name: read}, coerced=1)


def test_coerced_in_steps():
    check_accepted(
        {"text": 5, "item": '{"name": "x", "count": "3"}'},
        {"text": "5", "item": {"name": "x", "count": 3}},
        coerced=3,
    )


def test_null_for_what_may_be_left_out_is_left_out_silently():
    check_accepted({"text": "a", "mode": None, "number": None}, {"text": "a"})


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("number", "5.5"),
        ("number", "five"),
        ("number", "0"),
        ("number", True),
        ("number", "9" * 40),
        ("number", "٣"),  # a digit elsewhere
        ("flag", "yes"),
        ("flag", 1),
        ("text", None),
        ("text", 1.5),
        ("text", True),
        ("text", {"a": 1}),
        ("mode", "medium"),
        ("items", "x"),
        ("items", "[1]"),
        ("items", "[" * 5000),
        ("options", "{"),
        ("options", '{"a": "x"}'),
        ("ratio", "1e999"),
        ("ratio", "NaN"),
    ],
)
def test_not_coerced(name, found):
    assert check_refused({"text": "a", name: found})


def test_the_callers_arguments_are_not_changed():
    arguments = {"text": "a", "items": [{"name": "x", "count": "1"}]}
    before = json.dumps(arguments)
    assert isinstance(checked(**arguments), ValidCall)
    assert json.dumps(arguments) == before


def deep(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (deep(10_000), "nested deeper than 64"),
        ("x" * 1_000_001, "larger than 1000000 characters"),
        (["x"] * 1_000_001, "larger than 1000000 characters"),
        ("\ud800", "half a character"),
        ({"\udcff": 1}, "half a character"),
    ],
    ids=["deep", "long", "wide", "surrogate", "surrogate in a name"],
)
def test_what_is_not_even_validated(value, message):
    refusal = checked(text=value)
    assert isinstance(refusal, Refusal)
    assert message in refusal.message


def test_an_unknown_tool_is_named_with_its_neighbours():
    refusal = unknown_tool(ToolCall("1", "read_fil", {}), ["read_file", "list_files"])
    assert refusal.message == (
        'there is no tool "read_fil". Did you mean read_file? The tools are: read_file, list_files.'
    )
    assert unknown_tool(ToolCall("1", "x" * 5000, {}), []).message.endswith("There are no tools.")


@pytest.mark.parametrize(
    ("wrong", "near"), [("pth", "path"), ("PATH", "path"), ("filename", None), ("", None)]
)
def test_nearest(wrong, near):
    assert nearest(wrong, ["path", "start_line"]) == near


def test_only_validation_makes_valid_calls():
    with pytest.raises(TypeError, match="only `validate`"):
        ValidCall(ToolCall("1", "sample", {}), sample, {}, (), seal=object())


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
names = st.sampled_from([*sample.schema["properties"], "txt", ""]) | st.text(max_size=5)


@given(st.dictionaries(names, json_values, max_size=6))
def test_nothing_invalid_becomes_a_valid_call(arguments):
    found = validate(ToolCall("1", "sample", arguments), sample)
    if isinstance(found, ValidCall):
        assert Draft202012Validator(sample.schema).is_valid(found.arguments)
        assert isinstance(sample.bind(found.arguments, lambda text: text, {})(), str)
    else:
        assert found.message
    if Draft202012Validator(sample.schema).is_valid(arguments) and "\\ud" not in ascii(arguments):
        assert isinstance(found, ValidCall)
        assert found.arguments == arguments or arguments != arguments  # noqa: PLR0124 - NaN


@pytest.mark.parametrize(
    ("schema", "value", "valid"),
    [
        ({"pattern": r"^\p{Letter}+$"}, "π", True),
        ({"pattern": r"^\p{Letter}+$"}, "1", False),
        ({"pattern": r"^\p{Script=Greek}$"}, "π", True),
        ({"pattern": r"^\d+$"}, "٣", False),
        ({"pattern": "^a$"}, "a\n", False),
        ({"pattern": r"^\u00e9$"}, "é", True),
        ({"pattern": "(a+)+$"}, "a" * 50_000 + "b", False),
        ({"pattern": "(?=a)"}, "a", False),  # RE2 does not know it: nothing matches
        ({"pattern": "a"}, 5, True),
        ({"patternProperties": {"^x": {"type": "integer"}}}, {"x1": "a"}, False),
        ({"patternProperties": {"^x": {"type": "integer"}}}, {"y": "a"}, True),
        (
            {"patternProperties": {"^x": {}}, "additionalProperties": False},
            {"x1": 1, "y": 1},
            False,
        ),
        ({"additionalProperties": {"type": "integer"}}, {"y": "a"}, False),
        ({"additionalProperties": False, "properties": {"y": {}}}, {"y": 1}, True),
        ({"type": "integer"}, 1.0, True),
        ({"type": "integer"}, True, False),
        (
            {"$schema": "http://json-schema.org/draft-07/schema#", "items": [{"const": 1}]},
            [2],
            False,
        ),
        ({"prefixItems": [{"const": 1}]}, [2], False),
    ],
    ids=str,
)
def test_validators_follow_the_standard(schema, value, valid):
    assert make_validator(schema).is_valid(value) is valid
