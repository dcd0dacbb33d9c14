"""Servers and engines over the wire: shared, killed, left, and gone when nobody needs them."""

import asyncio
import json
import os
import sys
from contextlib import AsyncExitStack
from pathlib import Path

import psutil
import pytest

from quillon.engine.models import EMBEDDED
from quillon_testing.engines import Engines, engines
from quillon_testing.gguf_files import never_ending
from quillon_testing.stdio_server import DEADLINE, RawServer, raw_server

TEXT = "def first(a):\n    return a\n"
IDLE = {"idleMinutes": 0.001}
BRIEF = {"model": IDLE, "chat": {"temperature": 0.0}}
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
def endless(tmp_path):
    """Settings with which an answer goes on until it is stopped, and is not broken off."""
    model = never_ending(tmp_path / "endless.gguf", EMBEDDED)
    chat = {"temperature": 1.0, "topK": 0, "topP": 1.0}
    return {"model": {**IDLE, "path": str(model)}, "chat": chat}


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
        initializationOptions=settings,
    )
    uri = (folder / "a.py").as_uri()
    item = {"uri": uri, "languageId": "python", "version": 1, "text": TEXT}
    server.notify("textDocument/didOpen", {"textDocument": item})
    await status(server, "ready")
    return uri


async def status(server: RawServer, state: str) -> None:
    """Wait until the server says that its engine is in this state."""
    await server.until(
        lambda m: m.get("method") == "quillon/status" and m["params"]["state"] == state
    )


async def answer(server: RawServer, text: str) -> dict:
    return await server.call("quillon/chat", {"text": text})


async def begun(server: RawServer) -> int:
    """The number of a question whose answer is being streamed and does not end soon."""
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


async def engine_of(made: Engines, model: Path) -> psutil.Process:
    """The process that runs a model; another one may be about to end."""
    (pid,) = [
        row["pid"] for row in await status_of_engines(made) if row["info"]["path"] == str(model)
    ]
    return psutil.Process(pid)


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
        answers = await asyncio.gather(answer(one, "thank you"), answer(two, "thank you"))
        assert all(found["result"]["text"] for found in answers)
        assert await one.leave() == 0
        assert (await answer(two, "thanks a lot"))["result"]["text"]
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
            await begin(
                windows[-1], folder, {"model": IDLE, "chat": {"temperature": 0.0, "maxTokens": 16}}
            )
        (engine,) = await status_of_engines(made)
        assert [process.pid for process in made.processes()] == [engine["pid"]]
        assert engine["info"]["clients"] == 10
        answers = await asyncio.gather(*(answer(window, "thank you") for window in windows))
        assert all(found["result"]["text"] for found in answers)
        # All of them wrote to the same store, and nothing is lost.
        stored = (await windows[0].call("quillon/conversations/list", {}))["result"]
        asked = {found["result"]["conversationId"] for found in answers}
        assert asked == {one["conversationId"] for one in stored}
        for window in windows:
            assert await window.leave() == 0


async def test_a_killed_engine_costs_a_sentence_and_no_session(folder, made, endless):
    async with server_in(folder, made) as server:
        uri = await begin(server, folder, endless)

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
        resolving = server.request("codeAction/resolve", action)
        create = await server.until(lambda m: m.get("method") == "window/workDoneProgress/create")
        server.send({"jsonrpc": "2.0", "id": create["id"], "result": None})
        await status(server, "busy")
        engine.kill()
        refused = await server.response(resolving)
        assert refused["error"]["code"] == -32803
        assert "Traceback" not in refused["error"]["message"]

        number = await begun(server)
        (engine,) = made.processes()
        engine.kill()
        lost = (await server.response(number))["error"]
        assert lost["code"] == -32803
        assert "engine process" in lost["message"]

        server.notify("workspace/didChangeConfiguration", {"settings": {"quillon": BRIEF}})
        assert (await answer(server, "thank you"))["result"]["text"]
        engine = await engine_of(made, EMBEDDED)
        # Stopped first, so that what is asked for cannot be there before the kill.
        engine.suspend()
        place = {"line": 1, "character": 4}
        ghost = server.request(
            "textDocument/inlineCompletion",
            {"textDocument": {"uri": uri}, "position": place, "context": {"triggerKind": 1}},
        )
        engine.kill()
        assert (await server.response(ghost))["result"] == {"items": []}
        assert (await server.call("quillon/status/get"))["result"]["noSuggestion"]
        assert (await answer(server, "thank you"))["result"]["text"]
        running = made.processes()
        assert await server.leave() == 0
        assert await gone(running)


async def test_a_wedged_engine_costs_a_sentence_and_is_replaced(folder, made, endless):
    async with server_in(folder, made) as server:
        uri = await begin(server, folder, endless)
        number = await begun(server)
        (engine,) = made.processes()
        engine.suspend()
        # Everything that needs no model is answered all the same.
        assert (await server.call("quillon/status/get"))["result"]["state"] == "busy"
        place = {"textDocument": {"uri": uri}, "position": {"line": 1, "character": 4}}
        assert "error" not in await server.call("textDocument/completion", place)
        lost = (await server.response(number))["error"]
        assert lost == {"code": -32803, "message": "the engine process does not answer; ask again"}
        server.seen.clear()  # what was streamed of the answer that was lost
        again = await begun(server)
        (other,) = made.processes()
        assert other.pid != engine.pid
        server.notify("$/cancelRequest", {"id": again})
        assert (await server.response(again))["result"]["finishReason"] == "cancelled"


async def test_only_the_engine_process_loads_llama_cpp(folder, made):
    async with server_in(folder, made) as server:
        await begin(server, folder, BRIEF)
        assert (await answer(server, "thank you"))["result"]["text"]
        (engine,) = made.processes()
        ours = psutil.Process(server.process.pid)
        loaded = [
            any("libllama" in file.path for file in process.memory_maps())
            for process in (engine, ours)
        ]
        assert loaded == [True, False]


async def test_a_client_that_vanishes_frees_the_engine(folder, made, endless):
    watcher = made.client(Path(endless["model"]["path"]))
    idle = asyncio.Event()
    async with server_in(folder, made) as server:
        await begin(server, folder, endless)
        await watcher.info()
        await begun(server)
        watcher.subscribe(lambda info, _part: idle.set() if info.state == "ready" else None)
        server.process.stdin.close()
        assert await server.ended() == 1
        await asyncio.wait_for(idle.wait(), DEADLINE)
        (engine,) = await status_of_engines(made)
        assert engine["info"]["clients"] == 1


async def test_a_server_that_is_killed_frees_the_engine(folder, made, endless):
    async with server_in(folder, made) as server:
        await begin(server, folder, endless)
        await begun(server)
        running = made.processes()
        server.process.kill()
        await server.ended()
        assert await gone(running)  # nobody is left whom it could serve
