"""What the model is asked: the code, what is around it as far as it fits, and what is left out."""

from pathlib import Path

import pytest
from inline_snapshot import snapshot

from quillon.assist.actions import ActionKind, Offer
from quillon.assist.actions_prompt import Wording, ask
from quillon.context.document import snapshot_of
from quillon.context.neighbours import Neighbour
from quillon.engine.script import Script, prompt_text
from quillon.engine.scripted import ScriptedEngine
from quillon_testing.markers import marked_block

ROOT = Path("/w")
PAY = """
    from shop.models import Order

    LIMIT = 3

    def pay(order):
        «return order.total()»
    """
MODELS = "class Order:\n    def total(self):\n        return 1\n"


async def asked(source: str, *, others: dict[str, str] | None = None, **model):
    """The user's part of the prompt, and the sentence on what is left out."""
    place = marked_block(source)
    document = snapshot_of("file:///w/pay.py", place.text, path=ROOT / "pay.py")
    neighbours = [
        Neighbour(snapshot_of(f"file:///w/{name}", text, path=ROOT / name))
        for name, text in (others or {}).items()
    ]
    offer = Offer(ActionKind.EXPLAIN, "", place.selection)
    engine = ScriptedEngine(Script(**model))
    found = await ask(
        engine, document, offer, Wording(), "pay.py", neighbours=neighbours, roots=(ROOT,)
    )
    counts = await engine.count([segment.text for segment in found.prompt])
    assert sum(counts) + found.max_tokens <= model.get("context", 4096)
    text = prompt_text(found.prompt).split("<|im_start|>user\n")[1].split("<|im_end|>")[0]
    return text, found.left_out


async def test_parts_of_other_files_stand_before_the_file() -> None:
    text, left_out = await asked(PAY, others={"shop/models.py": MODELS})
    assert text == snapshot("""\
explain this code
```python
return order.total()
```

From shop/models.py:
```
class Order:
    def total(self):
        return 1
```

It is part of pay.py:
```python
from shop.models import Order

LIMIT = 3

def pay(order):
    return order.total()
```\
""")
    assert left_out == ""


@pytest.mark.parametrize(
    "model", [{"embedded": True}, {"parameters": 11_000_000}, {"embedded": True, "context": 1024}]
)
async def test_a_small_model_gets_the_code_and_nothing_else(model) -> None:
    text, left_out = await asked(PAY, others={"shop/models.py": MODELS}, **model)
    assert text == "explain this code\n```python\nreturn order.total()\n```"
    assert left_out == ""


async def test_what_does_not_fit_is_named_with_its_tokens() -> None:
    many = "\n".join(f"value_{number} = {number}" for number in range(100))
    source = f"import os\n\n{many}\n\ndef f():\n    «return os»\n\n{many}\n"
    text, left_out = await asked(source, context=1100)
    assert "import os\n" in text
    assert "\n...\n" in text
    assert left_out == snapshot(
        "Left out: lines 2-46 of pay.py and lines 164-207 of pay.py, 301 tokens"
    )


async def test_code_with_no_room_for_more_comes_alone() -> None:
    many = "\n".join(f"    value_{number} = {number}" for number in range(60))
    text, left_out = await asked(f"import os\n\n«def f():\n{many}»\n", context=1100)
    assert "It is part of" not in text
    assert left_out == snapshot("Left out: lines 1-2 of pay.py, 3 tokens")


async def test_a_file_that_is_all_code_comes_once() -> None:
    text, left_out = await asked("«x = 1»\n", others={"shop/models.py": MODELS})
    assert (text, left_out) == ("explain this code\n```python\nx = 1\n```", "")
