"""The engine processes of this user, seen from outside: which there are, and how to end them."""

import asyncio

import msgspec
import psutil

from quillon.engine.base import EngineInfo, EngineLost, EngineUnavailable
from quillon.engine.connection import Connection, Patience
from quillon.engine.endpoint import HostState, read_state, runtime_directory
from quillon.engine.launch import connect
from quillon.engine.wire import Info, InfoReply, Shutdown

_PATIENCE = Patience(welcome=3.0)


def running_engines() -> list[HostState]:
    """What the state files name, without those that a killed process left behind."""
    states = (read_state(path) for path in sorted(runtime_directory().glob("*.json")))
    return [state for state in states if state is not None and _lives(state.pid)]


async def ask_state(state: HostState) -> EngineInfo | None:
    """What an engine does, or None where it does not answer."""
    try:
        connection = await connect(state, _PATIENCE)
    except TimeoutError:
        return None
    if connection is None:
        return None
    try:
        reply = await connection.ask(Info)
    except EngineLost:
        return None
    finally:
        await connection.aclose(EngineLost("asked and answered"))
    if not isinstance(reply, InfoReply):
        return None
    # We asked, and are no client that keeps it running.
    return msgspec.structs.replace(reply.info, clients=max(0, reply.info.clients - 1))


async def ask_to_stop(state: HostState) -> None:
    """End an engine; its clients start a new one when they need it.

    Raises:
        EngineUnavailable: It does not answer.
    """
    try:
        connection: Connection | None = await connect(state, _PATIENCE)
    except TimeoutError:
        connection = None
    if connection is None:
        raise EngineUnavailable(f"the engine process {state.pid} does not answer")
    try:
        async with asyncio.timeout(_PATIENCE.grace):
            await connection.ask(Shutdown)
            await connection.lost
    except EngineLost:
        pass  # it went before it answered
    except TimeoutError as error:
        raise EngineUnavailable(f"the engine process {state.pid} does not stop") from error
    finally:
        await connection.aclose(EngineLost("the engine was stopped"))


def _lives(pid: int) -> bool:
    """Whether a process of ours has this id, which may have passed to somebody else's."""
    try:
        # In the foreground it is not the module that runs, but the command.
        return any("quillon" in word for word in psutil.Process(pid).cmdline())
    except psutil.Error:
        return False
