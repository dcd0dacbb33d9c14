"""The grammar of answers behind tool results: places and names are copied, never made up."""

import pytest

from quillon.engine.base import Constraint
from quillon.prompt.dialects import Dialect
from quillon.prompt.messages import Message
from quillon.prompt.spans import span_constraint
from quillon.prompt.telling import copied, telling_constraint
from quillon_testing.answers import definition
from quillon_tools.calls import ToolCall

HERMES = Dialect("hermes", tag_tokens=True)
TOOLS = [definition("read_file", {"path": {"type": "string"}}, "path")]
RESULT = (
    "src/ports/quay.py:12-31 class Quay\n"
    'src/ports/quay.py:7:5 error: "moored" is not defined [Pyright]\n'
    "FAILED tests/test_quay.py::test_full - assert 3 == 4\n1 failed, 5 passed in 0.42s"
)
CALL = ToolCall("call_1", "read_file", {"path": "src/a.py", "start_line": 3, "end_line": 9})
TALK = (
    Message("user", "Where is `Quay`, 码头?"),
    Message("assistant", tool_calls=(CALL,)),
    Message("tool", RESULT, tool_call_id="call_1"),
)


@pytest.fixture(scope="module")
def held() -> Constraint:
    calls = span_constraint(TOOLS, HERMES, [RESULT])
    constraint = telling_constraint(calls, TALK)
    assert constraint is not None
    assert constraint.trigger is None
    return constraint


@pytest.mark.parametrize(
    "answer",
    [
        "`Quay` is defined at src/ports/quay.py:12.",
        "`Quay` (src/ports/quay.py:12-31): a class.",
        "`Quay` 定义在 src/ports/quay.py:12；另见 src/a.py:3-9。",
        "1 failed, 5 passed. Failed: tests/test_quay.py::test_full",
        'src/ports/quay.py:7: "moored" is not defined [Pyright]',
        '<tool_call>\n{"name": "read_file", "arguments": {"path": "src/ports/quay.py"}}\n'
        "</tool_call>",
    ],
)
def test_what_tools_said_can_be_told(held, accepts, answer):
    assert accepts(held.grammar, answer)


@pytest.mark.parametrize(
    "answer",
    [
        "`Quay` is defined at src/ports/quay.py:13.",
        "`Quay` is defined at src/port/quay.py:12.",
        "`Key` is defined at src/ports/quay.py:12.",
        "It is defined at quays.",
        "6 passed.",
        "All 5 passed in 1.42s.",
        "tests/test_quay.py::test_empty",
        "I ran rm -rf.",
        '<tool_call>\n{"name": "delete_file", "arguments": {}}\n</tool_call>',
    ],
)
def test_what_nobody_said_cannot(held, accepts, answer):
    assert not accepts(held.grammar, answer)


def test_only_answers_behind_results_are_held():
    calls = span_constraint(TOOLS, HERMES, [RESULT])
    assert telling_constraint(calls, TALK[:1]) is calls
    assert telling_constraint(calls, ()) is calls
    assert telling_constraint(None, TALK) is None


@pytest.mark.parametrize("result", ["", "\n", "``` ` ``", '"\\"\\n\x00', "码头", "x" * 100_000])
def test_any_result_makes_a_grammar_that_can_end(accepts, result):
    calls = span_constraint(TOOLS, HERMES, [result])
    constraint = telling_constraint(calls, (*TALK[:2], Message("tool", result)))
    assert constraint is not None
    assert accepts(constraint.grammar, "It is in src/a.py:3.")


def test_the_latest_results_come_first_where_not_all_fit():
    many = [Message("tool", " ".join(f"name_{turn}_{i}" for i in range(900))) for turn in range(3)]
    pieces = copied(many)
    assert "name_2_0" in pieces
    assert "name_0_0" not in pieces
