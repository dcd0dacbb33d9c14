"""The calls of OpenAI-compatible servers, in whatever parts they come."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quillon.prompt.openai_calls import StreamedCalls, calls_of_message
from quillon_testing.answers import joined


def read(*deltas, reason="stop"):
    calls = StreamedCalls()
    for delta in deltas:
        calls.feed(delta)
    return joined(calls.finish(reason))


def part(arguments=None, name=None, **fields):
    function = {"name": name, "arguments": arguments}
    return [{**fields, "function": {k: v for k, v in function.items() if v is not None}}]


LINES = ("call", "lines", {"path": "a.py"})
NOW = ("call", "now", {})


def test_a_call_in_parts():
    parts = [
        part("", "lines", index=0, id="c1"),
        part('{"path": ', index=0),
        part('"a.py"}', index=0),
    ]
    assert read(*parts) == [LINES]
    calls = StreamedCalls()
    for delta in parts:
        calls.feed(delta)
    assert calls.finish()[0].call.id == "c1"


def test_calls_side_by_side():
    first, second = part('{"path": "a.py"}', "lines", index=0), part("{}", "now", index=1)
    assert read(first + second) == [LINES, NOW]
    assert read(part("", "now", index=1), first) == [LINES, NOW]


def test_servers_without_indexes():
    one, two = part('{"path"', "lines", id="a"), part(': "a.py"}', id="a")
    assert read(one, two, part("", "now", id="b")) == [LINES, NOW]
    assert read(one, part(': "a.py"}')) == [LINES]


def test_arguments_as_an_object():
    assert calls_of_message({"tool_calls": part({"path": "a.py"}, "lines")}) != []
    assert read(part({"path": "a.py"}, "lines")) == [LINES]


def test_no_arguments():
    assert read(part(None, "now", index=0)) == [NOW]


@pytest.mark.parametrize(
    ("deltas", "problem"),
    [
        (part('{"path": ', "lines", index=0), "a string that is no JSON"),
        (part("[1]", "lines", index=0), "must be an object"),
        (part("{}", "", index=0), "empty name"),
    ],
)
def test_a_broken_call_spares_its_neighbours(deltas, problem):
    broken, good = read(deltas, part("{}", "now", index=1))
    assert broken[0] == "broken"
    assert problem in broken[2]
    assert good == NOW


def test_what_a_limit_cut_off_does_not_run():
    whole, cut = part("{}", "now", index=0), part('{"path": "a', "lines", index=1)
    assert read(whole, cut, reason="length") == [
        NOW,
        ("broken", '{"path": "a', "the answer ended before the call did"),
    ]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["index", "id", "function", "name", "arguments"]), inner, max_size=3
        )
    ),
    max_leaves=8,
)


@given(st.lists(JSON, max_size=4))
def test_nothing_that_a_server_sends_raises(deltas):
    read(*deltas)
