"""Mistakes that a line can have, by the sign that shows in it."""

import pytest

from quillon.prompt.claims import CLAIMS, asks_for_mistakes, claims_of


@pytest.mark.parametrize(
    ("line", "claims"),
    [
        ("def add(name, guests=[]):", ["mutable default"]),
        ("async def add(name, *, by: dict = {}) -> None:", ["mutable default"]),
        ("def add(name, guests=set()):", ["mutable default"]),
        ("guests: list[str] = [],", ["mutable default"]),
        ("def add(name, guests=[]):  # of the feast", ["mutable default"]),
        ("def add(name, guests=None):", []),
        ("guests = []", []),
        ("except:", ["bare except"]),
        ("except OSError:", []),
        ("if user == None:", ["comparison with None"]),
        ("return None != user", ["comparison with None"]),
        ("if user is None:", []),
        ("if user.name == name:", []),
        ("if kind is 'day':", ["identity of a literal"]),
        ('if kind is not b"day" and kind:', ["identity of a literal"]),
        ("if len(v) is 3:", ["identity of a literal"]),
        ("if kind is other:", []),
        ("if not to_parse:", []),
        ("for i in range(len(rows) - 1):", ["off by one"]),
        ("return [rows[i] for i in range(len(rows) - 1)]", ["off by one"]),
        ("return [(rows[i], rows[i + 1]) for i in range(len(rows) - 1)]", []),
        ("for i in range(len(rows)):", []),
        ("file = open(path)", ["unclosed file"]),
        ("with open(path) as file:", []),
        ("return 'no {name} here'", ["missing f prefix"]),
        ('raise ValueError("of {self.size}")', ["missing f prefix"]),
        ("""raise ValueError(f'no unit "{unit}" here')""", []),
        ("return 'no {name} here'.format(name=name)", []),
        ("return rf'{name}'", []),
        ("return '{{name}}' + '{}'", []),
        ('assert (age >= 0, "negative")', ["assert on a tuple"]),
        ('assert (door.open, "closed")  # said', ["assert on a tuple"]),
        ('assert (age >= 0), "negative"', []),
        ("if type(value) == int:", ["wrong type check"]),
        ("if type(value) in (int, str):", ["wrong type check"]),
        ("if isinstance(value, int):", []),
        ("return type(value)(1)", []),
    ],
)
def test_signs_of_mistakes(line, claims):
    assert [told for told in claims_of(line) if told.isascii()] == claims
    assert len(claims_of(line)) == 2 * len(claims)


@pytest.mark.parametrize(
    ("question", "asked"),
    [
        ("is there a bug in this code?", True),
        ("please review this function", True),
        ("这段代码有什么错误？", True),
        ("这个函数对吗？", True),
        ("我写的这段对不对？有错就指出来", True),
        ("explain this code", False),
        ("write a docstring for this code", False),
        ("explain this error: unclosed file\nWhat is wrong?", False),
        ("解释一下这个报错：有什么问题", False),
    ],
)
def test_whether_mistakes_are_asked_for(question, asked):
    assert asks_for_mistakes(question) is asked


def test_no_claim_begins_another():
    told = [each for claim in CLAIMS for each in (claim.english, claim.chinese)]
    assert not [(a, b) for a in told for b in told if a != b and a.startswith(b)]
