"""What a conversation leaves out to fit; tokens are those of the scripted engine."""

import pytest

from quillon.assist.fitting import fit_messages
from quillon.engine.base import PromptTooLong
from quillon.engine.scripted import ScriptedEngine
from quillon.prompt.messages import Message
from quillon.prompt.template import ChatTemplate

SYSTEM = Message(role="system", content="You help.")


class CountingEngine(ScriptedEngine):
    """The scripted engine, which also knows how often it was asked to count."""

    asked = 0

    async def count(self, texts):
        self.asked += 1
        return await super().count(texts)


async def fit(engine, messages, budget):
    template = ChatTemplate.from_info(await engine.info())
    return await fit_messages(engine, template, messages, (), budget)


def conversation(turns):
    messages = [SYSTEM]
    for number in range(turns):
        messages.append(Message(role="user", content=f"question {number} " + "word " * 20))
        messages.append(Message(role="assistant", content=f"answer {number} " + "word " * 20))
    return [*messages, Message(role="user", content="the last question")]


def text_of(fitted):
    return "".join(segment.text for segment in fitted.prompt)


@pytest.mark.parametrize("turns", [0, 1, 2, 3, 7, 8])
async def test_as_few_turns_as_possible_are_left_out(turns):
    engine = ScriptedEngine([])
    messages = conversation(turns)
    whole = (await fit(engine, messages, 1_000_000)).tokens
    for gone in range(turns + 1):
        kept = [SYSTEM, *messages[1 + 2 * gone :]]
        size = (await fit(engine, kept, 1_000_000)).tokens
        for budget in (size, size + 1):
            fitted = await fit(engine, messages, budget)
            assert fitted.tokens == size
            assert "the last question" in text_of(fitted)
            assert fitted.left_out.startswith(f"{gone} earlier turn" if gone else "")
            assert f"{whole - size} tokens" in fitted.left_out or not gone


async def test_a_very_long_conversation_is_counted_a_few_times():
    engine = CountingEngine([])
    fitted = await fit(engine, conversation(300), 500)
    assert "earlier turns left out" in fitted.left_out
    assert engine.asked < 15


async def test_a_last_question_that_does_not_fit_is_refused():
    with pytest.raises(PromptTooLong, match="Ask a shorter question"):
        await fit(ScriptedEngine([]), conversation(3), 10)
