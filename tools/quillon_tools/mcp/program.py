"""A server that is a program: started without a shell, spoken to in lines, ended with its kin.

The SDK's own transport keeps a line of any length; this one bounds what it reads. Only few
environment variables are passed on, as the SDK has it.
"""

import asyncio
import os
import signal
import uuid
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import anyio
import mcp_types as types
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.client.stdio import get_default_environment
from mcp.shared.message import SessionMessage

from quillon_tools.mcp.lines import MAX_LINE, Allowance, FloodError, LongLine, lines
from quillon_tools.mcp.offered import narrowed
from quillon_tools.mcp.servers import ServerSpec
from quillon_tools.processes import RUN_VARIABLE, kill_marked, plain

_PIECE = 1 << 16
_LOOK = 0.02  # seconds between looks whether the program has ended
_LAST_WORDS = 400  # bytes of what it wrote to the standard error
_TOO_LONG = types.ErrorData(
    code=types.INTERNAL_ERROR, message=f"the answer is larger than {MAX_LINE >> 20} MB"
)

Incoming = SessionMessage | Exception


class ProgramError(Exception):
    """A program cannot be started; the message says why."""


class Program:
    """A running program and the streams for the SDK's client. `why` says how it ended."""

    def __init__(self, process: Process, number: str) -> None:
        self.ended = asyncio.Event()
        self.why = "it ended"
        self._process = process
        self._number = number
        self._waiting: set[int | str] = set()
        self._words = bytearray()
        self._to_session, self.reads = _stream(0)
        self.writes, self._from_session = _messages(64)
        self._pumps = [
            asyncio.create_task(pump()) for pump in (self._read, self._write, self._listen)
        ]

    @property
    def last_words(self) -> str:
        """The end of what the program wrote to its standard error."""
        return plain(bytes(self._words)).strip()[-_LAST_WORDS:]

    def kill(self) -> None:
        """End the program and all that it started, at once. From any thread."""
        self._signal(getattr(signal, "SIGKILL", signal.SIGTERM))
        kill_marked(self._number)

    async def close(self, patience: float) -> None:
        """Let the program end, or end it, with all that it started."""
        for pump in self._pumps:
            pump.cancel()
        await asyncio.wait(self._pumps)
        for stream in (self._to_session, self.reads, self.writes, self._from_session):
            stream.close()
        stdin = self._process.stdin
        if stdin is not None:
            stdin.close()
        if not await self._has_ended(patience):
            self._signal(signal.SIGTERM)
            await self._has_ended(patience)
        await asyncio.to_thread(self.kill)
        await self._has_ended(patience)
        transport = getattr(self._process, "_transport", None)
        if transport is not None:  # a pipe that somebody inherited would keep it open
            transport.close()

    async def _has_ended(self, seconds: float) -> bool:
        # `wait` would wait for whoever holds the pipes, too.
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        while self._process.returncode is None and loop.time() < deadline:  # noqa: ASYNC110 - see above
            await asyncio.sleep(_LOOK)
        return self._process.returncode is not None

    def _signal(self, number: int) -> None:
        if self._process.returncode is not None:
            return  # its number may be somebody else's by now
        with suppress(ProcessLookupError, PermissionError):
            if hasattr(os, "killpg"):
                os.killpg(self._process.pid, number)
            else:  # pragma: no cover - Windows
                self._process.kill()

    async def _read(self) -> None:
        stdout = self._process.stdout
        assert stdout is not None  # noqa: S101 - asked for in `started`
        try:
            async for line in lines(lambda: stdout.read(_PIECE), Allowance()):
                message = self._too_long(line) if isinstance(line, LongLine) else _parsed(line)
                if message is None:
                    continue
                if isinstance(message, types.JSONRPCResponse | types.JSONRPCError):
                    self._waiting.discard(message.id if message.id is not None else -1)
                if isinstance(message, types.JSONRPCResponse):
                    message.result = narrowed(message.result)
                await self._to_session.send(SessionMessage(message))
        except FloodError as error:
            self.why = str(error)
        except (anyio.BrokenResourceError, anyio.ClosedResourceError):
            pass  # the session is gone
        finally:
            self._to_session.close()
            self.ended.set()

    def _too_long(self, line: LongLine) -> types.JSONRPCMessage | None:
        """The error in place of an answer that is too long; None where nobody waits for it."""
        number: int | str | None = line.number
        if number not in self._waiting and len(self._waiting) == 1:
            number = next(iter(self._waiting))
        if number is None or number not in self._waiting:
            return None
        return types.JSONRPCError(jsonrpc="2.0", id=number, error=_TOO_LONG)

    async def _write(self) -> None:
        stdin = self._process.stdin
        assert stdin is not None  # noqa: S101 - asked for in `started`
        with suppress(OSError):  # it has ended; whoever reads from it is told
            async for item in self._from_session:
                message = item.message
                if isinstance(message, types.JSONRPCRequest):
                    self._waiting.add(message.id)
                text = message.model_dump_json(by_alias=True, exclude_unset=True)
                stdin.write(text.encode("utf-8", "replace") + b"\n")
                await stdin.drain()

    async def _listen(self) -> None:
        stderr = self._process.stderr
        assert stderr is not None  # noqa: S101 - asked for in `started`
        allowance = Allowance()
        while piece := await stderr.read(_PIECE):
            self._words = (self._words + piece)[-2 * _LAST_WORDS :]
            try:
                allowance.spend(size=len(piece))
            except FloodError:
                # Nobody waits for it: who writes without end is made to wait.
                await asyncio.sleep(1)


@asynccontextmanager
async def started(spec: ServerSpec, patience: float) -> AsyncIterator[Program]:
    """Run a program as long as the block lasts; nothing of it is left afterwards.

    Raises:
        ProgramError: It cannot be started.
    """
    number = uuid.uuid4().hex
    try:
        process = await asyncio.create_subprocess_exec(
            spec.command,
            *spec.arguments,
            cwd=spec.folder or Path.home(),
            env={**get_default_environment(), **spec.environment, RUN_VARIABLE: number},
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            limit=_PIECE,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise ProgramError(f"{spec.command} cannot be started: {why}") from error
    program = Program(process, number)
    try:
        yield program
    finally:
        ending = asyncio.ensure_future(program.close(patience))
        try:
            await asyncio.shield(ending)
        except asyncio.CancelledError:  # we are told to hurry
            program.kill()
            await ending
            raise


def _parsed(line: bytes) -> types.JSONRPCMessage | None:
    try:
        return types.jsonrpc_message_adapter.validate_json(line, by_name=False)
    except ValueError:
        return None  # a stray `print` of the server


def _stream(
    size: int,
) -> tuple[MemoryObjectSendStream[Incoming], MemoryObjectReceiveStream[Incoming]]:
    return anyio.create_memory_object_stream[Incoming](size)


def _messages(
    size: int,
) -> tuple[MemoryObjectSendStream[SessionMessage], MemoryObjectReceiveStream[SessionMessage]]:
    return anyio.create_memory_object_stream[SessionMessage](size)
