"""Install the packages whose code is read, by their package managers and without running any of it.

Every package goes to a folder of its own, so that no two have to agree on versions; a package that
is already there is left as it is, so that an interrupted fetch goes on.
"""

import logging
import shutil
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

from quillon_training.errors import CorpusError

log = logging.getLogger(__name__)

_SECONDS = 300


def names(file: str) -> list[str]:
    """The package names of a list in `data/`."""
    lines = files("quillon_training").joinpath(f"data/{file}").read_text("utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def fetch_python(folder: Path) -> list[str]:
    """Install wheels below `folder`; the names of those that could not be had."""
    failed = []
    for number, name in enumerate(wanted := names("packages.txt"), 1):
        target = folder / name
        if target.is_dir():
            continue
        part = folder / f"{name}.part"
        shutil.rmtree(part, ignore_errors=True)
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-compile"]
        command += ["--only-binary=:all:", "--target", str(part), name]
        if _succeeds(command):
            part.replace(target)
        else:
            failed.append(name)
        log.info("%d of %d: %s", number, len(wanted), name)
    return failed


def fetch_npm(folder: Path) -> None:
    """Install npm packages below `folder` without running their scripts.

    Raises:
        CorpusError: npm is missing or failed.
    """
    npm = shutil.which("npm")
    if npm is None:
        raise CorpusError("npm is not installed", "Install Node.js, or fetch with --no-npm.")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "package.json").write_text('{"private": true}\n')
    command = [
        npm,
        "install",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        "--prefix",
        str(folder),
    ]
    if not _succeeds([*command, *names("npm.txt")]):
        raise CorpusError("npm could not install the packages", "See its log, or use --no-npm.")


def _succeeds(command: list[str]) -> bool:
    try:
        done = subprocess.run(command, capture_output=True, check=False, timeout=4 * _SECONDS)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0
