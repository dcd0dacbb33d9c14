"""The protocol's edges over real standard streams: what a broken client or a bad moment sends."""

import asyncio
import json
import signal
import sys

import pytest

from quillon import __version__
from quillon.handshake import initialize_result
from quillon.message_types import make_converter
from quillon.server import create_server
from quillon_testing.stdio_server import raw_server


async def test_a_session_from_start_to_end(folder):
    async with raw_server(folder) as server:
        result = await server.initialize()
        assert result["serverInfo"] == {"name": "quillon", "version": __version__}
        status = await server.call("quillon/status/get")
        assert status["result"]["state"] in ("absent", "loading", "ready")
        assert await server.leave() == 0


@pytest.mark.parametrize(
    ("general", "encoding"),
    [
        ({}, "utf-16"),
        ({"general": {"positionEncodings": ["utf-8", "utf-16"]}}, "utf-8"),
        ({"general": {"positionEncodings": ["utf-32"]}}, "utf-32"),
        ({"general": {"positionEncodings": ["utf-7"]}}, "utf-16"),
        ({"general": {}}, "utf-16"),
    ],
)
def test_the_early_answer_is_what_the_registered_features_say(general, encoding):
    server = create_server()
    params = (
        make_converter()
        .structure(
            {
                "jsonrpc": "2.0",
                "id": 1,
                "method": "initialize",
                "params": {"processId": None, "rootUri": None, "capabilities": general},
            },
            server.protocol.get_message_type("initialize"),
        )
        .params
    )
    builtin = server.protocol.lsp_initialize(params)
    try:
        handler, arguments, _ = next(builtin)
        builtin.send(handler(*arguments))
    except StopIteration as stop:
        derived = stop.value
    derived = json.loads(json.dumps(derived, default=server.protocol._serialize_message))
    early = initialize_result({"capabilities": general})
    assert early == derived, (
        "lsp_server/quillon/capabilities.json is out of date; it should hold "
        + json.dumps(derived["capabilities"], indent=2, sort_keys=True)
    )
    assert early["capabilities"]["positionEncoding"] == encoding


async def test_a_request_before_initialize_is_refused(folder):
    async with raw_server(folder) as server:
        answer = await server.call("quillon/status/get")
        assert answer["error"] == {"code": -32002, "message": "The server is not initialized yet"}
        server.notify("textDocument/didOpen", {"nonsense": True})  # dropped, as specified
        await server.initialize()
        assert await server.leave() == 0


async def test_a_request_after_shutdown_is_refused(folder):
    async with raw_server(folder) as server:
        await server.initialize()
        assert (await server.call("shutdown"))["result"] is None
        answer = await server.call("quillon/status/get")
        assert answer["error"] == {"code": -32600, "message": "The server was shut down"}
        server.notify("exit")
        assert await server.ended() == 0


async def test_a_request_right_behind_shutdown_is_refused(folder):
    async with raw_server(folder) as server:
        await server.initialize()
        server.send(
            {"jsonrpc": "2.0", "id": "last", "method": "shutdown"},
            {"jsonrpc": "2.0", "id": "late", "method": "quillon/status/get"},
            {"jsonrpc": "2.0", "id": "again", "method": "shutdown"},
        )
        for number in ("late", "again"):
            answer = await server.response(number)
            assert answer["error"] == {"code": -32600, "message": "The server was shut down"}
        assert (await server.response("last"))["result"] is None
        server.notify("exit")
        assert await server.ended() == 0


async def test_exit_right_behind_shutdown_is_a_good_end(folder):
    async with raw_server(folder) as server:
        await server.initialize()
        shutdown = {"jsonrpc": "2.0", "id": "last", "method": "shutdown"}
        server.send(shutdown, {"jsonrpc": "2.0", "method": "exit"})
        assert await server.ended() == 0


async def test_exit_without_shutdown_is_a_failure(folder):
    async with raw_server(folder) as server:
        await server.initialize()
        server.notify("exit")
        assert await server.ended() == 1


async def test_a_second_initialize_is_refused(folder):
    async with raw_server(folder) as server:
        await server.initialize()
        again = await server.call("initialize", {"processId": None, "capabilities": {}})
        assert again["error"]["message"] == "The server is initialized already"


NO_MESSAGES = {
    "broken": b"{not json",
    "cut": b"[1, 2",
    "not utf-8": b"\xff\xfe",
    "deep": b"[" * 100_000,
    "surrogate": b'"\\ud800"',
    "number": b"42",
    "list": b"[]",
    "empty": b"{}",
}


async def test_what_is_no_message_is_answered_and_survived(folder):
    async with raw_server(folder) as server:
        await server.initialize()
        for name, body in NO_MESSAGES.items():
            server.send_bytes(b"Content-Length: %d\r\n\r\n" % len(body) + body)
            answer = await server.response(None)
            assert answer["error"]["code"] in (-32700, -32600), name
            assert (await server.call("quillon/status/get"))["result"], name


async def test_another_version_of_json_rpc_is_answered(folder):
    async with raw_server(folder) as server:
        await server.initialize()
        server.send({"jsonrpc": "1.0", "id": "old", "method": "quillon/status/get"})
        answer = await server.response("old")
        assert answer["error"] == {"code": -32600, "message": "The message is not JSON-RPC 2.0"}


async def test_a_first_message_that_is_no_message_is_survived(folder):
    async with raw_server(folder) as server:
        server.send_bytes(b"Content-Length: 9\r\n\r\n{not json")
        assert (await server.response(None))["error"]["code"] == -32700
        await server.initialize()
        assert await server.leave() == 0


WRONG = (
    ("quillon/chat", {"text": 5}),
    ("quillon/chat", {}),
    ("quillon/chat", None),
    ("textDocument/codeAction", {"textDocument": "no"}),
    ("quillon/conversations/get", {"conversationId": ["x"]}),
)


async def test_wrong_parameters_are_answered(folder):
    async with raw_server(folder) as server:
        await server.initialize()
        for method, params in WRONG:
            error = (await server.call(method, params))["error"]
            assert error["code"] == -32602, (method, params)
            assert error["message"].startswith(f"Wrong parameters for {method}")
            assert "Traceback" not in json.dumps(error)


async def test_an_unknown_method_is_answered(folder):
    async with raw_server(folder) as server:
        await server.initialize()
        assert (await server.call("quillon/nonsense"))["error"]["code"] == -32601


async def test_a_client_that_vanishes_ends_the_server(folder):
    async with raw_server(folder) as server:
        await server.initialize()
        server.process.stdin.close()
        assert await server.ended() == 1


async def test_a_client_that_vanishes_in_the_middle_of_a_message_ends_the_server(folder):
    async with raw_server(folder) as server:
        await server.initialize()
        server.send_bytes(b'Content-Length: 500\r\n\r\n{"jsonrpc":')
        server.process.stdin.close()
        assert await server.ended() == 1


async def test_an_editor_that_dies_ends_the_server_though_its_pipe_stays_open(folder):
    editor = await asyncio.create_subprocess_exec(sys.executable, "-c", "input()", stdin=-1)
    async with raw_server(folder) as server:
        await server.initialize(processId=editor.pid)
        editor.kill()
        await editor.communicate()
        assert await server.ended() == 1


async def test_settings_that_make_no_sense_are_told_and_ignored(folder):
    async with raw_server(folder) as server:
        await server.initialize(
            initializationOptions={"inline": {"maxTokens": -3, "colour": "red"}, "chat": 5}
        )
        message = await server.until(lambda m: m.get("method") == "window/showMessage")
        text = message["params"]["message"]
        assert "inline.maxTokens" in text
        assert "inline.colour: no such setting" in text
        assert "chat: expected an object" in text
        assert (await server.call("quillon/status/get"))["result"]


async def test_sigterm_ends_the_server(folder):
    async with raw_server(folder) as server:
        await server.initialize()
        server.process.send_signal(signal.SIGTERM)
        assert await server.ended() != 0


TRAPS = ("queue.py", "pygls.py", "quillon.py", "typing.py", "json.py", "llama_cpp.py", "msgspec.py")


async def test_a_workspace_full_of_traps_shadows_nothing(folder):
    trap = "import os, sys\nsys.stderr.write('TRAPPED ' + __file__)\nos._exit(66)\n"
    for name in TRAPS:
        (folder / name).write_text(trap)
    for package in ("tools", "quillon", "quillon_tools", "lsp_server", "tree_sitter"):
        (folder / package).mkdir()
        (folder / package / "__init__.py").write_text(trap)
    async with raw_server(folder, PYTHONPATH=str(folder)) as server:
        await server.initialize(rootUri=folder.as_uri())
        assert (await server.call("quillon/status/get"))["result"]
        assert await server.leave() == 0
        assert b"TRAPPED" not in await server.process.stderr.read()


@pytest.mark.parametrize(
    "wrong",
    [
        {"processId": "one"},
        {"capabilities": {"textDocument": 5, "general": {"positionEncodings": ["utf-8"]}}},
        {"workspaceFolders": [{"uri": 5}, 7]},
    ],
)
async def test_an_initialize_with_wrong_parameters_is_answered_once_and_served(folder, wrong):
    async with raw_server(folder) as server:
        await server.initialize(rootUri=folder.as_uri(), **wrong)
        assert (await server.call("quillon/status/get"))["result"]
        assert await server.leave() == 0
        assert not [m for m in server.seen if m.get("id") == 1]


async def test_odd_settings_do_not_undo_the_command_line(folder):
    async with raw_server(folder) as server:
        await server.initialize(initializationOptions=["engine"])
        message = await server.until(lambda m: m.get("method") == "window/showMessage")
        assert "expected an object, found list" in message["params"]["message"]
        assert (await server.call("quillon/status/get"))["result"]["model"] == "scripted"


CONTENT = {"textDocumentContent": {"dynamicRegistration": True}}


async def test_a_client_that_never_tells_its_settings_is_served(folder):
    async with raw_server(folder) as server:
        await server.initialize(capabilities={"workspace": {"configuration": True, **CONTENT}})
        asked = await server.until(lambda m: m.get("method") == "workspace/configuration")
        # What follows the settings comes without them.
        await server.until(lambda m: m.get("method") == "client/registerCapability")
        late = [{"inline": {"colour": "red"}}]
        server.send({"jsonrpc": "2.0", "id": asked["id"], "result": late})
        message = await server.until(lambda m: m.get("method") == "window/showMessage")
        assert "no such setting" in message["params"]["message"]


def engine_of(folder, name):
    file = folder.parent / f"{name}.json"
    file.write_text(json.dumps({"steps": [{"reply": name}] * 9}), encoding="utf-8")
    return {"engine": {"kind": "scripted", "script": str(file)}}


async def test_an_engine_opened_before_the_settings_came_is_replaced(folder):
    early, late = engine_of(folder, "early"), engine_of(folder, "late")
    async with raw_server(folder, settings={}) as server:
        await server.initialize(
            rootUri=folder.as_uri(),
            initializationOptions=early,
            capabilities={"workspace": {"configuration": True}},
        )
        asked = await server.until(lambda m: m.get("method") == "workspace/configuration")
        await server.call("quillon/chat", {"text": "who?"})
        told = {**late, "colour": "red"}
        server.send({"jsonrpc": "2.0", "id": asked["id"], "result": [told]})
        await server.until(lambda m: m.get("method") == "window/showMessage")
        response = await server.call("quillon/chat", {"text": "who?"})
        assert response["result"]["text"] == "late"


async def test_many_notices_of_one_change_open_one_engine(folder):
    missing = {"engine": {"kind": "scripted", "script": str(folder / "missing.json")}}
    async with raw_server(folder, settings={}) as server:
        first = engine_of(folder, "first")
        await server.initialize(rootUri=folder.as_uri(), initializationOptions=first)
        assert (await server.call("quillon/chat", {"text": "who?"}))["result"]["text"] == "first"
        for _ in range(30):
            server.notify("workspace/didChangeConfiguration", {"settings": {"quillon": missing}})
        await server.call("quillon/status/get")
        last = {**engine_of(folder, "last"), "colour": "red"}
        server.notify("workspace/didChangeConfiguration", {"settings": {"quillon": last}})
        await server.until(lambda m: "no such setting" in str(m))
        response = await server.call("quillon/chat", {"text": "who?"})
        assert response["result"]["text"] == "last"
        complaints = [m for m in server.seen if m.get("method") == "window/showMessage"]
        assert len(complaints) == 1


async def test_the_setting_of_the_log_is_heeded(folder):
    log = folder.parent / f"{folder.name}-state" / "server.log"
    scripted = engine_of(folder, "any")
    async with raw_server(folder, settings={**scripted, "logLevel": "error"}) as server:
        await server.initialize()
        server.notify("textDocument/didClose", {"textDocument": {"uri": "file:///none.py"}})
        assert await server.leave() == 0
    assert "none.py" not in log.read_text()


async def test_an_engine_that_is_let_go_of_while_it_loads_is_no_error(folder):
    loading = folder.parent / "loading.json"
    loading.write_text(json.dumps({"loadGate": "never"}), encoding="utf-8")
    other = folder.parent / "other.json"
    other.write_text(json.dumps({"loadGate": "never"}), encoding="utf-8")

    def chosen(script):
        return {"engine": {"kind": "scripted", "script": str(script)}}

    async def is_loading(server):
        while (await server.call("quillon/status/get"))["result"]["state"] != "loading":
            pass

    async with raw_server(folder, settings={}) as server:
        await server.initialize(initializationOptions=chosen(loading))
        await is_loading(server)
        server.notify("workspace/didChangeConfiguration", {"settings": {"quillon": chosen(other)}})
        await is_loading(server)
        assert await server.leave() == 0
        assert [one for one in server.seen if one.get("method") == "window/showMessage"] == []
