"""The engine process as its client sees it, on the embedded model."""

import asyncio
import os
import signal
import subprocess
import sys
import textwrap

import msgspec
import psutil
import pytest

from quillon.engine import client, launch
from quillon.engine.base import (
    DeadlineExceeded,
    Delta,
    EngineLost,
    EngineUnavailable,
    Finished,
    PromptTooLong,
    Request,
    Segment,
    Started,
)
from quillon.engine.connection import Patience
from quillon_testing import hanging_engine
from quillon_testing.engines import HELLO, Engines, play

DEADLINE = 60  # seconds; far more than anything here takes on an idle machine
ENDLESS = Request(prompt=(Segment("x = [" + "1, 2, 3, " * 40),), max_tokens=1900)


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
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(EngineLost, match="the engine process stopped"):
        await drain(events)
    assert engine.state().state == "absent"
    assert isinstance((await play(engine))[-1], Finished)
    assert engine.state().pid not in {0, pid}


async def test_a_stopped_engine_loses_the_request_and_goes_on_when_it_wakes(made: Engines):
    engine = made.client(patience=Patience(stuck=60.0, grace=60.0))
    pid = (await engine.info()).pid
    events = await begun(engine)
    os.kill(pid, signal.SIGSTOP)
    try:
        async with asyncio.timeout(10):
            with pytest.raises(EngineLost, match="does not answer"):
                await drain(events)
        later = asyncio.create_task(play(engine))
        await asyncio.wait([later], timeout=0.3)
        assert not later.done()
    finally:
        os.kill(pid, signal.SIGCONT)
    assert isinstance((await asyncio.wait_for(later, DEADLINE))[-1], Finished)
    assert (await engine.info()).pid == pid


async def test_an_engine_that_hangs_in_a_native_call_is_replaced(made: Engines, monkeypatch):
    own = client.host_command
    monkeypatch.setattr(client, "host_command", lambda *given: hanging_engine.command(own(*given)))
    engine = made.client()
    pid = (await engine.info()).pid
    events = await begun(engine)
    with pytest.raises(EngineLost):
        await drain(events)
    monkeypatch.undo()
    assert isinstance((await asyncio.wait_for(play(engine), DEADLINE))[-1], Finished)
    assert (await engine.info()).pid != pid


def test_a_silent_engine_is_noticed_within_two_seconds():
    patience = Patience()
    assert patience.silence + patience.ping < 2.0


SHORT = {"stuck": Patience(stuck=2.0, grace=600.0), "grace": Patience(stuck=600.0, grace=2.0)}


@pytest.mark.parametrize("patience", SHORT.values(), ids=SHORT)
async def test_an_engine_that_stays_silent_is_replaced_at_the_next_use(made: Engines, patience):
    engine = made.client(patience=patience)
    pid = (await engine.info()).pid
    events = await begun(engine)
    os.kill(pid, signal.SIGSTOP)
    with pytest.raises(EngineLost):
        await drain(events)
    assert isinstance((await asyncio.wait_for(play(engine), DEADLINE))[-1], Finished)
    assert engine.state().pid != pid
    assert not psutil.pid_exists(pid)


MUTE = {"stuck": Patience(stuck=1.0, welcome=600.0), "any": Patience(stuck=600.0, welcome=1.0)}


@pytest.mark.parametrize("patience", MUTE.values(), ids=MUTE)
async def test_an_engine_that_was_stopped_before_the_client_came_is_replaced(
    made: Engines, patience
):
    first = made.client()
    pid = (await first.info()).pid
    os.kill(pid, signal.SIGSTOP)
    second = made.client(patience=patience)
    assert (await asyncio.wait_for(second.info(), DEADLINE)).pid != pid


async def test_an_engine_that_seemed_to_work_when_the_client_came_is_replaced(
    made: Engines, monkeypatch
):
    pid = (await made.client().info()).pid
    os.kill(pid, signal.SIGSTOP)
    looks = iter([None, 1.0, 2.0])  # it waits for its turn, then works
    monkeypatch.setattr(launch, "pulse", lambda pid: next(looks, 3.0))
    second = made.client(patience=MUTE["stuck"])
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
