"""Engines that cannot start, die while they do, or find something else in their place."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from quillon.engine.base import (
    Constraint,
    Delta,
    EngineInfo,
    EngineUnavailable,
    Finished,
    ModelError,
    Request,
    Segment,
)
from quillon.engine.connection import Patience
from quillon.engine.endpoint import HostState, endpoint_for, write_state
from quillon.engine.models import EMBEDDED
from quillon.settings import ModelSettings
from quillon_testing.engines import Engines, engines, play
from quillon_testing.gguf_files import write_gguf

STARTED = ", engine process "  # what each process says first
DEADLINE = 60  # seconds; far more than anything here takes on an idle machine


async def test_a_missing_model_starts_nothing(made: Engines, tmp_path):
    engine = made.client(tmp_path / "none.gguf")
    with pytest.raises(ModelError, match=r"There is no model file at .*none\.gguf"):
        await engine.info()
    state = engine.state()
    assert (state.state, "There is no model file" in state.message) == ("failed", True)
    assert made.processes() == []


async def test_a_missing_adapter_starts_nothing(made: Engines):
    with pytest.raises(ModelError, match="There is no model file at"):
        await made.client(adapter="~/none.gguf").info()


async def test_a_model_that_does_not_load_is_told_once_until_it_changes(made: Engines, tmp_path):
    path = write_gguf(tmp_path / "m.gguf")  # well-formed, but its layers are missing
    engine = made.client(path)
    with pytest.raises(ModelError) as first:
        await play(engine)
    assert engine.state() == EngineInfo(
        state="failed", model="m", path=str(path), message=str(first.value)
    )
    log = endpoint_for(path, ModelSettings()).log_path
    assert log.read_text().count(STARTED) == 1
    with pytest.raises(ModelError) as second:
        await play(engine)
    assert str(second.value) == str(first.value)
    assert log.read_text().count(STARTED) == 1
    engine.retry()
    with pytest.raises(ModelError):
        await play(engine)
    assert log.read_text().count(STARTED) == 2
    path.write_bytes(EMBEDDED.read_bytes())
    assert isinstance((await play(engine))[-1], Finished)


async def test_an_engine_that_dies_while_it_loads_is_started_again(made: Engines):
    engine = made.client(patience=Patience(backoff=0.01))
    killed = []

    def kill_once(info, _fraction):
        if info.pid and not killed:
            killed.append(info.pid)
            os.kill(info.pid, signal.SIGKILL)

    engine.subscribe(kill_once)
    assert isinstance((await play(engine))[-1], Finished)
    assert engine.state().pid != killed[0]


async def test_a_process_that_never_starts_is_given_up_with_its_log(made: Engines):
    endpoint = endpoint_for(EMBEDDED, ModelSettings())
    endpoint.state_path.mkdir()  # where the process must write
    engine = made.client(patience=Patience(backoff=0.01))
    with pytest.raises(EngineUnavailable) as first:
        await engine.info()
    assert "failed 3 times in a row" in str(first.value)
    assert "exited with status" in str(first.value)
    assert str(endpoint.log_path) in str(first.value)
    assert endpoint.log_path.read_text()
    with pytest.raises(EngineUnavailable) as second:
        await engine.info()
    assert str(second.value) == str(first.value)
    endpoint.state_path.rmdir()
    engine.retry()
    assert (await engine.info()).state == "ready"


def stale(**changes) -> HostState:
    values = {"pid": 2**22, "socket": None, "port": None, "token": "x", "version": "0"}
    return HostState(**{**values, **changes})


@pytest.mark.parametrize("kind", ["no socket", "dead socket", "dead port", "garbage", "nobody"])
async def test_a_stale_state_file_is_no_obstacle(made: Engines, kind: str):
    endpoint = endpoint_for(EMBEDDED, ModelSettings())
    socket = str(made.directory / "gone.sock")
    if kind == "garbage":
        endpoint.state_path.write_bytes(b"\xff{")
    else:
        changes = {"dead socket": {"socket": socket}, "dead port": {"port": 1}}
        write_state(endpoint.state_path, stale(**changes.get(kind, {"pid": os.getpid()})))
    assert (await made.client().info()).state == "ready"


async def test_somebody_else_who_listens_there_is_left_alone(made: Engines):
    silent = asyncio.Event()

    async def say_nothing(reader, writer):
        await reader.read()
        writer.close()
        silent.set()

    async def say_something_else(_reader, writer):
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    endpoint = endpoint_for(EMBEDDED, ModelSettings())
    for serve in (say_nothing, say_something_else):
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        write_state(endpoint.state_path, stale(pid=os.getpid(), port=port))
        engine = made.client(patience=Patience(welcome=0.2))
        assert (await engine.info()).state == "ready"
        await engine.stop()
        server.close()
    await asyncio.wait_for(silent.wait(), DEADLINE)


async def test_a_long_path_means_a_loopback_port(tmp_path):
    directory = tmp_path / ("long" * 30)
    directory.mkdir()
    async with engines(directory) as made:
        engine = made.client()
        assert isinstance((await play(engine))[-1], Finished)
        assert list(directory.glob("*.sock")) == []


async def test_a_relative_runtime_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    async with engines(Path("run")) as made:
        pid = (await made.client().info()).pid
        assert [process.pid for process in made.processes()] == [pid]


async def test_lone_surrogates_anywhere_in_a_request(made: Engines):
    grammar = Constraint('root ::= "\ud800x"')
    request = Request(prompt=(Segment("a\ud800"),), constraint=grammar, cache_key="\udfff")
    deltas = [event for event in await play(made.client(), request) if isinstance(event, Delta)]
    assert "".join(delta.text for delta in deltas) == "\ufffdx"
