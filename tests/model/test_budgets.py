"""Budgets hold by the embedded model's own tokenizer, which merges across lines and words."""

import inspect
import json
from asyncio import queues
from pathlib import Path

import pytest

from quillon.context.document import snapshot_of
from quillon.context.gather import Gatherer, InlineBudget
from quillon.engine.llama import Model
from quillon.engine.models import EMBEDDED
from quillon.text import Span
from quillon_tools.registry import all_tools, default_tools

SOURCE = inspect.getsource(queues).replace("queue", "队列 é 😀", 20)


class Tokenizer:
    """The model's tokenizer as an engine offers it."""

    def __init__(self, model):
        self.model = model

    async def count(self, texts):
        return [self.model.count(text) for text in texts]


@pytest.fixture(scope="module")
def tokenizer():
    model = Model(EMBEDDED)
    yield Tokenizer(model)
    model.close()


@pytest.mark.parametrize(("before", "after"), [(40, 10), (128, 64), (1024, 384), (9000, 9000)])
async def test_inline_budgets(tokenizer, before, after):
    here = snapshot_of("file:///a.py", SOURCE, language_id="python", path=Path("/a.py"))
    gatherer = Gatherer(tokenizer)
    for offset in range(0, len(SOURCE), 997):
        found = await gatherer.inline(here, offset, InlineBudget(before, after, 0))
        assert tokenizer.model.count(found.prefix) <= before
        assert tokenizer.model.count(found.suffix) <= after
        used = tokenizer.model.count(SOURCE[:offset])
        if used <= before - 8:
            assert found.prefix == SOURCE[:offset]
        elif before >= 1024:  # most of a budget is used, though the start is held in place
            assert found.tokens > before // 2


@pytest.mark.parametrize("budget", [80, 900, 3000])
async def test_material_budgets(tokenizer, budget):
    here = snapshot_of("file:///a.py", SOURCE, language_id="python", path=Path("/a.py"))
    start = SOURCE.index("async def get")
    found = await Gatherer(tokenizer).about(here, Span(start, start + 1500), budget)
    assert sum(tokenizer.model.count(part.text) for part in found.parts) <= found.tokens <= budget
    assert bool(found.left_out.lines) == (budget < 300)


@pytest.mark.parametrize(
    ("tools", "detail", "most"), [(default_tools(), "brief", 400), (all_tools(), "full", 1500)]
)
def test_what_the_definitions_of_all_tools_cost(tokenizer, tools, detail, most):
    # As chat templates write them: one to a line. The vocabulary is a small one, so that a model
    # of Qwen's size needs fewer tokens for the same.
    lines = "".join(f"\n{json.dumps(tool.definition(detail))}" for tool in tools)
    assert tokenizer.model.count(lines) < most
