"""How models vary the forms of a call: each form at every split point, in bytes, with token ids."""

import pytest

from quillon_testing.answers import FIND, NOW, as_tokens, definition, plainly, read, splits

TOOLS = [
    definition("find", {"query": {"type": "string"}}, "query"),
    definition("now"),
    definition(
        "edit",
        {
            "edits": {"type": "array", "items": {"type": "object"}},
            "on": {"type": "boolean"},
            "count": {"type": ["integer", "null"]},
            "ratio": {"type": "number"},
        },
    ),
]
BODY = '{"name": "find", "arguments": {"query": "x"}}'


def find(query):
    return ("call", "find", {"query": query})


def tagged(text):
    return f"<tool_call>{text}</tool_call>"


def xml(query):
    return f"<function=find><parameter=query>{query}</parameter></function>"


SAME = {
    "line ends of Windows": (f"<tool_call>\r\n{BODY}\r\n</tool_call>\r\n", [FIND]),
    "tabs": (tagged('\n\t{\n\t"name":\t"find",\n\t"arguments": {"query": "x"}\n\t}\n'), [FIND]),
    "side by side": (tagged(BODY) * 3, [FIND] * 3),
    "the second not opened": (f"{tagged(BODY)}\n{BODY}\n</tool_call>", [FIND, FIND]),
    "the first not closed": (f"<tool_call>{BODY}\n{tagged(BODY)}", [FIND, FIND]),
    "a line each in one tag": (tagged(f"\n{BODY}\n{BODY}\n"), [FIND, FIND]),
    "OpenAI's form in the tag": (
        tagged('{"type": "function", "function": {"name": "now", "arguments": "{}"}}'),
        [NOW],
    ),
    "the taught JSON in the tag": (tagged(f'{{"tool_call": {BODY}}}'), [FIND]),
    "an id beside it": (tagged('{"id": "call_1", "name": "now", "arguments": {}}'), [NOW]),
    "blanks round the name": (tagged('{"name": " now ", "arguments": {}}'), [NOW]),
    "an empty text for arguments": (tagged('{"name": "now", "arguments": ""}'), [NOW]),
    "said twice, the last counts": (
        tagged('{"name": "find", "arguments": {"query": "a", "query": "b"}}'),
        [find("b")],
    ),
    "a pair of surrogates": (
        tagged('{"name": "find", "arguments": {"query": "\\ud83d\\ude00"}}'),
        [find("😀")],
    ),
    "characters of two to four bytes": (
        f"é日😀 {tagged(BODY.replace('x', 'é日😀'))} 😀",
        [("text", "é日😀 "), find("é日😀"), ("text", " 😀")],
    ),
    "a mark of the byte order": (f"\ufeff{tagged(BODY)}", [("text", "\ufeff"), FIND]),
    "items of a list": (
        f"1. {tagged(BODY)}\n2. {tagged(BODY)}",
        [("text", "1. "), FIND, ("text", "\n2. "), FIND],
    ),
    "a result that it makes up": (
        f"{tagged(BODY)}\n<tool_response>\nfake\n</tool_response>\nSo.",
        [FIND, ("text", "\n<tool_response>\nfake\n</tool_response>\nSo.")],
    ),
    "reasoning behind a call": (
        f"{tagged(BODY)}<think>{tagged(BODY)}</think>So.",
        [FIND, ("think", tagged(BODY)), ("text", "So.")],
    ),
    "reasoning that never ends": (f"<think>I {tagged(BODY)}", [("think", f"I {tagged(BODY)}")]),
    "brackets in texts in brackets": (
        tagged('{"name": "edit", "arguments": {"edits": [{"a": {"b": ["}]}", "\\"{["]}}]}}'),
        [("call", "edit", {"edits": [{"a": {"b": ["}]}", '"{[']}}]})],
    ),
    "a number that no machine holds": (
        tagged('{"name": "edit", "arguments": {"count": 99999999999999999999999}}'),
        [("call", "edit", {"count": 99999999999999999999999})],
    ),
    "a special token spelled behind it": (
        f"{tagged(BODY)}<|im_end|>",
        [FIND, ("text", "<|im_end|>")],
    ),
    "XML: line ends of Windows": (
        tagged("\r\n<function=find>\r\n<parameter=query>\r\nx\r\n</parameter>\r\n</function>\r\n"),
        [FIND],
    ),
    "XML: types of the schema": (
        tagged(
            "<function=edit><parameter=on>\nTrue\n</parameter><parameter=count>\nnull\n</parameter>"
            '<parameter=ratio>\n1.50\n</parameter><parameter=edits>\n[{"x": "</p"}]\n</parameter>'
            "</function>"
        ),
        [("call", "edit", {"on": True, "count": None, "ratio": 1.5, "edits": [{"x": "</p"}]})],
    ),
    "XML: quoted names": (
        tagged('<function="find"><parameter="query">x</parameter></function>'),
        [FIND],
    ),
    "XML: two functions in a tag": (tagged(f"<function=now></function>{xml('x')}"), [NOW, FIND]),
    "XML: a value with the end of a function": (
        tagged(xml('print("</function>")')),
        [find('print("</function>")')],
    ),
    "XML: a value that opens a parameter": (
        tagged(xml("\n<parameter=y>\n")),
        [find("<parameter=y>")],
    ),
    "XML: entities are text": (tagged(xml("a &lt; b")), [find("a &lt; b")]),
    "XML: blank lines of a value": (tagged(xml("\n\n  a\n    b\n\n")), [find("\n  a\n    b\n")]),
    "XML: an empty value": (tagged(xml("")), [find("")]),
    "XML: characters of two to four bytes": (tagged(xml("é日😀")), [find("é日😀")]),
}


@pytest.mark.parametrize(("text", "expected"), SAME.values(), ids=SAME)
def test_whatever_the_chunks_and_the_tokens(text, expected):
    assert read([text], tools=TOOLS) == expected
    for parts in splits(text):
        assert read(parts, tools=TOOLS) == expected, parts
    for size in (1, 2, 3, 5):
        assert read(plainly(text, size), tools=TOOLS) == expected, size
        assert read(as_tokens(text, size), tools=TOOLS, tag_tokens=True) == expected, size


# What is not to be guessed at: why, as the model is told it.
BROKEN = {
    "a comment": ('{"name": "now", /* c */ "arguments": {}}', "'/' stands where a key should"),
    "words of Python": ('{"name": "edit", "arguments": {"on": True}}', "True is no JSON value"),
    "a leading zero": ('{"name": "edit", "arguments": {"count": 007}}', "007 is no JSON value"),
    "a plus": ('{"name": "edit", "arguments": {"count": +7}}', "+7 is no JSON value"),
    "keys without quotes": ('{name: "now", arguments: {}}', "'n' stands where a key or }"),
    "quotes of a text processor": ("{“name”: “now”}", "'“' stands where a key or }"),
    "an escaped single quote": ("{'name': 'find', 'arguments': {'query': 'it\\'s'}}", "quote"),
    "arguments beside the name": ('{"name": "find", "query": "x"}', '"name" and "arguments"'),
    "arguments under another key": ('{"name": "find", "input": {"query": "x"}}', '"arguments"'),
    "a bracket missing": ('{"name": "edit", "arguments": {"edits": [1}}', "a comma or ]"),
    "XML that closes itself": ("<function=now/>", "not closed by </function>"),
    "XML without its bracket": ("<function=find\n<parameter=query>x</parameter></function>", '"'),
}


@pytest.mark.parametrize(("text", "why"), BROKEN.values(), ids=BROKEN)
def test_what_is_not_guessed_at_is_told_and_spares_its_neighbours(text, why):
    whole = f"{tagged(text)}\n{tagged(BODY)}"
    broken, call = read([whole], tools=TOOLS)
    assert broken[:2] == ("broken", tagged(text))
    assert why in broken[2]
    assert call == FIND
    for parts in splits(whole):
        assert read(parts, tools=TOOLS) == [broken, call], parts
    for size in (1, 3):
        found = read(as_tokens(whole, size), tools=TOOLS, tag_tokens=True)
        assert [piece[0] for piece in found] == ["broken", "call"]


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_spelled_tags_are_no_calls_where_tags_are_tokens(size):
    for text in (tagged(f"\n{BODY}"), f"Use `{tagged(BODY)}`.", f"a {tagged(BODY)} b"):
        found = read(plainly(text, size), tools=TOOLS, tag_tokens=True)
        assert found == [("text", text)]
