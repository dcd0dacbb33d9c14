"""`quillon mcp`: the workspace's tools for other MCP clients, over the standard streams."""

import asyncio
import os
import sys
import threading
import uuid
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from quillon import __version__
from quillon.cli.output import chosen_folder, fail
from quillon.cli.streams import CLOSED, are_open
from quillon.folders import audit_directory
from quillon.signals import SignalledError, heeding_signals
from quillon_tools.audit import AuditLog
from quillon_tools.diagnostics import get_diagnostics
from quillon_tools.mcp.servers import INSTALL
from quillon_tools.registry import all_tools
from quillon_tools.workspace import Workspace

if TYPE_CHECKING:
    from quillon_tools.mcp.serving import Desk

_PIECE = 1 << 16
_PATIENCE = 2.0  # seconds that calls have to end their programs


def run(folders: Sequence[Path], allowed: Sequence[str]) -> NoReturn:
    """Serve one client until it closes our input, and end the process."""
    if find_spec("mcp") is None:
        fail(f"The MCP SDK is not installed. {INSTALL}")
    if not are_open():
        fail(CLOSED)
    roots = [chosen_folder(folder) for folder in folders or (Path(),)]
    workspace = Workspace(roots)
    # Diagnostics are an editor's, and there is none.
    tools = [tool for tool in all_tools(workspace) if tool is not get_diagnostics]
    names = [tool.name for tool in all_tools()]
    for name in allowed:
        if name not in names:
            fail(f"There is no tool {name}. The tools are: {', '.join(names)}.", status=2)

    from quillon_tools.mcp.serving import Desk  # noqa: PLC0415 - an extra, and slow to import

    audit = AuditLog(audit_directory()).writer(f"mcp-{uuid.uuid4().hex}")
    desk = Desk(workspace, tools, version=__version__, allowed=frozenset(allowed), audit=audit)
    source, sink = _claimed_streams()
    status = 0
    try:
        asyncio.run(heeding_signals(_serve(desk, source, sink)))
    except KeyboardInterrupt:
        status = 130
    except SignalledError as signalled:
        status = signalled.status
    finally:
        workspace.close()
        # What a call has started must not outlive us.
        workspace.workers.wait(_PATIENCE)
    sys.stderr.flush()
    # A thread may still read our input, or wait for a child; nobody waits for it.
    os._exit(status)


async def _serve(desk: "Desk", source: int, sink: int) -> None:
    loop = asyncio.get_running_loop()
    pieces: asyncio.Queue[bytes] = asyncio.Queue(4)

    def pump() -> None:
        """Read in a thread: our input may be a file or a terminal, which no loop can watch."""
        while True:
            try:
                piece = os.read(source, _PIECE)
            except OSError:
                piece = b""
            asyncio.run_coroutine_threadsafe(pieces.put(piece), loop).result()
            if not piece:
                return

    async def write(line: bytes) -> None:
        await asyncio.to_thread(_write_all, sink, line)

    threading.Thread(target=pump, name="stdin", daemon=True).start()
    try:  # noqa: SIM105 - `suppress` knows groups only from Python 3.12 on
        await desk.serve(pieces.get, write)
    except* BrokenPipeError:
        pass  # the client left


def _write_all(sink: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(sink, view) :]


def _claimed_streams() -> tuple[int, int]:
    """The protocol's descriptors; 0 and 1 then are for everybody else, and lead nowhere near it."""
    source, sink = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return source, sink
