"""Dialogues put to a model that is right, and to one that is not."""

import asyncio
import json

import pytest

from quillon.engine.scripted import Step
from quillon.eval.bfcl import bfcl_questions, read_bfcl
from quillon.eval.calling import dialogue_questions
from quillon.eval.dialogues import read_dialogues
from quillon.eval.mistakes import bug_dialogues
from quillon.eval.outcomes import EvalError
from quillon.eval.requests import request_questions
from quillon.eval.scenes import scenes
from quillon_tools.registry import default_tools

TOOLS = [tool.definition("brief") for tool in default_tools()]
CALL = '<tool_call>\n{"name": "search_symbols", "arguments": {"query": "moor"}}\n</tool_call>'
PLACE = "lib/quay.py:3-9 function moor"


def row(**more):
    function = {"name": "search_symbols", "arguments": '{"query": "moor"}'}
    calls = [{"id": "call_1", "type": "function", "function": function}]
    messages = [
        {"role": "system", "content": "s"},
        {"role": "user", "content": "where is moor"},
        {"role": "assistant", "content": "", "tool_calls": calls},
        {"role": "tool", "content": PLACE, "tool_call_id": "call_1"},
        {"role": "assistant", "content": "In lib/quay.py:3."},
    ]
    return {"messages": messages, "tools": TOOLS, "kind": "where", "facts": ["quay.py:3"], **more}


@pytest.fixture
def file(tmp_path):
    def write(*rows):
        path = tmp_path / "dialogues.jsonl"
        path.write_text("\n".join(r if isinstance(r, str) else json.dumps(r) for r in rows))
        return path

    return write


async def marks_of(asker, path):
    [question] = dialogue_questions(asker, read_dialogues(path))
    return (await question.ask()).marks


async def test_a_model_that_is_right(scripted, file):
    asker = await scripted(
        Step(match=PLACE, reply="It is at lib/quay.py:3.", times=0), Step(reply=CALL, times=0)
    )
    marks = await marks_of(asker, file(row()))
    assert marks
    assert all(marks.values()), marks
    assert {"whole chain", "chain and facts", "exact, free", "valid, span"} <= marks.keys()


async def test_a_model_that_never_calls(scripted, file):
    asker = await scripted(Step(reply="I do not know.", times=0))
    marks = await marks_of(asker, file(row()))
    right = {name for name, mark in marks.items() if mark}
    assert right == {"answers when all is known"}
    assert "valid calls" not in marks  # there was none


async def test_a_model_that_calls_something_else(scripted, file):
    asker = await scripted(Step(reply=CALL.replace("moor", "shore"), times=0))
    marks = await marks_of(asker, file(row()))
    right = {name for name, mark in marks.items() if mark}
    assert right == {
        "right first decision (tool or none)",
        "valid calls",
        *("valid, free", "valid, schema", "valid, span"),
    }


async def test_a_call_that_does_not_fit_is_not_valid(scripted, file):
    asker = await scripted(Step(reply=CALL.replace("query", "name"), times=0))
    marks = await marks_of(asker, file(row()))
    assert not marks["valid calls"]
    assert not marks["exact arguments"]


async def test_calling_where_no_tool_fits(scripted, file):
    talk = row(messages=[{"role": "user", "content": "hi"}, {"role": "assistant", "content": "Hi"}])
    asker = await scripted(Step(reply=CALL, times=0))
    marks = await marks_of(asker, file({**talk, "facts": []}))
    assert marks == {
        "right first decision (tool or none)": False,
        "no call where none fits": False,
    }


async def test_a_mistake_made_on_purpose_is_not_asked(scripted, file):
    given = row()
    given["messages"][2]["weight"] = 0
    given["messages"][3]["content"] = "Error: no such argument"
    right = json.loads(json.dumps(row()["messages"][2:4]))
    right[0]["tool_calls"][0]["id"] = right[1]["tool_call_id"] = "call_2"
    given["messages"][4:4] = right
    asker = await scripted(
        Step(match=PLACE, reply="lib/quay.py:3", times=0), Step(reply=CALL, times=0)
    )
    marks = await marks_of(asker, file(given))
    assert marks["mended after an error"]
    assert "exact arguments" not in marks
    assert "whole chain" not in marks


@pytest.mark.parametrize(
    "line", ["{", "[]", "{}", '{"messages": []}', '{"messages": [{"role": "user"}]}', "[" * 9999]
)
def test_a_line_that_is_no_dialogue_is_named(file, line):
    with pytest.raises(EvalError, match=r"dialogues\.jsonl:2 is no dialogue"):
        read_dialogues(file(row(), line))


def test_what_the_workspace_has_is_read(file):
    live = {"search_symbols.query": ["moor"], "read_file.path": ["lib", "lib/quay.py"]}
    [known] = read_dialogues(file(row(live=live)))
    assert known.live == {
        ("search_symbols", "query"): ("moor",),
        ("read_file", "path"): ("lib", "lib/quay.py"),
    }
    assert read_dialogues(file(row()))[0].live == {}
    with pytest.raises(EvalError, match="is no dialogue"):
        read_dialogues(file(row(live=["moor"])))


async def test_bugs_are_named_with_their_line_and_clean_code_is_left_alone(scripted):
    found = bug_dialogues()
    asker = await scripted(
        Step(match="guests=[]", reply="`def add_guest(name, guests=[]):` mutable default", times=0),
        Step(match="tags={}", reply="It has a mutable default.", times=0),
        Step(reply="This is dangerous.", times=0),
    )
    made = [await question.ask() for question in dialogue_questions(asker, found)]
    assert made[0].marks == {"mistake named": True, "mistake and line named": True}
    assert made[1].marks == {"mistake named": True, "mistake and line named": False}
    assert made[-1].marks == {"clean code accused": True}
    wrong = [m for m in made if "mistake named" in m.marks]
    assert len(wrong) == 18
    assert len(made) - len(wrong) == 18


async def test_the_dialogues_of_our_own_can_be_gone_through():
    found = await scenes()
    assert {d.kind for d in found} >= {"where", "show", "two", "typo", "mended", "tests", "talk"}
    assert len({d.id for d in found}) > 100
    for dialogue in found:
        results = [m.content for m in dialogue.messages if m.role == "tool"]
        texts = " ".join(results)
        failing = dialogue.kind in ("typo", "mended", "denied")
        assert any(text.startswith("Error") for text in results) == failing, dialogue
        if dialogue.kind not in ("denied", "mended"):
            assert all(fact in texts for fact in dialogue.facts), dialogue


async def test_requests_know_right_calls_and_silence(scripted):
    asker = await scripted(
        Step(match="Quay class", reply=CALL.replace("moor", "Quay"), times=0),
        Step(reply="Good morning!", times=0),
    )
    made = [await question.ask() for question in request_questions(asker)]
    assert len(made) == 60
    right = [m for m in made if m.marks["right call or none"]]
    assert made[0] in right
    assert made[0].marks["right call"]
    assert not made[1].marks["right call"]
    assert sum("no call where none fits" in m.marks for m in right) == len(right) - 1


async def test_bfcl_as_the_leaderboard_has_it(scripted, tmp_path):
    entry = {
        "id": "multiple_0",
        "question": [[{"role": "user", "content": "sum it"}]],
        "function": [
            {
                "name": "math.sum",
                "description": "Sums.",
                "parameters": {
                    "type": "dict",
                    "properties": {"xs": {"type": "array", "items": {"type": "float"}}},
                    "required": ["xs"],
                },
            }
        ],
    }
    silent = {**entry, "id": "irrelevance_0"}
    (tmp_path / "possible_answer").mkdir()
    (tmp_path / "BFCL_v4_multiple.json").write_text(json.dumps(entry) + "\n")
    (tmp_path / "BFCL_v4_irrelevance.json").write_text(json.dumps(silent) + "\n")
    answer = {"id": "multiple_0", "ground_truth": [{"math.sum": {"xs": [[1, 2]]}}]}
    (tmp_path / "possible_answer" / "BFCL_v4_multiple.json").write_text(json.dumps(answer))
    call = '<tool_call>\n{"name": "math_sum", "arguments": {"xs": [1, 2]}}\n</tool_call>'
    asker = await scripted(Step(reply=call, times=0))
    made = [await question.ask() for question in bfcl_questions(asker, read_bfcl(tmp_path))]
    assert [m.marks["all"] for m in made] == [False, True]
    assert made[1].marks == {"all": True, "multiple": True, "valid calls": True}


def test_what_is_not_bfcl_is_said(tmp_path):
    with pytest.raises(EvalError, match="no entries of BFCL"):
        read_bfcl(tmp_path)
    (tmp_path / "a.json").write_text("[]")
    with pytest.raises(EvalError, match=r"a\.json is not of BFCL's form"):
        read_bfcl(tmp_path)


async def test_a_question_waits_for_nobody(scripted, file):
    asker = await scripted(Step(reply=CALL, times=0, gates={0: "held"}))
    [question] = dialogue_questions(asker, read_dialogues(file(row())))
    asked = asyncio.ensure_future(question.ask())
    await asyncio.wait_for(asker.engine.gate("held").reached.wait(), 30)
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    assert asker.engine.calls[-1].outcome == "cancelled"
