"""`ctest`, in a build folder that CMake has configured."""

import re
from collections.abc import Iterator
from xml.etree import ElementTree as ET

from quillon_tools.calls import Failed
from quillon_tools.command import REPORT, Command
from quillon_tools.confinement import ConfinedPath
from quillon_tools.runners.project import Project, Target, program, read_config
from quillon_tools.runners.report import TestProblem, read_junit, rendered, said_in
from quillon_tools.workspace import Workspace

MARKERS = ("CMakeLists.txt",)
_BUILDS = ("build", "out", "cmake-build-debug", "cmake-build-release")
_TESTS = "CTestTestfile.cmake"
# What CMake writes there: add_test(name ...), add_test("name" ...), add_test([=[name]=] ...).
_TEST = re.compile(r"""^add_test\((?:\[=*\[(.*?)\]=*\]|"([^"\n]*)"|([^\s()"]+))""", re.MULTILINE)
_BELOW = re.compile(r"""^subdirs\("?([^"\n)]+)"?\)""", re.MULTILINE)
_DEPTH = 8  # folders of a build that are looked into, one below the other
_PLACE = re.compile(r"^\s*([^\s:()]+\.\w+)[:(](\d+)")


def recognised(workspace: Workspace, folder: ConfinedPath) -> bool:
    """Whether a folder is a CMake project with tests."""
    names = {entry.path.name for entry in workspace.entries(folder)}
    return "CMakeLists.txt" in names and _build(folder) is not None


def _build(folder: ConfinedPath) -> str | None:
    return next((n for n in _BUILDS if (folder.real / n / _TESTS).is_file()), None)


def target_of(workspace: Workspace, name: str) -> Target | None:
    """The test that CTest knows by a name: it stands in no source file as such."""
    for root in workspace.roots:
        build = _build(root)
        if build is not None and name in _names(workspace, root.child(build), _DEPTH):
            return Target(root, (name,))
    return None


def _names(workspace: Workspace, build: ConfinedPath, depth: int) -> Iterator[str]:
    text = read_config(workspace, build, _TESTS)
    for match in _TEST.finditer(text):
        yield match[1] or match[2] or match[3]
    if depth:
        for match in _BELOW.finditer(text):
            below = build
            # What lies elsewhere, or above, is not this project's.
            if match[1].startswith("/") or ".." in match[1]:
                continue
            for part in match[1].split("/"):
                below = below.child(part)
            yield from _names(workspace, below, depth - 1)


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
            *("--output-on-failure", "--output-junit", REPORT, *only),
        ),
        folder=project.folder,
        seconds=project.seconds,
        read=lambda finished: rendered(read_junit(finished.report, _problem), finished),
    )


def _problem(case: ET.Element) -> TestProblem:
    """CTest knows no message: what the test wrote tells it."""
    said = said_in(case.findtext("system-out") or "")
    place = next((match for line in said if (match := _PLACE.match(line))), None)
    return TestProblem(
        kind="FAILED",
        name=case.get("name", ""),
        message=(place.string if place else said[-1] if said else "").strip(),
        location=f"{place[1]}:{place[2]}" if place else "",
    )
