import random

import pytest
from quillon_training.holes import KINDS, cut_hole

TEXT = """import os


class Basket:
    def __init__(self, items=None):
        self.items = items or []

    def total(self, rate):
        result = 0
        for item in self.items:
            result += item.price * rate(item)
        return result


def load(path):
    with open(os.path.join(path, "basket")) as file:
        return file.read()
"""


def holes(kind):
    rng = random.Random(5)  # noqa: S311
    return [hole for _ in range(300) if (hole := cut_hole(TEXT, rng, kind)) is not None]


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_of_the_text_is_lost(kind):
    found = holes(kind)
    assert len(found) > 50
    for hole in found:
        assert hole.prefix + hole.middle + hole.suffix == TEXT
        assert hole.middle


@pytest.mark.parametrize("kind", ["rest of line", "whole line"])
def test_holes_of_one_line_end_where_the_line_ends(kind):
    for hole in holes(kind):
        assert "\n" not in hole.middle
        assert hole.suffix.startswith("\n")


def test_a_hole_in_brackets_leaves_the_closing_one():
    for hole in holes("brackets"):
        assert "\n" not in hole.middle
        assert hole.suffix[0] in ")]}"


def test_a_block_is_all_that_is_indented_under_its_line():
    bodies = {hole.middle.strip() for hole in holes("block")}
    assert "result += item.price * rate(item)" in bodies


def test_short_texts_have_no_hole():
    assert cut_hole("a = 1\n", random.Random(1)) is None  # noqa: S311
