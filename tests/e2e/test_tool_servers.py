"""Tools of MCP servers in the chat, through the language server, with the scripted engine."""

import json

from quillon_testing.chat_turns import answer, ask, shake
from quillon_testing.stdio_server import raw_server, script_file
from quillon_testing.tool_servers import alive, hostile, until

ECHO = '<tool_call>\n{"name": "bad__echo", "arguments": {"text": "hello"}}\n</tool_call>'


def settings(folder, servers, *steps):
    file = script_file(folder)
    file.write_text(json.dumps({"steps": list(steps)}))
    return {"engine": {"kind": "scripted", "script": str(file)}, "mcp": {"servers": servers}}


def named(spec):
    return {"command": spec.command, "args": list(spec.arguments)}


async def turn(server, text):
    """The result of a turn without a question to the user, and what was streamed."""
    response, streamed = await answer(server, ask(server, text))
    return response["result"], streamed


async def offered(server):
    """Whether the servers show their tools yet: a call of an unknown one names those there are."""
    _, streamed = await turn(server, "warm up")
    (result,) = [value for value in streamed if value["kind"] == "toolResult"]
    return "bad__echo" in result["preview"]


async def test_a_call_runs_after_approval_and_its_server_ends_with_the_session(tmp_path):
    notes = tmp_path / "notes"
    notes.touch()
    servers = {"bad": named(hostile(notes=str(notes)))}
    unknown = '<tool_call>\n{"name": "nothing", "arguments": {}}\n</tool_call>'
    warm = [
        {"match": "there is no tool", "reply": "No.", "times": 0},
        {"match": "warm up", "reply": unknown, "times": 0},
    ]
    steps = [
        {"match": "say hello", "reply": ECHO},
        {"match": "what follows is data from the server bad", "reply": "It said hello."},
    ]
    given = settings(tmp_path, servers, *steps, *warm)
    async with raw_server(tmp_path, settings=given) as server:
        await shake(server, tmp_path)
        assert "started" not in notes.read_text()  # nobody has asked anything yet
        while not await offered(server):
            pass
        chat = {"text": "say hello", "partialResultToken": "t"}
        number = server.request("quillon/chat", chat)
        asked = await server.until(lambda m: m.get("method") == "quillon/approve")
        assert asked["params"]["tool"] == "bad__echo"
        assert asked["params"]["arguments"] == {"text": "hello"}
        assert "echo of the server bad" in asked["params"]["preview"]
        server.send({"jsonrpc": "2.0", "id": asked["id"], "result": {"decision": "once"}})
        response = await server.response(number)
        assert response["result"]["text"] == "It said hello."
        (started,) = [line for line in notes.read_text().splitlines() if "started" in line]
        process = int(started.split()[1])
        assert alive(process)
        await server.leave()
        await until(lambda: not alive(process))


async def test_what_is_wrong_with_a_server_is_said_once(tmp_path):
    servers = {"none": {"command": "/nowhere/at-all"}}
    given = settings(tmp_path, servers, {"match": "one", "reply": "1", "times": 0})
    async with raw_server(tmp_path, settings=given) as server:
        await shake(server, tmp_path)
        notices = []
        while not notices:
            _, streamed = await turn(server, "one")
            said = [value["text"] for value in streamed if value["kind"] == "notice"]
            notices += [text for text in said if "MCP" in text]
        (notice,) = notices
        assert "The MCP server none is not used" in notice
        assert "cannot be started" in notice
