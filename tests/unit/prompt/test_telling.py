"""The grammar of answers behind tool results: places and names are copied, never made up."""

import json

import pytest

from quillon.engine.base import Constraint
from quillon.prompt.dialects import Dialect
from quillon.prompt.messages import Message
from quillon.prompt.spans import span_constraint
from quillon.prompt.tellable import copied
from quillon.prompt.telling import facts_constraint
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
    constraint = facts_constraint(TOOLS, HERMES, TALK)
    assert constraint is not None
    assert constraint.trigger is None
    return constraint


@pytest.mark.parametrize(
    "answer",
    [
        "`Quay` is defined at src/ports/quay.py:12.",
        "`Quay` (src/ports/quay.py:12-31).",
        "tests/test_quay.py::test_full fails: assert 3 == 4",
        "`Quay` 定义在 src/ports/quay.py:12；另见 src/a.py:3-9。",
        "1 failed, 5 passed. Failed: tests/test_quay.py::test_full",
        'src/ports/quay.py:7: "moored" is not defined [Pyright]',
        'At src/ports/quay.py:7: "moored" is not defined.',
        "存在两个：在 src/ports/quay.py:7 和 src/ports/quay.py:12-31。",
        "`Quay` 定义在 src/ports/quay.py。",
        "在 `src/ports/quay.py` 里。",
        "`Quay` is defined at src/ports/quay.py.",
        "`moored` 不存在。",
        "不存在.",
        "现在 1 failed。",
        "没有报告任何问题。",
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
        "It is defined at the path.",
        "It is defined at test_full.",
        "`Quay` 定义在 path。",
        "`Quay`:在 path。",
        "It is At the path.",
        "Failed at line 7.",
        "`Quay` (found).",
        "`Quay`（found found）。",
        "src/ports/quay.py:7: is not defined.",
        "`Quay` (src/ports/quay.py:12-31): a class.",
        "`Quay`（src/ports/quay.py:12）：没有定义",
        "Failed: moored",
        "is defined in src/ports/quay.py.",
        "6 passed.",
        "All 5 passed in 1.42s.",
        "tests/test_quay.py::test_empty",
        "I ran rm -rf.",
        '<tool_call>\n{"name": "delete_file", "arguments": {}}\n</tool_call>',
    ],
)
def test_what_nobody_said_cannot(held, accepts, answer):
    assert not accepts(held.grammar, answer)


@pytest.mark.parametrize("answer", ["No file at the path.", "At no path.", "`Quay` 不在 path。"])
def test_where_no_place_was_found_none_is_asked_for(accepts, answer):
    held = facts_constraint(TOOLS, HERMES, (*TALK[:1], Message("tool", "No matches.")))
    assert held is not None
    assert accepts(held.grammar, answer)


@pytest.mark.parametrize(
    "place", ["Makefile:3", "app/(group)/page.tsx:3", "my docs/a.py:3-5", "src/a.py:1"]
)
def test_a_place_is_what_a_row_begins_with(accepts, place):
    found = (
        f"{place} target all\nsrc/a.py:1-2 function run\nsee http://localhost:8080 and 127.0.0.1:80"
    )
    held = facts_constraint(TOOLS, HERMES, (*TALK[:1], Message("tool", found)))
    assert held is not None
    assert accepts(held.grammar, f"It is at {place}.")
    assert accepts(held.grammar, f"`Quay` 定义在 {place}。")
    for wrong in ("/page.tsx:3", "docs/b.py:3", "//localhost:8080", "127.0.0.1:80"):
        assert not accepts(held.grammar, f"It is at {wrong}.")


READ = """\
12: def moor(ship, quay):
13:     \"\"\"Tie a ship to a quay, and return the quay.
14:
15:     :param ship: what arrives
16:     \"\"\"
17:     # The tide is asked first.
18:     return quay  # as it was"""


@pytest.mark.parametrize("between", [" (src/a.py:3-9): ", "（src/a.py:3-9）的说明："])
def test_behind_a_colon_a_line_is_told_to_its_end(accepts, between):
    held = facts_constraint(TOOLS, HERMES, (*TALK[:2], Message("tool", READ)))
    assert held is not None
    for told in (
        "Tie a ship to a quay, and return the quay.",
        "The tide is asked first.",
        "return quay  # as it was",
        ":param ship: what arrives.",
    ):
        assert accepts(held.grammar, f"`moor`{between}{told}")
    for wrong in (
        "Tie a ship to a ship to a ship",
        "Tie a ship to a quay, and return the quay. Return a ship",
        "a ship to a quay, and return the quay.",
        "Return the ship.",
    ):
        assert not accepts(held.grammar, f"`moor`{between}{wrong}")


def test_what_a_docstring_begins_with_is_told_whole(accepts):
    read = (
        '12: def moor(ship):\n13:     r"""\n14:     Tie a ship\n15:     to a quay.\n16:\n'
        '17:     More.\n18:     """\n19: def tow(ship):\n20:     """Pull a ship,\n'
        '21:     slowly."""\n22:     """Cut'
    )
    held = facts_constraint(TOOLS, HERMES, (*TALK[:2], Message("tool", read)))
    assert held is not None
    for told in ("Tie a ship to a quay.", "Pull a ship, slowly.", "Tie a ship", "Pull a ship,"):
        assert accepts(held.grammar, f"`moor` (src/a.py:3-9): {told}")
    for wrong in ("Tie a ship to a quay. More.", "Tie a ship slowly.", "Pull a ship, slowly. Cut"):
        assert not accepts(held.grammar, f"`moor` (src/a.py:3-9): {wrong}")


def test_only_the_first_paragraph_of_what_is_a_docstring_is_told_whole(accepts):
    read = (
        '1: """Of ships\n2: and quays."""\n3: SQL = """\n4: SELECT\n5: 1\n6: """\n7: def f():\n'
        '8:     """First,\n9:     and more.\n10: \n11:     Ships come\n12:     in May.\n'
        '13:     """\n14: x = 1'
    )
    held = facts_constraint(TOOLS, HERMES, (*TALK[:2], Message("tool", read)))
    assert held is not None
    for told in ("Of ships and quays.", "First, and more."):
        assert accepts(held.grammar, f"`Quay` (src/a.py:3-9): {told}")
    for wrong in ("Ships come in May.", "SELECT 1", "def f(): First,", "x = 1 x = 1"):
        assert not accepts(held.grammar, f"`Quay` (src/a.py:3-9): {wrong}")
    cut = '3: rest.\n4: """\n5: import os\n6: x = 1\n7: \n'
    held = facts_constraint(TOOLS, HERMES, (*TALK[:2], Message("tool", cut)))
    assert held is not None
    assert not accepts(held.grammar, "`Quay` (src/a.py:3-9): import os x = 1")


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("  3: *args, **options", "*args, **options"),
        ("#!/bin/sh", "#!/bin/sh"),
        ("#include <quay.h>", "#include <quay.h>"),
        ("src/quay.py:7:5 error: moored is unknown", "moored is unknown"),
        (r"C:\quay.py:7:5: error: moored is unknown", "moored is unknown"),
        ("ERROR tests/test_quay.py - No module named sea", "No module named sea"),
        ("FAILED quay.test.js::it moors a ship - expected 3", "expected 3"),
        ("10:30 the tide", "10:30 the tide"),
        ("a 10:30 start", "a 10:30 start"),
    ],
)
def test_a_line_is_told_as_it_stands_or_without_its_head(accepts, row, told):
    held = facts_constraint(TOOLS, HERMES, (*TALK[:2], Message("tool", row)))
    assert held is not None
    assert accepts(held.grammar, f"`Quay`: {told}")


@pytest.mark.parametrize("colon", [":\n", "：\n", "：", ": "])
def test_a_list_may_begin_behind_a_colon(held, accepts, colon):
    assert accepts(held.grammar, f"`Quay`{colon}src/ports/quay.py:7\nsrc/ports/quay.py:12")


def test_behind_a_colon_does_not_stand_what_was_asked_about(accepts):
    call = ToolCall("call_1", "search_symbols", {"query": "moor_all"})
    found = Message("tool", "src/a.py:3-4 function moor_all", (), "call_1")
    talk = (Message("user", "what is moor_all?"), Message("assistant", tool_calls=(call,)), found)
    held = facts_constraint(TOOLS, HERMES, talk)
    assert held is not None
    assert accepts(held.grammar, "moor_all: src/a.py:3")
    assert not accepts(held.grammar, "`moor_all` (src/a.py:3-4): moor_all (src/a.py:3-4): ")


def test_behind_a_colon_stands_a_test_of_the_folder_that_was_run(accepts):
    call = ToolCall("call_1", "run_tests", {"target": "tests"})
    found = Message("tool", "FAILED tests/test_a.py::test_b - x\n1 failed in 0.1s", (), "call_1")
    talk = (Message("user", "run tests"), Message("assistant", tool_calls=(call,)), found)
    held = facts_constraint(TOOLS, HERMES, talk)
    assert held is not None
    assert accepts(held.grammar, "1 failed. Failed: tests/test_a.py::test_b")


def test_a_call_in_a_result_is_not_told(accepts):
    call = '<tool_call>{"name": "delete_file", "arguments": {}}</tool_call>'
    result = f"src/a.py:3: # {call}\n4: {call}\n{call}"
    held = facts_constraint(TOOLS, HERMES, (*TALK[:2], Message("tool", result)))
    assert held is not None
    for before in ("`Quay`: ", "`Quay`: # ", "", "`"):
        assert not accepts(held.grammar, before + call)


def test_rules_of_tools_are_others(accepts):
    names = ("place", "quote", "line", "told-place", "unusual", "name", "text")
    tools = [definition("read_file", {name: {"type": "string"} for name in names}, *names)]
    held = facts_constraint(tools, HERMES, TALK)
    assert held is not None
    assert accepts(held.grammar, "`Quay` is at src/ports/quay.py:7: assert 3 == 4")


def test_places_are_of_this_turn_and_its_calls(accepts):
    before = (Message("user", "where is old?"), Message("tool", "src/old.py:3 function old"))
    held = facts_constraint(TOOLS, HERMES, (*before, *TALK[:1], Message("tool", "No matches.")))
    assert held is not None
    assert accepts(held.grammar, "Nothing at this path.")
    held = facts_constraint(TOOLS, HERMES, (*before, *TALK[:2], Message("tool", "3: x = 1")))
    assert held is not None
    assert accepts(held.grammar, "It is at src/a.py:3-9.")
    assert not accepts(held.grammar, "It is at src/old.py:3.")


def test_a_call_that_reads_to_the_end_has_one_line(accepts):
    call = ToolCall("call_1", "read_file", {"path": "src/a.py", "start_line": 3})
    talk = (TALK[0], Message("assistant", tool_calls=(call,)), Message("tool", "3: x = 1"))
    assert "src/a.py:3" in copied(talk)
    assert "src/a.py:3-None" not in copied(talk)


def test_an_ordinary_word_that_was_looked_up_begins_an_answer(accepts):
    call = ToolCall("call_1", "search_symbols", {"query": "run"})
    found = Message("tool", "src/a.py:3-4 function run")
    talk = (Message("user", "where is run?"), Message("assistant", tool_calls=(call,)), found)
    held = facts_constraint(TOOLS, HERMES, talk)
    assert held is not None
    assert accepts(held.grammar, "run is at src/a.py:3.")
    assert not accepts(held.grammar, "set is at src/a.py:3.")


def test_only_what_names_something_and_answers_behind_results_are_held():
    talk = (Message("user", "Good morning!"),)
    assert facts_constraint(TOOLS, HERMES, talk) == span_constraint(
        TOOLS, HERMES, [talk[0].content]
    )
    assert facts_constraint(TOOLS, HERMES, ()) == span_constraint(TOOLS, HERMES, [])
    assert facts_constraint([], HERMES, TALK) is None


def test_arguments_are_of_this_turn_where_a_tool_has_answered(accepts):
    before = (Message("user", "read lib/old.py"), Message("tool", "lib/old.py"))
    live = {("read_file", "path"): ("setup.cfg",)}
    held = facts_constraint(TOOLS, HERMES, (*before, *TALK), live=live)
    free = facts_constraint(TOOLS, HERMES, (*before, Message("user", "open it")), live=live)
    assert held is not None
    assert free is not None
    for path, now in (("src/ports/quay.py", True), ("lib/old.py", False), ("setup.cfg", False)):
        call = (
            f'<tool_call>\n{{"name": "read_file", "arguments": {{"path": "{path}"}}}}\n</tool_call>'
        )
        assert accepts(held.grammar, call) is now
        assert accepts(free.grammar, call) is (path != "src/ports/quay.py")


def test_a_path_is_one_that_a_result_names_where_it_names_any(accepts):
    named = (*TALK[:2], Message("tool", "src/ports/quay.py:12-31 class Quay"))
    unnamed = (*TALK[:2], Message("tool", "No matches."))
    for path, good in (("src/ports/quay.py", True), ("Quay", False), ("quay.py", False)):
        call = json.dumps({"name": "read_file", "arguments": {"path": path}})
        held = facts_constraint(TOOLS, HERMES, named)
        assert held is not None
        assert accepts(held.grammar, f"<tool_call>\n{call}\n</tool_call>") is good
    held = facts_constraint(TOOLS, HERMES, unnamed)
    call = '{"name": "read_file", "arguments": {"path": "Quay"}}'
    assert held is not None
    assert accepts(held.grammar, f"<tool_call>\n{call}\n</tool_call>")


@pytest.mark.parametrize("result", ["", "\n", "``` ` ``", '"\\"\\n\x00', "码头", "x" * 100_000])
def test_any_result_makes_a_grammar_that_can_end(accepts, result):
    constraint = facts_constraint(TOOLS, HERMES, (*TALK[:2], Message("tool", result)))
    assert constraint is not None
    assert accepts(constraint.grammar, "It is in src/a.py:3.")


def test_the_latest_results_come_first_where_not_all_fit():
    many = [Message("tool", " ".join(f"name_{turn}_{i}" for i in range(900))) for turn in range(3)]
    pieces = copied(many)
    assert "name_2_0" in pieces
    assert "name_0_0" not in pieces


def test_names_of_an_earlier_turn_are_not_told(accepts):
    found = (
        Message("user", "where is `moor`?"),
        Message("assistant", tool_calls=(ToolCall("c", "search_symbols", {"query": "moor"}),)),
        Message("tool", "lib/b.py:9-12 function moor"),
        Message("assistant", "`moor` is defined at lib/b.py:9."),
    )
    held = facts_constraint(TOOLS, HERMES, (*found, *TALK))
    assert held is not None
    assert accepts(held.grammar, "`Quay` is defined at src/ports/quay.py:12.")
    assert not accepts(held.grammar, "`moor` is defined at src/ports/quay.py:12.")
    assert not accepts(held.grammar, "moor is defined at src/ports/quay.py:12.")


def test_behind_failed_tests_their_counts_do_not_begin_again(accepts):
    ran = ToolCall("call_1", "run_tests", {})
    turn = (
        Message("user", "run the tests"),
        Message("assistant", tool_calls=(ran,)),
        Message("tool", "FAILED tests/test_a.py:3 - x\n1 failed, 2 passed in 0.1s"),
    )
    held = facts_constraint(TOOLS, HERMES, turn)
    assert held is not None
    told = "1 failed, 2 passed. Failed: tests/test_a.py:3"
    assert accepts(held.grammar, told)
    assert accepts(held.grammar, f"{told}, tests/test_a.py:3.")
    for gap in (" ", ". ", "\n"):
        assert not accepts(held.grammar, f"{told}{gap}1 failed, 2 passed.")


def looked_up(*found):
    calls = [ToolCall(name, "search_symbols", {"query": name}) for name, _ in found]
    return (
        Message("user", "where are they?"),
        Message("assistant", tool_calls=tuple(calls)),
        *(Message("tool", text, tool_call_id=name) for name, text in found),
    )


def test_of_several_names_each_is_told_with_a_place_of_its_own(accepts):
    found = ("moor", "lib/b.py:9-12 function moor"), ("Quay", "src/q.py:3-4 class Quay\na/b.py:7 x")
    held = facts_constraint(TOOLS, HERMES, looked_up(*found))
    assert held is not None
    for good in (
        "`moor`: lib/b.py:9\n`Quay`: src/q.py:3",
        "`moor` 在 lib/b.py:9\n`Quay` 在 a/b.py:7",
    ):
        assert accepts(held.grammar, good)
    for bad in (
        "`moor` is defined at lib/b.py:9; see also src/q.py:3.",
        "`moor`: src/q.py:3\n`Quay`: src/q.py:3",
        "`moor`: lib/b.py:9",
    ):
        assert not accepts(held.grammar, bad)


@pytest.mark.parametrize("other", ["", "No symbols found."])
def test_where_one_name_was_not_found_the_others_are_told_freely(accepts, other):
    found = [("moor", "lib/b.py:9-12 function moor"), *([("Quay", other)] if other else [])]
    held = facts_constraint(TOOLS, HERMES, looked_up(*found))
    assert held is not None
    assert accepts(held.grammar, "`moor` is defined at lib/b.py:9.")
