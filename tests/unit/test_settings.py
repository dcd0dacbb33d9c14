"""Settings: every default, and wrong values that are told and ignored."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quillon.settings import Settings, parse_settings

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=12,
)
NAMES = [field.encode_name for field in msgspec.structs.fields(Settings)]


def test_nothing_gives_the_defaults():
    assert parse_settings(None) == (Settings(), [])
    assert parse_settings({}) == (Settings(), [])
    assert parse_settings({"model": None, "inline": None}) == (Settings(), [])


def test_the_defaults_round_trip():
    raw = msgspec.to_builtins(Settings())
    assert parse_settings(raw) == (Settings(), [])


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        ([], "settings: expected an object, found list"),
        ("text", "settings: expected an object, found str"),
        ({"colour": 1}, "colour: no such setting"),
        ({"chat": {"temperature": 3}}, "chat.temperature: "),
        ({"chat": {"maxToolCalls": "many"}}, "chat.maxToolCalls: "),
        ({"inline": {"maxTokens": 0}}, "inline.maxTokens: "),
        ({"model": {"contextSize": 1}}, "model.contextSize: "),
        ({"engine": {"kind": "cloud"}}, "engine.kind: "),
        ({"tools": {"approval": ["run_tests"]}}, "tools.approval: "),
        ({"tools": {"disabled": "run_tests"}}, "tools.disabled: "),
        ({"logLevel": "loud"}, "logLevel: "),
    ],
)
def test_a_wrong_value_is_named_and_its_default_counts(raw, problem):
    settings, problems = parse_settings(raw)
    assert settings == Settings()
    assert len(problems) == 1
    assert problems[0].startswith(problem)


def test_the_others_count_beside_a_wrong_one():
    settings, problems = parse_settings({"inline": {"maxTokens": -1, "enabled": False}})
    assert settings.inline.enabled is False
    assert settings.inline.max_tokens == Settings().inline.max_tokens
    assert len(problems) == 1


@given(JSON | st.fixed_dictionaries({}, optional=dict.fromkeys(NAMES, JSON)))
def test_no_json_stops_the_server(raw):
    settings, problems = parse_settings(raw)
    assert isinstance(settings, Settings)
    assert all(isinstance(problem, str) for problem in problems)


def test_a_rule_that_cannot_be_read_denies_its_tool_and_costs_no_other():
    rules = {"read_file": "denny", "search_text": "deny", "run_tests": None}
    settings, problems = parse_settings({"tools": {"approval": rules}})
    assert settings.tools.approval == dict.fromkeys(rules, "deny")
    assert problems == [
        f"tools.approval.{name}: expected allow, ask or deny; the tool is denied"
        for name in ("read_file", "run_tests")
    ]


def test_a_wrong_name_among_the_disabled_tools_offers_no_other_again():
    settings, problems = parse_settings({"tools": {"disabled": ["run_tests", 5, "read_file"]}})
    assert settings.tools.disabled == ("run_tests", "read_file")
    assert problems == ["tools.disabled: expected a list of names of tools"]
