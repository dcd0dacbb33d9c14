"""The workspace as tools see it: confined paths, open buffers before disk, ignore rules.

Every method may block on the disk and is called from tool threads, never from the event loop.
"""

import heapq
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Literal, Protocol

import msgspec

from quillon_tools.calls import Failed, ToolError
from quillon_tools.confinement import ConfinedPath, Roots
from quillon_tools.ignore import IGNORE_FILES, MAX_IGNORE_BYTES, IgnoreRules
from quillon_tools.index import SymbolIndex
from quillon_tools.opening import Entry as Listed
from quillon_tools.opening import entries_of, open_file, os_error
from quillon_tools.path_text import unseen
from quillon_tools.textfile import decode
from quillon_tools.workers import Stop, Workers

__all__ = ["Buffers", "ConfinedPath", "Diagnostics", "Entry", "Problem", "TextFile", "Workspace"]

MAX_FILE_BYTES = 8_000_000
MAX_FOLDERS = 100_000
_PIECE = 1 << 20
_SORTED_AT_ONCE = 4000  # names; while C code sorts, no other thread runs

Severity = Literal["error", "warning", "information", "hint"]


class Buffers(Protocol):
    """The open documents of an editor. Called from any thread, with absolute paths."""

    def text_of(self, path: Path) -> str | None:
        """The text of an open document, as the editor has it; None where it is not open."""
        ...

    def version_of(self, path: Path) -> int | None:
        """The version of an open document; None where it is not open."""
        ...

    def open_paths(self) -> Collection[Path]:
        """The paths of all open documents."""
        ...


class Problem(msgspec.Struct, frozen=True):
    """One diagnostic. `path` is absolute; line and column count from 1."""

    path: Path
    line: int
    column: int
    severity: Severity
    message: str
    source: str = ""


class Diagnostics(Protocol):
    """The problems that the editor's other tools have found. Called from any thread."""

    def problems(self, path: Path | None) -> Sequence[Problem]:
        """The problems of one file, or with None of every file."""
        ...


class TextFile(msgspec.Struct, frozen=True):
    """A file's text. `version` is that of the open document it came from; None: from disk.

    `note` tells the model what is not as usual, such as a legacy encoding. Where the text is not
    `exact`, broken characters were replaced in it: nothing may be written by it.
    """

    text: str
    encoding: str = "utf-8"
    note: str = ""
    version: int | None = None
    exact: bool = True


class Entry(msgspec.Struct, frozen=True, gc=False):
    """One name in a folder: a folder, a file, a link, which is not followed, or a pipe or such."""

    path: ConfinedPath
    is_folder: bool = False
    is_file: bool = False
    is_link: bool = False


class _Nothing:
    """No open documents, and no problems."""

    def text_of(self, path: Path) -> str | None:  # noqa: ARG002 - the protocol's
        return None

    def version_of(self, path: Path) -> int | None:  # noqa: ARG002 - the protocol's
        return None

    def open_paths(self) -> Collection[Path]:
        return ()

    def problems(self, path: Path | None) -> Sequence[Problem]:  # noqa: ARG002 - the protocol's
        return ()


class Workspace:
    """Folders that tools may look at, and what the editor knows about them.

    `readable_secrets` names files, relative to their root, that the user lets the model read
    though they look like secrets.
    """

    def __init__(
        self,
        roots: Sequence[str | Path],
        *,
        buffers: Buffers | None = None,
        diagnostics: Diagnostics | None = None,
        readable_secrets: Iterable[str] = (),
    ) -> None:
        self._roots = Roots(roots, readable_secrets=readable_secrets)
        self._buffers: Buffers = buffers or _Nothing()
        self.diagnostics: Diagnostics = diagnostics or _Nothing()
        self.workers = Workers()
        self.index = SymbolIndex(self)

    def close(self) -> None:
        """Let the threads go; no tool can be called any more."""
        self.workers.close()

    @property
    def roots(self) -> list[ConfinedPath]:
        """The folders of the workspace."""
        return self._roots.each()

    @property
    def top(self) -> ConfinedPath:
        """The root, or the folder above all roots where there are several."""
        return self._roots.top()

    def resolve(self, text: str) -> ConfinedPath:
        """The place inside of the workspace that a path or `file://` URI names.

        Raises:
            Retry: It is no path of the workspace.
            Failed: It may hold secrets, or links lead out.
        """
        return self._roots.resolve(text)

    def locate(self, path: Path) -> ConfinedPath | None:
        """The place that an editor's absolute path names; None where it is not for the model."""
        try:
            return self._roots.resolve(path.as_posix())
        except ToolError:
            return None

    def read_text(self, path: ConfinedPath) -> TextFile:
        """The text of a file: the open document's, else the disk's.

        Raises:
            Retry: There is no such file.
            Failed: It is too large, binary, no regular file or unreadable.
        """
        opened = self.open_text(path)
        if opened is not None:
            return opened
        decoded = decode(self.read_bytes(path), str(path))
        return TextFile(decoded.text, decoded.encoding, decoded.note, exact=decoded.exact)

    def open_text(self, path: ConfinedPath) -> TextFile | None:
        """The text of an open document; None where no editor has the file open."""
        if all(opened.name != path.name for opened in self._buffers.open_paths()):
            return None  # the usual case, found without building paths
        for name in path.names:
            text = self._buffers.text_of(name)
            if text is not None:
                return TextFile(text, version=self._buffers.version_of(name))
        return None

    def open_name(self, path: ConfinedPath) -> Path | None:
        """The absolute path by which an editor has the file open; None where it has not."""
        return next((n for n in path.names if self._buffers.text_of(n) is not None), None)

    def read_bytes(self, path: ConfinedPath, limit: int = MAX_FILE_BYTES) -> bytes:
        """What is on disk.

        Raises:
            Retry: There is no such file.
            Failed: It is larger than `limit` bytes, no regular file or unreadable.
        """
        raw = self.head(path, limit + 1)
        if len(raw) > limit:
            raise Failed(f"{path} is too large: over {limit} bytes")
        return raw

    def head(self, path: ConfinedPath, size: int = 8192) -> bytes:
        """The first bytes on disk, at most `size`.

        Raises:
            Retry: There is no such file.
            Failed: It is no regular file or unreadable.
        """
        # The size is not asked for first: a file may grow, and some report none.
        file = open_file(path)
        pieces = []
        try:
            while size > 0 and (piece := os.read(file, min(size, _PIECE))):
                pieces.append(piece)
                size -= len(piece)
        except OSError as error:
            raise os_error(path, error) from error
        finally:
            os.close(file)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def stamp(self, path: ConfinedPath) -> tuple[int, int] | None:
        """Modification time (ns) and size of a regular file on disk; None: there is none."""
        try:
            status = path.real.lstat()
        except OSError:
            return None
        return (status.st_mtime_ns, status.st_size)

    def entries(self, folder: ConfinedPath) -> list[Entry]:
        """What a folder holds, by name, folders and files alike.

        Secrets, and names that cannot be seen in full, are left out.

        Raises:
            Retry: There is no such folder.
            Failed: It cannot be read, or holds too many names.
        """
        if folder.top:
            return [Entry(root, is_folder=True) for root in self.roots]
        return list(self._allowed(folder, entries_of(folder)))

    def _allowed(self, folder: ConfinedPath, listed: list[Listed]) -> Iterator[Entry]:
        """What of a folder's names may be seen, by name, one at a time: there may be very many."""
        for entry in _by_name(listed):
            if unseen(entry.name) is None:
                path = folder.child(entry.name)
                if not self._roots.is_denied(path):
                    yield Entry(
                        path,
                        is_folder=entry.is_folder,
                        is_file=entry.is_file,
                        is_link=entry.is_link,
                    )

    def visible(self, folder: ConfinedPath) -> list[Entry]:
        """What a folder holds and the ignore rules do not leave out.

        Raises:
            Retry: There is no such folder.
            Failed: It cannot be read, or holds too many names.
        """
        entries = self.entries(folder)
        if folder.top:
            return entries
        rules = self._rules_in(folder, self._rules_above(folder), set(IGNORE_FILES))
        return [e for e in entries if not rules.ignores(e.path.parts, folder=e.is_folder)]

    def walk(
        self,
        start: ConfinedPath | None = None,
        *,
        stop: Stop | None = None,
        wanted: Callable[[str], bool] | None = None,
        folders: int = MAX_FOLDERS,
    ) -> Iterator[ConfinedPath]:
        """The files below a folder, by path; a file yields itself.

        Ignored files, secrets, links and unreadable folders are left out. `wanted` picks by name.
        At most `folders` folders of a root are looked at.
        """
        start = start or self.top
        for root in self.roots if start.top else [start]:
            yield from self._walk(root, stop or Stop(), wanted, folders)

    def _walk(
        self,
        start: ConfinedPath,
        stop: Stop,
        wanted: Callable[[str], bool] | None,
        folders: int,
    ) -> Iterator[ConfinedPath]:
        if start.parts and start.real.is_file():
            yield start
            return
        pending = [(start, self._rules_above(start))]
        while pending and folders > 0:
            folders -= 1
            folder, rules = pending.pop()
            stop.check()
            try:
                listed = entries_of(folder)
            except ToolError:
                continue  # gone or unreadable since its parent was listed
            rules = self._rules_in(folder, rules, {entry.name for entry in listed})
            below = []
            for entry in self._allowed(folder, listed):
                stop.check()
                if not entry.is_folder and not entry.is_file:
                    continue
                if wanted and entry.is_file and not wanted(entry.path.name):
                    continue
                if rules.ignores(entry.path.parts, folder=entry.is_folder):
                    continue
                if entry.is_folder:
                    below.append((entry.path, rules))
                else:
                    yield entry.path
            pending += reversed(below)

    def _rules_above(self, start: ConfinedPath) -> IgnoreRules:
        """The rules of the folders that hold `start`; none where they leave `start` out.

        Whoever starts in an ignored folder has asked for it by name.
        """
        rules = IgnoreRules()
        folder = next(root for root in self.roots if root.root is start.root)
        for part in start.parts:
            rules = self._rules_in(folder, rules, set(IGNORE_FILES))
            folder = folder.child(part)
            if rules.ignores(folder.parts, folder=True):
                return IgnoreRules()
        return rules

    def _rules_in(self, folder: ConfinedPath, rules: IgnoreRules, names: set[str]) -> IgnoreRules:
        sources = []
        for name in IGNORE_FILES:
            if name in names:
                try:
                    raw = self.read_bytes(folder.child(name), MAX_IGNORE_BYTES)
                except ToolError:
                    continue  # an unreadable ignore file ignores nothing
                sources.append(raw.decode("utf-8", "replace"))
        return rules.entering(len(folder.parts), sources) if sources else rules


def _by_name(listed: list[Listed]) -> Iterator[Listed]:
    """The names of a folder in order; of a huge folder sorted in pieces."""
    step = _SORTED_AT_ONCE
    return heapq.merge(*(sorted(listed[at : at + step]) for at in range(0, len(listed), step)))
