"""Roots of a workspace, and paths that cannot leave them.

`Roots.resolve` follows every link and yields the real place, or refuses. What it yields, a
`ConfinedPath`, is opened by `opening`, which follows no link any more: a link made between the
check and the use is met as a link and refused.
"""

import os
import unicodedata
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path

from quillon_tools.calls import Failed, Retry
from quillon_tools.path_text import WINDOWS, read_path_text
from quillon_tools.secret_files import secret_part

MAX_LINKS = 40
MAX_PARTS = 200
MAX_LISTED = 20_000
_SEAL = object()
_NEVER = ("proc", "dev", "sys")


class Root:
    """One folder of the workspace. `given` is how it was named, `real` where it is.

    `label` names it to the model where there are several roots.
    """

    __slots__ = ("given", "label", "real")

    def __init__(self, given: Path, label: str) -> None:
        self.given = Path(os.path.abspath(given))  # noqa: PTH100 - `resolve` would follow links
        self.real = Path(os.path.realpath(given))
        self.label = label


class ConfinedPath:
    """A place inside of the workspace: a root's real path and plain components below it.

    Only `Roots` makes one. No component is a link, as far as was seen; whoever opens the path
    makes sure again (`opening`). `str()` is the path as the model is told it; the place need not
    exist.
    `top` marks the folder above all roots of a workspace that has several.
    """

    __slots__ = ("_asked", "_shown", "parts", "root", "top")

    def __init__(
        self,
        root: Root,
        parts: tuple[str, ...],
        shown: str,
        asked: tuple[Path, tuple[str, ...]],
        *,
        seal: object,
        top: bool = False,
    ) -> None:
        if seal is not _SEAL:
            raise TypeError("only a workspace makes confined paths: use Workspace.resolve")
        self.root = root
        self.parts = parts
        self._asked = asked
        self.top = top
        self._shown = shown

    def __str__(self) -> str:
        return self._shown

    def __repr__(self) -> str:
        return f"ConfinedPath({self._shown!r})"

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, ConfinedPath)
            and (self.root.real, self.parts, self.top) == (other.root.real, other.parts, other.top)
        )  # fmt: skip

    def __hash__(self) -> int:
        return hash((self.root.real, self.parts, self.top))

    @property
    def name(self) -> str:
        """The last component; the root's label for a root."""
        return self.parts[-1] if self.parts else self.root.label

    @property
    def real(self) -> Path:
        """The absolute real path. Not for opening: see `opening`."""
        return self.root.real.joinpath(*self.parts)

    @property
    def names(self) -> tuple[Path, ...]:
        """Absolute paths by which an editor may know the place, the likeliest first."""
        base, below = self._asked
        asked = base.joinpath(*below)
        return tuple(dict.fromkeys((asked, self.root.given.joinpath(*self.parts), self.real)))

    def child(self, name: str) -> "ConfinedPath":
        """The path of an entry that was seen in this folder and is no link."""
        shown = f"{self._shown}/{name}" if self._shown != "." else name
        base, below = self._asked
        asked = (base, (*below, name))
        return ConfinedPath(self.root, (*self.parts, name), shown, asked, seal=_SEAL)


class Roots:
    """The folders that a workspace consists of; what lies outside of them does not resolve."""

    def __init__(
        self, folders: Sequence[str | Path], *, readable_secrets: Iterable[str] = ()
    ) -> None:
        if not folders:
            raise ValueError("a workspace has at least one root")
        labels: dict[str, Path] = {}
        for folder in folders:
            name = Path(os.path.abspath(folder)).name or "root"  # noqa: PTH100
            number = 2
            label = name
            while label in labels:
                label, number = f"{name}-{number}", number + 1
            labels[label] = Path(folder)
        self.all: tuple[Root, ...] = tuple(Root(path, label) for label, path in labels.items())
        self._readable_secrets = frozenset(readable_secrets)

    def top(self) -> ConfinedPath:
        """The root, or the folder above all roots where there are several."""
        root = self.all[0]
        return ConfinedPath(root, (), ".", (root.given, ()), seal=_SEAL, top=len(self.all) > 1)

    def each(self) -> list[ConfinedPath]:
        """Every root as a path."""
        return [
            ConfinedPath(root, (), self._shown(root, ()), (root.given, ()), seal=_SEAL)
            for root in self.all
        ]

    def resolve(self, text: str) -> ConfinedPath:
        """The place that a path or `file://` URI names, with every link followed.

        Relative paths start at the root; with several roots at the root whose label comes
        first, else at the first root that has such a file.

        Raises:
            Retry: The text is no path, or it names a place outside of the roots.
            Failed: The place may hold secrets, or links lead out of the roots.
        """
        written = read_path_text(text)
        if len(written.parts) > MAX_PARTS:
            raise Retry(f"not a path of this workspace: it has over {MAX_PARTS} parts")
        if written.absolute:
            root, parts = self._below_root(text, written.parts)
        elif not written.parts:
            return self.top()
        else:
            root, parts = self._relative(written.parts)
        self._deny_secrets(parts)
        real_root, real_parts = self._follow(root, parts)
        self._deny_secrets(real_parts)
        place = real_root.real.joinpath(*real_parts)
        if len(place.parts) > 1 and place.parts[1] in _NEVER and place.parts[0] == "/":
            raise Failed(f"{text} is a part of the system and not of the workspace")
        return ConfinedPath(
            real_root,
            real_parts,
            self._shown(real_root, real_parts),
            (root.given, parts),
            seal=_SEAL,
        )

    def is_denied(self, path: ConfinedPath) -> bool:
        """Whether a path that was seen in a folder may hold secrets."""
        return secret_part(path.parts) is not None and str(path) not in self._readable_secrets

    def _shown(self, root: Root, parts: tuple[str, ...]) -> str:
        shown = parts if len(self.all) == 1 else (root.label, *parts)
        return "/".join(shown) or "."

    def _below_root(self, text: str, parts: tuple[str, ...]) -> tuple[Root, tuple[str, ...]]:
        for root in self.all:
            for start in (root.given, root.real):
                above = tuple(part for part in start.parts if part != start.anchor)
                if WINDOWS:  # pragma: no cover - the drive is the first written component
                    above = (start.drive, *above)
                if parts[: len(above)] == above:
                    return root, parts[len(above) :]
        inside = "/".join(parts)
        hint = ""
        if parts and os.path.lexists(self.all[0].real.joinpath(*parts)):
            hint = f" Did you mean {inside}?"
        raise Retry(
            f"{text} is outside of the workspace. "
            f"Paths are relative to the workspace's root, such as src/app.py.{hint}"
        )

    def _relative(self, parts: tuple[str, ...]) -> tuple[Root, tuple[str, ...]]:
        if len(self.all) > 1:
            for root in self.all:
                if parts[0] == root.label:
                    return root, parts[1:]
        for root in self.all:
            if os.path.lexists(root.real.joinpath(*parts)):
                return root, parts
        return self.all[0], parts

    def _deny_secrets(self, parts: tuple[str, ...]) -> None:
        found = secret_part(parts)
        if found is not None and "/".join(parts) not in self._readable_secrets:
            raise Failed(f"{'/'.join(parts)} may hold secrets ({found}), so it is not shown")

    def _follow(self, root: Root, parts: tuple[str, ...]) -> tuple[Root, tuple[str, ...]]:
        """Where `parts` really are: every link followed, each of them staying in a root."""
        done: list[str] = []
        todo = list(reversed(parts))
        links = 0
        while todo:
            part = todo.pop()
            if part == "..":  # only links may say so
                if not done:
                    raise _leaves(parts)
                done.pop()
                continue
            here = root.real.joinpath(*done)
            part = _spelling(here, part)
            target = _link_target(here / part)
            if target is None:
                done.append(part)
                continue
            links += 1
            if links > MAX_LINKS:
                raise Failed(f"{'/'.join(parts)} leads through a loop of links")
            steps = target.parts
            if target.is_absolute():
                done = []
                root, steps = self._link_root(target, parts)
            todo += reversed(steps)
        return root, tuple(done)

    def _link_root(self, target: Path, parts: tuple[str, ...]) -> tuple[Root, tuple[str, ...]]:
        real = Path(os.path.realpath(target))
        for root in self.all:
            if real.is_relative_to(root.real):
                return root, real.relative_to(root.real).parts
        raise _leaves(parts)


def _leaves(parts: tuple[str, ...]) -> Failed:
    return Failed(f"{'/'.join(parts)} is a link that leads out of the workspace")


def _link_target(path: Path) -> Path | None:
    """What a link says; None where the path is no link or is not there."""
    try:
        return path.readlink()
    except OSError:
        return None


def _spelling(folder: Path, name: str) -> str:
    """How an entry is really spelt, where the file system takes other spellings for it.

    On systems that fold case or Unicode forms, `SRC` opens `src`. The real name is what ignore
    rules, open buffers and approvals know. Where nothing is there, an entry that differs only in
    its Unicode normal form is meant.
    """
    exists = os.path.lexists(folder / name)
    if exists and not _folds_names(folder, name):
        return name
    if name.isascii() and not exists:
        return name
    wanted = unicodedata.normalize("NFC", name)
    entries = entry_names(folder)
    if name in entries:
        return name
    same = [entry for entry in entries if unicodedata.normalize("NFC", entry) == wanted]
    if not same and exists:
        fold = wanted.casefold()
        same = [e for e in entries if unicodedata.normalize("NFC", e).casefold() == fold]
    return same[0] if len(same) == 1 else name


def _folds_names(folder: Path, name: str) -> bool:
    other = name.swapcase()
    try:
        return other != name and (folder / other).samefile(folder / name)
    except OSError:
        return False


def entry_names(folder: Path) -> list[str]:
    """The names in a folder, at most `MAX_LISTED`; none where it cannot be read."""
    try:
        return [entry.name for entry in islice(folder.iterdir(), MAX_LISTED)]
    except OSError:
        return []
