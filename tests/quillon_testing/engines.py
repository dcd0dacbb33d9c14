"""Real engine processes for tests: each test has its own runtime directory, and leaves nothing."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import psutil

from quillon.engine.base import Engine, Event, Request, Segment
from quillon.engine.client import LocalEngine
from quillon.engine.connection import Patience
from quillon.engine.endpoint import RUNTIME_VARIABLE
from quillon.engine.launch import HOST_MODULE
from quillon.engine.models import EMBEDDED, ModelFile
from quillon.settings import ModelSettings, Settings

HELLO = Request(
    prompt=(Segment("<|im_start|>user\nhello<|im_end|>\n<|im_start|>assistant\n", trusted=True),),
    max_tokens=8,
)


async def play(engine: Engine, request: Request = HELLO) -> list[Event]:
    """All events of a generation."""
    return [event async for event in engine.generate(request)]


class Engines:
    """Makes clients of engines that live in `directory`."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.clients: list[LocalEngine] = []

    def client(
        self,
        path: Path = EMBEDDED,
        patience: Patience | None = None,
        **settings: Any,
    ) -> LocalEngine:
        """A client of the engine that runs `path` with these settings of `model`."""
        made = LocalEngine(
            Settings(model=ModelSettings(**settings)), ModelFile(path, "settings"), patience
        )
        self.clients.append(made)
        return made

    def processes(self) -> list[psutil.Process]:
        """The engine processes whose home is the directory."""
        return engines_in(self.directory)


def engines_in(directory: Path) -> list[psutil.Process]:
    """The engine processes whose home is a directory, or lies below it."""
    home, found = directory.resolve(), []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            # By the command first: only the few that are engines are asked for more.
            if HOST_MODULE in process.cmdline() and Path(process.cwd()).is_relative_to(home):
                found.append(process)
    return found


def end_engines(directory: Path) -> None:
    """End the engines that live in a directory: they outlive their clients for some minutes."""
    if not directory.exists():
        return  # nobody has started one
    running = engines_in(directory)
    for process in running:
        with contextlib.suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(running, timeout=10)


@contextlib.asynccontextmanager
async def engines(directory: Path | None = None) -> AsyncIterator[Engines]:
    """Engines in a directory of their own; at the end all of their processes are gone."""
    # Not `tmp_path`: the path of a Unix socket has room for about 100 bytes.
    home = directory or Path(tempfile.mkdtemp(prefix="quillon-"))
    before = os.environ.get(RUNTIME_VARIABLE)
    os.environ[RUNTIME_VARIABLE] = str(home)
    made = Engines(home.resolve())
    try:
        yield made
    finally:
        for client in made.clients:
            await client.aclose()
        end_engines(home)
        if before is None:
            del os.environ[RUNTIME_VARIABLE]
        else:
            os.environ[RUNTIME_VARIABLE] = before
        shutil.rmtree(home, ignore_errors=True)
