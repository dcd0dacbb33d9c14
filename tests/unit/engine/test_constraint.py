"""Generations on the embedded model that a grammar holds, awake or asleep."""

import json
import re

import pytest

from quillon.engine.base import (
    Constraint,
    ConstraintError,
    Finished,
    Request,
    Sampling,
)
from quillon_testing.generation import LONG, QUESTION, chat

GREETING = 'root ::= ("hello" | "good morning") ", " [a-z]+ "!"'


@pytest.mark.parametrize("temperature", [0.0, 1.5])
def test_a_grammar_holds_the_answer(desk, temperature):
    for seed in range(5):
        run = desk.run(
            Request(
                prompt=QUESTION,
                max_tokens=60,
                sampling=Sampling(temperature=temperature, seed=seed),
                constraint=Constraint(GREETING),
            )
        )
        if run.end.reason == "stop":
            head, _, name = run.text.partition(", ")
            assert head in {"hello", "good morning"}
            assert name[:-1].isalpha()
            assert name[-1] == "!"


def check_lazy(run, trigger, pattern):
    """What follows the trigger keeps to the grammar; returns whether the trigger came."""
    assert isinstance(run.end, Finished)
    _, found, after = run.text.partition(trigger)
    if found and run.end.reason == "stop":
        assert re.fullmatch(pattern, found + after), run.text
    return bool(found)


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_a_grammar_wakes_at_a_special_token(desk, temperature):
    grammar = 'root ::= "<tool_call>\\n{" [a-z]{2,6} "}\\n</tool_call>"'
    woke = []
    for seed in range(4):
        run = desk.run(
            Request(
                prompt=chat("List the files."),
                max_tokens=40,
                sampling=Sampling(temperature=temperature, seed=seed),
                constraint=Constraint(grammar, trigger="<tool_call>"),
            )
        )
        woke.append(check_lazy(run, "<tool_call>", r"<tool_call>\n\{[a-z]{2,6}\}\n</tool_call>"))
    assert any(woke)


def test_a_grammar_wakes_at_a_text_anywhere_in_the_answer(desk):
    plain = desk.run(Request(prompt=LONG, max_tokens=30)).text
    assert len(plain) > 20
    for at in range(1, 12):
        trigger = plain[at : at + 4]
        constraint = Constraint(f'root ::= {json.dumps(trigger)} " XYZ."', trigger=trigger)
        run = desk.run(Request(prompt=LONG, max_tokens=60, constraint=constraint))
        assert run.text == plain[: plain.index(trigger)] + trigger + " XYZ."
        assert run.end.reason == "stop"


def test_a_grammar_sleeps_where_its_trigger_does_not_come(desk):
    plain = desk.run(Request(prompt=LONG, max_tokens=20))
    constraint = Constraint('root ::= "<tool_call>" "x"', trigger="<tool_call>")
    assert desk.run(Request(prompt=LONG, max_tokens=20, constraint=constraint)).text == plain.text


def test_a_grammar_whose_trigger_nothing_can_follow_is_an_error(desk):
    plain = desk.run(Request(prompt=LONG, max_tokens=20)).text
    trigger = plain[2:6]
    constraint = Constraint(f"root ::= {json.dumps(trigger)} [b-a]", trigger=trigger)
    run = desk.run(Request(prompt=LONG, max_tokens=20, constraint=constraint))
    assert isinstance(run.end, ConstraintError)


BAD_GRAMMARS = {
    "undefined rule": "root ::= nothing",
    "no root": 'start ::= "a"',
    "left recursion": 'root ::= root "a" | "b"',
    "empty": "  ",
    "open class": "root ::= [a-",
    "open text": 'root ::= "a',
    "backwards repetition": 'root ::= "a"{3,1}',
    "too much repetition": 'root ::= "a"{1000000}',
    "nul": 'root ::= "a\0"',
    "nesting": "root ::= " + "(" * 5000 + '"a"' + ")" * 5000,
    "unknown token": "root ::= <nothing>",
}


@pytest.mark.parametrize("grammar", BAD_GRAMMARS.values(), ids=BAD_GRAMMARS)
@pytest.mark.parametrize("trigger", [None, "a"])
def test_a_bad_grammar_is_an_error_and_no_more(desk, grammar, trigger):
    run = desk.run(Request(prompt=QUESTION, constraint=Constraint(grammar, trigger=trigger)))
    assert isinstance(run.end, ConstraintError)
    assert "grammar" in str(run.end)
    assert desk.run(Request(prompt=QUESTION, max_tokens=2)).end.reason == "length"


def test_a_grammar_that_leads_nowhere_is_an_error_and_no_more(desk):
    run = desk.run(Request(prompt=QUESTION, constraint=Constraint('root ::= "a" [b-a]')))
    assert isinstance(run.end, ConstraintError)
    assert str(run.end) == "the grammar allows no token after what was generated"
    assert desk.run(Request(prompt=QUESTION, max_tokens=2)).end.reason == "length"


def test_a_grammar_that_cannot_begin_with_its_trigger_is_an_error(desk):
    constraint = Constraint('root ::= "a"', trigger="<tool_call>")
    run = desk.run(Request(prompt=QUESTION, constraint=constraint))
    assert str(run.end) == "the grammar does not begin with its trigger '<tool_call>'"


def test_control_tokens_never_come_from_a_grammar(desk):
    constraint = Constraint("root ::= [<>|a-z_]{30,40}")
    sampling = Sampling(temperature=2.0, seed=3)
    run = desk.run(
        Request(prompt=QUESTION, max_tokens=60, constraint=constraint, sampling=sampling)
    )
    assert not set(run.tokens) & set(desk.model.steering)
