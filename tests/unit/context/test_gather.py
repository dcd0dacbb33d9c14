"""What goes into prompts: within the budget, in a stable order, and nothing lost in silence."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot

from quillon.context.counts import TokenCounts, pieces
from quillon.context.document import snapshot_of
from quillon.context.gather import Gatherer, InlineBudget
from quillon.context.material import LeftOut
from quillon.context.neighbours import Neighbour, is_private, jaccard, names_in, relative_path
from quillon.context.recent import Visit
from quillon.context.window import STEP, window_at
from quillon.engine.script import count_tokens
from quillon.engine.scripted import ScriptedEngine
from quillon.session import Session
from quillon.text import LineIndex, Span
from quillon_testing.markers import marked_block

ROOT = Path("/w/shop")


class Counting:
    """Passes on to the scripted engine, and keeps what was asked."""

    def __init__(self):
        self.engine = ScriptedEngine()
        self.asked = []

    async def count(self, texts):
        self.asked.append(list(texts))
        return await self.engine.count(texts)


def document(name, text, language="python"):
    return snapshot_of(f"file:///w/shop/{name}", text, language_id=language, path=ROOT / name)


LONG_CLASS = (
    "import os\nfrom a import b\n\n\n@final\nclass Cart(Base):\n    size = 1\n\n"
    + "".join(f"    def method_{n}(self):\n        return self.compute({n})\n\n" for n in range(60))
)


async def prefix_at(here, offset, counts, budget):
    return (await window_at(here, offset, counts, budget, 0))[0]


async def suffix_at(here, offset, counts, budget):
    return (await window_at(here, offset, counts, 0, budget))[1]


async def test_a_small_file_is_taken_whole():
    place = marked_block("import os\n\ndef f():\n    ▮\n\nx = 1\n")
    found = await Gatherer(ScriptedEngine()).inline(
        document("a.py", place.text), place.cursor, InlineBudget(100, 100, 0), roots=[ROOT]
    )
    assert (found.prefix, found.suffix) == (place.prefix, place.suffix)
    assert (found.path, found.repository, found.files) == ("a.py", "shop", ())
    names = count_tokens("a.py") + count_tokens("shop")
    assert found.tokens == count_tokens(found.prefix) + count_tokens(found.suffix) + names


async def test_what_is_cut_off_leaves_imports_and_headers():
    text = (
        LONG_CLASS
        + "    def total(\n        self,\n    ):\n"
        + "        x += 1\n" * 40
        + "        "
    )
    found = await prefix_at(document("a.py", text), len(text), TokenCounts(ScriptedEngine()), 100)
    assert found.text.split("        x += 1\n")[0] == snapshot(
        """\
import os
from a import b
# ...
class Cart(Base):
# ...
    def total(
        self,
    ):
# ...
"""
    )
    assert found.tokens == count_tokens(found.text) <= 100
    assert found.text.endswith("        x += 1\n" * 8 + "        ")


async def test_the_start_of_a_cut_prefix_stays_while_lines_are_typed():
    counts = TokenCounts(ScriptedEngine())
    starts = []
    for lines in range(60):
        text = LONG_CLASS + "    y = f(x)\n" * lines
        found = await prefix_at(document("a.py", text), len(text), counts, 300)
        starts.append(found.span.start)
    assert len(set(starts)) <= 60 // STEP + 2
    assert starts == sorted(starts)


async def test_a_suffix_ends_with_a_line_and_stays_while_one_types():
    counts = TokenCounts(ScriptedEngine())
    after = "\n" + "line = 1\n" * 50
    ends = set()
    for typed in ("", "r", "re", "return 1"):
        text = f"def f():\n    {typed}{after}"
        found = await suffix_at(document("a.py", text), len(text) - len(after), counts, 20)
        ends.add(found.text)
    (only,) = ends
    assert only == "\n" + "line = 1\n" * 6


@given(
    st.text("ab é😀\ud800\n\t(", max_size=300),
    st.integers(0, 300),
    st.integers(0, 40),
    st.integers(0, 30),
)
async def test_budgets_are_never_exceeded(text, offset, before, after):
    here, offset = document("a.py", text * 3), min(offset, len(text) * 3)
    counts = TokenCounts(ScriptedEngine())
    prefix = await prefix_at(here, offset, counts, before)
    suffix = await suffix_at(here, offset, counts, after)
    assert prefix.tokens == count_tokens(prefix.text) <= before
    assert suffix.tokens == count_tokens(suffix.text) <= after
    assert (
        here.text[:offset]
        .replace("\ud800", "\ufffd")
        .endswith(prefix.text[len(prefix.text) - len(prefix.span) :])
    )
    prefix.text.encode()
    suffix.text.encode()


async def test_a_line_without_end_is_cut_inside():
    text = "x" * 100_000
    counts = TokenCounts(ScriptedEngine())
    prefix = await prefix_at(document("a.js", text, "javascript"), 50_000, counts, 200)
    suffix = await suffix_at(document("a.js", text, "javascript"), 50_000, counts, 200)
    assert 100 <= prefix.tokens <= 200
    assert 100 <= suffix.tokens <= 200


async def test_a_keystroke_counts_what_is_new():
    counting = Counting()
    gatherer = Gatherer(counting)
    budget = InlineBudget(200, 50, 0)
    text = LONG_CLASS + "    y = "
    await gatherer.inline(document("a.py", text), len(text), budget)
    counting.asked.clear()
    await gatherer.inline(document("a.py", text + "f"), len(text) + 1, budget)
    assert [len(texts) for texts in counting.asked] == [1, 1]  # the line, and the whole prefix
    assert counting.asked[0] == ["    y = f"]


MODELS = document("models.py", "class Order:\n    def total(self, rate):\n        return rate\n")
OTHER = document("other.py", "alpha = beta\n")
HERE = "from shop.models import Order\n\ndef pay(order: Order, rate):\n    return order.total(▮"


async def gathered(*neighbours, budget=200, gatherer=None, source=HERE):
    place = marked_block(source)
    return await (gatherer or Gatherer(ScriptedEngine())).inline(
        document("pay.py", place.text),
        place.cursor,
        InlineBudget(100, 50, budget),
        neighbours=[Neighbour(one) for one in neighbours],
        roots=[ROOT],
    )


async def test_the_imported_file_comes_nearest():
    found = await gathered(MODELS, OTHER)
    assert [snippet.path for snippet in found.files] == ["other.py", "models.py"]
    assert found.files[1].text == MODELS.text
    assert not found.left_out.sentence()


async def test_what_does_not_fit_is_named():
    found = await gathered(MODELS, OTHER, budget=24)
    assert [snippet.path for snippet in found.files] == ["models.py"]
    assert found.left_out.sentence() == "Left out: other.py, 9 tokens"


async def test_what_was_chosen_stays_in_front_of_what_is_new():
    gatherer = Gatherer(ScriptedEngine())
    first = await gathered(OTHER, gatherer=gatherer)
    then = await gathered(MODELS, OTHER, gatherer=gatherer)
    again = await gathered(MODELS, OTHER, gatherer=gatherer, source=HERE.replace("▮", "r▮"))
    assert [snippet.path for snippet in first.files] == ["other.py"]
    assert [snippet.path for snippet in then.files] == ["other.py", "models.py"]
    assert again.files == then.files


@pytest.mark.parametrize("name", [".env", "config/secrets.json", "id_rsa"])
async def test_files_that_may_hold_secrets_are_in_no_prompt(name):
    secret = document(name, "rate = total = Order = 1\n")
    assert is_private(secret.path)
    assert (await gathered(secret)).files == ()


async def test_a_long_file_gives_its_best_part():
    text = "".join(f"unrelated_{n} = {n}\n" for n in range(200))
    text += "def total(order, rate):\n    return order\n"
    found = await gathered(document("long.py", text))
    (snippet,) = found.files
    assert "def total" in snippet.text
    assert snippet.text.count("\n") <= 32


async def test_odd_neighbours_do_no_harm():
    odd = [
        document("empty.py", ""),
        document("binary.py", "\0\ud800\n" * 50),
        document("pay.py", "the file itself"),
        snapshot_of("untitled:x", "rate = 1"),
        document("huge.py", "rate total order pay\n" * 20_000),
    ]
    found = await gathered(*odd)
    assert {snippet.path for snippet in found.files} <= {"binary.py"}
    for snippet in found.files:
        snippet.text.encode()


def test_a_session_knows_the_neighbours():
    session = Session(roots=[ROOT])
    session.open("file:///w/shop/a.py", "python", 1, "a")
    session.open("file:///w/shop/b.py", "python", 1, "b")
    (found,) = session.neighbours(session.snapshot("file:///w/shop/a.py"))
    assert found.snapshot.text == "b"
    assert isinstance(found.visit, Visit)


@pytest.mark.parametrize(
    ("context", "expected"),
    [
        (8192, InlineBudget(1024, 384, 1024)),
        (1600, InlineBudget(1024, 384, 80)),
        (512, InlineBudget(290, 109, 1)),
        (0, InlineBudget(0, 0, 0)),
    ],
)
def test_budgets_within_a_context(context, expected):
    assert InlineBudget.within(context, 96, 1024, 384) == expected


async def test_no_room_gives_an_empty_context():
    found = await Gatherer(ScriptedEngine()).inline(
        document("a.py", "x = 1"), 5, InlineBudget(0, 0, 0)
    )
    assert (found.prefix, found.suffix) == ("", "")


def test_paths_are_relative_to_the_innermost_root():
    roots = [Path("/w"), ROOT]
    assert relative_path(Path("/w/shop/a/b.py"), roots) == "a/b.py"
    assert relative_path(Path("/w/x.py"), roots) == "x.py"
    assert relative_path(Path("/etc/passwd"), roots) == "passwd"
    assert relative_path(None, roots) is None


def test_names_and_their_overlap():
    assert names_in("def total(self, x): ordered") == {"def", "total", "self", "ordered"}
    assert jaccard(frozenset("ab"), frozenset("bc")) == pytest.approx(1 / 3)
    assert jaccard(frozenset(), frozenset("a")) == 0


def test_pieces_cover_a_span_without_gaps():
    lines = LineIndex("ab\n" + "x" * 1000 + "\ncd")
    found = pieces(lines, Span(1, len(lines.text)))
    assert "".join(piece.cut(lines.text) for piece in found) == lines.text[1:]
    assert max(len(piece) for piece in found) <= 400
    assert pieces(lines, Span(3, 3)) == []


# Material for actions and chat


def shown(material):
    return [f"{part.label} {part.text.splitlines()[0].strip()}" for part in material.parts]


async def test_a_function_comes_with_imports_headers_and_surroundings():
    place = marked_block(LONG_CLASS.replace("    def method_40", "    «def method_40", 1) + "»")
    target = Span(place.selection.start, place.selection.start + 60)
    found = await Gatherer(ScriptedEngine()).about(
        document("cart.py", place.text), target, 150, roots=[ROOT]
    )
    assert shown(found) == snapshot(
        [
            "cart.py:6-6 class Cart(Base):",
            "cart.py:120-140 def method_37(self):",
        ]
    )
    assert found.tokens <= 150
    assert not found.left_out.sentence()


async def test_a_target_that_is_too_long_loses_its_middle_and_says_so():
    text = "def f():\n" + "".join(f"    x{n} = compute({n})\n" for n in range(100))
    found = await Gatherer(ScriptedEngine()).about(document("f.py", text), Span(0, len(text)), 200)
    assert [part.label for part in found.parts] == snapshot(["f.py:1-23", "f.py:93-101"])
    assert found.left_out.sentence() == snapshot("Left out: lines 24-92 of f.py, 414 tokens")
    assert found.tokens <= 200


async def test_other_files_come_before_the_file_itself():
    place = marked_block("from shop.models import Order\n\n«def pay(order): ...»\n")
    found = await Gatherer(ScriptedEngine()).about(
        document("pay.py", place.text),
        place.selection,
        200,
        neighbours=[Neighbour(MODELS)],
        roots=[ROOT],
    )
    assert [part.label for part in found.parts] == ["models.py:1-3", "pay.py:1-4"]


async def test_attachments_share_the_room():
    small, large = LineIndex("a = 1\n"), LineIndex("value = compute(1)\n" * 200)
    found = await Gatherer(ScriptedEngine()).attached(
        [
            ("large.py", large, Span(0, len(large.text))),
            ("small.py", small, Span(0, 6)),
            ("part.py", large, Span(0, 18)),
        ],
        200,
    )
    assert [part.label for part in found.parts] == snapshot(
        ["large.py:1-18", "large.py:194-200", "small.py:1-1", "part.py:1-1"]
    )
    assert found.tokens <= 200
    assert found.left_out.sentence() == snapshot("Left out: lines 19-193 of large.py, 875 tokens")


async def test_an_attachment_without_room_is_left_out_by_name():
    large = LineIndex("value = compute(1)\n" * 200)
    found = await Gatherer(ScriptedEngine()).attached([("a.py", large, Span(0, 3000))], 10)
    assert found.parts == ()
    assert found.left_out.files == ("a.py",)


def test_what_is_left_out_in_words():
    assert LeftOut().sentence() == ""
    assert LeftOut(files=("a", "b", "c"), tokens=812).sentence() == "Left out: 3 files, 812 tokens"
    both = LeftOut(files=("a",), tokens=1).with_more(LeftOut(lines=("lines 1-2 of b",), tokens=2))
    assert both.sentence() == "Left out: lines 1-2 of b and a, 3 tokens"
