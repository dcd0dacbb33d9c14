"""What is attached to a question: as it is where it fits, else cut by tokens and named."""

import pytest
from inline_snapshot import snapshot

from quillon.assist.attachments import Attachment, Source, fitted, question
from quillon.assist.authorship import answerer, author
from quillon.assist.chat import NoticeEvent, Turn
from quillon.assist.conversations import new_conversation
from quillon.engine.script import Script, Step
from quillon.engine.scripted import ScriptedEngine
from quillon.settings import ChatSettings
from quillon.text import LineIndex, Span

LINES = LineIndex("".join(f"value_{number} = compute({number})\n" for number in range(300)))


def attached(name: str, start: int, end: int) -> Attachment:
    span = Span(LINES.line_start(start), LINES.line_start(end))
    return Attachment(f"{name}:{start + 1}-{end}", span.cut(LINES.text), Source(name, LINES, span))


class NoTools:
    """A turn without tools."""

    exhausted = True

    def definitions(self, detail="full"):
        return []

    async def execute(self, call, *, on_run=None):
        raise AssertionError(call)


async def notices(engine: ScriptedEngine, conversation, attachments=()):
    turn = Turn(engine, NoTools(), ChatSettings(max_tokens=300), conversation)
    events = [event async for event in turn.run("what is this?", attachments)]
    return turn.conversation, [one.text for one in events if isinstance(one, NoticeEvent)]


async def test_what_fits_stays_as_it_is() -> None:
    inside = Span(LINES.line_start(1) + 3, LINES.line_start(2) - 4)  # a part of a line
    given = [
        attached("b.py", 10, 20),
        Attachment("a.py:2-2", inside.cut(LINES.text), Source("a.py", LINES, inside)),
        Attachment("a.py:2-2", "ue", Source("a.py", LINES, Span(inside.start, inside.start + 2))),
        Attachment("notes", "a text without a file"),
    ]
    assert await fitted(ScriptedEngine(), given, 1000) == (given, "")


async def test_what_does_not_fit_is_cut_in_its_middle_and_named() -> None:
    given = [attached("large.py", 100, 300), attached("small.py", 0, 1)]
    found, sentence = await fitted(ScriptedEngine(), given, 300)
    assert [one.label for one in found] == snapshot(
        ["large.py:101-124", "large.py:290-300", "small.py:1-1"]
    )
    assert found[-1] == given[1]
    assert sentence == snapshot("Left out: lines 125-289 of large.py, 1155 tokens")


async def test_what_has_no_room_at_all_is_left_out_by_name() -> None:
    found, sentence = await fitted(ScriptedEngine(), [attached("large.py", 0, 300)], 0)
    assert found == []
    assert sentence == snapshot("Left out: large.py, 1836 tokens")


@pytest.mark.parametrize("text", ["", "\n", "x", "x\n", "\ud800"])
async def test_short_and_odd_texts(text: str) -> None:
    given = [Attachment("a", text, Source("a", LineIndex(text), Span(0, len(text))))]
    assert await fitted(ScriptedEngine(), given, 100) == (given, "")


async def test_a_turn_says_what_it_left_out_and_keeps_within_the_context() -> None:
    engine = ScriptedEngine(Script(steps=(Step(reply="So."),), context=1000))
    _, told = await notices(engine, new_conversation(), [attached("large.py", 0, 300)])
    assert told == snapshot(["Left out: lines 73-274 of large.py, 1386 tokens"])
    (call,) = engine.calls
    assert "value_0 = compute(0)" in call.prompt
    assert "value_299 = compute(299)" in call.prompt
    assert "value_150 = " not in call.prompt


async def test_a_small_model_gets_its_attachment_as_it_always_did() -> None:
    engine = ScriptedEngine(Script(steps=(Step(reply="So."),), embedded=True))
    given = [attached("a.py", 0, 3)]
    await notices(engine, new_conversation(), given)
    assert f"{question('what is this?', given)}<|im_end|>" in engine.calls[0].prompt


# Who answers


async def test_a_small_model_is_named_once_in_a_conversation() -> None:
    engine = ScriptedEngine(
        Script(
            steps=(Step(reply="So.", times=0),), embedded=True, model="tiny", parameters=11475264
        )
    )
    conversation, told = await notices(engine, new_conversation())
    (named,) = told
    assert named == (
        "Answers come from tiny (a very small model, 11 million parameters): expect mistakes. "
        "A larger one, such as Qwen3-4B-Instruct-2507, answers better; choose it with the setting "
        "quillon.model.path."
    )
    assert (await notices(engine, conversation))[1] == []
    assert (await notices(engine, new_conversation()))[1] == told
    assert answerer(engine.state(), chinese=True) == (
        "回答来自 tiny（非常小的模型，1148 万参数），可能有错。"
        "较大的模型（例如 Qwen3-4B-Instruct-2507）回答得更好，可用设置 quillon.model.path 选择。"
    )
    assert author(engine.state(), chinese=True).startswith("本说明来自 tiny（")


@pytest.mark.parametrize(
    ("parameters", "is_named"), [(0, False), (600_000_000, True), (8_000_000_000, False)]
)
async def test_only_small_models_are_named(parameters: int, *, is_named: bool) -> None:
    engine = ScriptedEngine(Script(steps=(Step(reply="So."),), parameters=parameters))
    _, told = await notices(engine, new_conversation())
    assert bool(told) is is_named
