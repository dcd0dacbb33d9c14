"""Servers at an address: the SDK's own over HTTP, and ones that answer what they should not."""

import asyncio
import json
import socket
import subprocess
import sys
from contextlib import asynccontextmanager, suppress

import pytest

from quillon_testing.tool_servers import DEADLINE, HERE, hub_with, until
from quillon_tools.mcp.servers import Patience, ServerSpec


@pytest.fixture
def port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@pytest.fixture
def honest_address(port):
    program = str(HERE / "honest_tool_server.py")
    process = subprocess.Popen([sys.executable, program, str(port)], stderr=subprocess.DEVNULL)
    yield f"http://127.0.0.1:{port}/mcp"
    process.kill()
    process.wait()


async def listening(port):
    async with asyncio.timeout(DEADLINE):
        while True:
            try:
                _reader, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return


@asynccontextmanager
async def answering(respond):
    """An HTTP server that gives each request what `respond` makes of its head and body."""
    seen = []
    serving = set()

    async def serve(reader, writer):
        serving.add(asyncio.current_task())
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = 0
                for line in head.split(b"\r\n"):
                    name, _, value = line.partition(b":")
                    if name.lower() == b"content-length":
                        length = int(value)
                body = await reader.readexactly(length)
                seen.append(head)
                for piece in respond(head, json.loads(body) if body else {}):
                    writer.write(piece)
                    await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        writer.close()
        writer.transport.abort()
        with suppress(ConnectionError):
            await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/mcp", seen
    finally:
        server.close()
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving)


def reply(body, kind="application/json", more=b""):
    head = b"HTTP/1.1 200 OK\r\ncontent-type: " + kind.encode() + b"\r\n" + more
    return head + b"content-length: %d\r\n\r\n" % len(body) + body


def proper(body):
    """The answers of a server with one tool, over the handshake of 2025-11-25."""
    results = {
        "initialize": {
            "protocolVersion": "2025-11-25",
            "capabilities": {"tools": {}},
            "serverInfo": {"name": "x", "version": "1"},
        },
        "tools/list": {"tools": [{"name": "t", "inputSchema": {"type": "object"}}]},
    }
    if "id" not in body:
        return b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n"
    if body["method"] not in results:
        error = {"code": -32601, "message": "no"}
        message = {"jsonrpc": "2.0", "id": body["id"], "error": error}
    else:
        message = {"jsonrpc": "2.0", "id": body["id"], "result": results[body["method"]]}
    return reply(json.dumps(message).encode())


async def test_a_server_of_the_sdk_over_http(servers, honest_address, port):
    await listening(port)
    headers = {"Authorization": "Bearer something"}
    await servers.started(web=ServerSpec(url=honest_address, headers=headers))
    assert (await servers.call("web__add", a=2, b=3)).text.endswith("\n5")
    (request,) = servers.asked
    assert honest_address in request.preview
    assert "something" not in request.preview


async def test_nobody_listens(servers, port):
    with hub_with(Patience(start=DEADLINE, leave=0.1, pause=0.01, tries=1)) as hub:
        hub.configure({"web": ServerSpec(url=f"http://127.0.0.1:{port}/mcp")})
        await hub.settle(DEADLINE)
        (sentence,) = hub.news()
    assert "MCP server web is not used" in sentence
    assert "cannot be reached" in sentence


async def test_headers_go_to_the_address_and_no_further(servers):
    def elsewhere(_head, _body):
        return [b"HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n"]

    async with answering(elsewhere) as (other, seen_there):

        def redirect(_head, _body):
            to = other.encode()
            return [b"HTTP/1.1 307 Go\r\nlocation: " + to + b"\r\ncontent-length: 0\r\n\r\n"]

        async with answering(redirect) as (address, seen):
            with hub_with(Patience(start=DEADLINE, leave=0.1, pause=0.01, tries=1)) as hub:
                spec = ServerSpec(url=address, headers={"X-Secret": "for one only"})
                hub.configure({"web": spec})
                await hub.settle(DEADLINE)
                assert hub.tools == ()
            assert any(b"for one only" in head for head in seen)
        assert seen_there == []


@pytest.mark.parametrize("kind", ["application/json", "text/event-stream"])
async def test_a_result_without_end_fails_its_call_only(servers, kind):
    def respond(_head, body):
        if body.get("method") != "tools/call":
            yield proper(body)
            return
        yield b"HTTP/1.1 200 OK\r\ncontent-type: " + kind.encode() + b"\r\n\r\n"
        yield b'data: {"jsonrpc": "2.0", "result": "'
        while True:
            yield b"x" * 65536

    async with answering(respond) as (address, _seen):
        await servers.started(web=ServerSpec(url=address))
        result = await servers.call("web__t")
        assert not result.ok
        assert len(result.text) < 1000
        await until(lambda: servers.names == ["web__t"])


async def test_a_compressed_answer_is_not_unpacked(servers):
    def respond(_head, body):
        if body.get("method") == "tools/call":
            yield reply(b"\x1f\x8b" + b"0" * 100, more=b"content-encoding: gzip\r\n")
        else:
            yield proper(body)

    async with answering(respond) as (address, seen):
        await servers.started(web=ServerSpec(url=address))
        assert not (await servers.call("web__t")).ok
        assert all(b"accept-encoding: identity" in head.lower() for head in seen)
