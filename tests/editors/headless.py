"""Neovim without a screen, in folders of its own, with the plugin and a server's command."""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import psutil

from editors.neovim import neovim

REPOSITORY = Path(__file__).resolve().parents[2]
LUA = Path(__file__).parent / "lua"
PLUGIN = REPOSITORY / "nvim"

SECONDS = 1200
"""A whole scenario on a busy machine; each wait inside has its own, shorter deadline."""


_END_SECONDS = 10
_POLL = 0.05


class Surroundings(msgspec.Struct, frozen=True):
    """A workspace, and every folder that an editor or the server would write to."""

    folder: Path

    @property
    def workspace(self) -> Path:
        """The folder that is edited."""
        return self.folder / "work space"

    def create(self) -> None:
        """Make the folders."""
        for name in ("work space", "home", "runtime", "state"):
            (self.folder / name).mkdir()

    def environment(self) -> dict[str, str]:
        """The environment: nothing of the user's is read or written."""
        home = self.folder / "home"
        kept = {name: value for name, value in os.environ.items() if name in _KEPT}
        return {
            **kept,
            "HOME": str(home),
            "XDG_CONFIG_HOME": str(home / "config"),
            "XDG_DATA_HOME": str(home / "data"),
            "XDG_STATE_HOME": str(home / "state"),
            "XDG_CACHE_HOME": str(home / "cache"),
            "QUILLON_STATE_DIR": str(self.folder / "state"),
            "QUILLON_RUNTIME_DIR": str(self.folder / "runtime"),
        }


@contextlib.contextmanager
def temporary_surroundings() -> Iterator[Surroundings]:
    """Surroundings that are gone at the end."""
    # Not pytest's folder: the path of a Unix socket has room for about 100 bytes.
    with tempfile.TemporaryDirectory(prefix="quillon-", ignore_cleanup_errors=True) as folder:
        made = Surroundings(Path(folder))
        made.create()
        try:
            yield made
        finally:
            end_processes(made)


def end_processes(surroundings: Surroundings) -> None:
    """End what still runs with these folders: an engine outlives its editor for some minutes."""
    mine = surroundings.environment()["QUILLON_RUNTIME_DIR"]
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.environ().get("QUILLON_RUNTIME_DIR") == mine:
                process.kill()
                found.append(process)
    deadline = time.monotonic() + _END_SECONDS
    while any(map(_runs, found)) and time.monotonic() < deadline:
        time.sleep(_POLL)


def _runs(process: psutil.Process) -> bool:
    # One that nobody waits for stays in the table for ever.
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.status() != psutil.STATUS_ZOMBIE
    return False


_KEPT = ("PATH", "LANG", "LC_ALL", "TMPDIR", "QUILLON_MODEL", "QUILLON_TEST_PATIENCE")


def server_command(settings: Mapping[str, Any] | None = None) -> list[str]:
    """The command of the server under test."""
    command = [sys.executable, "-I", "-m", "quillon", "lsp"]
    return command if settings is None else [*command, "--settings", json.dumps(settings)]


def editor_command(configuration: Path = LUA / "init.lua") -> list[str]:
    """Neovim with the configuration under test and nothing of the user's."""
    return [str(neovim()), "-u", str(configuration), "-i", "NONE", "-n"]


def editor_environment(surroundings: Surroundings, command: list[str]) -> dict[str, str]:
    """The environment of the editor under test, whose server has this command."""
    return {
        **surroundings.environment(),
        "QUILLON_TEST_PLUGIN": str(PLUGIN),
        "QUILLON_TEST_LUA": str(LUA),
        "QUILLON_TEST_COMMAND": json.dumps(command),
    }


def run_scenario(
    script: Path,
    surroundings: Surroundings,
    command: list[str],
    given: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a Lua scenario, which is given more variables; its output tells what failed."""
    environment = {**editor_environment(surroundings, command), **(given or {})}
    return _run(script, surroundings, environment)


def run_installed(
    script: Path, surroundings: Surroundings, configuration: Path, plugin: Path
) -> subprocess.CompletedProcess[str]:
    """Run a scenario with a user's configuration, a plugin's folder and `quillon` on the PATH."""
    environment = {
        **editor_environment(surroundings, []),
        "QUILLON_TEST_PLUGIN": str(plugin),
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
    }
    return _run(script, surroundings, environment, configuration)


def _run(
    script: Path,
    surroundings: Surroundings,
    environment: Mapping[str, str],
    configuration: Path = LUA / "init.lua",
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*editor_command(configuration), "--headless", "-l", str(script)],
        cwd=surroundings.workspace,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        timeout=SECONDS,
        check=False,
    )
