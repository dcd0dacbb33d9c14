"""Whose turn it is, and that turns never change an answer: pure, on a cache of plain lists."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot

from quillon.engine.base import (
    Constraint,
    DeadlineExceeded,
    Delta,
    EngineError,
    Finished,
    Priority,
    PromptTooLong,
    Sampling,
    Started,
    Timings,
    Usage,
)
from quillon.engine.scheduler import Pace
from quillon_testing.list_model import Desk, check_run, reference


def test_a_generation():
    desk = Desk()
    prompt = list(range(1, 41))
    job = desk.submit(prompt, max_tokens=5)
    desk.finish()
    check_run(job, prompt)
    assert desk.model.log[:3] == [(0, 16), (0, 16), (0, 8)]  # the prompt in chunks
    assert desk.model.open_samplers == 0


def test_the_next_turn_pays_for_what_is_new():
    desk = Desk()
    prompt = list(range(1, 41))
    first = desk.submit(prompt, max_tokens=5, cache_key="chat")
    desk.finish()
    more = [*first.tokens, 7, 7, 7]
    second = desk.submit(more, max_tokens=5, cache_key="chat")
    desk.finish()
    check_run(second, more)
    assert second.events[0] == Started(prompt_tokens=48, cached_tokens=44)


def test_better_classes_go_first_and_the_others_go_on():
    desk = Desk(chunk=8)
    prompts = {name: list(range(start, start + 12)) for start, name in enumerate("wcai", 50)}
    jobs = {}
    order = (
        ("w", Priority.WARM),
        ("c", Priority.CHAT),
        ("a", Priority.ACTION),
        ("i", Priority.INLINE),
    )
    for name, priority in order:
        jobs[name] = desk.submit(
            prompts[name], name, priority=priority, max_tokens=0 if name == "w" else 3
        )
        desk.scheduler.step()  # each has begun when the next, better one arrives
    desk.finish()
    assert [name for name, event in desk.order if event == "Started"] == ["w", "c", "a", "i"]
    assert [name for name, event in desk.order if event == "Finished"] == ["i", "a", "c", "w"]
    for name in "cai":
        check_run(jobs[name], prompts[name])


def test_one_class_takes_turns():
    desk = Desk()
    desk.submit([1, 2, 3], "a", max_tokens=3)
    desk.submit([4, 5, 6], "b", max_tokens=3)
    desk.finish()
    assert "".join(name for name, event in desk.order if event == "Delta") == "ababab"


def test_waiting_work_waits_for_one_step_at_most():
    desk = Desk(chunk=16)
    desk.submit(range(1, 150), "chat", max_tokens=5)
    desk.scheduler.step()
    typing = desk.submit(range(1, 9), "inline", priority=Priority.INLINE, max_tokens=4)
    for _ in range(4):
        desk.scheduler.step()
    assert isinstance(typing.events[-1], Finished)


def test_cancelling_ends_at_the_next_step_and_keeps_the_cache():
    desk = Desk()
    prompt = list(range(1, 60))
    job = desk.submit(prompt, max_tokens=50, cache_key="chat")
    for _ in range(6):
        desk.scheduler.step()
    job.cancelled = True
    steps = len(desk.model.log)
    desk.scheduler.step()
    assert len(desk.model.log) == steps
    assert job.events[-1].reason == "cancelled"
    again = desk.submit(prompt, max_tokens=50, cache_key="chat")
    desk.finish()
    check_run(again, prompt)
    assert again.events[0].cached_tokens == 58


def test_a_job_cancelled_before_its_turn_never_starts():
    desk = Desk()
    job = desk.submit(range(1, 9))
    job.cancelled = True
    desk.finish()
    assert [type(event) for event in job.events] == [Finished]
    assert desk.model.log == []


def test_an_interrupted_chunk_is_evaluated_again():
    desk = Desk()
    prompt = list(range(1, 41))
    job = desk.submit(prompt, max_tokens=5)
    for _ in range(6):
        desk.model.interrupts = 1
        desk.scheduler.step()
    desk.finish()
    check_run(job, prompt)


def test_a_failed_evaluation_ends_that_job_only():
    desk = Desk()
    bad = desk.submit(range(1, 9), max_tokens=3)
    good = desk.submit(range(11, 19), max_tokens=3)
    decode = desk.model.decode

    def fail_once(pieces):
        desk.model.decode = decode
        desk.model.held.setdefault(pieces[0].sequence, []).append(99)
        raise EngineError("no room")

    desk.model.decode = fail_once
    desk.finish()
    assert str(bad.events[-1]) == "no room"
    check_run(good, range(11, 19))
    again = desk.submit(range(1, 9), max_tokens=3)
    desk.finish()
    check_run(again, range(1, 9))


def test_a_prompt_that_does_not_fit_is_refused_before_decoding():
    desk = Desk(context=50)
    job = desk.submit(range(1, 51))
    assert [type(event) for event in job.events] == [PromptTooLong]
    assert str(job.events[0]) == snapshot(
        "the prompt has 50 tokens and the context 50: "
        "shorten the prompt, or raise the setting model.contextSize"
    )
    assert desk.scheduler.idle
    assert desk.model.log == []


def test_an_answer_ends_with_the_context():
    desk = Desk(context=12)
    prompt = [3, 1, 4, 1, 5]
    job = desk.submit(prompt, max_tokens=500)
    desk.finish()
    check_run(job, prompt, context=12)


def test_an_empty_prompt_is_an_error():
    job = Desk().submit([])
    assert [str(event) for event in job.events] == ["the prompt is empty"]


def test_a_refused_grammar_is_known_before_the_prompt_is_evaluated():
    desk = Desk()
    job = desk.submit(range(1, 9), constraint=Constraint("root ::="))
    assert [str(event) for event in job.events] == ["refused"]
    assert desk.scheduler.idle


def test_a_deadline_counts_from_acceptance():
    desk = Desk()
    job = desk.submit(range(1, 60), deadline=2.0, max_tokens=100)
    waiting = desk.submit(range(1, 9), deadline=1.0, priority=Priority.WARM, max_tokens=0)
    desk.scheduler.step()
    desk.now = 1.5
    desk.scheduler.step()
    assert [str(event) for event in waiting.events] == [
        "the answer was not complete after 1 seconds"
    ]
    desk.now = 2.5
    desk.scheduler.step()
    assert isinstance(job.events[-1], DeadlineExceeded)
    assert desk.scheduler.idle


def test_stop_tokens_end_an_answer():
    desk = Desk()
    prompt = [9, 8, 7]
    tokens, _ = reference(prompt, 6)
    job = desk.submit(prompt, max_tokens=50, stop_tokens=(str(tokens[4]), "<missing>"))
    desk.finish()
    assert job.events[-1].reason == "stop"
    assert [token.id for event in job.events[1:-1] for token in event.tokens] == tokens[:4]


def test_stop_texts_end_an_answer():
    desk = Desk()
    prompt = [9, 8, 7]
    tokens, _ = reference(prompt, 6)
    job = desk.submit(prompt, max_tokens=50, stop=(f"{tokens[2]} {tokens[3]}",))
    desk.finish()
    text = "".join(event.text for event in job.events if isinstance(event, Delta))
    assert (text, job.events[-1].reason) == (f"{tokens[0]} {tokens[1]} ", "stop")


def test_warming_fills_the_cache_and_says_nothing():
    desk = Desk()
    prompt = list(range(1, 31))
    warm = desk.submit(prompt, priority=Priority.WARM, max_tokens=0, cache_key="k")
    desk.finish()
    assert [type(event) for event in warm.events] == [Started, Finished]
    job = desk.submit(prompt, max_tokens=4, cache_key="k")
    desk.finish()
    assert job.events[0].cached_tokens == 29
    check_run(job, prompt)


def test_a_request_takes_over_from_what_warms_its_cache():
    desk = Desk(chunk=16)
    prompt = list(range(1, 61))
    warm = desk.submit(prompt, priority=Priority.WARM, max_tokens=0, cache_key="k")
    other = desk.submit(prompt, priority=Priority.WARM, max_tokens=0, cache_key="other")
    desk.scheduler.step()
    desk.scheduler.step()
    job = desk.submit(prompt, max_tokens=4, cache_key="k")
    desk.finish()
    assert (warm.events[-1].reason, other.events[-1].reason) == ("cancelled", "length")
    assert job.events[0].cached_tokens == 32  # of the other, which had come further
    check_run(job, prompt)


def test_more_chats_than_sequences_all_finish():
    desk = Desk(sequences=2)
    prompts = [[n, n + 1, n + 2] for n in range(1, 40, 3)]
    jobs = [desk.submit(prompt, max_tokens=6) for prompt in prompts]
    desk.finish()
    for job, prompt in zip(jobs, prompts, strict=True):
        check_run(job, prompt)


def test_typing_takes_the_cells_of_a_running_chat_which_then_goes_on():
    desk = Desk(context=100, cells=100, sequences=2)
    chat = desk.submit(range(1, 81), max_tokens=15)
    for _ in range(8):
        desk.scheduler.step()
    typing = desk.submit(range(101, 161), priority=Priority.INLINE, max_tokens=5)
    desk.finish()
    check_run(typing, range(101, 161), context=100)
    check_run(chat, range(1, 81), context=100)


def test_timings_and_usage():
    desk = Desk(chunk=16)

    def decode(pieces, original=desk.model.decode):
        desk.now += 1.0
        return original(pieces)

    desk.model.decode = decode
    job = desk.submit([1] * 40, max_tokens=3)
    desk.now = 0.5
    desk.finish()
    assert job.events[-1] == snapshot(
        Finished(
            reason="length",
            usage=Usage(prompt_tokens=40, cached_tokens=0, completion_tokens=3),
            timings=Timings(queued=0.5, prefill=3.0, decode=2.0, first_token=3.5),
        )
    )


def test_failing_all_leaves_nobody_without_an_answer():
    desk = Desk()
    jobs = [desk.submit(range(1, 30)) for _ in range(3)]
    desk.scheduler.step()
    desk.scheduler.fail(EngineError("gone"))
    assert [str(job.events[-1]) for job in jobs] == ["gone"] * 3
    assert desk.scheduler.idle
    assert desk.model.open_samplers == 0


def test_the_chunk_follows_the_measured_speed():
    pace = Pace(least=8, most=512, target=0.05)
    assert pace.chunk == 32
    sizes = []
    for speed in [4000] * 5 + [100] * 6:  # tokens a second
        pace.note(pace.chunk, pace.chunk / speed)
        sizes.append(pace.chunk)
    assert sizes == [64, 128, 200, 200, 200, 100, 50, 25, 12, 8, 8]


def test_the_rest_of_a_prompt_says_nothing_about_the_chunk():
    pace = Pace(least=8, most=512, target=0.05)
    pace.note(3, 0.001)
    assert pace.chunk == 32


def test_the_speed_of_generating_is_measured_apart():
    pace = Pace(least=8, most=512)
    pace.note(1, 0.05)
    pace.note(1, 0.1)
    assert pace.decode == pytest.approx(18)


@given(st.integers(0, 2**32))
def test_no_schedule_changes_an_answer(seed):
    chance = random.Random(seed)  # noqa: S311 - test data
    context = chance.randint(40, 120)
    desk = Desk(
        chunk=chance.choice([4, 16]),
        context=context,
        cells=context + chance.randint(0, 100),
        sequences=chance.randint(1, 4),
        trims_partly=chance.random() < 0.8,
    )
    base = chance.choices(range(1, 30), k=20)
    jobs = []
    for _ in range(chance.randint(1, 12)):
        prompt = base[: chance.randint(1, 20)] + chance.choices(
            range(1, 30), k=chance.randint(0, 15)
        )
        job = desk.submit(
            prompt,
            priority=chance.choice(list(Priority)),
            max_tokens=chance.randint(1, 30),
            cache_key=chance.choice([None, "a", "b"]),
            sampling=Sampling(),
        )
        jobs.append((job, prompt))
        for _ in range(chance.randint(0, 6)):
            desk.model.interrupts = int(chance.random() < 0.2)
            desk.scheduler.step()
        if chance.random() < 0.2:
            chance.choice(jobs)[0].cancelled = True
    desk.finish()
    assert desk.model.open_samplers == 0
    for job, prompt in jobs:
        ends = [event for event in job.events if isinstance(event, Finished | EngineError)]
        assert len(ends) == 1
        assert job.events[-1] is ends[0]
        if not job.cancelled:
            check_run(job, prompt, context=context)
