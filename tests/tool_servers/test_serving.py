"""`quillon mcp` as a process, with the SDK's own client: the same guard as in the chat."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from contextlib import asynccontextmanager

import mcp_types as types
import pytest
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters

from quillon_testing.tool_servers import DEADLINE, alive, until
from quillon_tools.audit import AuditLog

ERAS = ["auto", "legacy"]


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "workspace"
    path.mkdir()
    (path / "it.py").write_text("ANSWER = 41\n")
    (path / "keys.txt").write_text("AKIA" + "ABCDEFGHIJKLMNOP\n")
    (path / ".env").write_text("SECRET=1\n")
    (path / "test_it.py").write_text("def test_it():\n    assert True\n")
    (path / "conftest.py").write_text("")
    return path


@pytest.fixture
def state(tmp_path):
    return tmp_path / "state"


def program(folder, state, *options):
    return StdioServerParameters(
        command=sys.executable,
        args=["-I", "-m", "quillon", "mcp", "-C", str(folder), *options],
        env={"QUILLON_STATE_DIR": str(state), "PATH": os.environ["PATH"]},
    )


class Asked:
    """A client's user."""

    def __init__(self, action="accept"):
        self.action = action
        self.questions = []

    async def __call__(self, _context, params):
        self.questions.append(params.message)
        return types.ElicitResult(action=self.action, content={})


@asynccontextmanager
async def client(folder, state, *options, mode="auto", user=None):
    async with asyncio.timeout(4 * DEADLINE):
        server = program(folder, state, *options)
        async with Client(server, mode=mode, elicitation_callback=user) as connected:
            yield connected


async def call(connected, name, **arguments):
    result = await connected.call_tool(name, arguments)
    (block,) = result.content
    return block.text, not result.is_error


@pytest.mark.parametrize("mode", ERAS)
async def test_reading_is_confined_masked_and_said_to_be_reading(folder, state, mode):
    async with client(folder, state, mode=mode) as connected:
        tools = {tool.name: tool for tool in (await connected.list_tools()).tools}
        assert tools["read_file"].annotations.read_only_hint is True
        assert tools["run_command"].annotations.read_only_hint is False
        assert "get_diagnostics" not in tools
        assert "git_status" not in tools
        assert tools["read_file"].input_schema["required"] == ["path"]
        text, ok = await call(connected, "read_file", path="it.py")
        assert ok
        assert "ANSWER = 41" in text
        assert "[secret removed]" in (await call(connected, "read_file", path="keys.txt"))[0]
        for path, why in (("../x", "not a path"), ("/etc/passwd", "outside"), (".env", "secret")):
            text, ok = await call(connected, "read_file", path=path)
            assert not ok
            assert why in text
        text, ok = await call(connected, "read_file", pth="it.py")
        assert not ok
        assert "Did you mean path?" in text
        text, ok = await call(connected, "no_such_tool")
        assert not ok
        assert "there is no tool" in text


@pytest.mark.parametrize("mode", ERAS)
async def test_running_asks_the_clients_user_with_the_very_command(folder, state, mode):
    user = Asked()
    async with client(folder, state, mode=mode, user=user) as connected:
        text, ok = await call(connected, "run_tests")
        assert ok
        assert "1 passed" in text
        (question,) = user.questions
        assert "pytest" in question
        assert f"in {folder}" in question
        user.action = "decline"
        text, ok = await call(connected, "run_command", arguments=["ls"])
        assert not ok
        assert "does not want run_command to run" in text


@pytest.mark.parametrize("mode", ERAS)
async def test_a_client_that_cannot_ask_is_refused_with_a_sentence(folder, state, mode):
    async with client(folder, state, mode=mode) as connected:
        text, ok = await call(connected, "run_tests")
        assert not ok
        assert "cannot ask its user" in text
        assert "--allow run_tests" in text


async def test_what_the_user_allowed_runs_unasked_and_nothing_else(folder, state):
    options = ("--allow", "run_tests")
    async with client(folder, state, *options) as connected:
        assert (await call(connected, "run_tests"))[1]
        assert not (await call(connected, "run_command", arguments=["ls"]))[1]
    log = AuditLog(state / "audit")
    (conversation,) = log.conversations()
    records = log.read(conversation)
    outcomes = [(record.tool, record.decision, record.outcome) for record in records]
    assert outcomes == [("run_tests", "allow", "ok"), ("run_command", "deny", "denied")]


async def test_an_edit_is_proposed_and_written_by_nobody(folder, state):
    user = Asked()
    async with client(folder, state, user=user) as connected:
        edits = [{"path": "it.py", "search": "41", "replace": "42"}]
        text, ok = await call(connected, "propose_edit", edits=edits)
        assert ok
        assert "Nothing was written" in text
        assert "+ANSWER = 42" in text
        assert "+ANSWER = 42" in user.questions[0]
    assert (folder / "it.py").read_text() == "ANSWER = 41\n"


async def test_an_answer_to_one_question_answers_no_other(folder, state):
    async with client(folder, state, user=Asked()) as connected:
        send = connected.session.call_tool

        async def asked(arguments, **more):
            return await send("run_command", arguments, allow_input_required=True, **more)

        first = await asked({"arguments": ["ls"]})
        assert isinstance(first, types.InputRequiredResult)
        yes = {"approve": types.ElicitResult(action="accept", content={})}
        other = await asked(
            {"arguments": ["ls", "-a"]}, input_responses=yes, request_state=first.request_state
        )
        assert isinstance(other, types.InputRequiredResult)
        invented = await asked({"arguments": ["ls"]}, input_responses=yes, request_state="x")
        assert isinstance(invented, types.InputRequiredResult)
        right = await asked(
            {"arguments": ["ls"]}, input_responses=yes, request_state=invented.request_state
        )
        assert right.is_error is False
        again = await asked(
            {"arguments": ["ls"]}, input_responses=yes, request_state=invented.request_state
        )
        assert isinstance(again, types.InputRequiredResult)


async def test_a_call_that_the_client_takes_back_ends_its_program(folder, state, tmp_path):
    code = f"open({str(tmp_path / 'pid')!r}, 'w').write(str(__import__('os').getpid()));"
    code += "__import__('time').sleep(900)"
    async with client(folder, state, "--allow", "run_command") as connected:
        arguments = ["python3", "-c", code]
        calling = asyncio.create_task(call(connected, "run_command", arguments=arguments))
        await until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text())
        calling.cancel()
        number = int((tmp_path / "pid").read_text())
        await until(lambda: not alive(number))
        assert (await call(connected, "read_file", path="it.py"))[1]


def started(folder, state, *options):
    words = [sys.executable, "-I", "-m", "quillon", "mcp", "-C", str(folder), *options]
    environment = {**os.environ, "QUILLON_STATE_DIR": str(state), "COLUMNS": "200"}
    streams = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    return subprocess.Popen(words, env=environment, **streams)


def raw(folder, state, data, *options):
    with started(folder, state, *options) as process:
        try:
            out, err = process.communicate(data, timeout=2 * DEADLINE)
        finally:
            process.kill()
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def messages(*asked):
    """The lines of a client that shakes hands and then makes these calls, from id 2 on."""
    hello = {
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "x", "version": "1"},
    }
    said = [
        {"id": 1, "method": "initialize", "params": hello},
        {"method": "notifications/initialized"},
    ]
    for number, (name, arguments) in enumerate(asked, 2):
        params = {"name": name, "arguments": arguments}
        said.append({"id": number, "method": "tools/call", "params": params})
    return b"".join(json.dumps({"jsonrpc": "2.0", **each}).encode() + b"\n" for each in said)


def test_calls_that_are_piped_in_are_answered_though_the_input_has_ended(folder, state):
    calls = [("list_files", {}), ("read_file", {"path": "it.py"}), ("no_such_tool", {})]
    ended = raw(folder, state, messages(*calls))
    answers = {
        answer["id"]: answer["result"] for answer in map(json.loads, ended.stdout.splitlines())
    }
    assert sorted(answers) == [1, 2, 3, 4]
    assert answers[3]["content"][0]["text"] == "1: ANSWER = 41"
    assert answers[4]["isError"] is True
    assert ended.returncode == 0


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGINT"])
async def test_what_a_call_has_started_ends_with_the_server(folder, state, tmp_path, name):
    pid = tmp_path / "pid"
    code = f"open({str(pid)!r}, 'w').write(str(__import__('os').getpid()));"
    code += "__import__('time').sleep(900)"
    arguments = {"arguments": ["python3", "-c", code]}
    number = getattr(signal, name)
    with started(folder, state, "--allow", "run_command") as process:
        try:
            process.stdin.write(messages(("run_command", arguments)))
            process.stdin.flush()
            await until(lambda: pid.exists() and pid.read_text())
            process.send_signal(number)
            await until(lambda: process.poll() is not None)
        finally:
            process.kill()
        assert process.returncode == 128 + number
        assert not alive(int(pid.read_text()))
        assert process.stderr.read() == b""


def test_nothing_but_the_protocol_is_on_the_standard_output(folder, state):
    hello = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {
            "protocolVersion": "2025-11-25",
            "capabilities": {},
            "clientInfo": {"name": "x", "version": "1"},
        },
    }
    lines = [
        json.dumps(hello),
        "no json",
        '{"jsonrpc": "2.0"}',
        "[" * 10_000,
        '{"jsonrpc":"2.0","id":7,"x":"' + "x" * 5_000_000 + '"}',
        "",
        '{"jsonrpc":"2.0","id":9,"method":"ping"}',
        "\xff\xfe",
    ]
    ended = raw(folder, state, "\n".join(lines).encode("latin-1") + b"\n")
    assert ended.returncode == 0
    answers = [json.loads(line) for line in ended.stdout.splitlines()]
    by_id = {answer["id"]: answer for answer in answers if answer.get("id") is not None}
    assert by_id[1]["result"]["serverInfo"]["name"] == "quillon"
    assert by_id[7]["error"]["message"] == "the message is too long"
    assert [answer["error"]["message"] for answer in answers if answer.get("id") is None] == [
        "the message is no JSON",
        "the message is no JSON-RPC",
        "the message is no JSON",
        "the message is no JSON",
    ]
    assert b"Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("options", "status", "said"),
    [
        (("--allow", "frobnicate"), 2, "There is no tool frobnicate. The tools are: search"),
        (("-C", "/nowhere/at/all"), 1, "/nowhere/at/all is no folder"),
        (("--nope",), 2, "No such option: --nope"),
        (("word",), 2, "unexpected extra argument"),
    ],
)
def test_wrong_options_are_said(folder, state, options, status, said):
    ended = raw(folder, state, b"", *options)
    assert ended.returncode == status
    assert said in ended.stderr.decode()
    assert "Traceback" not in ended.stderr.decode()
    assert ended.stdout == b""


def test_without_the_extra_it_is_said_what_to_install(folder):
    code = (
        "import sys; sys.modules['mcp'] = None; sys.argv[1:] = ['mcp', '-C', sys.argv[1]]; "
        "from quillon.cli import main; main()"
    )
    words = [sys.executable, "-I", "-c", code, str(folder)]
    ended = subprocess.run(words, capture_output=True, timeout=DEADLINE, check=False)
    assert ended.returncode == 1
    assert ended.stderr.decode().strip() == (
        "quillon: The MCP SDK is not installed. "
        "Install the extra in your clone of Quillon: pip install '.[mcp]'."
    )
