"""Streams that hold no messages, or never end: the log says so, and the session ends."""

import hashlib
import json
import os
import subprocess
import sys

import pytest

from quillon_testing.stdio_server import raw_server, script_file


def log_of(folder) -> str:
    return (folder.parent / f"{folder.name}-state" / "server.log").read_text()


NO_MESSAGE = "is no message of the Language Server Protocol"


@pytest.mark.parametrize("first", [True, False], ids=["at once", "later"])
@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"Content-Length: 999999999999\r\n\r\n{}", "a message of 999999999999 bytes, and at most"),
        (b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n{}", "a Content-Length that is no number"),
        (b"x" * 100_000, "a line of over 64 KiB"),
        (b"x: y\r\n" * 5000, "a header of over 100 lines"),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "a header without a Content-Length"),
    ],
    ids=["huge", "digits", "line", "lines", "http"],
)
async def test_what_is_no_message_ends_the_session_with_a_reason(folder, first, data, sentence):
    async with raw_server(folder) as server:
        if not first:
            await server.initialize()
        server.send_bytes(data)
        assert await server.ended() == 1
    log = log_of(folder)
    assert sentence in log
    assert (NO_MESSAGE in log) is ("at most" not in sentence)
    assert "closed the connection" not in log
    assert "Traceback" not in log


@pytest.mark.parametrize("end", [b"", b"Content-Le"])
async def test_an_end_within_a_header_is_an_end(folder, end):
    async with raw_server(folder) as server:
        await server.initialize()
        server.send_bytes(end)
        server.process.stdin.close()
        assert await server.ended() == 1
    assert "closed the connection" in log_of(folder)


async def test_the_name_of_a_header_may_be_written_in_any_way(folder):
    async with raw_server(folder) as server:
        await server.initialize()
        body = b'{"jsonrpc": "2.0", "id": "a", "method": "quillon/status/get"}'
        server.send_bytes(b"\r\ncontent-length:%d\r\nX: y\r\n\r\n" % len(body) + body)
        assert (await server.response("a"))["result"]
        assert await server.leave() == 0


ODD_IDS = ({"a": 1}, [1], 1.5, True, None)
STATUS = {"method": "quillon/status/get"}


NO_REQUESTS = (
    *(({"id": odd, **STATUS}, None) for odd in ODD_IDS),
    *(({"id": odd}, None) for odd in ODD_IDS),
    *(({"id": 77, "method": odd}, 77) for odd in (5, None, {"a": 1}, ["quillon/chat"])),
    ({"id": "77"}, "77"),
    ({"id": 77, "params": {}}, 77),
    ({"method": {"a": 1}}, None),
    ({"id": {"a": 1}, "method": 5}, None),
    ({}, None),
)


async def test_a_message_with_an_odd_id_or_method_is_refused(folder):
    async with raw_server(folder) as server:
        for message, number in NO_REQUESTS:  # before the first request, and after it
            server.send({"jsonrpc": "2.0", **message})
            assert (await server.response(number))["error"]["code"] == -32600, message
        await server.initialize()
        for message, number in NO_REQUESTS:
            server.send({"jsonrpc": "2.0", **message})
            error = (await server.response(number))["error"]
            assert error["code"] == -32600, message
            assert error["message"].startswith(("The id of", "The method of", "The message has"))
        assert (await server.call("quillon/status/get"))["result"]
        assert await server.leave() == 0
        assert await server.process.stderr.read() == b""
    assert "unhashable" not in log_of(folder)


NO_ANSWERS = (
    {"id": None, "error": {"code": -32700, "message": "What?"}},
    {"id": {"a": 1}, "result": 5},
)


async def test_an_answer_to_nothing_is_not_answered(folder):
    async with raw_server(folder) as server:
        await server.initialize()
        for answer in NO_ANSWERS:
            server.send({"jsonrpc": "2.0", **answer})
        assert (await server.call("quillon/status/get"))["result"]
        assert not [message for message in server.seen if message.get("id", ...) is None]
        assert await server.leave() == 0
    assert log_of(folder).count("A message is passed over: The id of") == len(NO_ANSWERS)


async def test_an_empty_answer_to_a_request_of_ours_is_an_answer(folder):
    async with raw_server(folder) as server:
        await server.initialize(capabilities={"workspace": {"configuration": True}})
        asked = await server.until(lambda m: m.get("method") == "workspace/configuration")
        server.send({"jsonrpc": "2.0", "id": asked["id"]})
        assert (await server.call("quillon/status/get"))["result"]
        assert not [message for message in server.seen if "error" in message]


def test_a_client_that_never_reads_is_given_up(folder):
    script = script_file(folder.parent, {"reply": "hi"})
    settings = {"engine": {"kind": "scripted", "script": str(script)}}
    log, state = folder.parent / "server.log", folder.parent / "state"
    kept = state / "conversations" / _store_of(folder) / f"{'0' * 32}.json"
    kept.parent.mkdir(parents=True)
    question = {"role": "user", "content": "x" * 20_000_000}
    kept.write_text(
        json.dumps({"id": kept.stem, "title": "", "updated": "", "messages": [question]})
    )
    given = ["--settings", json.dumps(settings), "--log-file", str(log)]
    command = [sys.executable, "-I", "-m", "quillon", "lsp", *given]
    environment = {**os.environ, "QUILLON_STATE_DIR": str(state)}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, env=environment, **pipes) as server:
        try:
            roots = {"processId": None, "rootUri": folder.as_uri(), "capabilities": {}}
            send(server, {"id": 1, "method": "initialize", "params": roots})
            send(server, {"method": "initialized", "params": {}})
            for number in range(6):
                params = {"conversationId": kept.stem}
                method = "quillon/conversations/get"
                send(server, {"id": f"n{number}", "method": method, "params": params})
            assert server.wait(60) == 1
        finally:
            server.kill()
    assert "bytes unread. The session ends." in log.read_text()


def _store_of(folder) -> str:
    return hashlib.sha256(str(folder).encode()).hexdigest()[:16]


def send(server, message) -> None:
    body = json.dumps({"jsonrpc": "2.0", **message}).encode()
    server.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
    server.stdin.flush()
