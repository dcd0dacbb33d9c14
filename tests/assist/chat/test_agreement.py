"""Several answers vote on a call that changes or runs something."""

import json

import pytest

from quillon.assist.chat import CallEvent, NoticeEvent, ResultEvent, Turn, TurnResult
from quillon.assist.conversations import new_conversation
from quillon.assist.toolbox import make_toolset, make_workspace
from quillon.engine.script import count_tokens
from quillon.engine.scripted import ScriptedEngine, Step
from quillon.folders import audit_directory
from quillon.session import Session
from quillon.settings import parse_settings
from quillon_tools.audit import AuditLog
from quillon_tools.policy import Decision


def call(name, **arguments):
    payload = json.dumps({"name": name, "arguments": arguments})
    return f"<tool_call>\n{payload}\n</tool_call>"


ONE, OTHER = call("run_tests", target="test_one.py"), call("run_tests", target="test_two.py")
READ = call("read_file", path="test_one.py")


@pytest.fixture
def folder(tmp_path, tmp_path_factory, monkeypatch):
    monkeypatch.setenv("QUILLON_STATE_DIR", str(tmp_path_factory.mktemp("state")))
    for name in ("one", "two"):
        (tmp_path / f"test_{name}.py").write_text("def test_it():\n    assert True\n")
    (tmp_path / "conftest.py").write_text("")
    return tmp_path


class Chat:
    """Turns of a scripted model in a folder; `asked` holds what the user had to approve."""

    def __init__(self, folder, *replies, answers=3, decision="deny"):
        self.engine = ScriptedEngine([Step(reply=reply) for reply in replies])
        self.settings = parse_settings({"tools": {"agreement": answers}})[0]
        self.session = Session(self.settings, roots=(folder,))
        self.conversation = new_conversation()
        self.decision = decision
        self.asked = []
        self.tools = None

    async def approve(self, request):
        self.asked.append(request)
        return Decision(self.decision)

    async def ask(self, text):
        info = await self.engine.info()
        if self.tools is None:
            self.tools = await make_toolset(
                self.session,
                self.approve,
                info,
                make_workspace(self.session),
                self.conversation.id,
            )
        turn = Turn(self.engine, self.tools.turn(), self.settings.chat, self.conversation)
        events = [event async for event in turn.run(text)]
        self.conversation = turn.conversation
        return events


def results(events):
    return [event.result for event in events if isinstance(event, ResultEvent)]


def notices(events):
    return [event.text for event in events if isinstance(event, NoticeEvent)]


async def test_a_call_that_most_answers_make_is_made(folder):
    chat = Chat(folder, ONE, f"Of course.\n{ONE}", "It was not to be.")
    events = await chat.ask("run the first test")
    # Two of three agree: the third need not be asked.
    assert len(chat.engine.calls) == 3
    assert [request.arguments["target"] for request in chat.asked] == ["test_one.py"]
    assert "not sure" not in chat.asked[0].reason
    assert notices(events) == []


async def test_the_answers_share_one_prompt_and_are_drawn_differently(folder):
    chat = Chat(folder, ONE, OTHER, ONE, "Done.")
    await chat.ask("run the first test")
    first, *further = chat.engine.requests[:3]
    assert {request.prompt for request in further} == {first.prompt}
    assert {request.cache_key for request in further} == {first.cache_key}
    assert {request.constraint for request in further} == {first.constraint}
    assert len({request.sampling.seed for request in further}) == len(further)
    assert all(request.sampling.temperature > 0 for request in further)
    assert all(request.max_tokens < first.max_tokens for request in further)


async def test_an_answer_is_read_only_until_it_has_voted(folder):
    chat = Chat(folder, ONE, ONE + "\nAnd then " + "much more text. " * 50, "Done.")
    await chat.ask("run the first test")
    further = chat.engine.calls[1]
    assert further.outcome == "cancelled"
    assert len(further.text) < 200


async def test_equal_arguments_are_equal_however_they_are_written(folder):
    reordered = ONE.replace('{"name": "run_tests", ', '{"x": 0, "name": "run_tests", ')
    chat = Chat(folder, ONE, reordered, "Done.")
    await chat.ask("run the first test")
    assert len(chat.asked) == 1


async def test_without_a_majority_the_model_decides_again(folder):
    chat = Chat(folder, ONE, OTHER, "Shall I?", ONE, ONE, "Denied, then.")
    events = await chat.ask("run a test")
    withheld, denied = results(events)
    assert (withheld.outcome, denied.outcome) == ("retry", "denied")
    assert "only 1 of 3 of your answers made this call" in withheld.text
    assert 'run_tests {"target": "test_two.py"} (1); an answer without a call (1)' in withheld.text
    assert withheld.text in chat.engine.calls[3].prompt
    assert len(chat.asked) == 1
    assert any("1 of 3 answers made this call" in text for text in notices(events))


async def test_a_model_that_stays_unsure_leaves_it_to_the_user(folder):
    chat = Chat(folder, ONE, OTHER, "Hm.", ONE, OTHER, "Hm.", "So be it.", decision="once")
    events = await chat.ask("run a test")
    assert [result.outcome for result in results(events)] == ["retry", "ok"]
    (request,) = chat.asked
    assert "The model is not sure: 1 of 3 answers made this call." in request.reason


async def test_a_doubt_is_told_to_a_user_who_allowed_the_call_before(folder):
    sure = (ONE, ONE, "Fine.")
    unsure = (ONE, OTHER, "Hm.", ONE, OTHER, "Hm.", "Fine again.")
    chat = Chat(folder, *sure, *sure, *unsure, decision="session")
    await chat.ask("run a test")
    await chat.ask("run it again")
    assert len(chat.asked) == 1
    await chat.ask("run it once more")
    assert len(chat.asked) == 2
    assert "not sure" in chat.asked[1].reason


async def test_calls_that_read_need_no_vote(folder):
    chat = Chat(folder, READ, "It holds a test.")
    events = await chat.ask("what is in the test?")
    assert [result.ok for result in results(events)] == [True]
    assert len(chat.engine.calls) == 2


async def test_one_answer_decides_where_no_vote_is_wished(folder):
    chat = Chat(folder, ONE, "Denied.", answers=1)
    await chat.ask("run the first test")
    assert len(chat.engine.calls) == 2
    assert len(chat.asked) == 1


async def test_of_two_calls_each_has_its_own_vote(folder):
    chat = Chat(folder, f"{ONE}\n{OTHER}", ONE, ONE, "Fine.", decision="once")
    events = await chat.ask("run the tests")
    assert [result.outcome for result in results(events)] == ["ok", "retry"]
    states = [event.state for event in events if isinstance(event, CallEvent)]
    assert states == ["proposed", "running", "done", "proposed", "failed"]


async def test_half_of_the_answers_are_no_majority(folder):
    chat = Chat(folder, ONE, ONE, OTHER, OTHER, "Well.", answers=4)
    events = await chat.ask("run a test")
    assert [result.outcome for result in results(events)] == ["retry"]


async def test_a_vote_is_over_once_the_rest_cannot_change_it(folder):
    chat = Chat(folder, ONE, OTHER, OTHER, OTHER, "Well.", answers=5)
    events = await chat.ask("run a test")
    assert "only 1 of 4" in results(events)[0].text
    assert len(chat.engine.calls) == 5


async def test_a_withheld_call_is_audited_and_its_cost_counted(folder):
    chat = Chat(folder, ONE, OTHER, "Hm.", "Well.")
    events = await chat.ask("run a test")
    (record,) = AuditLog(audit_directory()).read(chat.conversation.id)
    assert (record.tool, record.decision, record.by, record.outcome) == (
        "run_tests",
        "deny",
        "rule",
        "retry",
    )
    (result,) = [event for event in events if isinstance(event, TurnResult)]
    assert result.usage.prompt_tokens == sum(count_tokens(one.prompt) for one in chat.engine.calls)


async def test_a_call_that_does_not_fit_its_schema_is_mended_not_voted_on(folder):
    chat = Chat(folder, call("run_tests", targt="x"), "Oh.")
    events = await chat.ask("run a test")
    assert "Did you mean target" in results(events)[0].text
    assert len(chat.engine.calls) == 2


async def test_an_answer_that_the_grammar_breaks_off_makes_no_call(folder):
    chat = Chat(folder)
    chat.engine = ScriptedEngine(
        [
            Step(reply=ONE),
            Step(reply=ONE[:10], error="ConstraintError"),
            Step(reply=ONE),
            Step(reply="Done."),
        ]
    )
    await chat.ask("run the first test")
    assert len(chat.asked) == 1
