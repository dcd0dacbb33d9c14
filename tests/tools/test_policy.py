import asyncio
from pathlib import Path

import pytest

from quillon_tools.calls import Proposal, ToolCall
from quillon_tools.command import REPORT, Command
from quillon_tools.confinement import Roots
from quillon_tools.policy import ApprovalRequest, ApprovedCall, Decision, Denied, Policy
from quillon_tools.tool import Tool, tool
from quillon_tools.validation import ValidCall, validate


@tool(effect="read")
def look(name: str = "") -> str:
    """Look.

    Args:
        name: What.
    """
    return name


@tool(effect="run")
def start(name: str = "") -> str:
    """Start something.

    Args:
        name: What.
    """
    return name


@tool(effect="edit")
def change(name: str = "") -> str:
    """Change something.

    Args:
        name: What.
    """
    return name


class User:
    def __init__(self, *answers: Decision) -> None:
        self.answers = list(answers)
        self.asked: list[ApprovalRequest] = []

    async def __call__(self, request: ApprovalRequest) -> Decision:
        self.asked.append(request)
        return self.answers.pop(0)


def call_of(a_tool: Tool, **arguments: str) -> ValidCall:
    valid = validate(ToolCall("1", a_tool.name, arguments), a_tool)
    assert isinstance(valid, ValidCall)
    return valid


def command(tmp_path: Path, *argv: str) -> Command:
    folder = Roots([tmp_path]).each()[0]
    return Command(argv=argv, folder=folder, seconds=1, read=lambda finished: finished.output)


@pytest.mark.parametrize(
    ("a_tool", "rule", "trusted", "expected"),
    [
        (look, None, True, "allow"),
        (start, None, True, "ask"),
        (change, None, True, "ask"),
        (look, "ask", True, "ask"),
        (look, "deny", True, "deny"),
        (start, "deny", True, "deny"),
        (start, "allow", True, "ask"),
        (change, "allow", True, "ask"),
        (look, "allow", False, "allow"),
        (look, "ask", False, "ask"),
        (start, "allow", False, "ask"),
        (look, "nonsense", True, "deny"),
    ],
)
def test_settings_tighten_and_do_not_relax(a_tool, rule, trusted, expected):
    rules = {a_tool.name: rule} if rule else {}
    assert Policy(rules=rules, trusted=trusted).rule(a_tool) == expected


def test_what_is_denied_stays_denied():
    policy = Policy(rules={"look": "allow"}, denied=frozenset({"look"}))
    assert policy.rule(look) == "deny"


async def test_reading_is_not_asked_for():
    user = User()
    decided = await Policy(user).decide(call_of(look), "text")
    assert isinstance(decided, ApprovedCall)
    assert (decided.by, user.asked) == ("rule", [])


async def test_the_user_sees_what_will_run(tmp_path):
    user = User(Decision("once"))
    action = command(tmp_path, "/usr/bin/make", "test", "a b")
    decided = await Policy(user).decide(call_of(start, name="x"), action)
    assert isinstance(decided, ApprovedCall)
    assert decided.action is action
    (request,) = user.asked
    assert request.preview == f"/usr/bin/make test 'a b'\nin {tmp_path}"
    assert (request.tool, request.effect, request.arguments) == ("start", "run", {"name": "x"})
    assert request.reason == "Start something."


async def test_the_user_sees_the_diff():
    user = User(Decision("once"))
    proposal = Proposal("Change a.py", (), "--- a/a.py\n")
    await Policy(user).decide(call_of(change), proposal)
    assert user.asked[0].preview == "--- a/a.py\n"


async def test_the_preview_has_the_arguments_that_run_and_the_decision_outlives_them(tmp_path):
    user = User(Decision("session"))
    policy = Policy(user)
    first, second = (command(tmp_path, "/bin/test", f"--xml={REPORT}") for _ in range(2))
    for action in (first, second):
        assert isinstance(await policy.decide(call_of(start), action), ApprovedCall)
    (asked,) = user.asked
    assert asked.preview.split("\n")[0] == " ".join(first.vector)
    assert "report\0" not in asked.preview
    assert first.vector != second.vector


async def test_a_policy_under_other_rules_goes_on_with_what_was_decided():
    user = User(Decision("session"))
    decided: dict[str, Decision] = {}
    for rules in ({}, {"look": "ask"}):
        policy = Policy(user, rules=rules, decided=decided)
        assert isinstance(await policy.decide(call_of(start), "x"), ApprovedCall)
    assert len(user.asked) == 1


async def test_once_is_asked_again_and_session_is_not():
    user = User(Decision("once"), Decision("session"), Decision("once"))
    policy = Policy(user)
    for name in ("x", "x", "x", "x", "y"):
        decided = await policy.decide(call_of(start, name=name), lambda: "")
        assert isinstance(decided, ApprovedCall)
    assert [request.arguments["name"] for request in user.asked] == ["x", "x", "y"]
    assert decided.by == "user"


async def test_a_no_holds_for_the_conversation_and_its_reason_is_told():
    user = User(Decision("deny", "not now"))
    policy = Policy(user)
    for by in ("user", "conversation"):
        decided = await policy.decide(call_of(start), lambda: "")
        assert decided == Denied("the user does not want start to run: not now", by)
    assert len(user.asked) == 1


async def test_approval_is_for_what_runs_and_not_for_the_arguments_alone(tmp_path):
    user = User(Decision("session"), Decision("deny"))
    policy = Policy(user)
    await policy.decide(call_of(start), command(tmp_path, "/bin/true"))
    decided = await policy.decide(call_of(start), command(tmp_path, "/bin/false"))
    assert isinstance(decided, Denied)


async def test_a_program_of_the_workspace_is_asked_for_whatever_the_tool_calls_itself(tmp_path):
    user = User(Decision("deny"))
    inside = command(tmp_path, str(tmp_path / "node_modules/.bin/x"))
    assert isinstance(await Policy(user).decide(call_of(look), inside), Denied)
    outside = command(tmp_path, "/usr/bin/git", "status")
    assert isinstance(await Policy(user).decide(call_of(look), outside), ApprovedCall)


@pytest.mark.parametrize(
    "program",
    ["sudo", "/bin/sh", "/usr/bin/bash", "C:\\x\\cmd.exe", "su", "timeout", "NICE", "setsid"],
)
async def test_shells_and_other_users_are_never_run(tmp_path, program):
    user = User(Decision("session"))
    policy = Policy(user, rules={"start": "allow"})
    decided = await policy.decide(call_of(start), command(tmp_path, program, "-c", "true"))
    assert isinstance(decided, Denied)
    assert user.asked == []


async def test_where_asking_fails_the_answer_is_no():
    async def broken(_request: ApprovalRequest) -> Decision:
        raise ConnectionError("the editor is gone")

    decided = await Policy(broken).decide(call_of(start), lambda: "")
    assert decided == Denied(
        "the user does not want start to run: asking for approval failed", "user"
    )


async def test_without_a_user_nothing_runs():
    decided = await Policy().decide(call_of(start), lambda: "")
    assert isinstance(decided, Denied)
    assert "nobody is there" in decided.message


async def test_cancelling_while_the_user_is_asked():
    waiting = asyncio.Event()

    async def never(_request: ApprovalRequest) -> Decision:
        waiting.set()
        await asyncio.Event().wait()
        raise AssertionError

    task = asyncio.create_task(Policy(never).decide(call_of(start), lambda: ""))
    await waiting.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_only_a_policy_approves():
    with pytest.raises(TypeError, match="only a policy"):
        ApprovedCall(call_of(look), "x", "rule", seal=object())
