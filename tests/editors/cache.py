"""Where the editors are installed: the user's cache folder, one folder per pinned set of versions.

An install is written beside its place, proves that it runs, and is marked complete last, under a
lock: two test processes never install the same thing, and a killed one leaves nothing half done.
"""

import contextlib
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import filelock
import platformdirs

INSTALL_SECONDS = 1800
"""How long one step of an install may take on a slow machine."""


class InstallError(Exception):
    """Something an editor needs could not be installed. The message says what to do."""


def say(text: str) -> None:
    """Tell the person who waits; standard output belongs to the caller."""
    sys.stderr.write(f"editors: {text}\n")


def cache_folder() -> Path:
    """The folder all editors live in (`QUILLON_EDITORS` overrides it)."""
    chosen = os.environ.get("QUILLON_EDITORS")
    return Path(chosen) if chosen else platformdirs.user_cache_path("quillon") / "editors"


def compiled() -> Path:
    """Where Node keeps what it has compiled, for `NODE_COMPILE_CACHE`."""
    return cache_folder() / "node-compiled"


def installed(name: str, pins: Sequence[str], build: Callable[[Path], None]) -> Path:
    """The folder of an install, made by `build` when it is not there yet.

    The folder's name carries a digest of `pins`, so new pins never meet an old install. It is
    built in place because loaders and scripts in it know their absolute path.
    """
    digest = hashlib.sha256("\n".join(pins).encode()).hexdigest()[:10]
    folder = cache_folder() / f"{name}-{digest}"
    marker = folder / ".complete"
    if marker.exists():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(folder.with_suffix(".lock"), timeout=INSTALL_SECONDS):
        if marker.exists():
            return folder
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        with _removed_on_failure(folder):
            build(folder)
        marker.write_text("\n".join([*pins, ""]), encoding="utf-8")
    return folder


@contextlib.contextmanager
def _removed_on_failure(folder: Path) -> Iterator[None]:
    try:
        yield
    except BaseException:
        if not os.environ.get("QUILLON_EDITORS_KEEP"):
            shutil.rmtree(folder, ignore_errors=True)
        raise


def run(
    command: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> str:
    """Standard output of a command; its last words are in the error when it fails."""
    try:
        done = subprocess.run(
            [str(part) for part in command],
            cwd=cwd,
            env=None if env is None else dict(env),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=INSTALL_SECONDS,
            check=False,
        )
    except FileNotFoundError as error:
        raise InstallError(f"{command[0]} is not installed; install it and try again") from error
    except subprocess.TimeoutExpired as error:
        raise InstallError(f"{command[0]} did not finish in {INSTALL_SECONDS} s") from error
    if done.returncode:
        words = (done.stderr.strip() or done.stdout.strip())[-2000:]
        raise InstallError(f"{' '.join(map(str, command[:4]))} failed: {words}")
    return done.stdout
