"""When calls are the expected ones, by equality and by BFCL's rules."""

import pytest

from quillon.eval.grading import finds_nothing, has_facts, same_calls, same_names
from quillon.eval.matching import calls_match
from quillon_tools.calls import ToolCall


def call(name, **arguments):
    return ToolCall("x", name, arguments)


def test_calls_are_equal_in_any_order():
    one, two = call("a", x=1), call("b", y=[1, {"z": "t"}])
    assert same_calls([one, two], [two, one])
    assert same_calls([], [])
    assert not same_calls([one], [one, one])
    assert not same_calls([one, one], [one])
    assert same_names([one, one], [call("a"), call("a")])
    assert not same_names([one], [one, one])


@pytest.mark.parametrize("other", [{"x": True}, {"x": "1"}, {}, {"x": 1, "y": None}, {"x": 2}])
def test_other_arguments_are_not_equal(other):
    assert not same_calls([call("a", x=1)], [call("a", **other)])
    assert same_calls([call("a", x=1)], [call("a", x=1.0)])


def test_facts_are_found_whatever_the_case_and_the_line_ends():
    assert has_facts("It is in\n  `lib/A.py`, line 3.", ["in `LIB/a.py`", "3"])
    assert not has_facts("It is in lib/a.py.", ["lib/a.py", "3"])
    assert has_facts("anything", [])


@pytest.mark.parametrize(
    "said",
    [
        "I see none of the usual mistakes here.",
        "There is no bug in this function.",
        "The code looks correct to me.",
        "这段代码没有明显的错误。",
        "I don't see any problem.",
    ],
)
def test_an_answer_that_finds_nothing(said):
    assert finds_nothing(said)


@pytest.mark.parametrize("said", ["", "The default is shared.", "`x`: off by one", "循环少了一个"])
def test_an_answer_that_accuses(said):
    assert not finds_nothing(said)


FUNCTIONS = {
    "area": {
        "properties": {
            "base": {"type": "integer"},
            "height": {"type": "float"},
            "unit": {"type": "string"},
            "tags": {"type": "array", "items": {"type": "string"}},
            "place": {"type": "dict"},
        },
        "required": ["base"],
    }
}
ANSWER = {
    "area": {
        "base": [10],
        "height": [2.0, ""],
        "unit": ["Square metres", ""],
        "tags": [["a b"], ""],
        "place": [{"city": ["Bonn", "Köln"], "zip": ["53111", ""]}, ""],
    }
}


@pytest.mark.parametrize(
    "arguments",
    [
        {"base": 10},
        {"base": 10, "height": 2},  # an integer may stand for a float
        {"base": 10, "unit": "square-METRES"},
        {"base": 10, "tags": ["A_B"]},
        {"base": 10, "place": {"city": "köln"}},
    ],
)
def test_what_bfcl_accepts(arguments):
    assert calls_match([call("area", **arguments)], [ANSWER], FUNCTIONS)


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"base": "10"},
        {"base": 10.0},
        {"base": True},
        {"base": 11},
        {"base": 10, "unit": "feet"},
        {"base": 10, "more": 1},
        {"base": 10, "tags": [1]},
        {"base": 10, "place": {"zip": "53111"}},
        {"base": 10, "place": {"city": "Bonn", "land": "D"}},
    ],
)
def test_what_bfcl_refuses(arguments):
    assert not calls_match([call("area", **arguments)], [ANSWER], FUNCTIONS)


def test_bfcl_counts_calls_and_ignores_their_order():
    one, two = {"area": {"base": [1]}}, {"area": {"base": [2]}}
    made = [call("area", base=2), call("area", base=1)]
    assert calls_match(made, [one, two], FUNCTIONS)
    assert not calls_match(made[:1], [one, two], FUNCTIONS)
    assert not calls_match([made[0], made[0]], [one, two], FUNCTIONS)
    assert not calls_match([call("volume", base=1)], [one], FUNCTIONS)
