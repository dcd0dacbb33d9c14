"""What is told of calls that failed: why, or that a file is not there, and nothing else."""

import json

import pytest

from quillon.prompt.dialects import Dialect
from quillon.prompt.messages import Message
from quillon.prompt.telling import facts_constraint
from quillon_testing.answers import definition
from quillon_tools.calls import ToolCall

HERMES = Dialect("hermes", tag_tokens=True)
TOOLS = [definition("read_file", {"path": {"type": "string"}}, "path")]
CALL = ToolCall("call_1", "read_file", {"path": "src/a.py"})


@pytest.mark.parametrize("kind", ["file", "file or directory"])
def test_a_file_that_is_not_there_is_only_told_to_be_missing(accepts, kind):
    call = ToolCall("call_7", "read_file", {"path": "src/quays.py"})
    talk = (
        Message("user", "open src/quays.py"),
        Message("assistant", tool_calls=(call,)),
        Message(
            "tool",
            f"Error: {kind} not found: src/quays.py\nDid you mean: src/quay.py",
            (),
            "call_7",
        ),
        Message("assistant", tool_calls=(CALL,)),
        Message("tool", "1: class Quay:", (), CALL.id),
    )
    held = facts_constraint(TOOLS, HERMES, talk)
    assert held is not None
    for told in (
        "There is no src/quays.py; this is src/quay.py.",
        "There is no test file src/quays.py.",
        "没有 src/quays.py，这是 src/quay.py。",
        "没有测试文件 src/quays.py。",
        "I found no src/quays.py.",
        "src/quay.py defines `Quay`.",
    ):
        assert accepts(held.grammar, told), told
    for wrong in (
        "src/quays.py defines `Quay`.",
        "`Quay` is defined at src/quays.py.",
        "There is no src/quay.py; this is src/quays.py.",
        "这是 src/quays.py。",
    ):
        assert not accepts(held.grammar, wrong), wrong


def failed(text, outcome="retry", call=CALL):
    asked = (Message("user", "read it"), Message("assistant", tool_calls=(call,)))
    return (*asked, Message("tool", f"Error: {text}", tool_call_id=call.id, outcome=outcome))


@pytest.mark.parametrize("outcome", ["failed", "retry"])
def test_of_a_call_that_failed_it_is_told_why_and_nothing_else(accepts, outcome):
    held = facts_constraint(TOOLS, HERMES, failed("src/a.py is no text: 0x00\nMore.", outcome))
    assert held is not None
    assert accepts(held.grammar, "src/a.py is no text: 0x00")
    assert not accepts(held.grammar, "The workspace contains Code.")
    assert not accepts(held.grammar, "More.")


def test_of_a_call_that_was_repeated_it_is_told_why_the_first_failed(accepts):
    again = failed("this call was made before", "stopped")[1:]
    held = facts_constraint(TOOLS, HERMES, (*failed("file not found: src/a.py"), *again))
    assert held is not None
    assert accepts(held.grammar, "There is no src/a.py.")
    assert accepts(held.grammar, "file not found: src/a.py")
    assert not accepts(held.grammar, "this call was made before")
    assert not accepts(held.grammar, "These are src/a.py")


def test_a_file_that_is_not_there_is_not_asked_for_again(accepts):
    missing = "file not found: src/a.py\nDid you mean: src/b.py"
    held = facts_constraint(TOOLS, HERMES, failed(missing))
    assert held is not None
    for path, good in (("src/b.py", True), ("src/a.py", False)):
        call = json.dumps({"name": "read_file", "arguments": {"path": path}})
        assert accepts(held.grammar, f"<tool_call>\n{call}\n</tool_call>") is good
