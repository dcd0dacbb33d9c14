"""`quillon model pull`: download a model, with progress, and say how to use it."""

import re
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import NoReturn

import msgspec
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from quillon.cli.model import size
from quillon.cli.output import Output, fail
from quillon.engine.base import ModelError
from quillon.engine.catalogue import recommended
from quillon.engine.models import models_folder, verify
from quillon.engine.pull import events, pull

_EVERY = 0.25  # seconds between two lines of progress
_TERMINATED = 143
_SHA256 = re.compile("[0-9a-fA-F]{64}")


class Use(msgspec.Struct, frozen=True, tag_field="event", tag="pulled"):
    """The last line for `--json`: the model is in `path`; `setting` goes into `model.path`."""

    path: Path
    sha256: str | None
    setting: str


def pull_model(what: str, sha256: str | None, output: Output) -> int:
    """Download a model into the user's folder; 1 where it is there and cannot be used.

    Raises:
        PullError: It could not be downloaded; the message says why.
    """
    if sha256 is not None and not _SHA256.fullmatch(sha256.strip()):
        wrong = f"{sha256!r} is no SHA-256 checksum: that has 64 hexadecimal digits."
        fail(wrong, json=output.json, status=2)
    output.notice("Asking the server about the file")
    with _ended_by_sigterm(), _bar(output) as bar:
        shown = _Shown(output, bar)
        try:
            done = pull(what, models_folder(), shown.take, sha256=sha256)
        except (KeyboardInterrupt, SystemExit):
            bar.stop()
            output.notice("Stopped. What came is kept: the same command goes on from there.")
            raise
    return _conclude(what, done[0], output)


def _conclude(what: str, first: events.Pulled, output: Output) -> int:
    state = "It is in" if first.fresh else "It was already in"
    output.line(f"{state} {first.path}")
    if first.sha256 is None:
        output.notice("Its server declares no checksum, so only its length and header are checked.")
    try:
        verify(first.path)
    except ModelError as error:
        output.notice(str(error))
        return 1
    name = what if recommended(what) else str(first.path)
    output.value(Use(path=first.path, sha256=first.sha256, setting=name))
    output.line(f'Use it: set model.path to "{name}" in your editor, or QUILLON_MODEL={name}')
    return 0


class _Shown:
    """What a person or an editor sees of the download."""

    def __init__(self, output: Output, bar: Progress) -> None:
        self._output = output
        self._bar = bar
        self._task: TaskID | None = None
        self._title = ""
        self._next = 0.0

    def take(self, event: events.Event) -> None:
        """Show an event."""
        if isinstance(event, events.Progress | events.Checking):
            self._advance(event)
            return
        self._output.value(event)
        if isinstance(event, events.Found):
            self._begin(event)
        elif isinstance(event, events.Retry):
            self._output.notice(f"{event.message}; trying again")

    def _begin(self, event: events.Found) -> None:
        self._title = event.path.name
        total = "of unknown size" if event.size is None else size(event.size)
        self._output.notice(f"{event.source}, {total}, to {event.path}")
        if event.have:
            self._output.notice(f"{size(event.have)} are there already")
        self._task = self._bar.add_task(self._title, total=event.size, completed=event.have)
        self._next = 0.0

    def _advance(self, event: events.Progress | events.Checking) -> None:
        if self._task is not None:  # the bar draws itself no more often than it should
            doing = "checking" if isinstance(event, events.Checking) else self._title
            self._bar.update(self._task, description=doing, completed=event.done, total=event.total)
        now = time.monotonic()
        if now >= self._next or event.done == event.total:
            self._next = now + _EVERY
            self._output.value(event)


def _bar(output: Output) -> Progress:
    """A bar on the terminal; nothing where nobody watches."""
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=output.beside,
        disable=not output.watched,
    )


@contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    """Let SIGTERM end the command in order, so that it can say what is kept."""

    def leave(_signal: int, _frame: FrameType | None) -> NoReturn:
        sys.exit(_TERMINATED)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
