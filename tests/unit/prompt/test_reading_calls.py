"""What is a call, what is text, what is broken: one table, read whole and in every chunking."""

import pytest

from quillon.engine.base import Delta, Token
from quillon.prompt.parser import CallParser
from quillon_testing.answers import (
    FIND,
    LINES,
    NOW,
    TOOLS,
    as_tokens,
    check_read,
    joined,
    plainly,
    read,
)

HERMES = {
    "one call": (
        '<tool_call>\n{"name": "find", "arguments": {"query": "x"}}\n</tool_call>',
        [FIND],
    ),
    "without line ends": ('<tool_call>{"name":"now","arguments":{}}</tool_call>', [NOW]),
    "text before, between and after": (
        'Let me see.\n<tool_call>{"name": "now", "arguments": {}}</tool_call> Then:\n'
        '<tool_call>{"name": "find", "arguments": {"query": "x"}}</tool_call> Done.',
        [("text", "Let me see.\n"), NOW, ("text", " Then:\n"), FIND, ("text", " Done.")],
    ),
    "blanks between calls are no text": (
        '<tool_call>{"name": "now"}</tool_call>\n\n  <tool_call>{"name": "now"}</tool_call>\n',
        [NOW, NOW],
    ),
    "arguments before the name": (
        '<tool_call>{"arguments": {"query": "x"}, "name": "find"}</tool_call>',
        [FIND],
    ),
    "arguments missing": ('<tool_call>\n{"name": "now"}\n</tool_call>', [NOW]),
    "arguments null": ('<tool_call>{"name": "now", "arguments": null}</tool_call>', [NOW]),
    "arguments as a string": (
        '<tool_call>{"name": "find", "arguments": "{\\"query\\": \\"x\\"}"}</tool_call>',
        [FIND],
    ),
    "parameters for arguments": (
        '<tool_call>{"name": "find", "parameters": {"query": "x"}}</tool_call>',
        [FIND],
    ),
    "a tag, a brace and a quote in a string": (
        '<tool_call>{"name": "find", "arguments": {"query": "}</tool_call>\\"{"}}</tool_call>!',
        [("call", "find", {"query": '}</tool_call>"{'}), ("text", "!")],
    ),
    "two objects in one tag": (
        '<tool_call>{"name": "now"}, {"name": "find", "arguments": {"query": "x"}}</tool_call>',
        [NOW, FIND],
    ),
    "a list in one tag": (
        '<tool_call>[{"name": "now"}, {"name": "find", "arguments": {"query": "x"}}]</tool_call>',
        [NOW, FIND],
    ),
    "a fence inside the tag": (
        '<tool_call>\n```json\n{"name": "now"}\n```\n</tool_call>',
        [NOW],
    ),
    "the tag inside a fence": (
        '```xml\n<tool_call>\n{"name": "now"}\n</tool_call>\n```\nok',
        [NOW, ("text", "\nok")],
    ),
    "function XML in a fence": (
        "```xml\n<tool_call>\n<function=now>\n</function>\n</tool_call>\n```",
        [NOW],
    ),
    "opened twice": ('<tool_call>\n<tool_call>{"name": "now"}</tool_call>', [NOW]),
    "never closed": ('<tool_call>\n{"name": "now", "arguments": {}}', [NOW]),
    "never closed, text goes on": ('<tool_call>{"name": "now"} ok', [NOW, ("text", " ok")]),
    "unknown tools are the validator's": (
        '<tool_call>{"name": "nope", "arguments": {}}</tool_call>',
        [("call", "nope", {})],
    ),
    "an extra brace": (
        '<tool_call>{"name": "now", "arguments": {}}}</tool_call>',
        [(*NOW, "an extra closing brace")],
    ),
    "a missing brace": (
        '<tool_call>\n{"name": "find", "arguments": {"query": "x"}\n</tool_call>',
        [(*FIND, "missing closing braces")],
    ),
    "a raw line end in a string": (
        '<tool_call>{"name": "find", "arguments": {"query": "a\nb"}}</tool_call>',
        [("call", "find", {"query": "a\nb"}, "raw line ends in a string")],
    ),
    "single quotes": (
        "<tool_call>{'name': 'find', 'arguments': {'query': 'x'}}</tool_call>",
        [(*FIND, "single quotes")],
    ),
    "both kinds of quotes": (
        """<tool_call>{'name': "find", 'arguments': {'query': "it's so"}}</tool_call>""",
        [("call", "find", {"query": "it's so"}, "single quotes")],
    ),
    "text beyond ASCII": (
        '<tool_call>{"name": "find", "arguments": {"query": "日本 \\u00e9 😀"}}</tool_call>',
        [("call", "find", {"query": "日本 é 😀"})],
    ),
    "no call at all": ("I would use {braces} and [lists] < 3.", None),
    "a tag that is only mentioned": ("Wrap it in `<tool_call>` tags, like so.", None),
    "a tag that goes on otherwise": ("<tool_calling> is not <tool_cal", None),
}


FUNCTION_XML = {
    "one call": (
        "<tool_call>\n<function=lines>\n<parameter=path>\na.py\n</parameter>\n"
        "<parameter=count>\n3\n</parameter>\n</function>\n</tool_call>",
        [LINES],
    ),
    "without line ends": (
        "<tool_call><function=find><parameter=query>x</parameter></function></tool_call>",
        [FIND],
    ),
    "without the outer tags": (
        "I look.\n<function=find>\n<parameter=query>x</parameter>\n</function>\n</tool_call>",
        [("text", "I look.\n"), FIND],
    ),
    "without parameters": ("<tool_call>\n<function=now>\n</function>\n</tool_call>", [NOW]),
    "only one line end belongs to the format": (
        "<function=find><parameter=query>\n\n  x\n\n</parameter></function>",
        [("call", "find", {"query": "\n  x\n"})],
    ),
    "indented like XML": (
        "<tool_call>\n  <function=find>\n    <parameter=query>\n      if x:\n        y\n"
        "    </parameter>\n  </function>\n</tool_call>",
        [("call", "find", {"query": "if x:\n  y"})],
    ),
    "markup and tags in a value": (
        "<function=find><parameter=query><b>1 < 2</b> &amp; a <tool_call> of it</parameter>"
        "</function>",
        [("call", "find", {"query": "<b>1 < 2</b> &amp; a <tool_call> of it"})],
    ),
    "a number where a string is declared": (
        "<function=find><parameter=query>5</parameter></function>",
        [("call", "find", {"query": "5"})],
    ),
    "what is no number stays text": (
        "<function=lines><parameter=path>a</parameter><parameter=count>few</parameter></function>",
        [("call", "lines", {"path": "a", "count": "few"})],
    ),
    "a parameter not closed": (
        "<function=lines>\n<parameter=path>\na.py\n<parameter=count>\n3\n</parameter>\n</function>",
        [LINES],
    ),
    "closed by the function": (
        "<tool_call><function=find><parameter=query>x</function></tool_call>",
        [FIND],
    ),
    "the function not closed": (
        "<tool_call>\n<function=find>\n<parameter=query>x</parameter>\n</tool_call>",
        [FIND],
    ),
    "a drifted closing tag": (
        "<function=lines>\n<parameter=path>\na.py\n</parameter1>\n<parameter=count>\n3\n"
        "</parameter>\n</function>",
        [LINES],
    ),
    "JSON in the function": ('<function=find>{"query": "x"}</function>', [FIND]),
    "attributes": (
        '<function name="find"><parameter name="query">x</parameter></function>',
        [FIND],
    ),
    "a function that is only mentioned": ("Write <function=find> and then a value.", None),
}


THINKING = {
    "before the answer": ("<think>\nHm.\n</think>\n\nYes.", [("think", "Hm."), ("text", "Yes.")]),
    "no calls inside": (
        '<think>I call <tool_call>{"name": "now"}</tool_call></think><tool_call>{"name": "now"}',
        [("think", 'I call <tool_call>{"name": "now"}</tool_call>'), NOW],
    ),
    "never closed": ('<think>Hm. {"name": "now"}', [("think", 'Hm. {"name": "now"}')]),
    "closed twice": (
        "<think>a</think>b</think>c",
        [("think", "a"), ("text", "bc")],
    ),
    "empty": ("<think>\n\n</think>\n\nYes.", [("text", "Yes.")]),
    "only mentioned": ("The <think> tag.", None),
    "in a block of code": ("So:\n```\n<think>\nHm.\n</think>\n```\nok", None),
    "its end only mentioned": (
        "<think>a</think>Close it by `</think>`.",
        [("think", "a"), ("text", "Close it by `</think>`.")],
    ),
}


@pytest.mark.parametrize(("text", "expected"), HERMES.values(), ids=HERMES)
def test_hermes(text, expected):
    check_read(text, expected)


@pytest.mark.parametrize(("text", "expected"), FUNCTION_XML.values(), ids=FUNCTION_XML)
def test_function_xml(text, expected):
    check_read(text, expected)


@pytest.mark.parametrize(("text", "expected"), THINKING.values(), ids=THINKING)
def test_thinking(text, expected):
    check_read(text, expected)


def test_a_prompt_may_have_opened_the_thinking():
    check_read("Hm.</think>Yes.", [("think", "Hm."), ("text", "Yes.")], reasoning=True)
    check_read("<think>Hm.</think>Yes.", [("think", "Hm."), ("text", "Yes.")], reasoning=True)
    check_read('{"name": "now"}', [("think", '{"name": "now"}')], reasoning=True)


# Rows in which a tag is spelled out on purpose; the next test is about those.
SPELLED = {"a tag, a brace and a quote in a string", "a tag that is only mentioned"} | {
    "markup and tags in a value",
    *("no calls inside", "only mentioned", "in a block of code", "its end only mentioned"),
}


AS_TOKENS = {
    name: row
    for table in (HERMES, FUNCTION_XML, THINKING)
    for name, row in table.items()
    if name not in SPELLED
}


@pytest.mark.parametrize(("text", "expected"), AS_TOKENS.values(), ids=AS_TOKENS)
def test_tags_that_are_tokens(text, expected):
    expected = [("text", text)] if expected is None else expected
    for size in (1, 2, 3, 50):
        assert read(as_tokens(text, size), tools=TOOLS, tag_tokens=True) == expected


CALL = '<tool_call>\n{"name": "now", "arguments": {}}\n</tool_call>'


@pytest.mark.parametrize("size", [1, 2, 5])
def test_where_tags_are_tokens_their_spelling_is_text(size):
    text = f"Write this:\n{CALL}\nand it is called. 日本"
    assert read(plainly(text, size), tools=TOOLS, tag_tokens=True) == [("text", text)]
    in_string = '{"name": "find", "arguments": {"query": "</tool_call>"}}'
    deltas = [*as_tokens("<tool_call>"), *plainly(in_string, size), *as_tokens("</tool_call>")]
    found = [("call", "find", {"query": "</tool_call>"})]
    assert read(deltas, tools=TOOLS, tag_tokens=True) == found


def test_the_vocabulary_decides_whether_tags_are_tokens():
    assert read(plainly(CALL), tools=TOOLS, tag_tokens=False) == [NOW]
    # Some servers stream text without tokens, or tokens without ids.
    assert read([CALL], tools=TOOLS, tag_tokens=True) == [NOW]
    unknown = [Delta(CALL, (Token(-1, CALL.encode()),))]
    assert read(unknown, tools=TOOLS, tag_tokens=True) == [NOW]


def test_control_tokens_are_no_text():
    end = Delta("", (Token(2, b"<|im_end|>", special=True),))
    assert read([*as_tokens("Yes."), end], tag_tokens=True) == [("text", "Yes.")]


def test_an_unfinished_character_is_shown_as_one():
    half = Delta("", (Token(1, "é".encode()[:1]),))
    assert read([*as_tokens("caf"), half], tag_tokens=True) == [("text", "caf\ufffd")]


def test_text_without_its_token_is_not_lost():
    # An engine that stops at a text sends no token for the part before it.
    assert read([*as_tokens("Yes"), Delta(", no")], tag_tokens=True) == [("text", "Yes, no")]


def test_ids_are_unique():
    parser = CallParser()
    pieces = parser.feed(Delta(CALL * 3)) + parser.finish()
    assert len({piece.call.id for piece in pieces}) == 3


def test_text_streams_before_the_answer_ends():
    parser = CallParser(tools=TOOLS)
    assert joined(parser.feed(Delta("Hello <b>"))) == [("text", "Hello <b>")]
    assert joined(parser.feed(Delta(" <tool"))) == [("text", " ")]
    assert joined(parser.feed(Delta("box> {x} <tool_call>"))) == [("text", "<toolbox> {x} ")]
    assert joined(parser.feed(Delta('{"name": "now"}'))) == []
    assert joined(parser.feed(Delta("</tool_call>"))) == [NOW]
    assert parser.finish() == []
