"""Actions carried out with a scripted model: from an offer to a checked proposal."""

import asyncio
from pathlib import Path

import pytest
from inline_snapshot import snapshot

from quillon.assist.actions import ActionKind
from quillon.assist.edits import BadAnswer
from quillon.engine.base import EngineLost, Priority, PromptTooLong
from quillon.engine.script import Script, Step
from quillon_testing.proposals import Desk

BROKEN = """
    import os

    class A:
        def get(self):
            return «x»
    """


async def test_fix(desk: Desk) -> None:
    answer = "Change it:\n```python\ndef get(self):\n    return self.x\n```"
    assert await desk.text(ActionKind.FIX, BROKEN, answer) == snapshot("""\
import os

class A:
    def get(self):
        return self.x
""")
    (call,) = desk.engine.calls
    assert "fix this problem: name 'x' is not defined (lint)" in call.prompt
    assert "```python\ndef get(self):\n    return x\n```" in call.prompt
    assert "It is part of a.py:\n```python\nimport os" in call.prompt
    assert call.request.priority is Priority.ACTION
    assert call.request.draft == "def get(self):\n        return x"
    assert desk.told == answer


async def test_a_fix_that_changes_nothing(desk: Desk) -> None:
    with pytest.raises(BadAnswer, match="no change"):
        await desk.propose(ActionKind.FIX, BROKEN, "def get(self):\n    return x")


SUM = "def add(a, b):▮\n    return a + b\n"
STUB = "def add(a, b):▮\n    ...\n"
HALVES = (
    (ActionKind.FIX, BROKEN, "def get(self):\n    return '\ufffd'"),
    (ActionKind.DOCSTRING, SUM, "Add \ufffd numbers."),
    (ActionKind.IMPLEMENT, STUB, "def add(a, b):\n    return '\ufffd'"),
    (ActionKind.TEST, SUM, "def test_add():\n    assert add('\ufffd', '') == ''"),
)


@pytest.mark.parametrize(
    ("kind", "source", "answer"), HALVES, ids=[case[0].value for case in HALVES]
)
async def test_half_a_character_is_written_nowhere(desk: Desk, kind, source, answer) -> None:
    with pytest.raises(BadAnswer, match="half a character"):
        await desk.propose(kind, source, answer)
    whole = answer.replace("\ufffd", "é")
    assert "é" in await desk.text(kind, source, whole)


async def test_an_answer_that_was_cut_is_no_fix(desk: Desk) -> None:
    with pytest.raises(BadAnswer, match="did not come to an end"):
        await desk.propose(
            ActionKind.FIX, BROKEN, Step(reply="def get(self):\n    return", finish="length")
        )


@pytest.mark.parametrize("round_", ["x = 1\n", "and the "])
async def test_an_answer_that_repeats_itself_is_ended(desk: Desk, round_: str) -> None:
    step = Step(reply=round_ * 40, chunk=len(round_), gates={39: "never"})
    async with asyncio.timeout(5):
        with pytest.raises(BadAnswer, match="did not come to an end"):
            await desk.propose(ActionKind.FIX, BROKEN, step)
    assert desk.engine.calls[0].outcome == "cancelled"


async def test_an_engine_that_dies(desk: Desk) -> None:
    with pytest.raises(EngineLost, match="killed"):
        await desk.propose(
            ActionKind.FIX, BROKEN, Step(reply="de", error="EngineLost", message="it was killed")
        )


async def test_special_tokens_in_the_code_are_plain_text(desk: Desk) -> None:
    source = "def f():\n    return «'<|im_end|>'»\n"
    await desk.text(ActionKind.FIX, source, "def f():\n    return 1")
    (request,) = desk.engine.requests
    assert not any(s.trusted and "return" in s.text for s in request.prompt)
    assert any(not s.trusted and "'<|im_end|>'" in s.text for s in request.prompt)


async def test_windows_line_ends(desk: Desk) -> None:
    source = "def f():\r\n    «x»\r\n    return 1\r\n"
    answer = "def f():\n    y = 2\n    return 1"
    assert await desk.text(ActionKind.FIX, source, answer) == (
        "def f():\r\n    y = 2\r\n    return 1\r\n"
    )


async def test_less_of_the_file_where_the_context_is_small(desk: Desk) -> None:
    lines = "\n".join(f"value_{number} = {number}" for number in range(300))
    source = f"{lines}\n\ndef f():\n    return «x»\n\n{lines}\n"
    script = Script(steps=(Step(reply="def f():\n    return 1"),), context=1200)
    await desk.propose(ActionKind.FIX, source, script)
    prompt = desk.engine.calls[0].prompt
    assert "value_299" in prompt
    assert "value_150 " not in prompt


async def test_code_that_does_not_fit_at_all(desk: Desk) -> None:
    body = "\n".join(f"    value_{number} = {number}" for number in range(300))
    script = Script(steps=(Step(reply="x"),), context=600)
    with pytest.raises(PromptTooLong, match="Select less"):
        await desk.propose(ActionKind.FIX, f"def f():\n{body}\n    return «x»\n", script)


async def test_a_small_model_gets_the_code_alone(desk: Desk) -> None:
    script = Script(steps=(Step(reply="def get(self):\n    return 1"),), embedded=True)
    await desk.propose(ActionKind.FIX, BROKEN, script)
    assert "It is part of" not in desk.engine.calls[0].prompt


async def test_questions_in_chinese(tmp_path: Path) -> None:
    desk = Desk(tmp_path, chinese=True)
    await desk.text(ActionKind.DOCSTRING, "def f():▮\n    return 1\n", "返回一。")
    assert "给这段代码写文档字符串" in desk.engine.calls[0].prompt


async def test_docstring(desk: Desk) -> None:
    assert await desk.text(ActionKind.DOCSTRING, "def f():▮\n    return 1\n", '"""One."""') == (
        'def f():\n    """One."""\n    return 1\n'
    )
