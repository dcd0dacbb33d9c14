"""What a runner needs to know of a project: its folder, what to run, and where programs are."""

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec

from quillon_tools.calls import Failed, Retry, ToolError
from quillon_tools.confinement import ConfinedPath
from quillon_tools.index import Defined
from quillon_tools.workspace import Workspace

MAX_CONFIG_BYTES = 500_000
MAX_SHOWN = 20
# Names of tests in all ecosystems, parameters of pytest included; never an option.
_TEST_NAME = re.compile(r"[^\W\d][^\x00-\x1f]{0,300}")


class Target(msgspec.Struct, frozen=True):
    """What to run: a file or folder, and in it one test by the names that lead to it.

    Without a path everything is run. `names` holds classes and the test: `("TestA", "test_x")`.
    """

    path: ConfinedPath | None = None
    names: tuple[str, ...] = ()


class Project(msgspec.Struct, frozen=True):
    """A folder with tests. `target` is below it."""

    workspace: Workspace
    folder: ConfinedPath
    target: Target
    seconds: float

    @property
    def relative(self) -> str:
        """The target's path relative to the project's folder; empty for everything.

        A name that looks like an option is written as a path.
        """
        path = self.target.path
        if path is None or path.parts == self.folder.parts:
            return ""
        below = "/".join(path.parts[len(self.folder.parts) :])
        return f"./{below}" if below.startswith("-") else below

    @property
    def is_file(self) -> bool:
        """Whether the target is a file."""
        return self.target.path is not None and self.target.path.real.is_file()

    def config(self, name: str) -> str:
        """The text of a configuration file in the project's folder; empty where there is none."""
        return read_config(self.workspace, self.folder, name)

    def has(self, *names: str) -> bool:
        """Whether the project's folder holds an entry of one of these names."""
        return any((self.folder.real / name).exists() for name in names)


def read_config(workspace: Workspace, folder: ConfinedPath, name: str) -> str:
    """The text of a file in a folder; empty where it cannot be read."""
    try:
        return workspace.read_bytes(folder.child(name), MAX_CONFIG_BYTES).decode("utf-8", "replace")
    except ToolError:
        return ""


def parse_target(
    workspace: Workspace, text: str | None, tests: Callable[[], list[Defined]]
) -> Target:
    """What a target such as `tests/test_a.py::TestA::test_x`, a folder or a test's name means.

    `tests` gives the definitions that a bare name may mean.

    Raises:
        Retry: It names no file, folder or test.
    """
    plain = (text or "").strip()
    if plain in {"", ".", "./", "all", "*"}:
        return Target()
    head, *names = plain.split("::")
    for name in names:
        if not _TEST_NAME.fullmatch(name):
            raise Retry(f"{name[:60]!r} is no name of a test")
    if not names and re.fullmatch(r"[^\W\d]\w*(\.\w+)?", head):
        path = workspace.resolve(head)
        if not path.real.exists():
            return _named(head, tests())
    path = workspace.resolve(head)
    if not path.real.exists():
        # The model knows this sentence from pytest.
        raise Failed(f"file or directory not found: {head}")
    return Target(path, tuple(names))


def _named(name: str, tests: list[Defined]) -> Target:
    *_above, last = name.split(".")
    found = [each for each in tests if each.symbol.name == last]
    if name != last:
        found = [each for each in found if each.symbol.full_name.endswith(name)]
    if not found:
        raise Failed(f"file or directory not found: {name}")
    places = {(each.path, each.symbol.full_name) for each in found}
    if len(places) > 1:
        rows = "\n".join(
            f"{path}::{full.replace('.', '::')}" for path, full in sorted(places, key=str)
        )
        raise Retry(f"several tests are named {name}; use one of:\n{rows[:2000]}")
    container = found[0].symbol.container
    return Target(found[0].path, (*(container.split(".") if container else ()), last))


def program(name: str, workspace: Workspace) -> str:
    """The absolute path of a program on the PATH, never one from any folder of the workspace.

    Raises:
        Failed: It is not installed.
    """
    search = [
        entry
        for entry in os.environ.get("PATH", os.defpath).split(os.pathsep)
        if Path(entry).is_absolute() and not _is_inside(Path(os.path.realpath(entry)), workspace)
    ]
    found = shutil.which(name, path=os.pathsep.join(search))
    if found is None or not Path(found).is_absolute():
        raise Failed(f"{name} is not installed, or not on the PATH")
    return found


def _is_inside(place: Path, workspace: Workspace) -> bool:
    return any(place.is_relative_to(root.real) for root in workspace.roots)
