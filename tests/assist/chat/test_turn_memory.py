"""What a turn holds calls to, and what it remembers of them."""

import pytest

from quillon.assist.chat import NoticeEvent, Turn, TurnResult
from quillon.assist.conversations import Conversation
from quillon.engine.scripted import Script, ScriptedEngine, Step
from quillon.prompt.messages import Message
from quillon.settings import ChatSettings
from quillon_tools.policy import Decision, Policy
from quillon_tools.registry import all_tools
from quillon_tools.toolset import Toolset
from quillon_tools.workspace import Workspace

CALL = '<tool_call>\n{{"name": "{name}", "arguments": {arguments}}}\n</tool_call>'


class Room:
    """One turn in a folder, in a conversation that has begun."""

    def __init__(self, folder, steps, messages=(), context=32768) -> None:
        self.engine = ScriptedEngine(Script(steps=tuple(steps), context=context))
        tools = Toolset(Workspace([folder]), all_tools(), policy=Policy(self.approve))
        conversation = Conversation("c" * 32, "", "", tuple(messages))
        settings = ChatSettings(tool_arguments="span", max_tokens=64)
        self.turn = Turn(self.engine, tools.turn(), settings, conversation)

    async def approve(self, _request) -> Decision:
        return Decision("deny")

    async def ask(self, text) -> list:
        return [event async for event in self.turn.run(text)]


@pytest.mark.parametrize(("words", "remembered"), [(10, True), (60_000, False)])
async def test_calls_are_held_to_the_messages_that_the_model_is_given(tmp_path, words, remembered):
    before = [
        Message(role="user", content="where is zebra_crossing.py?"),
        Message(role="assistant", content="word " * words),
    ]
    room = Room(tmp_path, [Step(reply="Here.")], before)
    await room.ask("and giraffe_house.py?")
    (asked,) = room.engine.calls
    grammar = asked.request.constraint.grammar
    assert ("zebra_crossing" in asked.prompt) is remembered
    assert ("zebra_crossing" in grammar) is remembered
    assert "giraffe_house" in grammar


async def test_what_is_left_out_is_told_once_in_a_turn(tmp_path):
    (tmp_path / "a.py").write_text("x = 1\n")
    before = [
        Message(role="user", content="hello"),
        Message(role="assistant", content="word " * 60_000),
    ]
    read = Step(reply=CALL.format(name="read_file", arguments='{"path": "a.py"}'))
    events = await Room(tmp_path, [read, Step(reply="Read.")], before).ask("read a.py")
    told = [event.text for event in events if isinstance(event, NoticeEvent)]
    assert len(told) == 1
    assert told[0].startswith("1 earlier turn left out: ")


async def test_results_say_how_their_calls_ended(tmp_path):
    (tmp_path / "a.py").write_text("x = 1\n")
    steps = [
        Step(reply=CALL.format(name=name, arguments=arguments))
        for name, arguments in (
            ("read_file", '{"path": "a.py"}'),
            ("read_file", '{"path": "b.py"}'),
            ("read_file", '{"path": 7}'),
            ("run_command", '{"arguments": ["true"]}'),
        )
    ]
    room = Room(tmp_path, [*steps, Step(reply="So.")])
    await room.ask("go")
    messages = room.turn.conversation.messages
    ended = [message.outcome for message in messages if message.role == "tool"]
    assert ended == ["ok", "retry", "retry", "denied"]


async def test_a_turn_that_is_stopped_has_a_result(tmp_path):
    room = Room(tmp_path, [Step(reply="one two", chunk=4)])
    events = room.turn.run("count")
    async for event in events:
        if getattr(event, "text", "") == "one ":
            break
    await events.aclose()
    result = room.turn.cancelled()
    assert isinstance(result, TurnResult)
    assert (result.reason, result.text) == ("cancelled", "one")
    assert [m.content for m in result.conversation.messages] == ["count", "one"]
