"""Whether the repository that Git would look into is the workspace's own.

A `.git` in a folder that somebody sent may be a file or a link that names another repository of
the user, and its inner folders may be links into one: looking at history would then show what
lies outside. The own repository is one of these:

- `.git` at the top of the work tree, a real folder, or any folder inside the workspace;
- one that names the work tree back: a linked work tree's `gitdir` file, or the `core.worktree` of
  a submodule. Nobody but the user could have written there.
"""

import os
import re
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import msgspec

from quillon_tools.calls import Failed

_MAX_BYTES = 64 * 1024
_MAX_NAMES = 2000
# What history is read from; a link in place of one of these leads to another repository.
_STORES = frozenset(
    {"HEAD", "commondir", "config", "config.worktree", "index", "info", "logs", "objects"}
    | {"packed-refs", "refs", "reftable", "shallow"}
)
_WORK_TREE = re.compile(rb"^\s*worktree\s*=\s*([^\s\"\\#;][^\"\\#;]*?)\s*$", re.MULTILINE)


class Repository(msgspec.Struct, frozen=True):
    """Where Git found a repository: the work tree, its own Git folder, and the shared one."""

    top: Path
    own: Path
    common: Path


def demand_own(repository: Repository, roots: Sequence[Path]) -> None:
    """Make sure that a repository belongs to the workspace with these real roots.

    Raises:
        Failed: It is, or may be, another one.
    """
    top, own, common = map(_real, (repository.top, repository.own, repository.common))
    if _vouched(top, own):
        return
    inside = any(common.is_relative_to(root) for root in roots)
    if common != top / ".git" and not inside:
        raise Failed(
            "the folder's .git names a repository elsewhere, which does not know this folder; "
            "open that repository instead"
        )
    for folder in (own, common):
        _demand_no_links(folder, _STORES)
    _demand_no_links(common / "objects", None)
    for line in _read(common / "objects" / "info" / "alternates").splitlines():
        borrowed = os.fsdecode(line.strip())
        if borrowed and not borrowed.startswith("#"):
            place = _real(common / "objects" / borrowed)
            if not any(place.is_relative_to(base) for base in (common, *roots)):
                raise Failed("the repository borrows objects from outside the workspace")


def _vouched(top: Path, own: Path) -> bool:
    """Whether a Git folder names the work tree back."""
    back = os.fsdecode(_read(own / "gitdir")).strip()
    if back and _is_outside(own, top):
        return Path(back).name == ".git" and _real((own / back).parent) == top
    match = _WORK_TREE.search(_read(own / "config"))
    return match is not None and _is_outside(own, top) and _real(own / os.fsdecode(match[1])) == top


def _is_outside(own: Path, top: Path) -> bool:
    """What lies in the work tree was sent with it, and vouches for nothing."""
    return not own.is_relative_to(top)


def _demand_no_links(folder: Path, names: frozenset[str] | None) -> None:
    try:
        with os.scandir(folder) as entries:
            found = list(islice(entries, _MAX_NAMES + 1))
    except OSError as error:
        raise Failed(f"the repository cannot be read: {error.strerror}") from error
    if len(found) > _MAX_NAMES:
        raise Failed("the repository's folder holds too many names")
    for entry in found:
        if (names is None or entry.name in names) and entry.is_symlink():
            raise Failed(f"the repository's {entry.name} is a link; its history is not shown")


def _read(file: Path) -> bytes:
    try:
        if not file.is_file():
            return b""
        with file.open("rb") as opened:
            return opened.read(_MAX_BYTES)
    except OSError:
        return b""


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))
