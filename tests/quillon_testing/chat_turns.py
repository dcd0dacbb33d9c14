"""Turns of `quillon/chat` on a server that plays a script."""

import json

from quillon_testing.stdio_server import raw_server, script_file

RUN_TESTS = (
    '<tool_call>\n{"name": "run_tests", "arguments": {"target": "test_it.py"}}\n</tool_call>'
)
READ = '<tool_call>\n{"name": "read_file", "arguments": {"path": "it.py"}}\n</tool_call>'
# A project whose one test passes.
TESTED = {
    "it.py": "ANSWER = 41\n",
    "test_it.py": "from it import ANSWER\n\n\ndef test_it():\n    assert ANSWER == 41\n",
    "conftest.py": "",
}
QUILLON = {"experimental": {"quillon": {"chat": True, "approve": True}}}


def settings(folder, *steps, model=None, **more):
    """Settings under which a script is played; `model` is what else it says of its model."""
    state = folder.parent
    script = {"steps": list(steps), "gateFolder": str(state), **(model or {})}
    file = script_file(state)
    file.write_text(json.dumps(script))
    return {"engine": {"kind": "scripted", "script": str(file)}, **more}


def start(folder, *steps, model=None, **more):
    """A server under such settings."""
    return raw_server(folder, settings=settings(folder, *steps, model=model, **more))


async def shake(server, folder, capabilities=None, **more):
    """Shake hands as a client that can show a chat."""
    await server.initialize(
        rootUri=folder.as_uri(),
        workspaceFolders=[{"uri": folder.as_uri(), "name": "workspace"}],
        capabilities=QUILLON if capabilities is None else capabilities,
        **more,
    )


def ask(server, text, **more):
    return server.request("quillon/chat", {"text": text, "partialResultToken": "t", **more})


async def answer(server, number):
    """The result of a turn, and what was streamed."""
    response = await server.response(number)
    streamed = [m["params"]["value"] for m in server.seen if m.get("method") == "$/progress"]
    server.seen = [m for m in server.seen if m.get("method") != "$/progress"]
    return response, streamed


def texts(streamed):
    return "".join(value["text"] for value in streamed if value["kind"] == "text")
