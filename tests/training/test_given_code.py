"""Dialogues about code that is given: its mistakes, and what checkers say of it."""

import ast
import random
import re
import warnings

import pytest

pytest.importorskip("torch")

from quillon_training.dialogues.bugs import CLEAN, PATTERNS, injected
from quillon_training.dialogues.problems import NAMED, OF_PATTERNS, names_in
from quillon_training.dialogues.talking import mistake, problem

from quillon.assist.actions import ActionKind, Offer
from quillon.assist.actions_prompt import Wording, question
from quillon.assist.attachments import Attachment
from quillon.assist.attachments import question as attached
from quillon.context.diagnostics import Diagnostic
from quillon.prompt.claims import claims_of
from quillon.text import Span


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_a_problem_is_asked_as_the_product_asks(played, language):
    made = [dialogue async for dialogue in played(problem, language)]
    forms = set()
    for dialogue in made:
        asked, said = (message.content for message in dialogue.messages)
        code = re.search(r"```(?:python)?\n(.*)\n```", asked, re.DOTALL)[1]
        message = re.search(r"(?:error: |报错：)(.*)", asked)[1]
        wording = Wording(chinese=language == "zh")
        shown = Diagnostic(Span(0, 1), 0, 0, message)
        offer = Offer(ActionKind.EXPLAIN_PROBLEM, "", Span(0, len(code)), shown)
        if dialogue.tools:
            label = asked.split("\n")[0]
            assert re.fullmatch(r"\S+\.py:\d+-\d+", label)
            assert asked == attached(question(offer, wording), [Attachment(label, code)])
        else:
            assert asked == f"{question(offer, wording)}\n```python\n{code}\n```"
        if quoted := re.match("`(.+)`: ", said):
            assert quoted[1] in code
        forms.add(dialogue.tools)
    assert forms == {True, False}


def test_every_mistake_has_messages_of_checkers():
    assert set(OF_PATTERNS) == {pattern.name for pattern in PATTERNS}
    for found in NAMED:
        assert re.compile(found.subject).groups == 1
        for text in (*found.messages, found.english, found.chinese):
            assert "{x}" in text


FUNCTION = """\
def total(orders, rate=None, name=""):
    if rate is None or name == "free":
        rate = 0
    try:
        with open(name) as file:
            print(f"total of {name}")
    except OSError:
        return None
    for order in orders:
        if isinstance(order, str):
            continue
    return rate
"""


@pytest.mark.parametrize("pattern", PATTERNS, ids=[pattern.name for pattern in PATTERNS])
def test_a_mistake_is_one_line_of_code_that_still_can_be_read(pattern):
    code, line = pattern.inject(FUNCTION, random.Random(1))  # noqa: S311
    with warnings.catch_warnings(action="ignore", category=SyntaxWarning):
        ast.parse(code)
    assert line in [each.strip() for each in code.split("\n")]
    assert line not in [each.strip() for each in FUNCTION.split("\n")]
    # The product lets it be told of this line.
    assert claims_of(line) == (pattern.name, pattern.chinese.split("：")[0])
    assert pattern.english.startswith(f"{pattern.name}: ")
    assert pattern.inject("def nothing():\n    return 1\n", random.Random(1)) is None  # noqa: S311


def test_code_that_could_not_be_read_any_more_is_not_used():
    two = "def copy(a, b):\n    with open(a) as f, open(b) as g:\n        g.write(f.read())\n"
    text = 'def show(a):\n    with open(a) as f:\n        return """\n  x\n""" + f.read()\n'
    files = next(pattern for pattern in PATTERNS if pattern.name == "unclosed file")
    for code in (two, text):
        made = injected(files, code, random.Random(1))  # noqa: S311
        assert made is None or ast.parse(made[0])


def test_problems_are_of_names_that_are_not_pythons():
    code = "def total(rows):\n    count = len(rows.keys)\n    return sum(prices(rows), count)\n"
    found = {name for problem in NAMED for name in names_in(code, problem)}
    assert found == {"rows", "count", "prices", "keys"}


async def test_mistakes_are_named_and_innocent_code_is_not_accused(played):
    said = {dialogue.messages[-1].content async for dialogue in played(mistake)}
    assert CLEAN[0] in said
    named = {pattern.name for pattern in PATTERNS if any(pattern.english in one for one in said)}
    # What the package's functions have a place for.
    assert named == {
        "mutable default",
        "unclosed file",
        "comparison with None",
        "assert on a tuple",
    }
