"""Opening what a `ConfinedPath` names, without following any link.

Where the system has `openat`, the way leads from the root's descriptor down, component by
component; elsewhere the system is asked where the opened file lies. Devices and pipes are
never opened.
"""

import errno
import os
import stat
import sys
from difflib import get_close_matches
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from quillon_tools.calls import Failed, Retry, ToolError
from quillon_tools.confinement import ConfinedPath, entry_names
from quillon_tools.secret_files import secret_part

if sys.platform == "win32":
    import ctypes
    import msvcrt

    _LONGEST_NAME = 32_768

    def _place_of(file: int) -> Path:
        """The real path of an open file, from its descriptor."""
        handle = msvcrt.get_osfhandle(file)
        name = ctypes.create_unicode_buffer(_LONGEST_NAME)
        if not ctypes.windll.kernel32.GetFinalPathNameByHandleW(handle, name, _LONGEST_NAME, 0):
            raise ctypes.WinError()
        return Path(os.path.realpath(name.value))

else:

    def _place_of(file: int) -> Path:
        """The real path of an open file, from its descriptor."""
        return Path(f"/proc/self/fd/{file}").readlink()


MAX_ENTRIES = 100_000

HAS_OPENAT = os.open in os.supports_dir_fd and hasattr(os, "O_NOFOLLOW")
_FOLDER_FLAGS = (
    getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
)
_FILE_FLAGS = (
    getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_NOCTTY", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)
# A folder that may be entered but not listed is passed through with `O_PATH`.
_PASS_FLAGS = _FOLDER_FLAGS | getattr(os, "O_PATH", 0)


class Entry(NamedTuple):
    """One name in a folder. Links are neither folder nor file, and pipes are none of the three."""

    name: str
    is_folder: bool
    is_file: bool
    is_link: bool


def entries_of(path: ConfinedPath) -> list[Entry]:
    """What a folder holds, in no order, at most `MAX_ENTRIES`.

    Raises:
        Retry: There is no such folder.
        Failed: It cannot be read, holds too much, or a link has taken its place.
    """
    with _translated(path):
        if os.scandir not in os.supports_fd:  # pragma: no cover - Windows
            return _entries_portably(path)
        folder = _walk_down(path, path.parts, os.O_RDONLY | _FOLDER_FLAGS)
        try:
            return _scan(path, folder)
        finally:
            os.close(folder)


def _scan(path: ConfinedPath, folder: int | Path) -> list[Entry]:
    with os.scandir(folder) as entries:
        found = [
            Entry(
                entry.name,
                entry.is_dir(follow_symlinks=False),
                entry.is_file(follow_symlinks=False),
                entry.is_symlink(),
            )
            for entry in islice(entries, MAX_ENTRIES + 1)
        ]
    if len(found) > MAX_ENTRIES:
        raise Failed(f"{path} holds over {MAX_ENTRIES} names")
    return found


def _entries_portably(path: ConfinedPath) -> list[Entry]:
    """List by name; what was listed counts only if every folder on the way is still the same one.

    A link that came and went in between leaves no trace in the path, but the folder that was
    listed is then another one: a second listing through the same places must show the same names.
    """
    before = _places(path)
    found = _scan(path, path.real)
    again = _scan(path, path.real)
    if before != _places(path) or sorted(found) != sorted(again):
        raise Failed(f"{path} was replaced by a link while it was being opened")
    return found


def _places(path: ConfinedPath) -> list[tuple[int, int, int]]:
    """What stands at each folder from the root down to the path: device, number and time.

    Putting a link in a folder's place and taking it away again changes the time of the folder
    above.

    Raises:
        Failed: One is a link.
    """
    places = []
    for depth in range(len(path.parts) + 1):
        status = os.lstat(path.root.real.joinpath(*path.parts[:depth]))
        if not stat.S_ISDIR(status.st_mode):
            if stat.S_ISREG(status.st_mode):
                raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
            raise Failed(f"{path} was replaced by a link while it was being opened")
        # The listed folder itself may gain files meanwhile; those above must not change.
        changed = status.st_mtime_ns if depth < len(path.parts) else 0
        places.append((status.st_dev, status.st_ino, changed))
    return places


def open_file(path: ConfinedPath) -> int:
    """A descriptor of a regular file, for reading; the caller closes it.

    Never waits for a FIFO and never opens a device.

    Raises:
        Retry: There is no such file, or it is a folder.
        Failed: It cannot be opened, is no regular file, or a link has taken its place.
    """
    if not path.parts:
        raise Retry(f"{path} is a folder; use list_files")
    with _translated(path):
        if not HAS_OPENAT:
            return _open_portably(path)
        folder = _walk_down(path, path.parts[:-1], os.O_RDONLY | _PASS_FLAGS)
        try:
            _demand_regular(path, os.stat(path.parts[-1], dir_fd=folder, follow_symlinks=False))
            file = os.open(path.parts[-1], os.O_RDONLY | _FILE_FLAGS, dir_fd=folder)
        finally:
            os.close(folder)
        return _checked(path, file)


def _walk_down(path: ConfinedPath, parts: tuple[str, ...], last_flags: int) -> int:
    flags = last_flags if not parts else os.O_RDONLY | _PASS_FLAGS
    folder = os.open(path.root.real, flags)
    for index, part in enumerate(parts):
        flags = last_flags if index == len(parts) - 1 else os.O_RDONLY | _PASS_FLAGS
        try:
            below = os.open(part, flags, dir_fd=folder)
        finally:
            os.close(folder)
        folder = below
    return folder


def _checked(path: ConfinedPath, file: int) -> int:
    try:
        _demand_regular(path, os.fstat(file))
    except ToolError:
        os.close(file)
        raise
    return file


def _demand_regular(path: ConfinedPath, status: os.stat_result) -> None:
    if stat.S_ISREG(status.st_mode):
        return
    if stat.S_ISDIR(status.st_mode):
        raise Retry(f"{path} is a folder; use list_files")
    if stat.S_ISLNK(status.st_mode):
        raise Failed(f"{path} was replaced by a link while it was being opened")
    raise Failed(f"{path} is not a regular file (a pipe, a socket or a device)")


def _open_portably(path: ConfinedPath) -> int:
    """Open by name, then ask the system where that which was opened lies.

    Asking the path again would not do: a link may have gone and come back between two questions.
    """
    _demand_regular(path, os.lstat(path.real))
    file = os.open(path.real, os.O_RDONLY | _FILE_FLAGS)
    try:
        same = _place_of(file) == path.real
    except OSError:
        same = False
    if not same:
        os.close(file)
        raise Failed(f"{path} was replaced by a link while it was being opened")
    return _checked(path, file)


class _translated:  # noqa: N801 - reads as a statement
    """`OSError` as an error of ours that names the path."""

    def __init__(self, path: ConfinedPath) -> None:
        self._path = path

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, OSError):
            raise os_error(self._path, error) from error


def os_error(path: ConfinedPath, error: OSError) -> ToolError:
    """What an `OSError` means to the model."""
    if error.errno == errno.ENOENT:
        return Retry(f"file not found: {path}{_nearest(path)}")
    if error.errno == errno.ENOTDIR:
        return Retry(f"a part of {path} is a file and not a folder")
    if error.errno == errno.ELOOP:
        return Failed(f"{path} was replaced by a link while it was being opened")
    if error.errno in {errno.EACCES, errno.EPERM}:
        return Failed(f"permission denied: {path}")
    return Failed(f"{path} cannot be read: {error.strerror or error}")


def _nearest(path: ConfinedPath) -> str:
    """Names like the missing one, in the deepest folder of the path that exists."""
    shown = str(path).split("/")
    labels = len(shown) - len(path.parts)
    for depth in range(len(path.parts) - 1, -1, -1):
        entries = entry_names(path.root.real.joinpath(*path.parts[:depth]))
        if not entries:
            continue
        visible = [entry for entry in entries if secret_part((entry,)) is None]
        near = get_close_matches(path.parts[depth], visible, n=3, cutoff=0.6)
        found = ["/".join((*shown[: labels + depth], name)) for name in near]
        return "\nDid you mean: " + ", ".join(found) if found else ""
    return ""
