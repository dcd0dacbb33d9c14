"""Calls as bare JSON: what is one, and what is an answer in JSON."""

import pytest

from quillon_testing.answers import (
    FIND,
    NOW,
    TOOLS,
    check_read,
    read,
)

BARE = {
    "a line that is a call": ('{"name": "find", "arguments": {"query": "x"}}', [FIND]),
    "in a fence": (
        'Look:\n```json\n{"name": "find", "arguments": {"query": "x"}}\n```\nok',
        [("text", "Look:\n"), FIND, ("text", "\nok")],
    ),
    "in another model's tag": ('<tools>\n{"name": "now", "arguments": {}}\n</tools>', [NOW]),
    "its closing tag alone": ('{"name": "now", "arguments": {}}\n</tool_call>', [NOW]),
    "its closing tag alone, inside a line": (
        'I call {"name": "now", "arguments": {}}\n</tool_call> ok',
        [("text", "I call "), NOW, ("text", " ok")],
    ),
    "a list": ('[{"name": "now"}, {"name": "find", "arguments": {"query": "x"}}]', [NOW, FIND]),
    "OpenAI's form": (
        '{"tool_calls": [{"id": "1", "type": "function", "function": '
        '{"name": "find", "arguments": "{\\"query\\": \\"x\\"}"}}]}',
        [FIND],
    ),
    "an unknown tool is text": ('{"name": "nope", "arguments": {}}', None),
    "an answer in JSON is text": ('{"result": {"name": "now", "arguments": {}}}', None),
    "a package is no call": ('{"name": "now", "version": "1.0"}', None),
    "inside a line it is text": ('Say {"name": "now", "arguments": {}} then.', None),
    "quoted code": ('```python\nx = {"name": "now"}\n```', None),
    "cut off": ('{"name": "find", "arguments": {"query": "x', None),
    "not JSON": ("{'name': 'now', 'arguments': {}}", None),
}


@pytest.mark.parametrize(("text", "expected"), BARE.values(), ids=BARE)
def test_bare_json(text, expected):
    check_read(text, expected)


JSON_DIALECT = {
    "the form it is taught": ('{"tool_call": {"name": "now", "arguments": {}}}', [NOW]),
    "inside a line": (
        'I look: {"name": "find", "arguments": {"query": "x"}} so.',
        [("text", "I look: "), FIND, ("text", " so.")],
    ),
    "an unknown tool is told to the model": (
        '{"tool_call": {"name": "nope", "arguments": {}}}',
        [("call", "nope", {})],
    ),
    "an answer in JSON": ('{"response": "Yes."}', [("text", "Yes.")]),
    "other JSON": ('{"a": {"name": "now", "arguments": {}}}', None),
    "its last brace missing": (
        'So:\n{"tool_call": {"name": "find", "arguments": {"query": "x"}}',
        [("text", "So:\n"), (*FIND, "missing closing braces")],
    ),
    "its last braces missing": (
        '{"tool_call": {"name": "find", "arguments": {"query": "x"}',
        [(*FIND, "missing closing braces")],
    ),
    "more missing": ('{"tool_call": {"name": "find", "arguments": {"query": "x"', None),
    "a bracket missing": ('{"tool_calls": [{"name": "now", "arguments": {}}', None),
    "a name without its key": ('{"name": "now", "arguments": {}', None),
    "one bad of two": (
        '{"tool_calls": [{"name": "now"}, {"name": 5}]}',
        [
            NOW,
            (
                "broken",
                '{"tool_calls": [{"name": "now"}, {"name": 5}]}',
                '{"name": 5} has no name and arguments of a call',
            ),
        ],
    ),
}


@pytest.mark.parametrize("reason", ["length", "cancelled"])
def test_json_that_a_limit_cut_off_is_not_mended(reason):
    text = '{"tool_call": {"name": "find", "arguments": {"query": "x"}}'
    assert read([text], tools=TOOLS, anywhere=True, reason=reason) == [("text", text)]


@pytest.mark.parametrize(("text", "expected"), JSON_DIALECT.values(), ids=JSON_DIALECT)
def test_json_dialect(text, expected):
    check_read(text, expected, anywhere=True)
