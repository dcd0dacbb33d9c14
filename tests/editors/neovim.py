"""A pinned Neovim for tests, and a tmux that shows it in a terminal."""

import os
import re
import shutil
import tempfile
from pathlib import Path

from editors.cache import InstallError, installed, run, say
from editors.debian import SUITE, point_at, unpack

SERIES = (0, 12)
"""The series that the plugin's ghost text is tested with."""

PINS = ("neovim 0.12", "tmux", f"debian {SUITE}", "layout 2")


def neovim() -> Path:
    """Path of a Neovim of the series: `QUILLON_NVIM`, one on the PATH, else installed."""
    named = os.environ.get("QUILLON_NVIM")
    if named:
        _check(Path(named))
        return Path(named)
    found = shutil.which("nvim")
    if found and _series(Path(found)) >= SERIES:
        return Path(found)
    return installed("neovim", PINS, _build) / "bin" / "nvim"


def tmux() -> Path:
    """Path of a tmux: one on the PATH, else the one installed with Neovim."""
    found = shutil.which("tmux")
    return Path(found) if found else installed("neovim", PINS, _build) / "bin" / "tmux"


def _build(folder: Path) -> None:
    root = folder / "root"
    with tempfile.TemporaryDirectory(prefix="quillon-nvim-") as work:
        tools = unpack(["neovim", "tmux"], root, Path(work))
        point_at(root, [root / "usr/bin" / name for name in ("nvim", "tmux")], tools)
    (folder / "bin").mkdir()
    # A Neovim around the tests may have exported its own runtime.
    start = _start(folder, "nvim", f'VIMRUNTIME="{root}/usr/share/nvim/runtime"')
    terminfo = f"{root}/usr/share/terminfo:{root}/usr/lib/terminfo"
    run([_start(folder, "tmux", f'TERMINFO_DIRS="{terminfo}"'), "-V"])
    _check(start)
    say(f"Neovim {'.'.join(map(str, _series(start)))} in {folder}")


def _start(folder: Path, name: str, variable: str) -> Path:
    """A script that starts an unpacked program with one variable set."""
    script = folder / "bin" / name
    program = folder / "root/usr/bin" / name
    script.write_text(f'#!/bin/sh\nexport {variable}\nexec "{program}" "$@"\n', encoding="utf-8")
    script.chmod(0o755)
    return script


def _series(program: Path) -> tuple[int, int]:
    match = re.match(r"NVIM v(\d+)\.(\d+)", run([program, "--version"]))
    if match is None:
        raise InstallError(f"{program} --version does not look like Neovim's")
    return int(match[1]), int(match[2])


def _check(program: Path) -> None:
    if _series(program) < SERIES:
        raise InstallError(f"{program} is older than {SERIES[0]}.{SERIES[1]}; name a newer one")
