"""The engine process, from outside: frames on its socket, files in its directory, exit codes."""

import asyncio
import os
import re
import signal

import pytest

from quillon import __version__
from quillon.engine import wire
from quillon.engine.base import (
    Constraint,
    Delta,
    Finished,
    Priority,
    Request,
    Segment,
    Started,
)
from quillon.engine.endpoint import RUNTIME_VARIABLE
from quillon.engine.host import ALREADY_RUNNING, ENDED
from quillon.engine.models import EMBEDDED
from quillon.settings import ModelSettings
from quillon_testing.generation import QUESTION
from quillon_testing.gguf_files import trained_for
from quillon_testing.host_process import HostProcess

# Goes on until somebody ends it.
ENDLESS = Request(prompt=QUESTION, max_tokens=1900, constraint=Constraint("root ::= [a-z ]+"))
SHORT = Request(prompt=QUESTION, max_tokens=4)


@pytest.fixture
def new_host(tmp_path, monkeypatch):
    """Makes engine processes of the embedded model, all in one directory."""
    monkeypatch.setenv(RUNTIME_VARIABLE, str(tmp_path / "run"))

    def make(model=EMBEDDED, directory=tmp_path / "run", **settings):
        return HostProcess(model, directory, ModelSettings(**settings))

    return make


def is_delta(message):
    return isinstance(message, wire.EventFrame) and isinstance(message.event, Delta)


async def test_it_listens_first_then_loads_and_answers(new_host):
    async with new_host() as host:
        peer = await host.connect()
        welcome = await peer.until(lambda m: isinstance(m, wire.Welcome))
        assert welcome.version == wire.PROTOCOL_VERSION
        if welcome.info.state == "loading":
            info = await peer.settled()
        else:
            info = welcome.info
        assert info.state == "ready"
        assert (info.embedded, info.fim, info.tool_call_token) == (True, True, True)
        assert info.template is not None
        assert info.eos == "<|im_end|>"
        assert info.context == info.trained_context > 0
        assert (info.pid, info.clients) == (host.process.pid, 1)
        assert "runs on the processor" in info.message or "GPU" in info.message
        text, end = await peer.generate(1, SHORT)
        assert text
        assert isinstance(end, Finished)
        assert info.message in host.log
        assert f"Quillon {__version__}" in host.log


async def test_requests_of_every_kind(new_host):
    async with new_host() as host:
        peer = await host.connect()
        peer.send(wire.Warm(1, QUESTION, "chat"))
        await peer.until(lambda m: m == wire.Done(1))
        peer.send(wire.Generate(2, Request(prompt=QUESTION, max_tokens=4, cache_key="chat")))
        await peer.answer(2)
        started = next(m.event for m in peer.seen if isinstance(m, wire.EventFrame))
        assert isinstance(started, Started)
        assert started.cached_tokens == started.prompt_tokens - 1
        peer.send(wire.Count(3, ("", "hello", "<|im_end|>")))
        counted = await peer.until(lambda m: isinstance(m, wire.Counted))
        assert counted.counts[0] == 0
        assert counted.counts[2] > 1  # plain text, no special token
        peer.send(wire.Info(4))
        reply = await peer.until(lambda m: isinstance(m, wire.InfoReply))
        assert (reply.id, reply.info.clients) == (4, 1)
        assert reply.info.state in {"busy", "ready"}
        peer.send(wire.Ping(5))
        await peer.until(lambda m: m == wire.Done(5))


async def test_a_ping_is_answered_while_the_model_loads_and_decodes(new_host):
    async with new_host() as host:
        peer = await host.connect()
        peer.send(wire.Ping(1))
        await peer.until(lambda m: m == wire.Done(1))
        peer.send(wire.Generate(2, ENDLESS))
        await peer.until(is_delta)
        peer.send(wire.Ping(3))
        await peer.until(lambda m: m == wire.Done(3))


async def test_cancelling_ends_one_generation_and_no_other(new_host):
    async with new_host() as host:
        peer = await host.connect()
        peer.send(wire.Generate(1, ENDLESS))
        peer.send(wire.Generate(2, ENDLESS))
        await peer.until(lambda m: is_delta(m) and m.id == 2)
        peer.send(wire.Cancel(1))
        _, end = await peer.answer(1)
        assert end.reason == "cancelled"
        await peer.until(lambda m: is_delta(m) and m.id == 2)
        peer.send(wire.Cancel(2))
        peer.send(wire.Cancel(77))  # nobody's
        _, end = await peer.answer(2)
        assert end.reason == "cancelled"
        assert end.usage.completion_tokens < 1900


async def test_typing_overtakes_a_running_chat(new_host):
    async with new_host() as host:
        peer = await host.connect()
        peer.send(wire.Generate(1, ENDLESS))
        await peer.until(is_delta)
        typing = Request(prompt=QUESTION, max_tokens=8, priority=Priority.INLINE)
        _, end = await peer.generate(2, typing)
        assert isinstance(end, Finished)
        assert not any(
            isinstance(m, wire.EventFrame) and isinstance(m.event, Finished) and m.id == 1
            for m in peer.seen
        )


async def test_what_a_client_started_ends_with_it(new_host):
    async with new_host() as host:
        first, second = await host.connect(), await host.connect()
        first.send(wire.Generate(1, ENDLESS))
        await first.until(is_delta)
        await second.until(lambda m: isinstance(m, wire.Progress) and m.info.state == "busy")
        first.close()
        await second.until(lambda m: isinstance(m, wire.Progress) and m.info.state == "ready")
        assert (await second.generate(1, SHORT))[0]


@pytest.mark.parametrize(
    "data",
    [b"\0\0\0\5hello", b"\xff\xff\xff\xff", b"\0\0\0\0", wire.encode(wire.Hello(1, "again"))],
    ids=["noise", "huge", "empty", "second hello"],
)
async def test_a_corrupt_frame_ends_that_connection_only(new_host, data):
    async with new_host() as host:
        good, bad = await host.connect(), await host.connect()
        await bad.until(lambda m: isinstance(m, wire.Welcome))
        bad.send_bytes(data)
        assert await bad.hung_up()
        assert (await good.generate(1, SHORT))[0]


async def test_a_request_number_in_use_ends_the_connection(new_host):
    async with new_host() as host:
        peer = await host.connect()
        peer.send(wire.Generate(1, ENDLESS))
        await peer.until(is_delta)
        peer.send(wire.Generate(1, SHORT))
        assert await peer.hung_up()


async def test_who_does_not_know_the_token_is_not_served(new_host):
    async with new_host() as host:
        peer = await host.connect(token="guessed")  # noqa: S106 - it is wrong
        peer.send(wire.Generate(1, SHORT))
        assert await peer.hung_up()
        assert peer.seen == []
        assert host.endpoint.state_path.stat().st_mode & 0o077 == 0


async def test_a_prompt_that_does_not_fit_is_told_with_numbers(new_host):
    async with new_host(context_size=600) as host:
        peer = await host.connect()
        _, end = await peer.generate(1, Request(prompt=(Segment("word " * 2000),)))
        assert end.kind == "PromptTooLong"
        counted = re.search(r"has (\d+) tokens and the context 600", end.message)
        assert counted
        assert int(counted[1]) > 600
        _, end = await peer.generate(2, Request(prompt=(Segment("word " * 1_000_000),)))
        assert end.kind == "PromptTooLong"
        assert "at least" in end.message


async def test_a_bad_grammar_is_told(new_host):
    async with new_host() as host:
        peer = await host.connect()
        request = Request(prompt=QUESTION, constraint=Constraint("root ::= nothing"))
        _, end = await peer.generate(1, request)
        assert end.kind == "ConstraintError"
        assert (await peer.generate(2, SHORT))[0]


async def test_a_second_process_for_the_same_model_is_refused(new_host):
    async with new_host() as host:
        second = new_host()
        second.start()
        status, out, error = await second.ended()
        assert (status, out) == (ALREADY_RUNNING, b"")
        assert error == b"An engine for this model is already running.\n"
        assert (await (await host.connect()).generate(1, SHORT))[0]


async def test_a_killed_process_leaves_nothing_that_stops_the_next(new_host):
    async with new_host() as host:
        await host.connect()
        host.process.kill()
        await host.ended()
        assert host.endpoint.state_path.exists()
        async with new_host() as again:
            assert (await (await again.connect()).generate(1, SHORT))[0]


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGHUP"])
async def test_a_signal_ends_it_in_the_middle_of_work(new_host, name):
    async with new_host() as host:
        peer = await host.connect()
        peer.send(wire.Generate(1, ENDLESS))
        await peer.until(is_delta)
        host.process.send_signal(getattr(signal, name))
        assert await peer.hung_up()
        await check_clean_end(host)


async def check_clean_end(host):
    """Status 0, nothing printed, and neither socket nor state file left."""
    assert await host.ended() == (ENDED, b"", b"")
    assert not host.endpoint.state_path.exists()
    assert host.endpoint.socket_path is None or not host.endpoint.socket_path.exists()


async def test_it_ends_while_it_loads(new_host):
    async with new_host() as host:
        host.process.send_signal(signal.SIGTERM)
        await check_clean_end(host)


async def test_it_ends_when_a_client_says_so(new_host):
    async with new_host() as host:
        peer, other = await host.connect(), await host.connect()
        peer.send(wire.Shutdown(1))
        await peer.until(lambda m: m == wire.Done(1))
        assert await other.hung_up()
        await check_clean_end(host)


async def test_it_ends_after_its_last_client(new_host):
    async with new_host(idle_minutes=0.0) as host:
        first, second = await host.connect(), await host.connect()
        await first.generate(1, SHORT)
        await second.generate(1, SHORT)
        first.close()
        assert (await second.generate(2, SHORT))[0]
        second.close()
        await check_clean_end(host)


async def test_without_a_short_path_it_listens_on_a_loopback_port(new_host, tmp_path):
    async with new_host(directory=tmp_path / ("deep" * 25)) as host:
        state = await host.state()
        assert (state.socket, host.endpoint.socket_path) == (None, None)
        assert state.port
        assert (await (await host.connect()).generate(1, SHORT))[0]
        wrong = await host.connect(token="guessed")  # noqa: S106 - it is wrong
        assert await wrong.hung_up()


def missing(path):
    return "There is no model file at"


def empty(path):
    path.write_bytes(b"")
    return "is empty"


def prose(path):
    path.write_text("# Read me\n" * 100)
    return "text"


def truncated(path):
    path.write_bytes(EMBEDDED.read_bytes()[:5_000_000])
    return "is cut off"


def fifo(path):
    os.mkfifo(path)
    return "no regular file"


def damaged(path):
    data = bytearray(EMBEDDED.read_bytes())
    data[8:16] = b"\xff" * 8
    path.write_bytes(data)
    return "is damaged"


@pytest.mark.parametrize("make", [missing, empty, prose, truncated, fifo, damaged])
async def test_a_file_that_is_no_model_is_told_to_people(new_host, tmp_path, make):
    path = tmp_path / "model.gguf"
    expected = make(path)
    async with new_host(model=path) as host:
        peer = await host.connect()
        info = await peer.settled()
        assert info.state == "failed"
        assert expected in info.message
        assert str(path) in info.message
        _, end = await peer.generate(1, SHORT)
        assert (end.kind, end.message) == ("ModelError", info.message)
        peer.send(wire.Count(2, ("a",)))
        failed = await peer.until(lambda m: isinstance(m, wire.Failed))
        assert (failed.id, failed.kind) == (2, "ModelError")
        assert info.message in host.log
        peer.close()
        await check_clean_end(host)  # another attempt starts afresh


async def test_a_model_too_large_for_memory_is_told_with_numbers(new_host, tmp_path):
    model = trained_for(tmp_path / "long.gguf", EMBEDDED, 2_000_000_000)
    async with new_host(model=model, context_size=2_000_000_000) as host:
        info = await (await host.connect()).settled()
        assert info.state == "failed"
        assert "does not fit into memory" in info.message
        assert "of weights" in info.message


async def test_a_model_without_fim_and_template_says_so(new_host, tmp_path):
    path = tmp_path / "plain.gguf"
    data = EMBEDDED.read_bytes()
    data = data.replace(b"tokenizer.chat_template", b"tokenizer.no_template!!")
    path.write_bytes(data.replace(b"<|fim_prefix|>", b"<|not_prefix|>"))
    async with new_host(model=path) as host:
        info = await (await host.connect()).settled()
        assert (info.state, info.fim, info.template) == ("ready", False, None)
        assert info.embedded is False


async def test_many_requests_at_once_all_end(new_host):
    async with new_host() as host:
        peers = [await host.connect() for _ in range(3)]

        async def work(peer):
            for number in range(8):
                peer.send(
                    wire.Generate(
                        number,
                        Request(
                            prompt=(Segment(f"number {number} " * 9),),
                            max_tokens=6,
                            priority=Priority(number % 4),
                        ),
                    )
                )
            ends = set()
            while len(ends) < 8:
                message = await peer.until(lambda m: isinstance(m, wire.EventFrame | wire.Failed))
                assert isinstance(message, wire.EventFrame)
                if isinstance(message.event, Finished):
                    ends.add(message.id)

        await asyncio.gather(*(work(peer) for peer in peers))
