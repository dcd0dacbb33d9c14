"""What a download tells while it runs, and the error that ends it."""

from collections.abc import Callable
from pathlib import Path

import msgspec

from quillon.engine.base import EngineError


class PullError(EngineError):
    """The download did not end well; the message says why and what to do."""


class Found(msgspec.Struct, frozen=True, tag_field="event", tag="found"):
    """A file goes to `path`. Sizes in bytes; `have` are there already."""

    source: str
    path: Path
    size: int | None
    have: int


class Progress(msgspec.Struct, frozen=True, tag_field="event", tag="progress"):
    """`done` of `total` bytes are there; `total` is None where the server does not tell."""

    done: int
    total: int | None


class Retry(msgspec.Struct, frozen=True, tag_field="event", tag="retry"):
    """The connection broke and is tried again."""

    message: str


class Checking(msgspec.Struct, frozen=True, tag_field="event", tag="checking"):
    """The checksum of a file is computed: `done` of `total` bytes."""

    done: int
    total: int


class Pulled(msgspec.Struct, frozen=True, tag_field="event", tag="pulled"):
    """A file is in its place. `sha256` is None where nobody declared one; then none was checked.

    `fresh` is false where the file was there already.
    """

    path: Path
    sha256: str | None
    fresh: bool


Event = Found | Progress | Retry | Checking | Pulled
Listener = Callable[[Event], None]
