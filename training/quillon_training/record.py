"""What made a run or a model, written beside it: settings with their seed, data, versions."""

import hashlib
import importlib.metadata
import platform
from pathlib import Path

import msgspec

from quillon_training.errors import CorpusError

_LIBRARIES = ("torch", "transformers", "tokenizers", "peft", "gguf", "llama-cpp-python", "numpy")
_FILE = "record.json"
_CHUNK = 1 << 20


class Data(msgspec.Struct, frozen=True):
    """A file that went in, and the SHA-256 of its bytes."""

    kind: str
    path: str
    sha256: str

    @classmethod
    def of(cls, kind: str, path: Path) -> "Data":
        """The entry of a file.

        Raises:
            CorpusError: It cannot be read.
        """
        digest = hashlib.sha256()
        try:
            with path.open("rb") as file:
                while chunk := file.read(_CHUNK):
                    digest.update(chunk)
        except OSError as error:
            raise CorpusError(
                f"{path} cannot be read: {error}", "Name the file that an earlier step made."
            ) from error
        return cls(kind, path.name, digest.hexdigest())


class Record(msgspec.Struct, frozen=True):
    """`settings` are a run's own, with its seed."""

    what: str
    settings: dict[str, object]
    data: list[Data]
    versions: dict[str, str]


def versions() -> dict[str, str]:
    """Versions of Python and of the libraries that decide numbers."""
    found = {"python": platform.python_version()}
    for name in _LIBRARIES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def write_record(
    place: Path, what: str, settings: msgspec.Struct | dict[str, object], data: list[Data]
) -> Path:
    """Write the record into a folder, or beside a file under its name with `.json` added."""
    path = place / _FILE if place.is_dir() else place.with_name(f"{place.name}.json")
    record = Record(what, msgspec.to_builtins(settings), data, versions())
    path.write_bytes(msgspec.json.format(msgspec.json.encode(record), indent=1) + b"\n")
    return path
