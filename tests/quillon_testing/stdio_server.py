"""`quillon lsp` as a process, spoken to in raw frames: what a well-behaved client never sends."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from quillon_testing.engines import end_engines

DEADLINE = 60.0  # seconds; machines that run tests are shared and slow


class RawServer:
    """The server's standard streams. `seen` keeps every message that was read and not asked for."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.seen: list[dict[str, Any]] = []
        self._ids = iter(range(1, 1_000_000))

    def send_bytes(self, data: bytes) -> None:
        self.process.stdin.write(data)

    def send(self, *messages: object) -> None:
        """Send messages in one piece, so that the server reads them at once."""
        bodies = [json.dumps(message).encode() for message in messages]
        self.send_bytes(b"".join(b"Content-Length: %d\r\n\r\n" % len(b) + b for b in bodies))

    def notify(self, method: str, params: object = None) -> None:
        self.send({"jsonrpc": "2.0", "method": method, "params": params})

    def request(self, method: str, params: object = None) -> int:
        number = next(self._ids)
        self.send({"jsonrpc": "2.0", "id": number, "method": method, "params": params})
        return number

    async def call(self, method: str, params: object = None) -> dict[str, Any]:
        """The whole response to a request."""
        return await self.response(self.request(method, params))

    async def response(self, number: int | str | None) -> dict[str, Any]:
        return await self.until(
            lambda m: "method" not in m and m.get("id", ...) == number,
        )

    async def until(self, wanted) -> dict[str, Any]:
        """The next message that is wanted; the others are kept in `seen`."""
        for index, message in enumerate(self.seen):
            if wanted(message):
                return self.seen.pop(index)
        async with asyncio.timeout(DEADLINE):
            while True:
                message = await self.read()
                if wanted(message):
                    return message
                self.seen.append(message)

    async def read(self) -> dict[str, Any]:
        """The next message."""
        length = 0
        while (line := await self.process.stdout.readline()) != b"\r\n":
            assert line, "the server closed its output"
            name, _, value = line.partition(b":")
            assert name.lower() in (b"content-length", b"content-type"), line
            if name.lower() == b"content-length":
                length = int(value)
        return json.loads(await self.process.stdout.readexactly(length))

    async def initialize(self, **params: Any) -> dict[str, Any]:
        """Shake hands; the result of `initialize`."""
        given = {"processId": None, "rootUri": None, "capabilities": {}, **params}
        answer = await self.call("initialize", given)
        self.notify("initialized", {})
        return answer["result"]

    async def leave(self) -> int:
        """Shut down and exit as the specification says; the exit status."""
        await self.call("shutdown")
        self.notify("exit")
        return await self.ended()

    async def ended(self) -> int:
        """The exit status, once the process has ended."""
        async with asyncio.timeout(DEADLINE):
            return await self.process.wait()


@asynccontextmanager
async def raw_server(
    folder: Path,
    *arguments: str,
    settings: dict[str, Any] | None = None,
    under: Sequence[str] = (),
    **environment: str,
) -> AsyncIterator[RawServer]:
    """A server with `folder` as its working directory and a state of its own.

    `under` is a command that starts it.
    """
    state = folder.parent / f"{folder.name}-state"
    state.mkdir(exist_ok=True)
    given = {"engine": {"kind": "scripted", "script": str(script_file(state))}}
    process = await asyncio.create_subprocess_exec(
        *under,
        sys.executable,
        "-I",
        "-m",
        "quillon",
        "lsp",
        "--settings",
        json.dumps(given if settings is None else settings),
        "--log-file",
        str(state / "server.log"),
        *arguments,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=folder,
        env={
            **os.environ,
            "QUILLON_STATE_DIR": str(state),
            "QUILLON_RUNTIME_DIR": str(state / "run"),
            **environment,
        },
        limit=1 << 26,
    )
    try:
        yield RawServer(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()
        end_engines(state / "run")


def held_to_permissions() -> tuple[str, ...]:
    """A command under which root, too, may read only what permissions allow."""
    if os.geteuid() != 0:
        return ()
    return ("setpriv", "--bounding-set", "-dac_override,-dac_read_search")


def script_file(folder: Path, *steps: dict[str, Any]) -> Path:
    """A script for the scripted engine; without steps it answers nothing."""
    path = folder / "script.json"
    path.write_text(json.dumps({"steps": list(steps)}), encoding="utf-8")
    return path
