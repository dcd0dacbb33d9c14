"""Download a model on the user's explicit command; nothing else in Quillon downloads anything.

A file is written beside its place, in the hidden folder `.pull` of the folder of models, and is
put there in one step once its length, its checksum and its header are right. What was received is
kept when a pull is stopped or breaks, and the next pull of the same file goes on from there.
"""

import contextlib
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import filelock

from quillon.engine.gguf import GgufError, read_header
from quillon.engine.pull.events import Checking, Found, Listener, Pulled, PullError
from quillon.engine.pull.part import Part
from quillon.engine.pull.request import HubFile, Remote, parse
from quillon.engine.pull.transfer import PAUSES, fetch

Pauses = tuple[float, ...]

_RESERVE = 100_000_000  # bytes that stay free on the disk
_BLOCK = 1 << 20


def pull(
    what: str,
    folder: Path,
    report: Listener,
    *,
    sha256: str | None = None,
    pauses: Pauses = PAUSES,
) -> list[Pulled]:
    """Download a model into `folder`: all its parts, the first one first.

    `what` is a recommended name, `owner/repository:file`, or an address. `sha256` is what the
    caller knows about a single file. `pauses` are the seconds before each new attempt.

    Raises:
        PullError: The sentence says what happened and what to do; what was received is kept
            unless it was wrong.
    """
    with _written(folder):
        files = look_up(what, sha256)
        return [_pull_one(remote, folder, report, pauses) for remote in files]


def look_up(what: str, sha256: str | None = None) -> list[Remote]:
    """The files that `what` stands for, as their server declares them.

    Raises:
        PullError: There is none, or the server cannot be asked.
    """
    request = parse(what)
    if _is_offline():
        raise PullError("HF_HUB_OFFLINE is set, so nothing is downloaded. Unset it.")
    if isinstance(request, HubFile):
        from quillon.engine.pull.hub import declared  # noqa: PLC0415 - a slow import

        found = declared(request)
    else:
        found = [request]
    if sha256 is None:
        return found
    if len(found) > 1:
        raise PullError("--sha256 is for one file, and this model has several parts.")
    return [found[0].known_as(sha256)]


def _pull_one(remote: Remote, folder: Path, report: Listener, pauses: Pauses) -> Pulled:
    place = folder / remote.file
    part = Part(folder / ".pull", remote)
    part.path.parent.mkdir(parents=True, exist_ok=True)
    with _alone(part, remote):
        if place.is_file():
            report(Found(remote.label, place, remote.size, place.stat().st_size))
            if _is_same(place, remote, report):
                return Pulled(place, remote.sha256, fresh=False)
        have = part.open()
        report(Found(remote.label, place, remote.size, have))
        fetch(remote, part, report, _room(part.path.parent), pauses)
        _check(part, remote, report)
        place.parent.mkdir(parents=True, exist_ok=True)
        part.place(place)
    return Pulled(place, remote.sha256, fresh=True)


def _is_same(place: Path, remote: Remote, report: Listener) -> bool:
    """Whether the file that is there already is the one that is asked for."""
    if remote.sha256 is not None:
        return _digest(place, report) == remote.sha256
    return remote.size is None or place.stat().st_size == remote.size


def _check(part: Part, remote: Remote, report: Listener) -> None:
    """Compare what was received with what the server declared; what is wrong is deleted."""
    if remote.sha256 is not None:
        found = _digest(part.path, report)
        if found != remote.sha256:
            part.discard()
            raise PullError(
                f"{remote.label} has the wrong checksum: sha256 {found}, and {remote.sha256} was "
                "expected. It is deleted. Pull it again; if that does not help, the server or "
                "something on the way changes the file."
            )
    try:
        header = read_header(part.path)
    except GgufError as error:
        part.discard()
        raise PullError(
            f"{remote.label} {error}. It is deleted. Choose another file: what the server holds "
            "is broken."
        ) from error
    if header.is_truncated:
        part.discard()
        raise PullError(
            f"{remote.label} is cut off on the server: it should have {header.tensors.end:,} bytes "
            f"and has {header.size:,}. It is deleted. Choose another file."
        )


def _digest(path: Path, report: Listener) -> str:
    total, done, digest = path.stat().st_size, 0, hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
            done += len(block)
            report(Checking(done, total))
    return digest.hexdigest()


def _room(folder: Path) -> Callable[[int], None]:
    """A check that so many more bytes fit onto the disk of a folder."""

    def check(needed: int) -> None:
        free = shutil.disk_usage(folder).free
        if free < needed + _RESERVE:
            raise PullError(
                f"The disk of {folder.parent} has {_size(free)} free, and {_size(needed)} more are "
                f"needed, beside {_size(_RESERVE)} that stay free. Make room, or set "
                "QUILLON_MODELS to a folder on a larger disk; then pull again."
            )

    return check


@contextlib.contextmanager
def _alone(part: Part, remote: Remote) -> Iterator[None]:
    """Hold the lock of a download."""
    try:
        with filelock.FileLock(part.lock, timeout=0):
            yield
    except filelock.Timeout as error:
        raise PullError(
            f"Another quillon is downloading {remote.label} already. Wait for it, or stop it."
        ) from error


@contextlib.contextmanager
def _written(folder: Path) -> Iterator[None]:
    """Say it in a sentence where the disk does not take what is written."""
    try:
        yield
    except OSError as error:
        where = error.filename or folder
        raise PullError(
            f"{where} cannot be written: {error.strerror or error}. Make room or mend the "
            "permissions; what was received is kept, and the next pull goes on from there."
        ) from error


def _size(number: int) -> str:
    return f"{number / 1e9:.2f} GB"


def _is_offline() -> bool:
    """Whether the user forbade the network by the variables of the Hugging Face tools."""
    return any(
        os.environ.get(name, "").upper() in {"1", "ON", "YES", "TRUE"}
        for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
    )
