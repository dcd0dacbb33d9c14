"""The engine process as its client sees it, on the embedded model."""

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import msgspec
import psutil
import pytest
import pytest_asyncio

from quillon.engine.base import (
    Constraint,
    DeadlineExceeded,
    Delta,
    EngineInfo,
    EngineLost,
    EngineUnavailable,
    Finished,
    ModelError,
    PromptTooLong,
    Request,
    Segment,
    Started,
)
from quillon.engine.connection import Patience
from quillon.engine.endpoint import HostState, endpoint_for, write_state
from quillon.engine.models import EMBEDDED
from quillon.settings import ModelSettings
from quillon_testing.engines import Engines, engines
from quillon_testing.gguf_files import write_gguf

DEADLINE = 60  # seconds; far more than anything here takes on an idle machine
HELLO = Request(
    prompt=(Segment("<|im_start|>user\nhello<|im_end|>\n<|im_start|>assistant\n", trusted=True),),
    max_tokens=8,
)
ENDLESS = Request(prompt=(Segment("x = [" + "1, 2, 3, " * 40),), max_tokens=1900)


@pytest_asyncio.fixture
async def made():
    async with engines() as found:
        yield found


async def play(engine, request=HELLO):
    return [event async for event in engine.generate(request)]


async def begun(engine):
    """A generation that has sent its first text and goes on."""
    events = engine.generate(ENDLESS)
    async with asyncio.timeout(DEADLINE):
        while not isinstance(await anext(events), Delta):
            pass
    return events


async def drain(events):
    async with asyncio.timeout(DEADLINE):
        async for _ in events:
            pass


def kill(pid, number=signal.SIGKILL):
    os.kill(pid, number)


async def test_an_answer_with_counts_and_warming(made: Engines):
    engine = made.client()
    assert engine.state().state == "absent"
    assert made.processes() == []
    told = []
    engine.subscribe(lambda info, _fraction: told.append(info.state))
    info = await engine.info()
    assert (info.state, info.embedded, info.fim, info.pid > 0) == ("ready", True, True, True)
    assert told[0] == "loading"
    started, *deltas, finished = await play(engine)
    assert isinstance(started, Started)
    assert isinstance(finished, Finished)
    assert finished.usage.prompt_tokens == started.prompt_tokens
    assert finished.usage.completion_tokens <= 8
    assert all(isinstance(delta, Delta) for delta in deltas)
    counts = await engine.count(["", "def add(a, b):", "<|im_end|>", "a\ud800b"])
    assert counts[0] == 0
    assert counts[2] > 1
    await engine.warm(HELLO.prompt, "chat")
    started, *_ = await play(engine)
    assert started.cached_tokens > 0


async def test_a_killed_engine_ends_the_request_and_the_next_one_works(made: Engines):
    engine = made.client()
    pid = (await engine.info()).pid
    events = await begun(engine)
    kill(pid)
    with pytest.raises(EngineLost, match="the engine process stopped"):
        await drain(events)
    assert engine.state().state == "absent"
    assert isinstance((await play(engine))[-1], Finished)
    assert engine.state().pid not in {0, pid}


async def test_a_stopped_engine_loses_the_request_and_goes_on_when_it_wakes(made: Engines):
    engine = made.client()
    pid = (await engine.info()).pid
    events = await begun(engine)
    kill(pid, signal.SIGSTOP)
    try:
        async with asyncio.timeout(10):
            with pytest.raises(EngineLost, match="does not answer"):
                await drain(events)
        later = asyncio.create_task(play(engine))
        await asyncio.wait([later], timeout=0.3)
        assert not later.done()
    finally:
        kill(pid, signal.SIGCONT)
    assert isinstance((await asyncio.wait_for(later, DEADLINE))[-1], Finished)
    assert (await engine.info()).pid == pid


async def test_an_engine_that_stays_silent_is_replaced_at_the_next_use(made: Engines):
    engine = made.client(patience=Patience(grace=2.0))
    pid = (await engine.info()).pid
    events = await begun(engine)
    kill(pid, signal.SIGSTOP)
    with pytest.raises(EngineLost):
        await drain(events)
    assert isinstance((await asyncio.wait_for(play(engine), DEADLINE))[-1], Finished)
    assert engine.state().pid != pid
    assert not psutil.pid_exists(pid)


async def test_an_engine_that_was_stopped_before_the_client_came_is_replaced(made: Engines):
    first = made.client()
    pid = (await first.info()).pid
    kill(pid, signal.SIGSTOP)
    second = made.client(patience=Patience(welcome=1.0))
    assert (await asyncio.wait_for(second.info(), DEADLINE)).pid != pid


async def test_a_second_client_attaches_and_closing_leaves_the_engine(made: Engines):
    first, second = made.client(), made.client()
    pid = (await first.info()).pid
    assert (await second.info()).pid == pid
    await first.aclose()
    assert isinstance((await play(second))[-1], Finished)
    with pytest.raises(EngineUnavailable, match="was closed"):
        await play(first)
    third = made.client()
    assert (await third.info()).pid == pid
    assert len(made.processes()) == 1


def run_client(program: str) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-c", program]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


async def test_clients_of_several_processes_start_one_engine(made: Engines):
    program = textwrap.dedent("""
        import asyncio, sys
        from quillon.engine.client import LocalEngine
        from quillon.engine.models import resolve_model
        from quillon.settings import Settings

        async def main():
            engine = LocalEngine(Settings(), resolve_model(Settings(), {}))
            info = await engine.info()
            sys.stdout.write(f"{info.pid}\\n")
            sys.stdout.flush()
            await asyncio.to_thread(sys.stdin.read)
            await engine.aclose()

        asyncio.run(main())
        """)
    clients = [run_client(program) for _ in range(3)]
    try:
        pids = {await asyncio.to_thread(client.stdout.readline) for client in clients}
        assert len(pids) == 1
        assert [f"{process.pid}\n".encode() for process in made.processes()] == list(pids)
    finally:
        for client in clients:
            client.communicate(timeout=DEADLINE)
    assert [client.returncode for client in clients] == [0, 0, 0]


async def test_the_engine_exits_after_its_last_client(made: Engines):
    engine = made.client(idle_minutes=0.001)
    process = psutil.Process((await engine.info()).pid)
    await engine.aclose()
    await asyncio.to_thread(process.wait, DEADLINE)


async def test_leaving_early_frees_the_engine(made: Engines):
    engine = made.client()
    await engine.info()
    idle = asyncio.Event()
    events = await begun(engine)
    assert engine.state().state == "busy"
    engine.subscribe(lambda info, _fraction: idle.set() if info.state == "ready" else None)
    await events.aclose()
    await asyncio.wait_for(idle.wait(), DEADLINE)
    assert isinstance((await play(engine))[-1], Finished)


async def test_cancelling_the_reader_frees_the_engine(made: Engines):
    engine = made.client()
    events = await begun(engine)
    idle = asyncio.Event()
    engine.subscribe(lambda info, _fraction: idle.set() if info.state == "ready" else None)
    task = asyncio.create_task(drain(events))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.wait_for(idle.wait(), DEADLINE)


async def test_a_prompt_over_the_context(made: Engines):
    with pytest.raises(PromptTooLong, match=r"the prompt has \d+ tokens and the context \d+"):
        await play(made.client(), Request(prompt=(Segment("word " * 5000),)))


async def test_a_text_that_no_frame_holds(made: Engines):
    with pytest.raises(PromptTooLong, match="64 MiB, more than any context"):
        await made.client().count(["x" * (64 << 20)])


async def test_closing_ends_what_runs(made: Engines):
    engine = made.client()
    events = await begun(engine)
    await engine.aclose()
    with pytest.raises(EngineLost, match="because its settings changed or the session ends"):
        await drain(events)


async def test_closing_ends_a_start(made: Engines):
    engine = made.client()
    waiting = asyncio.create_task(play(engine))
    await asyncio.sleep(0)
    await engine.aclose()
    with pytest.raises(EngineLost, match="the engine was closed"):
        await waiting


async def test_a_deadline_counts_the_loading_and_does_not_stop_it(made: Engines):
    engine = made.client()
    with pytest.raises(DeadlineExceeded, match="was not loaded within"):
        await play(engine, msgspec.structs.replace(HELLO, deadline=0.001))
    assert engine.state().state == "loading"
    assert (await engine.info()).state == "ready"


async def test_stopping_the_engine(made: Engines):
    engine = made.client()
    assert not await engine.stop()
    pid = (await engine.info()).pid
    assert await engine.stop()
    assert engine.state().state == "absent"
    await asyncio.to_thread(_wait_until_gone, pid)
    assert (await engine.info()).pid != pid


def _wait_until_gone(pid: int) -> None:
    try:
        psutil.Process(pid).wait(DEADLINE)
    except psutil.NoSuchProcess:
        return


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
    said = log.read_text()
    with pytest.raises(ModelError) as second:
        await play(engine)
    assert str(second.value) == str(first.value)
    assert log.read_text() == said
    engine.retry()
    with pytest.raises(ModelError):
        await play(engine)
    assert len(log.read_text()) > len(said)
    path.write_bytes(EMBEDDED.read_bytes())
    assert isinstance((await play(engine))[-1], Finished)


async def test_an_engine_that_dies_while_it_loads_is_started_again(made: Engines):
    engine = made.client(patience=Patience(backoff=0.01))
    killed = []

    def kill_once(info, _fraction):
        if info.pid and not killed:
            killed.append(info.pid)
            kill(info.pid)

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
