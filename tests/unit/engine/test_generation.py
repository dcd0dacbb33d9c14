"""Generations on the embedded model: reuse, interleaving, stops, sampling, errors."""

import math
import threading

import msgspec
import pytest

from quillon.engine.base import (
    Constraint,
    DeadlineExceeded,
    Delta,
    Finished,
    Priority,
    PromptTooLong,
    Request,
    Sampling,
    Segment,
    Started,
)
from quillon.engine.llama_sampler import _log_probability
from quillon_testing.generation import CODE, LONG, QUESTION, chat


def test_an_answer_has_a_start_text_and_an_end(desk):
    run = desk.run(Request(prompt=QUESTION, max_tokens=20))
    prompt = len(desk.model.tokenize(QUESTION))
    assert run.events[0] == Started(prompt_tokens=prompt, cached_tokens=0)
    assert run.text
    end = run.end
    assert isinstance(end, Finished)
    assert end.usage.prompt_tokens == prompt
    assert end.usage.completion_tokens == len(run.tokens) <= 20
    assert end.timings.first_token >= end.timings.queued >= 0


def test_reuse_after_cancel_gives_what_a_fresh_context_gives(new_desk):
    request = Request(prompt=(*LONG, *QUESTION), max_tokens=24, cache_key="chat")
    fresh = new_desk().run(request)
    desk = new_desk()
    cancelled = desk.submit(request)
    desk.until(lambda: len(cancelled.events) > 5)
    cancelled.job.cancelled = True
    desk.until(lambda: cancelled.ended)
    assert cancelled.end.reason == "cancelled"
    again = desk.run(request)
    assert again.events[0].cached_tokens == len(desk.model.tokenize(request.prompt)) - 1
    assert again.tokens == fresh.tokens


def test_cancelled_in_the_middle_of_a_prompt_the_rest_is_evaluated_later(new_desk):
    request = Request(prompt=(*LONG, *QUESTION), max_tokens=16, cache_key="chat")
    fresh = new_desk().run(request)
    desk = new_desk()
    first = desk.submit(request)
    for _ in range(5):
        desk.scheduler.step()
    first.job.cancelled = True
    desk.until(lambda: first.ended)
    again = desk.run(request)
    assert again.events[0].cached_tokens == 5 * 32
    assert again.tokens == fresh.tokens


def test_an_interrupt_stops_a_running_chunk_and_nothing_is_lost(new_desk):
    request = Request(prompt=(*LONG, *QUESTION), max_tokens=8)
    fresh = new_desk().run(request)
    desk = new_desk()
    run = desk.submit(request)
    desk.scheduler.step()
    desk.context.interrupt()  # as another thread does while `decode` runs
    tokens = list(desk.scheduler._pool.slots[0].tokens)
    desk.scheduler.step()
    assert desk.scheduler._pool.slots[0].tokens == tokens
    desk.until(lambda: run.ended)
    assert run.tokens == fresh.tokens


def test_an_interrupt_from_another_thread_ends_a_long_decode(new_desk):
    desk = new_desk(batch=512)
    run = desk.submit(Request(prompt=LONG, max_tokens=0))
    stop = threading.Event()

    def interrupt():
        while not stop.is_set():
            desk.context.interrupt()

    thread = threading.Thread(target=interrupt)
    thread.start()
    try:
        for _ in range(3):
            desk.scheduler.step()
    finally:
        stop.set()
        thread.join()
    assert desk.scheduler._pool.slots[0].tokens == []
    desk.until(lambda: run.ended)


def test_two_interleaved_generations_equal_their_solo_runs(new_desk):
    requests = [
        Request(prompt=QUESTION, max_tokens=30),
        Request(prompt=CODE, max_tokens=30, cache_key="file"),
    ]
    solo = [new_desk().run(request) for request in requests]
    desk = new_desk()
    runs = [desk.submit(request) for request in requests]
    desk.until(lambda: all(run.ended for run in runs))
    assert [run.tokens for run in runs] == [run.tokens for run in solo]


def test_typing_takes_the_next_step_and_the_chat_goes_on(new_desk):
    question = Request(prompt=QUESTION, max_tokens=30)
    alone = new_desk().run(question)
    desk = new_desk()
    talk = desk.submit(question)
    desk.until(lambda: len(talk.events) > 4)
    before = len(talk.tokens)
    typing = desk.submit(Request(prompt=CODE, max_tokens=12, priority=Priority.INLINE))
    desk.until(lambda: typing.ended)
    assert len(talk.tokens) == before
    desk.until(lambda: talk.ended)
    assert talk.tokens == alone.tokens


def test_a_shared_system_prompt_is_evaluated_once(new_desk):
    system = Segment("<|im_start|>system\n" + "You are a careful assistant. " * 20, trusted=True)
    first, second = chat("What is a list?"), chat("Where is main?")
    fresh = new_desk().run(Request(prompt=(system, *second), max_tokens=12))
    desk = new_desk()
    desk.run(Request(prompt=(system, *first), max_tokens=12, cache_key="one"))
    run = desk.run(Request(prompt=(system, *second), max_tokens=12, cache_key="two"))
    assert run.events[0].cached_tokens >= len(desk.model.tokenize((system,)))
    assert run.tokens == fresh.tokens


def test_a_chat_survives_the_eviction_of_its_end(new_desk):
    request = Request(prompt=(*LONG, *QUESTION), max_tokens=16, cache_key="chat", logprobs=True)
    fresh = new_desk().run(request)
    other = new_desk().run(msgspec.structs.replace(request, prompt=(LONG[0], *chat("Hello"))))
    size = fresh.job.prompt_tokens
    desk = new_desk(cells=size // 256 * 256 + 256)
    desk.run(request)
    desk.run(Request(prompt=(Segment("x = 1\n" * 60),), max_tokens=4, priority=Priority.INLINE))
    again = desk.run(request)
    assert 0 < again.events[0].cached_tokens < size - 1
    assert same_answer(again, fresh)
    assert not same_answer(other, fresh)


def same_answer(one, other):
    """Whether the tokens are equal, or differ from one on between two that are as probable.

    Cells that stand in another order are added up in another one, and half floats then give a
    little less or more: that decides between two tokens of equal probability, and nothing else.
    """
    for found, expected in zip(chosen(one), chosen(other), strict=False):
        # Probabilities: of an unlikely token the logarithm moves much.
        if math.exp(found.logprob) != pytest.approx(math.exp(expected.logprob), abs=0.05):
            return False
        if found.id != expected.id:
            return True
    return len(one.tokens) == len(other.tokens)


def chosen(run):
    return [token for event in run.events if isinstance(event, Delta) for token in event.tokens]


def test_greedy_decoding_is_repeatable(new_desk):
    request = Request(prompt=CODE, max_tokens=24)
    assert new_desk().run(request).tokens == new_desk().run(request).tokens


def test_a_seed_repeats_a_draw_and_another_changes_it(desk):
    def draw(seed):
        sampling = Sampling(temperature=1.2, top_p=0.95, top_k=40, min_p=0.01, seed=seed)
        # What code comes next is open; a trained model's answers need not be.
        code = (Segment("import os\n\n\ndef "),)
        return desk.run(Request(prompt=code, max_tokens=24, sampling=sampling)).tokens

    assert draw(7) == draw(7)
    assert len({tuple(draw(seed)) for seed in range(5)}) > 1


def test_top_k_one_is_greedy(desk):
    greedy = desk.run(Request(prompt=QUESTION, max_tokens=16))
    drawn = desk.run(
        Request(prompt=QUESTION, max_tokens=16, sampling=Sampling(temperature=1.5, top_k=1, seed=1))
    )
    assert drawn.tokens == greedy.tokens


def test_a_presence_penalty_lowers_what_was_said(desk):
    def distinct(penalty):
        sampling = Sampling(temperature=0.01, presence_penalty=penalty, seed=1)
        run = desk.run(Request(prompt=(Segment("aaaa " * 30),), max_tokens=40, sampling=sampling))
        return len(set(run.tokens)) / len(run.tokens)

    assert distinct(100.0) == 1.0
    assert distinct(0.0) < 1.0


def test_log_probabilities_are_those_of_the_model(desk):
    run = desk.run(Request(prompt=QUESTION, max_tokens=8, logprobs=True))
    found = [token.logprob for e in run.events if isinstance(e, Delta) for token in e.tokens]
    assert all(logprob is not None and logprob <= 0 for logprob in found)
    # Greedy: no token can be less likely than one of the whole vocabulary.
    assert all(logprob > -math.log(desk.model.vocab_size) for logprob in found)
    without = desk.run(Request(prompt=QUESTION, max_tokens=8))
    assert all(t.logprob is None for e in without.events if isinstance(e, Delta) for t in e.tokens)


def test_log_probabilities_sum_to_one(desk):
    desk.run(Request(prompt=QUESTION, max_tokens=1))
    sampler = desk.context.sampler(Request(prompt=QUESTION))
    logits = sampler._logits(desk.context.output(0))
    total = sum(math.exp(_log_probability(logits, token)) for token in range(len(logits)))
    sampler.close()
    assert total == pytest.approx(1.0, abs=1e-3)


def test_stop_texts_at_every_place_of_an_answer(desk):
    full = desk.run(Request(prompt=QUESTION, max_tokens=16)).text
    assert len(full) > 8
    for at in range(1, len(full) - 3):
        stop = full[at : at + 3]
        run = desk.run(Request(prompt=QUESTION, max_tokens=16, stop=(stop,)))
        assert run.text == full[: full.index(stop)]
        assert run.end.reason == "stop"


def test_stop_tokens_are_compared_by_id(desk):
    # The same letters as plain text do not stop the answer.
    plain = desk.run(
        Request(
            prompt=QUESTION,
            max_tokens=30,
            stop_tokens=("<tool_call>",),
            constraint=Constraint('root ::= "ab" "<" "tool_call" ">" "cd"'),
        )
    )
    if desk.model.special["<tool_call>"] not in plain.tokens:
        assert plain.text == "ab<tool_call>cd"
    special = desk.run(
        Request(
            prompt=QUESTION,
            max_tokens=30,
            stop_tokens=("<tool_call>",),
            constraint=Constraint('root ::= "ab" <tool_call> "cd"'),
        )
    )
    assert (special.text, special.end.reason) == ("ab", "stop")


def test_text_of_any_script_is_whole_in_every_delta(desk):
    wanted = "日本語🙂é漢字👩‍👩‍👧"
    run = desk.run(
        Request(prompt=QUESTION, max_tokens=120, constraint=Constraint(f'root ::= "{wanted}"'))
    )
    deltas = [event for event in run.events if isinstance(event, Delta)]
    assert "".join(delta.text for delta in deltas) == wanted
    assert all("\ufffd" not in delta.text for delta in deltas)
    assert b"".join(t.bytes for delta in deltas for t in delta.tokens).decode() == wanted
    assert len(run.tokens) > len(wanted)  # characters did span tokens


def test_the_limit_ends_an_answer(desk):
    run = desk.run(Request(prompt=QUESTION, max_tokens=3))
    assert (run.end.reason, len(run.tokens)) == ("length", 3)


def test_the_context_ends_an_answer(new_desk):
    desk = new_desk(cells=512, context=64)
    prompt = (Segment("a b c d e " * 5),)
    run = desk.run(
        Request(prompt=prompt, max_tokens=500, constraint=Constraint("root ::= [a-z ]+"))
    )
    assert run.end.reason == "length"
    assert run.end.usage.prompt_tokens + run.end.usage.completion_tokens == 64


def test_a_prompt_larger_than_the_context_is_refused_with_numbers(desk):
    prompt = (Segment("word " * 4000),)
    size = len(desk.model.tokenize(prompt))
    run = desk.run(Request(prompt=prompt))
    assert isinstance(run.end, PromptTooLong)
    assert f"the prompt has {size} tokens and the context 2048" in str(run.end)


def test_a_deadline_ends_a_generation(desk):
    run = desk.submit(Request(prompt=QUESTION, max_tokens=500, deadline=0.0))
    desk.until(lambda: run.ended)
    assert isinstance(run.end, DeadlineExceeded)
