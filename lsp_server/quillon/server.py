"""Making a language server and running it over the standard streams."""

import asyncio
import gc
import hashlib
import logging
import os
import signal
import sys
import threading
from contextlib import suppress
from typing import Any, BinaryIO

import msgspec
import psutil
from pygls.io_ import run_async

from quillon.assist.conversations import ConversationStore
from quillon.engine.choose import open_engine
from quillon.features import (
    chat,
    code_action,
    completion,
    content,
    conversations,
    documents,
    inline_completion,
    lifecycle,
    status,
)
from quillon.folders import state_directory
from quillon.handshake import Handshake
from quillon.rpc import QuillonServer
from quillon.session import Session
from quillon.settings import parse_settings
from quillon.signals import SignalledError, when_signalled
from quillon.stdio import open_reader, open_writer

logger = logging.getLogger(__name__)

_SWITCH_INTERVAL = 0.001  # seconds
_PARENT_CHECK = 5.0  # seconds between looks whether the editor still lives

_FEATURES = (
    lifecycle,
    documents,
    inline_completion,
    completion,
    code_action,
    content,
    chat,
    conversations,
    status,
)


class ServerOptions(msgspec.Struct, frozen=True):
    """What the command line decides. `settings` win over what the editor sends."""

    settings: dict[str, Any] = {}


def create_server(options: ServerOptions | None = None) -> QuillonServer:
    """A language server with every feature registered; nothing runs yet."""
    _quiet_pygls()
    overrides = (options or ServerOptions()).settings
    settings, problems = parse_settings(overrides)
    for problem in problems:
        logger.warning("Settings of the command line: %s", problem)
    server = QuillonServer(Session(settings), open_engine, _open_conversations, overrides)
    for feature in _FEATURES:
        feature.register(server)
    return server


def serve(server: QuillonServer, hands: Handshake, stdin_fd: int, stdout: BinaryIO) -> int:
    """Serve one client until it leaves; the exit status that the specification asks for.

    Negative where a signal ended the session: its number.
    """
    server.protocol.answered = hands.answered
    # A thread that parses holds the interpreter; the event loop must not wait long for its turn.
    sys.setswitchinterval(_SWITCH_INTERVAL)
    # Nor for the garbage collector: what is loaded by now stays, so it need not look at it.
    gc.freeze()
    try:
        problem = asyncio.run(_serve(server, hands, stdin_fd, stdout))
    except SystemExit as stop:  # raised by pygls on `exit`
        return int(stop.code or 0)
    except KeyboardInterrupt:
        return 130
    except SignalledError as ended:
        logger.info("%s was received. The session ends.", ended.number.name)
        return -ended.number
    if problem:
        logger.error("%s. The session ends.", problem)
    else:
        logger.info("The client closed the connection without saying exit")
    return 1


def _quiet_pygls() -> None:
    """Keep pygls from logging messages, the user's code in them, and tracebacks of our answers.

    What matters of them is logged by `quillon.rpc`.
    """
    logging.getLogger("pygls").setLevel(logging.CRITICAL)


async def _serve(server: QuillonServer, hands: Handshake, stdin_fd: int, stdout: BinaryIO) -> str:
    """Serve until the client says exit, which raises; else why not (empty: it went away)."""
    serving, problems = asyncio.current_task(), []

    def give_up(problem: str) -> None:
        problems.append(problem)
        if serving is not None and len(problems) == 1:
            serving.cancel()

    received: list[signal.Signals] = []

    def end_by(number: signal.Signals) -> None:
        received.append(number)
        give_up(f"{number.name} was received")

    when_signalled(end_by)  # what the tools have started must end with us
    reader = await open_reader(stdin_fd, hands.pending)
    writer = await open_writer(stdout, give_up)
    server.protocol.set_writer(writer)
    watcher = asyncio.create_task(_leave_with_the_editor(server))
    try:
        await run_async(
            stop_event=threading.Event(),
            reader=reader,
            protocol=server.protocol,
            logger=logging.getLogger("pygls"),
            error_handler=server.report_server_error,
        )
    except asyncio.CancelledError:
        if serving is None or not problems:
            raise
        serving.uncancel()
    finally:
        watcher.cancel()
        await server.close()
        await server.leave()
        writer.close()
    if received:
        raise SignalledError(received[0])
    return problems[0] if problems else reader.problem


async def _leave_with_the_editor(server: QuillonServer) -> None:
    """End when the editor's process is gone, even if somebody keeps our input open."""
    while True:
        await asyncio.sleep(_PARENT_CHECK)
        if server.process_id is not None and not psutil.pid_exists(server.process_id):
            logger.info("The editor (process %d) is gone", server.process_id)
            with suppress(Exception):  # the last breath: whatever fails, we leave
                await server.close()
                await server.leave()
            sys.stderr.flush()
            os._exit(1)


def _open_conversations(session: Session) -> ConversationStore:
    root = str(session.roots[0]) if session.roots else "no folder"
    key = hashlib.sha256(root.encode("utf-8", "surrogateescape")).hexdigest()[:16]
    return ConversationStore(state_directory() / "conversations" / key)
