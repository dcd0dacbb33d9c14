"""Servers and engines over the wire: shared, killed, left, and gone when nobody needs them."""

import asyncio
import json
import os
import sys
from contextlib import AsyncExitStack

import psutil
import pytest

from quillon_testing.engines import Engines, engines
from quillon_testing.stdio_server import DEADLINE, RawServer, raw_server

TEXT = "def first(a):\n    return a\n"
# Far from what the model would say, so that an answer goes on for long.
ENDLESS = {"chat": {"temperature": 2.0, "topK": 0, "topP": 1.0}}
BRIEF = {"chat": {"temperature": 0.0}}
CAPABILITIES = {
    "experimental": {"quillon": {"chat": True, "approve": True}},
    "textDocument": {
        "codeAction": {
            "codeActionLiteralSupport": {"codeActionKind": {"valueSet": []}},
            "dataSupport": True,
            "resolveSupport": {"properties": ["edit"]},
        }
    },
    "window": {"workDoneProgress": True},
}


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "workspace"
    path.mkdir()
    (path / "a.py").write_text(TEXT)
    return path


@pytest.fixture
async def made():
    async with engines() as found:
        yield found


def server_in(folder, made: Engines):
    return raw_server(folder, settings={}, QUILLON_RUNTIME_DIR=str(made.directory))


async def begin(server: RawServer, folder, settings) -> str:
    await server.initialize(
        rootUri=folder.as_uri(),
        workspaceFolders=[{"uri": folder.as_uri(), "name": folder.name}],
        capabilities=CAPABILITIES,
        initializationOptions={"model": {"idleMinutes": 0.001}, **settings},
    )
    uri = (folder / "a.py").as_uri()
    item = {"uri": uri, "languageId": "python", "version": 1, "text": TEXT}
    server.notify("textDocument/didOpen", {"textDocument": item})
    await server.until(
        lambda m: m.get("method") == "quillon/status" and m["params"]["state"] == "ready"
    )
    return uri


async def answer(server: RawServer, text: str) -> dict:
    return await server.call("quillon/chat", {"text": text})


async def begun(server: RawServer) -> int:
    """The number of a question whose answer is being streamed, most often for some time."""
    number = server.request("quillon/chat", {"text": "Go on.", "partialResultToken": 1})
    await server.until(
        lambda m: m.get("method") == "$/progress" and m["params"]["value"]["kind"] == "text"
    )
    return number


async def status_of_engines(made: Engines) -> list[dict]:
    """What `quillon engine status --json` says."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-m", "quillon", "engine", "status", "--json"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "QUILLON_RUNTIME_DIR": str(made.directory)},
    )
    out, _ = await asyncio.wait_for(process.communicate(), DEADLINE)
    return [json.loads(line) for line in out.splitlines()]


async def gone(processes: list[psutil.Process]) -> bool:
    _, alive = await asyncio.to_thread(psutil.wait_procs, processes, timeout=DEADLINE)
    return not alive


async def test_two_servers_share_an_engine_that_ends_after_the_last(folder, tmp_path, made):
    other = tmp_path / "other"
    other.mkdir()
    (other / "a.py").write_text(TEXT)
    async with server_in(folder, made) as one, server_in(other, made) as two:
        await asyncio.gather(begin(one, folder, BRIEF), begin(two, other, BRIEF))
        (engine,) = await status_of_engines(made)
        assert [process.pid for process in made.processes()] == [engine["pid"]]
        assert engine["info"]["clients"] == 2
        answers = await asyncio.gather(answer(one, "hello"), answer(two, "hello"))
        assert all(found["result"]["text"] for found in answers)
        assert await one.leave() == 0
        assert (await answer(two, "still there?"))["result"]["text"]
        (engine,) = await status_of_engines(made)
        assert engine["info"]["clients"] == 1
        running = made.processes()
        assert await two.leave() == 0
        assert await gone(running)
        assert await status_of_engines(made) == []


async def test_ten_windows_on_a_workspace_share_an_engine(folder, made):
    async with AsyncExitStack() as stack:
        windows = []
        for _ in range(10):
            windows.append(await stack.enter_async_context(server_in(folder, made)))
            await begin(windows[-1], folder, {"chat": {"temperature": 0.0, "maxTokens": 16}})
        (engine,) = await status_of_engines(made)
        assert [process.pid for process in made.processes()] == [engine["pid"]]
        assert engine["info"]["clients"] == 10
        answers = await asyncio.gather(*(answer(window, "hello") for window in windows))
        assert all(found["result"]["usage"]["completionTokens"] for found in answers)
        # All of them wrote to the same store, and nothing is lost.
        stored = (await windows[0].call("quillon/conversations/list", {}))["result"]
        asked = {found["result"]["conversationId"] for found in answers}
        assert asked == {one["conversationId"] for one in stored}
        for window in windows:
            assert await window.leave() == 0


async def test_a_killed_engine_costs_a_sentence_and_no_session(folder, made):
    async with server_in(folder, made) as server:
        uri = await begin(server, folder, ENDLESS)

        ended = {}
        for _ in range(5):  # an answer may be over before its engine is killed
            number = await begun(server)
            (engine,) = made.processes()
            engine.kill()
            ended = await server.response(number)
            if "error" in ended:
                break
        lost = ended["error"]
        assert lost["code"] == -32803
        assert "engine process" in lost["message"]
        brief = {"settings": {"quillon": {"model": {"idleMinutes": 0.001}, **BRIEF}}}
        server.notify("workspace/didChangeConfiguration", brief)
        assert (await answer(server, "hello"))["result"]["text"]

        # Stopped first, so that what is asked for cannot be there before the kill.
        (engine,) = made.processes()
        engine.suspend()
        place = {"line": 1, "character": 4}
        ghost = server.request(
            "textDocument/inlineCompletion",
            {"textDocument": {"uri": uri}, "position": place, "context": {"triggerKind": 1}},
        )
        engine.kill()
        assert (await server.response(ghost))["result"] == {"items": []}
        status = (await server.call("quillon/status/get"))["result"]
        assert status["noSuggestion"]
        assert (await answer(server, "hello"))["result"]["text"]

        (engine,) = made.processes()
        start = {"line": 0, "character": 0}
        actions = await server.call(
            "textDocument/codeAction",
            {
                "textDocument": {"uri": uri},
                "range": {"start": start, "end": start},
                "context": {"diagnostics": []},
            },
        )
        action = next(one for one in actions["result"] if "docstring" in one["title"])
        engine.suspend()
        resolving = server.request("codeAction/resolve", action)
        create = await server.until(lambda m: m.get("method") == "window/workDoneProgress/create")
        server.send({"jsonrpc": "2.0", "id": create["id"], "result": None})
        engine.kill()
        ended = await server.response(resolving)
        # What had not reached the engine yet is done by the next one.
        if "error" in ended:
            assert ended["error"]["code"] == -32803
            assert "Traceback" not in ended["error"]["message"]
        else:
            assert ended["result"]["edit"]
        assert (await answer(server, "hello"))["result"]["text"]
        running = made.processes()
        assert await server.leave() == 0
        assert await gone(running)


async def test_a_client_that_vanishes_frees_the_engine(folder, made):
    watcher = made.client()
    idle = asyncio.Event()
    async with server_in(folder, made) as server:
        await begin(server, folder, ENDLESS)
        await watcher.info()
        states = []

        def note(info, _part):
            states.append(info.state)
            if info.state == "ready" and "busy" in states:
                idle.set()

        watcher.subscribe(note)
        await begun(server)
        server.process.stdin.close()
        assert await server.ended() == 1
        await asyncio.wait_for(idle.wait(), DEADLINE)
        (engine,) = await status_of_engines(made)
        assert engine["info"]["clients"] == 1


async def test_a_server_that_is_killed_frees_the_engine(folder, made):
    async with server_in(folder, made) as server:
        await begin(server, folder, ENDLESS)
        await begun(server)
        running = made.processes()
        server.process.kill()
        await server.ended()
        assert await gone(running)  # nobody is left whom it could serve
