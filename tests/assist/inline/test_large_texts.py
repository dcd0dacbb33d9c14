"""In a large text the decisions wait for the tree of the text as it is, parsed in a thread."""

import pytest

from quillon.assist.inline import Suggester
from quillon.assist.inline_place import Query
from quillon.assist.suggestion import Suggestion
from quillon.context.document import Document
from quillon.context.tree import ANEW_BYTES
from quillon.engine.scripted import ScriptedEngine, Step
from quillon.settings import InlineSettings
from quillon.text import Change


@pytest.mark.parametrize(
    "line", ["value = compute(1)\n", "名 = '很长的一行文字，很长的一行文字'\n"]
)
async def test_the_tree_is_settled_before_anything_is_decided(line: str) -> None:
    text = line * (ANEW_BYTES // len(line.encode()) + 100)
    document = Document("file:///w/a.py", None, "python", 1, text)
    assert document.snapshot().settled() is not None
    broken = f"def f(:\n{text}x = "  # the rest is parsed anew, around an error
    document.change(2, [Change(broken)], "utf-16")
    snapshot = document.snapshot()
    assert not snapshot.is_parsed

    engine = ScriptedEngine([Step(reply="f(1)\ny = 2")])
    query = Query(snapshot, len(broken), invoked=True)
    found = await Suggester().suggest(query, engine, InlineSettings())
    assert isinstance(found, Suggestion)
    assert found.text == "f(1)"
    assert snapshot.is_parsed
    tree = snapshot.tree
    assert tree is not None
    assert not tree.provisional
