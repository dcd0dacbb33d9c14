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
        ({"tools": {"approval": {"run_tests": "yes"}}}, "tools.approval: "),
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
