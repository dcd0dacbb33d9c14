"""A measurement as a whole: what is asked, what is kept when it stops."""

import asyncio

import pytest

from quillon.engine.scripted import Step
from quillon.eval.outcomes import EvalError, Outcome
from quillon.eval.run import TASKS, Plan, Run, chosen

DEADLINE = 60  # seconds
REQUESTS = Plan(tasks=("requests",), count=3)


async def went(asker, plan, *before):
    run, told = Run(asker.engine, plan), []
    run.go_on_from(before)
    await run.go(await run.load(), told.append)
    return run, told


async def test_every_question_is_asked_and_told(scripted):
    run, told = await went(await scripted(Step(reply="Hm.", times=0)), REQUESTS)
    assert [(t.task, t.asked, t.total) for t in told] == [("requests", n, 3) for n in (1, 2, 3)]
    assert [o.id for o in run.outcomes] == ["1", "2", "3"]


async def test_what_was_found_before_is_not_asked_again(scripted):
    asker = await scripted(Step(reply="Hm."))  # once
    before = [Outcome("requests", "1"), Outcome("requests", "3")]
    run, _ = await went(asker, REQUESTS, *before)
    assert [o.id for o in run.outcomes] == ["1", "3", "2"]


async def test_what_was_found_is_left_when_it_is_stopped(scripted):
    asker = await scripted(Step(reply="Hm."), Step(reply="Hm.", gates={0: "held"}, times=0))
    run = Run(asker.engine, REQUESTS)
    going = asyncio.ensure_future(run.go(await run.load(), lambda _told: None))
    await asyncio.wait_for(asker.engine.gate("held").reached.wait(), DEADLINE)
    going.cancel()
    with pytest.raises(asyncio.CancelledError):
        await going
    assert [o.id for o in run.outcomes] == ["1"]


async def test_questions_that_do_not_fit_are_counted_apart(scripted):
    asker = await scripted(Step(reply="Hm.", times=0), context=64)
    run, _ = await went(asker, REQUESTS)
    assert run.outcomes == []
    assert run.notes == ["3 questions do not fit the model's context and count for nothing."]


async def test_nothing_to_ask_is_said(scripted, tmp_path):
    (tmp_path / "none.jsonl").write_text("")
    plan = Plan(tasks=("calls",), dialogues=tmp_path / "none.jsonl")
    with pytest.raises(EvalError, match="nothing to ask"):
        await went(await scripted(), plan)


async def test_speed_is_measured_for_every_run(scripted):
    asker = await scripted(Step(reply="x" * 400, times=0))
    run, _ = await went(asker, Plan(tasks=("speed",)))
    assert len(run.outcomes) == 3  # it was loaded before
    assert all(o.values["whole answer, s"] > 0 for o in run.outcomes)


def test_tasks_are_chosen_by_name():
    assert chosen("calls, fim", bfcl=False) == ("calls", "fim")
    assert chosen("", bfcl=True) == TASKS
    assert "bfcl" not in chosen("", bfcl=False)
