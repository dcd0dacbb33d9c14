"""The grammar of answers about given code: what they begin to quote stands in it."""

import pytest

from quillon.engine.base import Constraint
from quillon.prompt.dialects import Dialect
from quillon.prompt.fences import code_in, fenced
from quillon.prompt.messages import Message
from quillon.prompt.quoting import quoting_constraint
from quillon.prompt.telling import facts_constraint
from quillon_testing.answers import definition

CODE = """\
def moor(quay, ropes=[]):
    try:
        quay.bind(ropes)
    except OSError:
        return None
"""
QUESTION = f"is there a bug in this code?\n```python\n{CODE}```\n"


@pytest.mark.parametrize(
    "answer",
    [
        "`def moor(quay, ropes=[]):`: mutable default: use `None` instead of `[]`.",
        "`def moor(quay, ropes=[]):`: 可变的默认参数：请用 None。",
        "I see none of the usual mistakes here.",
        "这里没有看到常见的错误。",
        "The line `return None` says nothing.",
        "The tag `<table>` opens it; a <",
        "<div> is missing.",
        '<tool_call>\n{"name": "read_file", "arguments": {"path": "quay.bind"}}\n</tool_call>',
    ],
)
def test_a_mistake_is_told_of_a_line_that_can_have_it(accepts, answer):
    assert accepts(_held().grammar, answer)


@pytest.mark.parametrize(
    "answer",
    [
        "`except:`: bare except: it hides mistakes.",
        "`except OSError:`: bare except: it hides mistakes.",
        "`def moor(quay, ropes=[]):`: bare except: it hides mistakes.",
        "`def moor(quay, ropes=None):`: mutable default.",
        "`moor`: Binds a quay.",
        "```: Binds a quay.",
        '<tool_call>\n{"name": "delete_file", "arguments": {}}\n</tool_call>',
        'So: <tool_call>\n{"name": "delete_file", "arguments": {}}\n</tool_call>',
    ],
)
def test_other_lines_are_not_accused(accepts, answer):
    assert not accepts(_held().grammar, answer)


@pytest.mark.parametrize(
    ("answer", "good"),
    [
        ("`moor`: Binds a quay.", True),
        ("`quay.bind` is called.", True),
        ("```python\nassert moor(quay) < 3\n```", True),
        ("```cpp\nstd::cout << x << 1;\n```", True),
        ("`def moor(quay, ropes=[]):`: mutable default: make it inside.", True),
        ("`harbour`: Binds a quay.", False),
        ("`return None`: says nothing.", False),
    ],
)
def test_where_no_mistake_is_asked_for_names_are_quoted(accepts, answer, good):
    held = quoting_constraint(code_in(QUESTION))
    assert held is not None
    assert accepts(held.grammar, answer) is good


@pytest.mark.parametrize(
    ("message", "name", "good"),
    [
        ("Undefined name `moor`", "moor", True),
        ('"quay.bind" is unknown', "quay.bind", True),
        ("I can't use 'moor' here", "moor", True),
        ("Undefined name `moor`", "ropes", False),
        ("Mutable default value", "moor", False),
    ],
)
@pytest.mark.parametrize("asked", ["explain this error: {}", "解释一下这个报错：{}"])
def test_of_a_checkers_message_the_quoted_names_are_quoted(accepts, asked, message, name, good):
    held = quoting_constraint(code_in(QUESTION), question=asked.format(message))
    assert held is not None
    assert accepts(held.grammar, f"`{name}` is not defined here.") is good
    assert accepts(held.grammar, "`def moor(quay, ropes=[]):`: mutable default: use None.")


@pytest.mark.parametrize("text", ["no code", "```python\n```", "```\n\n```", "``` open"])
def test_where_no_code_is_nothing_is_held(text):
    assert quoting_constraint(code_in(text)) is None


@pytest.mark.parametrize("mistakes", [True, False])
def test_code_without_names_can_be_told_of(accepts, mistakes):
    held = quoting_constraint("1\n`\n", question="Any bugs?" if mistakes else "")
    assert held is not None
    assert accepts(held.grammar, "A number.")
    assert not accepts(held.grammar, "`one` is no number.")


def test_windows_lines_and_several_blocks_are_read():
    text = "a\n```\r\none = 1\r\n```\r\nb\n```py\ntwo = 2\n```"
    assert {"one = 1", "two = 2"} <= {line.strip() for line in code_in(text).splitlines()}


def test_code_with_fences_is_read_whole():
    code = "# Install\n```sh\npip install quay\n```\n"
    assert code in code_in(f"README.md\n{fenced(code)}\n\nwhat is this?")


def test_a_call_that_stands_in_code_is_not_quoted(accepts):
    call = '<tool_call>{"name": "delete_file", "arguments": {}}</tool_call>'
    held = quoting_constraint(f"# {call}\n{call}\nx = 1")
    assert held is not None
    assert accepts(held.grammar, "`x` is fine.")
    for quoted in (call, f"# {call}"):
        assert not accepts(held.grammar, f"`{quoted}`")


def test_rules_of_tools_are_others(accepts):
    names = ("piece", "quoted-piece", "text", "free")
    tools = [definition("read_file", {name: {"type": "string"} for name in names}, *names)]
    held = facts_constraint(tools, Dialect("hermes", tag_tokens=True), [Message("user", QUESTION)])
    assert held is not None
    assert accepts(held.grammar, "It is fine.")


def _held() -> Constraint:
    tools = [definition("read_file", {"path": {"type": "string"}}, "path")]
    held = facts_constraint(tools, Dialect("hermes", tag_tokens=True), [Message("user", QUESTION)])
    assert held is not None
    assert held.trigger is None
    return held
