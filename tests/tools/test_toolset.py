import asyncio
import logging
import threading

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quillon_tools.calls import Failed, Retry, ToolCall, ToolError
from quillon_tools.command import Command
from quillon_tools.masking import MASK, masked
from quillon_tools.policy import Decision, Policy
from quillon_tools.tool import Limits, tool
from quillon_tools.toolset import Toolset, cut
from quillon_tools.workers import Stop
from quillon_tools.workspace import ConfinedPath, Workspace

ran: list[str] = []


@pytest.fixture(autouse=True)
def _nothing_ran():
    ran.clear()


@tool(effect="read")
def echo(text: str, path: ConfinedPath | None = None) -> str:
    """Say it again.

    Args:
        text: What.
        path: Where.
    """
    ran.append(text)
    return f"{text} {path or ''}".strip()


@tool(effect="read")
def raises(kind: str) -> str:
    """Fail in a certain way.

    Args:
        kind: How.
    """
    errors = {
        "retry": Retry("try another"),
        "failed": Failed("gone"),
        "defect": ZeroDivisionError("1/0"),
        "deep": RecursionError("deep"),
        "exit": SystemExit(3),
    }
    raise errors[kind]


@tool(effect="read")
def waits(stop: Stop) -> str:
    """Wait to be stopped."""
    ran.append("started")
    started.set()
    while not stop:
        pause.wait(0.01)
    ran.append("stopped")
    ended.set()
    stop.check()
    return "never"


@tool(effect="run")
def opaque(text: str) -> str:
    """Do something that cannot be shown before.

    Args:
        text: What.
    """
    ran.append(text)
    return text


@tool(effect="run")
def smuggles(workspace: Workspace) -> str:
    """Ask for one thing and do another."""
    return Command(  # type: ignore[return-value]  # that is the point
        argv=("/bin/true",), folder=workspace.roots[0], seconds=1, read=str
    )


started, ended, pause = threading.Event(), threading.Event(), threading.Event()
TOOLS = (echo, raises, waits, opaque, smuggles)


def call(name: str, **arguments: object) -> ToolCall:
    return ToolCall("7", name, arguments)


async def test_a_call_is_run_and_its_result_belongs_to_it(bench_of):
    bench = bench_of({"a.py": ""})
    result = await bench.toolset(TOOLS).execute(call("echo", text="hi", path="./a.py"))
    assert (result.call_id, result.ok, result.text, result.outcome) == ("7", True, "hi a.py", "ok")


@pytest.mark.parametrize(
    ("name", "arguments", "outcome", "text"),
    [
        ("ecko", {"text": "x"}, "retry", 'Error: there is no tool "ecko". Did you mean echo?'),
        ("echo", {}, "retry", "Error: the arguments of echo do not fit:\n- $.text: expected a str"),
        ("echo", {"text": "x", "path": "../y"}, "retry", "Error: not a path of this workspace"),
        ("echo", {"text": "x", "path": ".env"}, "failed", "Error: .env may hold secrets"),
        ("raises", {"kind": "retry"}, "retry", "Error: try another"),
        ("raises", {"kind": "failed"}, "failed", "Error: gone"),
        ("raises", {"kind": "defect"}, "bug", "Error: raises has a defect; its call failed"),
        ("raises", {"kind": "deep"}, "bug", "Error: raises has a defect; its call failed"),
        ("raises", {"kind": "exit"}, "bug", "Error: raises has a defect; its call failed"),
        ("raises", {"kind": "none"}, "bug", "Error: raises has a defect; its call failed"),
        ("smuggles", {}, "bug", "Error: smuggles wants to run something that nobody was asked"),
    ],
)
async def test_whatever_goes_wrong_becomes_a_result(bench_of, name, arguments, outcome, text):
    result = await bench_of().toolset(TOOLS).execute(call(name, **arguments))
    assert (result.ok, result.outcome) == (False, outcome)
    assert result.text.startswith(text)
    assert "Traceback" not in result.text


async def test_a_defect_is_logged_with_its_cause(bench_of, caplog):
    with caplog.at_level(logging.ERROR):
        await bench_of().toolset(TOOLS).execute(call("raises", kind="defect"))
    assert "ZeroDivisionError" in caplog.text


@given(
    st.sampled_from(["echo", "opaque", "raises", "nothing"]),
    st.dictionaries(
        st.sampled_from(["text", "path", "kind", "x"]),
        st.none() | st.integers() | st.text(max_size=8) | st.lists(st.integers(), max_size=2),
    ),
)
def test_nothing_raises_and_nothing_invalid_runs(tmp_path_factory, name, arguments):
    async def run() -> None:
        workspace = Workspace([tmp_path_factory.getbasetemp()])
        toolset = Toolset(workspace, (echo, opaque, raises))
        result = await toolset.execute(ToolCall("1", name, arguments))
        workspace.close()
        if ran:
            assert name == "echo"
            assert result.ok

    ran.clear()
    logging.disable(logging.CRITICAL)
    try:
        asyncio.run(run())
    finally:
        logging.disable(logging.NOTSET)


async def test_nothing_runs_before_it_is_approved(bench_of):
    bench = bench_of()
    bench.answer = Decision("deny", "no")
    result = await bench.toolset(TOOLS).execute(call("opaque", text="x"))
    assert (result.outcome, ran) == ("denied", [])
    assert result.text == "Error: the user does not want opaque to run: no"
    bench.answer = Decision("once")
    result = await bench.toolset(TOOLS).execute(call("opaque", text="x"))
    assert (result.ok, ran) == (True, ["x"])
    assert bench.asked[-1].preview == 'opaque {\n  "text": "x"\n}'


async def test_on_run_is_told_once_a_call_is_approved(bench_of):
    bench, told = bench_of(), []
    toolset = bench.toolset(TOOLS)
    await toolset.execute(call("opaque", text="x"), on_run=told.append)
    bench.answer = Decision("deny")
    await toolset.execute(call("opaque", text="y"), on_run=told.append)
    await toolset.execute(call("echo"), on_run=told.append)
    assert told == [call("opaque", text="x")]


async def test_a_turn_has_a_budget_and_stops_repetition(bench_of):
    turn = bench_of().toolset(TOOLS, calls=3).turn()
    texts = ["a", "a", "b", "c", "d"]
    outcomes = [(await turn.execute(call("echo", text=text))).outcome for text in texts]
    assert outcomes == ["ok", "stopped", "ok", "ok", "stopped"]
    assert turn.exhausted
    assert turn.definitions() == []


async def test_what_is_denied_is_not_offered_and_does_not_run(bench_of):
    toolset = Toolset(bench_of().workspace, TOOLS, policy=Policy(rules={"echo": "deny"}))
    names = [definition["function"]["name"] for definition in toolset.definitions()]
    assert names == ["raises", "waits", "opaque", "smuggles"]
    result = await toolset.execute(call("echo", text="x"))
    assert (result.outcome, ran) == ("denied", [])


async def test_a_call_that_takes_too_long_is_stopped(bench_of):
    ended.clear()
    result = await bench_of().toolset(TOOLS, read_seconds=0.05).execute(call("waits"))
    assert result.text == "Error: it took longer than 0.05 s and was stopped"
    assert await asyncio.to_thread(ended.wait, 10)
    assert ran == ["started", "stopped"]


async def test_cancelling_stops_the_tool(bench_of):
    started.clear()
    ended.clear()
    bench = bench_of()
    task = asyncio.create_task(bench.toolset(TOOLS).execute(call("waits")))
    assert await asyncio.to_thread(started.wait, 10)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await asyncio.to_thread(ended.wait, 10)
    assert [entry.outcome for entry in bench.audit] == ["cancelled"]


async def test_every_call_is_audited(bench_of):
    bench = bench_of()
    toolset = bench.toolset(TOOLS)
    await toolset.execute(call("echo", text=5))
    await toolset.execute(call("opaque", text="x"))
    bench.answer = Decision("deny")
    await toolset.execute(call("opaque", text="y"))
    await toolset.execute(call("nothing"))
    assert [(e.call.name, e.arguments, e.decision, e.by, e.outcome) for e in bench.audit] == [
        ("echo", {"text": "5"}, "allow", "rule", "ok"),
        ("opaque", {"text": "x"}, "allow", "user", "ok"),
        ("opaque", {"text": "y"}, "deny", "user", "denied"),
        ("nothing", {}, "", "", "retry"),
    ]
    assert all(entry.seconds >= 0 for entry in bench.audit)


async def test_an_audit_that_fails_costs_nothing(bench_of, caplog):
    def broken(_entry: object) -> None:
        raise OSError("disk full")

    toolset = Toolset(bench_of().workspace, TOOLS, audit=broken)
    with caplog.at_level(logging.ERROR):
        assert (await toolset.execute(call("echo", text="x"))).ok
    assert "disk full" in caplog.text


async def test_coercions_are_reported(bench_of):
    result = await bench_of().toolset(TOOLS).execute(call("echo", text=5))
    assert result.text == '5\n($.text: 5 was read as "5")'


async def test_long_results_keep_head_and_tail(bench_of):
    text = "\n".join(f"line {n}" for n in range(1000))
    result = await bench_of().toolset(TOOLS, output=300).execute(call("echo", text=text))
    lines = result.text.split("\n")
    assert (lines[0], lines[-1]) == ("line 0", "line 999")
    said = next(line for line in lines if line.startswith("["))
    left_out = 1000 - (len(lines) - 1)
    assert said == f"[... {left_out} lines left out; ask for a smaller part ...]"
    assert len(result.text) < 400


@given(st.text(alphabet="ab\n", max_size=300), st.integers(30, 200))
def test_cut_keeps_what_fits(text, limit):
    found = cut(text, limit)
    if len(text) <= limit:
        assert found == text
    else:
        assert "left out" in found
        assert len(found) <= limit + 80


KEY = "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA7\nabc+/=\n-----END RSA PRIVATE KEY-----"


@pytest.mark.parametrize(
    "secret",
    [
        KEY,
        KEY.replace("\n", "\n2: "),
        KEY.split("-----END", maxsplit=1)[0],
        "AKIA" + "IOSFODNN7EXAMPLE",
        "ghp_" + "a1" * 18,
        "github_pat_" + "a1" * 35,
        "glpat-" + "a" * 20,
        "xoxb-" + "1234567890-abc",
        "AIza" + "a" * 35,
        "sk-" + "a" * 40,
        "sk-ant-" + "a" * 40,
        "npm_" + "a" * 36,
        "hf_" + "a" * 34,
        "ya29." + "a0" * 30,
        "hooks.slack.com/services/" + "T0/B0/" + "a" * 24,
        "xapp-1-" + "A0" * 20,
        "AccountKey=" + "a" * 86 + "==",
        "dop_v1_" + "a0" * 32,
        "dckr_pat_" + "a" * 27,
        "shpat_" + "a0" * 16,
        "glrt-" + "a" * 20,
        "hvs." + "a" * 24,
        "gsk_" + "a" * 52,
        "AGE-SECRET-KEY-1" + "Q" * 58,
        "aws_secret_access_key = " + "a/" * 20,
        "AWSSecretAccessKey': '" + "a/" * 20,
        "eyJ" + "a" * 20 + ".eyJ" + "b" * 20 + "." + "c" * 20,
        "postgres://user:hunter22@",
    ],
)
async def test_secrets_in_results_are_masked(bench_of, secret):
    result = await bench_of().toolset(TOOLS).execute(call("echo", text=f"a {secret} b"))
    assert MASK in result.text
    assert secret.strip() not in result.text
    assert "hunter22" not in result.text


@pytest.mark.parametrize(
    "text",
    ["sk-learn and xoxo", "https://example.com:8080/a@b", "AKIA", "risk-assessment-" + "a" * 40,
     "-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----", "def eyJson(): ...",
     "aws_secret_access_key = os.environ[name]", "AccountKey=", "shpat_x"],
)  # fmt: skip
def test_what_is_no_secret_stays(text):
    assert masked(text) == text


async def test_a_closed_workspace_runs_nothing(bench_of):
    bench = bench_of()
    bench.workspace.close()
    result = await bench.toolset(TOOLS).execute(call("echo", text="x"))
    assert (result.ok, ran) == (False, [])


def test_limits_are_values():
    assert msgspec.structs.replace(Limits(), calls=1).calls == 1
    assert issubclass(Retry, ToolError)


async def test_reading_that_is_asked_for_happens_after_the_answer(bench_of):
    bench = bench_of()
    rules = {"echo": "ask"}
    bench.answer = Decision("deny")
    toolset = Toolset(bench.workspace, TOOLS, policy=Policy(bench.approve, rules=rules))
    assert (await toolset.execute(call("echo", text="x"))).outcome == "denied"
    assert ran == []
    bench.answer = Decision("once")
    toolset = Toolset(bench.workspace, TOOLS, policy=Policy(bench.approve, rules=rules))
    assert (await toolset.execute(call("echo", text="x"))).ok
    assert ran == ["x"]


@pytest.mark.parametrize("name", ["ec\ud800ho", "e" * 100_000, "\0", ""])
async def test_any_name_and_id_gives_a_result_that_utf8_can_hold(bench_of, name):
    bench = bench_of()
    result = await bench.toolset(TOOLS).execute(ToolCall("\udcff", name, {"\ud800": "\ud800"}))
    assert not result.ok
    assert result.text.encode()
    assert len(result.text) < 5000
