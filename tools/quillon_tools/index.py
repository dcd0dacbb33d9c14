"""An index of the definitions in a workspace, built when first asked and kept up to date.

A file is parsed again when its modification time or size changed, or when the version of its
open document did.
"""

import threading
import time
from typing import TYPE_CHECKING

import msgspec

from quillon_tools.calls import ToolError
from quillon_tools.confinement import ConfinedPath
from quillon_tools.languages import Language, language_of
from quillon_tools.symbols import Symbol, symbols_in
from quillon_tools.textfile import in_utf8
from quillon_tools.workers import Stop

if TYPE_CHECKING:
    from quillon_tools.workspace import Workspace  # it holds the index

MAX_FILES = 20_000
MAX_SOURCE_BYTES = 1_000_000
REFRESH_SECONDS = 12.0

Stamp = tuple[object, ...]


class Defined(msgspec.Struct, frozen=True, gc=False):
    """A symbol and the file that defines it."""

    path: ConfinedPath
    symbol: Symbol

    @property
    def row(self) -> str:
        """`path:start-end kind Container.name`: arguments of the next call stand in it."""
        symbol = self.symbol
        return f"{self.path}:{symbol.start_line}-{symbol.end_line} {symbol.kind} {symbol.full_name}"


class SymbolIndex:
    """The definitions of one workspace. Used by several threads, one of them at a time."""

    def __init__(self, workspace: "Workspace") -> None:
        self._workspace = workspace
        self._files: dict[ConfinedPath, tuple[Stamp, tuple[Symbol, ...]]] = {}
        self._lock = threading.Lock()

    def definitions(self, stop: Stop) -> tuple[list[Defined], str]:
        """All definitions, and a note where the index is not complete yet.

        Raises:
            Failed: The call was stopped.
        """
        with self._lock:
            note = self._refresh(stop)
            found = [
                Defined(path, symbol)
                for path, (_stamp, symbols) in self._files.items()
                for symbol in symbols
            ]
        return found, note

    def known_names(self, stop: Stop, seconds: float) -> list[str]:
        """The names of what is found within `seconds`, or was before; also after their containers.

        Raises:
            Failed: The call was stopped.
        """
        if not self._lock.acquire(blocking=False):
            return []  # somebody is looking just now
        try:
            if seconds:
                self._refresh(stop, seconds)
            known = [symbol for _stamp, symbols in self._files.values() for symbol in symbols]
        finally:
            self._lock.release()
        return list(dict.fromkeys(name for each in known for name in (each.name, each.full_name)))

    def _refresh(self, stop: Stop, seconds: float = REFRESH_SECONDS) -> str:
        deadline = time.monotonic() + seconds
        paths = [
            path
            for path, _ in zip(
                self._workspace.walk(stop=stop, wanted=_is_source), range(MAX_FILES), strict=False
            )
        ]
        kept: dict[ConfinedPath, tuple[Stamp, tuple[Symbol, ...]]] = {}
        waiting = 0
        for path in paths:
            stop.check()
            known = self._files.get(path)
            opened = self._workspace.open_text(path)
            stamp: Stamp = (
                ("open", opened.version)
                if opened
                else ("disk", *(self._workspace.stamp(path) or ()))
            )
            if known is not None and known[0] == stamp:
                kept[path] = known
            elif time.monotonic() > deadline:
                waiting += 1
                if known is not None:
                    kept[path] = known
            else:
                text = opened.text.encode("utf-8", "replace") if opened else None
                kept[path] = (stamp, self._parse(path, text))
                self._files[path] = kept[path]  # so that a stopped build is not lost
        self._files = kept
        return f"[{waiting} files are not indexed yet; ask again for more]" if waiting else ""

    def _parse(self, path: ConfinedPath, text: bytes | None) -> tuple[Symbol, ...]:
        try:
            source = text or in_utf8(self._workspace.read_bytes(path, MAX_SOURCE_BYTES))
            language = source_language(path.name, source)
            return tuple(symbols_in(source, language)) if language else ()
        except ToolError:
            return ()  # too large, unreadable or too slow to parse: it defines nothing for us


def source_language(name: str, source: bytes) -> Language | None:
    """The language of a source; C headers that use C++ are C++."""
    language = language_of(name)
    if language is not None and name.lower().endswith(".h"):
        marks = (b"class ", b"namespace ", b"template <", b"template<", b"public:", b"std::")
        if any(mark in source for mark in marks):
            return language_of("cpp")
    return language


def _is_source(name: str) -> bool:
    return language_of(name) is not None and "." in name
