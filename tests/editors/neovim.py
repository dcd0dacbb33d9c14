"""A pinned Neovim for tests."""

import os
import re
import shutil
import tempfile
from pathlib import Path

from editors.cache import InstallError, installed, run, say
from editors.debian import SUITE, point_at, unpack

SERIES = (0, 12)
"""The series that the plugin's ghost text is tested with."""

PINS = ("neovim 0.12", f"debian {SUITE}", "layout 1")


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


def _build(folder: Path) -> None:
    root = folder / "root"
    with tempfile.TemporaryDirectory(prefix="quillon-nvim-") as work:
        tools = unpack(["neovim"], root, Path(work))
        binary = root / "usr/bin/nvim"
        point_at(root, [binary], tools)
    (folder / "bin").mkdir()
    start = folder / "bin" / "nvim"
    # A Neovim around the tests may have exported its own runtime.
    start.write_text(
        f'#!/bin/sh\nexport VIMRUNTIME="{root}/usr/share/nvim/runtime"\nexec "{binary}" "$@"\n',
        encoding="utf-8",
    )
    start.chmod(0o755)
    _check(start)
    say(f"Neovim {'.'.join(map(str, _series(start)))} in {folder}")


def _series(program: Path) -> tuple[int, int]:
    match = re.match(r"NVIM v(\d+)\.(\d+)", run([program, "--version"]))
    if match is None:
        raise InstallError(f"{program} --version does not look like Neovim's")
    return int(match[1]), int(match[2])


def _check(program: Path) -> None:
    if _series(program) < SERIES:
        raise InstallError(f"{program} is older than {SERIES[0]}.{SERIES[1]}; name a newer one")
