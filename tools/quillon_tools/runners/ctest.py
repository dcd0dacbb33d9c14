"""`ctest`, in a build folder that CMake has configured."""

import re

from quillon_tools.calls import Failed
from quillon_tools.command import Command, Finished
from quillon_tools.confinement import ConfinedPath
from quillon_tools.runners.project import Project, program
from quillon_tools.runners.report import read_junit, rendered
from quillon_tools.workspace import Workspace

MARKERS = ("CMakeLists.txt",)
_BUILDS = ("build", "out", "cmake-build-debug", "cmake-build-release")


def recognised(workspace: Workspace, folder: ConfinedPath) -> bool:
    """Whether a folder is a CMake project with tests."""
    names = {entry.path.name for entry in workspace.entries(folder)}
    return "CMakeLists.txt" in names and _build(folder) is not None


def _build(folder: ConfinedPath) -> str | None:
    return next((n for n in _BUILDS if (folder.real / n / "CTestTestfile.cmake").is_file()), None)


def plan(project: Project) -> Command:
    """The command that runs the target: everything, or one test by its name.

    Raises:
        Failed: CTest is not installed, or the project is not configured.
    """
    build = _build(project.folder)
    if build is None:
        raise Failed("the project has no configured build folder: run cmake -B build first")
    names = project.target.names
    only = ("-R", f"^{re.escape(names[-1])}$") if names else ()
    return Command(
        argv=(
            *(program("ctest", project.workspace), "--test-dir", build),
            *("--output-on-failure", "--output-junit", "{report}", *only),
        ),
        folder=project.folder,
        seconds=project.seconds,
        read=_read,
    )


def _read(finished: Finished) -> str:
    return rendered(read_junit(finished.report), finished)
