"""An engine process of a test's own, and raw connections to it."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import msgspec

from quillon.engine import wire
from quillon.engine.base import Delta, EngineInfo, Finished, Request
from quillon.engine.endpoint import RUNTIME_VARIABLE, HostState, endpoint_for, read_state
from quillon.settings import ModelSettings

PATIENCE = 60.0  # seconds; the machine may be busy


class HostProcess:
    """`quillon.engine.host` in a process; `async with` ends it."""

    def __init__(self, model: Path, directory: Path, settings: ModelSettings) -> None:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.environ[RUNTIME_VARIABLE] = str(directory)  # the fixture puts it back
        self.endpoint = endpoint_for(model, settings)
        options = ["--model", str(model), "--settings", msgspec.json.encode(settings).decode()]
        self.command = [sys.executable, "-I", "-m", "quillon.engine.host", *options]
        self.process: subprocess.Popen[bytes] | None = None
        self._peers: list[Peer] = []

    async def __aenter__(self) -> Self:
        self.start()
        await self.state()
        return self

    async def __aexit__(self, *_: object) -> None:
        for peer in self._peers:
            peer.close()
        assert self.process is not None
        if self.process.poll() is None:
            self.process.kill()
        await asyncio.to_thread(self.process.communicate)

    def start(self) -> None:
        self.process = subprocess.Popen(
            self.command, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )

    async def state(self) -> HostState:
        """The state file of the running process, once it is there."""
        assert self.process is not None
        async with asyncio.timeout(PATIENCE):
            while True:
                state = read_state(self.endpoint.state_path)
                if state is not None and state.pid == self.process.pid:
                    return state
                assert self.process.poll() is None, self.process.communicate()
                await asyncio.sleep(0.01)

    async def connect(self, token: str | None = None) -> "Peer":
        """A connection that has said hello."""
        state = await self.state()
        if state.socket is not None:
            streams = await asyncio.open_unix_connection(state.socket)
        else:
            streams = await asyncio.open_connection("127.0.0.1", state.port)
        peer = Peer(*streams)
        self._peers.append(peer)
        peer.send(wire.Hello(wire.PROTOCOL_VERSION, token or state.token))
        return peer

    async def ended(self) -> tuple[int, bytes, bytes]:
        """(exit status, standard output, standard error), once it has ended."""
        assert self.process is not None
        async with asyncio.timeout(PATIENCE):
            out, error = await asyncio.to_thread(self.process.communicate)
        return self.process.returncode, out, error

    @property
    def log(self) -> str:
        return self.endpoint.log_path.read_text("utf-8")


class Peer:
    """A client that speaks frames; what it has received stays in `seen`."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.seen: list[wire.ToClient] = []
        self._reader = reader
        self._writer = writer

    def send(self, message: wire.ToHost) -> None:
        self._writer.write(wire.encode(message))

    def send_bytes(self, data: bytes) -> None:
        self._writer.write(data)

    def close(self) -> None:
        self._writer.close()

    async def until(self, wanted: Callable[[wire.ToClient], Any]) -> Any:
        """The first message that is wanted, from now on."""
        async with asyncio.timeout(PATIENCE):
            while True:
                payload = await wire.read_frame(self._reader)
                assert payload is not None, "the host hung up"
                self.seen.append(wire.decode_for_client(payload))
                if wanted(self.seen[-1]):
                    return self.seen[-1]

    async def settled(self) -> EngineInfo:
        """The engine's facts, once the model is loaded or has failed."""
        message = await self.until(
            lambda m: isinstance(m, wire.Welcome | wire.Progress) and m.info.state != "loading"
        )
        info: EngineInfo = message.info
        return info

    async def hung_up(self) -> bool:
        """Waits until the host closes the connection."""
        async with asyncio.timeout(PATIENCE):
            try:
                while (payload := await wire.read_frame(self._reader)) is not None:
                    self.seen.append(wire.decode_for_client(payload))
            except (ConnectionError, wire.WireError):
                pass
        return True

    async def generate(self, number: int, request: Request) -> tuple[str, Any]:
        """The text of an answer and what ended it: `Finished` or `Failed`."""
        self.send(wire.Generate(number, request))
        return await self.answer(number)

    async def answer(self, number: int) -> tuple[str, Any]:
        text = ""
        while True:
            message = await self.until(
                lambda m: isinstance(m, wire.EventFrame | wire.Failed) and m.id == number
            )
            if isinstance(message, wire.Failed):
                return text, message
            if isinstance(message.event, Delta):
                text += message.event.text
            elif isinstance(message.event, Finished):
                return text, message.event
