"""Turns of `quillon/chat` on a server that plays a script."""

import json

from quillon_testing.stdio_server import raw_server, script_file

RUN_TESTS = (
    '<tool_call>\n{"name": "run_tests", "arguments": {"target": "test_it.py"}}\n</tool_call>'
)
READ = '<tool_call>\n{"name": "read_file", "arguments": {"path": "it.py"}}\n</tool_call>'
QUILLON = {"experimental": {"quillon": {"chat": True, "approve": True}}}


def settings(folder, *steps, **more):
    state = folder.parent
    script = {"steps": list(steps), "gateFolder": str(state)}
    file = script_file(state)
    file.write_text(json.dumps(script))
    return {"engine": {"kind": "scripted", "script": str(file)}, **more}


def start(folder, *steps, **more):
    return raw_server(folder, settings=settings(folder, *steps, **more))


async def shake(server, folder, capabilities=None):
    await server.initialize(
        rootUri=folder.as_uri(),
        workspaceFolders=[{"uri": folder.as_uri(), "name": "workspace"}],
        capabilities=QUILLON if capabilities is None else capabilities,
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
