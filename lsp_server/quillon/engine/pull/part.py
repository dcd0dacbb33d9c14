"""The part of a file that is there already, and the note of which file it is part of."""

import contextlib
import hashlib
import os
from pathlib import Path

import msgspec

from quillon.engine.pull.request import Remote


class Note(msgspec.Struct, frozen=True):
    """What a part belongs to. `etag` is the server's own name of this content."""

    source: str
    size: int | None = None
    sha256: str | None = None
    version: str | None = None
    etag: str | None = None


class Part:
    """A part file with its note and its lock, in a folder of its own."""

    def __init__(self, folder: Path, remote: Remote) -> None:
        digest = hashlib.sha256(str(remote.file).encode()).hexdigest()[:12]
        stem = f"{remote.file.name}.{digest}"
        self.path = folder / f"{stem}.part"
        self.lock = folder / f"{stem}.lock"
        self._note_path = folder / f"{stem}.json"
        self._mine = Note(remote.label, remote.size, remote.sha256, remote.version)

    def open(self) -> int:
        """Bytes that are there of this very file; those of another content are dropped."""
        note = self._read()
        if note is None or msgspec.structs.replace(note, etag=None) != self._mine:
            self.discard()
        return self.have

    @property
    def have(self) -> int:
        """Bytes that are there."""
        try:
            return self.path.stat().st_size
        except FileNotFoundError:
            return 0

    @property
    def etag(self) -> str | None:
        """The name that the server gave to this content when it began to send it."""
        note = self._read()
        return note.etag if note else None

    def begin(self, etag: str | None) -> None:
        """Forget what is there and begin with a content that the server calls `etag`."""
        self.path.write_bytes(b"")
        note = msgspec.structs.replace(self._mine, etag=etag)
        self._note_path.write_bytes(msgspec.json.encode(note))

    def discard(self) -> None:
        """Delete what is there."""
        for path in (self.path, self._note_path):
            path.unlink(missing_ok=True)

    def place(self, place: Path) -> None:
        """Put the complete file to its place, in one step."""
        with self.path.open("rb+") as file:
            os.fsync(file.fileno())
        self.path.replace(place)
        with contextlib.suppress(OSError):  # a note without a part means nothing
            self._note_path.unlink()

    def _read(self) -> Note | None:
        try:
            return msgspec.json.decode(self._note_path.read_bytes(), type=Note)
        except (OSError, msgspec.DecodeError):
            return None
