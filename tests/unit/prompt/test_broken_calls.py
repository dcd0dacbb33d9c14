"""Calls that are broken or cut off: kept, told to the model, and never run."""

import pytest

from quillon_testing.answers import NOW, TOOLS, read, splits

BROKEN = {
    "no JSON": ("<tool_call>read the file</tool_call>", "must stand an object"),
    "nothing": ("<tool_call></tool_call>", "must stand an object"),
    "a list of numbers": ("<tool_call>\n[1, 2]\n</tool_call>", 'an object with "name"'),
    "no name": ('<tool_call>{"foo": 1}</tool_call>', 'an object with "name"'),
    "an empty name": ('<tool_call>{"name": "", "arguments": {}}</tool_call>', "empty name"),
    "a name that is no string": ('<tool_call>{"name": 5}</tool_call>', 'an object with "name"'),
    "arguments that are a list": (
        '<tool_call>{"name": "now", "arguments": [1]}</tool_call>',
        "must be an object, not list",
    ),
    "arguments that are a broken string": (
        '<tool_call>{"name": "now", "arguments": "{x"}</tool_call>',
        "a string that is no JSON",
    ),
    "a trailing comma": (
        '<tool_call>{"name": "find", "arguments": {"query": "x",}}</tool_call>',
        "'}' stands where a key should",
    ),
    "an unknown escape": (
        '<tool_call>{"name": "find", "arguments": {"query": "\\d+"}}</tool_call>',
        "the escape \\d does not exist in JSON",
    ),
    "a string never closed": (
        '<tool_call>{"name": "find", "arguments": {"query": "x}}</tool_call>',
        "a string is not closed",
    ),
    "no number": ('<tool_call>{"name": "now", "arguments": {"a": NaN}}</tool_call>', "NaN"),
    "half a surrogate pair": (
        '<tool_call>{"name": "find", "arguments": {"query": "\\ud800"}}</tool_call>',
        "half of a surrogate pair",
    ),
    "arguments cut away": ('<tool_call>{"name": "now", </tool_call>', "stands where a key should"),
    "single quotes that may end or not": (
        "<tool_call>{'name': 'find', 'arguments': {'query': 'it's'}}</tool_call>",
        "a single quote stands where",
    ),
    "text between parameters": (
        "<tool_call><function=find>query x</function></tool_call>",
        "is no parameter",
    ),
    "a value not closed": (
        "<tool_call><function=find><parameter=query>x</tool_call>",
        "not closed by </parameter>",
    ),
}


@pytest.mark.parametrize(("text", "problem"), BROKEN.values(), ids=BROKEN)
def test_a_broken_call_is_kept_and_spares_its_neighbours(text, problem):
    good = '<tool_call>{"name": "now", "arguments": {}}</tool_call>'
    pieces = read([f"{good}\n{text}\n{good}"], tools=TOOLS)
    assert [piece[0] for piece in pieces] == ["call", "broken", "call"]
    assert pieces[1][1] == text
    assert problem in pieces[1][2]
    for parts in splits(f"{text}\n{good}"):
        assert read(parts, tools=TOOLS) == pieces[1:], parts


CUT = [
    '<tool_call>{"name": "find", "arguments": {"query": "x',
    '<tool_call>{"name": "find", "arguments": {"query": "x"}',
    '<tool_call>{"name": "find", "arguments": {"query": "x"}}',
    "<tool_call><function=find><parameter=query>x",
    "<tool_call><function=find><parameter=query>x</parameter>",
    "<tool_call><function=find><parameter=query>x</parameter></function>",
]


@pytest.mark.parametrize("text", CUT)
@pytest.mark.parametrize("reason", ["length", "cancelled"])
def test_what_a_limit_cut_off_is_not_executed(text, reason):
    pieces = read([text], tools=TOOLS, reason=reason)
    assert pieces == [("broken", text, "the answer ended before the call did")]


def test_calls_before_the_cut_are_whole():
    whole = '<tool_call>{"name": "now", "arguments": {}}</tool_call>'
    assert read([whole + CUT[0]], reason="length")[0] == NOW


def test_incomplete_calls_do_not_run_when_the_model_stops():
    for text in (*CUT[:2], *CUT[3:5]):
        assert [piece[0] for piece in read([text])] == ["broken"]
