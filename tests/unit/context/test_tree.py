"""Trees: code points and bytes, and reparsing that equals parsing."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quillon.context.document import snapshot_of
from quillon.context.tree import ANEW_BYTES, parsed, settled
from quillon_testing.markers import marked
from quillon_testing.trees import shape
from quillon_tools.languages import LANGUAGES, language_of

PYTHON = language_of("python")
SOURCE = """\
import os

class A(B):
    '''Doc — with 😀.'''
    def f(self, x=None):
        if x > 1:
            return [i for i in x if i]
        else:
            raise ValueError(f"é {x!r}")

def g(): pass
"""


@given(st.text("aé字😀\ud800\n\0", max_size=40), st.integers(-3, 60))
def test_code_points_and_bytes(text, offset):
    tree = parsed(text * 40, PYTHON)  # long enough for several known offsets
    inside = min(max(0, offset * 37), len(tree.text))
    assert tree.offset_of(tree.byte_of(inside)) == inside
    assert tree.byte_of(len(tree.text)) == len(tree.source)
    assert tree.offset_of(len(tree.source) + 9) == len(tree.text)
    assert tree.byte_of(-1) == 0


def test_a_byte_inside_a_character_belongs_to_it():
    tree = parsed("a😀b", PYTHON)
    assert [tree.offset_of(byte) for byte in range(7)] == [0, 1, 1, 1, 1, 2, 3]


def test_lone_surrogates_are_parsed_as_one_character():
    tree = parsed("x = '\ud83d' + y\n", PYTHON)
    names = [tree.text_of(node) for node in tree.ancestors(10)]
    assert names[0] == "y"
    assert not tree.has_error


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda language: language.id)
def test_reparsing_equals_parsing(language):
    """Random edits, in broken code too; error recovery is where a reused tree can differ."""
    chance = random.Random(language.id)  # noqa: S311 - edits, no secrets
    pieces = [
        *"(){}[]\"'`:;,.=<>/*#\\\n \t",
        "\n    ",
        '"""',
        "/*",
        "*/",
        "//",
        "x",
        "é",
        "😀",
        "\0",
    ]
    text = SOURCE if language.id == "python" else BRACES
    tree = parsed(text, language)
    for _ in range(80):
        start = chance.randrange(len(text) + 1)
        end = min(len(text), start + chance.choice([0, 0, 0, 1, 2, 9]))
        text = text[:start] + chance.choice(pieces) + text[end:]
        if chance.random() < 0.1:
            text = SOURCE if language.id == "python" else BRACES
        tree = parsed(text, language, tree)
        assert shape(tree) == shape(parsed(text, language))
        assert not tree.provisional


BRACES = """\
import { a } from "b";
namespace n { template <class T> class Foo : public Bar { int x = 1; }; }
fn f(&self) -> Option<u8> { match self.y { Some(v) if *v > 1 => Some(*v), _ => None } }
func (t *T) M(x int) (int, error) { if v, ok := t.b["k"]; ok { return 1, nil } }
const f = async (a) => { for (const i of a) { await g(`x ${i}`); } };
public class A<T> { @Override void f(int... a) { switch (x) { case 1 -> y(); } } }
"""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("x = '▮'\ny = 1\n", "é😀"),
        ("x = '▮'\r\ny = 'é'\r\n", "\\n"),
        ("# ▮\ndef f():\n    return '😀'\n", "字\n# 字"),
        ("def f():\n    ▮return 1\n", "é = '😀'\n    "),
    ],
)
def test_nodes_stand_where_a_fresh_parse_puts_them(old, new):
    place = marked(old)
    tree = parsed(place.prefix + new + place.suffix, PYTHON, parsed(place.text, PYTHON))
    assert not tree.has_error
    assert shape(tree) == shape(parsed(tree.text, PYTHON))


def test_a_large_broken_text_is_provisional_until_it_is_settled():
    text = SOURCE * (ANEW_BYTES // len(SOURCE) + 1)
    old = parsed(text, PYTHON)
    assert not old.provisional
    good = parsed(text.replace("A(B)", "AA(B)", 1), PYTHON, old)
    assert not good.provisional
    broken = parsed(text.replace("A(B):", "A(B", 1), PYTHON, good)
    assert broken.provisional
    fresh = settled(broken)
    assert not fresh.provisional
    assert shape(fresh) == shape(parsed(broken.text, PYTHON))
    assert settled(fresh) is fresh


def test_a_snapshot_settles_once():
    snapshot = snapshot_of("untitled:a", "def (", language_id="python")
    assert not snapshot.is_parsed
    assert snapshot.settled() is snapshot.settled() is snapshot.tree
    assert snapshot.is_parsed


def test_an_old_tree_of_another_language_is_of_no_use():
    tree = parsed("x = 1", language_of("javascript"), parsed("x = 1", PYTHON))
    assert tree.root.type == "program"


def test_a_text_that_cannot_be_parsed_has_no_tree(monkeypatch):
    monkeypatch.setattr("quillon_tools.languages.MAX_SOURCE_BYTES", 10)
    assert parsed("x = 1\n" * 10, PYTHON) is None


def test_a_reparse_that_takes_too_long_gives_the_old_tree_moved():
    text = SOURCE * (2 * ANEW_BYTES // len(SOURCE))
    old = parsed(text, PYTHON)
    tree = parsed("# a comment\n" + text, PYTHON, old, patience=0)
    assert tree.provisional
    last = tree.text.rindex("def g()")
    assert tree.text_of(next(n for n in tree.ancestors(last) if n.type != "def")) == "def g(): pass"
    fresh = settled(tree)
    assert not fresh.provisional
    assert shape(fresh) == shape(parsed(tree.text, PYTHON))
    # And the next reparse may start from the moved tree.
    again = parsed("y = 1\n" + tree.text, PYTHON, tree)
    assert shape(again) == shape(parsed("y = 1\n" + tree.text, PYTHON))
