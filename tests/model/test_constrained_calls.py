"""Calls of the embedded model under grammars, from the prompt to the parsed call."""

import pytest

from quillon.engine.base import Constraint, Delta, Finished, Request, Sampling
from quillon.prompt.dialects import Dialect
from quillon.prompt.grammar import schema_constraint
from quillon.prompt.messages import Message
from quillon.prompt.pieces import BrokenCallPiece, CallPiece
from quillon.prompt.spans import candidates, span_constraint
from quillon.prompt.template import ChatTemplate
from quillon_testing.generation import Desk, embedded_model
from quillon_tools.registry import default_tools
from quillon_tools.validator import make_validator

DEFINITIONS = [tool.definition("brief") for tool in default_tools()]
SCHEMAS = {d["function"]["name"]: d["function"]["parameters"] for d in DEFINITIONS}
HERMES = Dialect("hermes", tag_tokens=True)
QUESTION = "Where is parse_header defined, and what is in lib/mailer.py from line 30 to 48?"


@pytest.fixture(scope="module")
def model():
    with embedded_model() as loaded:
        yield loaded


@pytest.fixture
def desk(model):
    made = Desk(model)
    yield made
    made.close()


def prompt_of(model):
    messages = [Message("system", "You help."), Message("user", QUESTION)]
    return ChatTemplate(model.template).render(messages, DEFINITIONS)


def pieces_of(run, dialect):
    parser = dialect.parser(DEFINITIONS)
    pieces = [
        piece for event in run.events if isinstance(event, Delta) for piece in parser.feed(event)
    ]
    assert isinstance(run.end, Finished)
    return pieces + parser.finish(run.end.reason)


@pytest.mark.parametrize("kind", ["hermes", "function_xml"])
@pytest.mark.parametrize("seed", range(4))
def test_forced_calls_are_valid_whatever_is_drawn(model, desk, kind, seed):
    dialect = Dialect(kind, tag_tokens=True)
    constraint = span_constraint(DEFINITIONS, dialect, [QUESTION])
    run = desk.run(
        Request(
            prompt=prompt_of(model),
            sampling=Sampling(temperature=2.0, seed=seed),
            max_tokens=900,
            constraint=Constraint(constraint.grammar),
        )
    )
    pieces = pieces_of(run, dialect)
    calls = [piece.call for piece in pieces if isinstance(piece, CallPiece)]
    assert calls
    assert not any(isinstance(piece, BrokenCallPiece) for piece in pieces) or (
        run.end.reason == "length"
    )
    for call in calls:
        assert make_validator(SCHEMAS[call.name]).is_valid(call.arguments)
        texts = [value for value in call.arguments.values() if isinstance(value, str)]
        assert set(texts) <= set(candidates([QUESTION]))


@pytest.mark.parametrize("make", [schema_constraint, span_constraint])
def test_a_sleeping_grammar_wakes_at_the_tag(model, desk, make):
    texts = ([QUESTION],) if make is span_constraint else ()
    constraint = make(DEFINITIONS, HERMES, *texts)
    run = desk.run(Request(prompt=prompt_of(model), max_tokens=200, constraint=constraint))
    calls = [piece.call for piece in pieces_of(run, HERMES) if isinstance(piece, CallPiece)]
    # The embedded model is made for this: such a question it answers by a call.
    assert calls
    assert make_validator(SCHEMAS[calls[0].name]).is_valid(calls[0].arguments)
