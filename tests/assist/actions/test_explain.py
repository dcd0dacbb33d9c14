"""Explanations: the page, and the files for editors that show nothing else."""

import stat
from pathlib import Path

import pytest
from inline_snapshot import snapshot

from quillon.assist.actions import ActionKind, offers
from quillon.assist.actions_run import Surroundings
from quillon.assist.edits import BadAnswer
from quillon.assist.explain import Explanation, author, chat_question, explain
from quillon.assist.explain_files import ExplanationNotWritten, write_explanation
from quillon.context.diagnostics import Diagnostic
from quillon.context.document import snapshot_of
from quillon.engine.base import EngineInfo
from quillon.engine.script import Script, Step
from quillon.engine.scripted import ScriptedEngine
from quillon_testing.markers import marked_block

DIVIDE = """
    import os

    def divide(a, b):
        return «a / b»
    """


async def check_explanation(
    kind: ActionKind,
    answer: str | Step,
    *,
    name: str = "a.py",
    problem: str = "division\nby zero",
    **model,
) -> str:
    place = marked_block(DIVIDE)
    document = snapshot_of(f"file:///w/src/{name}", place.text, path=Path("/w/src") / name)
    problems = [Diagnostic(place.selection, 0, 0, problem)]
    offer = next(o for o in offers(document, place.selection, problems) if o.kind is kind)
    step = Step(reply=answer) if isinstance(answer, str) else answer
    engine = ScriptedEngine(Script(steps=(step,), **model))
    around = Surroundings((Path("/w"),), lambda _: None)
    page = await explain(engine, document, offer, around, lambda _: None)
    return f"{page.title}\n{page.markdown}"


async def test_a_page() -> None:
    answer = "<think>\nhm\n</think>\n\nIt divides `a` by `b`.\r\n"
    assert await check_explanation(ActionKind.EXPLAIN, answer) == snapshot("""\
Explanation of a.py
# Explanation of a.py

`src/a.py:4`

```python
    return a / b
```

It divides `a` by `b`.
""")


async def test_a_problem_explained_by_a_small_model() -> None:
    shown = await check_explanation(
        ActionKind.EXPLAIN_PROBLEM, "b is 0.", embedded=True, model="tiny", parameters=11_475_264
    )
    assert shown == snapshot("""\
Problem in a.py
# Problem in a.py

`src/a.py:3-4`

> division by zero

```python
def divide(a, b):
    return a / b
```

b is 0.

*Written by tiny (a very small model, 11 million parameters): expect mistakes. A larger one, such as Qwen3-4B-Instruct-2507, explains better; choose it with the setting quillon.model.path.*
""")  # noqa: E501 - the page has a long line


async def test_names_and_problems_are_no_markdown() -> None:
    shown = await check_explanation(
        ActionKind.EXPLAIN_PROBLEM, "Yes.", name="__init__.py", problem="List<T> is no *x*"
    )
    assert shown.startswith("Problem in __init__.py\n# Problem in \\_\\_init\\_\\_.py\n")
    assert "> List\\<T\\> is no \\*x\\*\n" in shown


async def test_pages_of_a_compiler_leave_room_for_the_code() -> None:
    step = Step(match="template argument", reply="Yes.")
    problem = "template argument " * 1000
    shown = await check_explanation(ActionKind.EXPLAIN_PROBLEM, step, problem=problem)
    assert "Yes." in shown


async def test_an_explanation_that_was_cut() -> None:
    shown = await check_explanation(ActionKind.EXPLAIN, Step(reply="It div", finish="length"))
    assert "It div …" in shown


@pytest.mark.parametrize("answer", ["<think>hm", '<tool_call>\n{"name": "read_file"'])
async def test_nothing_was_said(answer: str) -> None:
    with pytest.raises(BadAnswer, match="no explanation"):
        await check_explanation(ActionKind.EXPLAIN, answer)


@pytest.mark.parametrize(
    ("parameters", "start"),
    [
        (0, ""),
        (4_000_000_000, ""),
        (1_500_000_000, "Written by m (a small model, 1.5 billion parameters)"),
        (100_000_000, "Written by m (a very small model, 100 million parameters)"),
    ],
)
def test_who_wrote_it(parameters: int, start: str) -> None:
    said = author(EngineInfo(state="ready", model="m", parameters=parameters))
    assert said.startswith(start)
    assert bool(said) == bool(start)


def test_what_a_chat_is_asked() -> None:
    place = marked_block(DIVIDE)
    document = snapshot_of("file:///w/a.py", place.text, path=Path("/w/a.py"))
    problem = Diagnostic(place.selection, 0, 0, "by zero", source="lint")
    fix, about, *_ = offers(document, place.selection, [problem])
    assert fix.kind is ActionKind.FIX
    assert chat_question(about, chinese=False) == (
        "explain this error: by zero (lint)\nWhat causes it, and how is it mended?"
    )
    assert "by zero (lint)" in chat_question(about, chinese=True)


# Files


def page(title: str = "Explanation of a.py") -> Explanation:
    return Explanation(title, "# Text\n\n🗡 \ud800\n")


def test_files_are_read_only_and_numbered(tmp_path: Path) -> None:
    folder = tmp_path / "cache" / "explanations"
    paths = [write_explanation(page(), folder) for _ in range(2)]
    assert [path.name for path in paths] == [
        "0001-explanation-of-a.py.md",
        "0002-explanation-of-a.py.md",
    ]
    assert paths[0].read_text("utf-8") == "# Text\n\n🗡 ?\n"
    assert stat.S_IMODE(paths[0].stat().st_mode) == 0o444
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_names_hold_no_path(tmp_path: Path) -> None:
    path = write_explanation(page("../../etc/pass wd: 说明"), tmp_path)
    assert path.name == "0001-etc-pass-wd-说明.md"
    assert path.parent == tmp_path


def test_the_oldest_files_go(tmp_path: Path) -> None:
    for _ in range(53):
        write_explanation(page(), tmp_path)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert len(names) == 50
    assert names[0].startswith("0004")


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(ExplanationNotWritten, match="could not be written"):
        write_explanation(page(), tmp_path / "file" / "explanations")
