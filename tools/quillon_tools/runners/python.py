"""pytest and unittest, with the project's own interpreter."""

import importlib.util
import os
import re
import subprocess
import sys
from itertools import islice
from pathlib import Path

from quillon_tools.calls import Failed
from quillon_tools.command import REPORT, Command, Finished
from quillon_tools.confinement import ConfinedPath
from quillon_tools.runners.project import Project, program, read_config
from quillon_tools.runners.report import read_junit, rendered
from quillon_tools.runners.unittest_text import read_unittest
from quillon_tools.workspace import Workspace

MARKERS = ("pyproject.toml", "setup.py", "setup.cfg", "tox.ini", "pytest.ini")
_VENVS = (".venv", "venv", "env")
_PROBE_SECONDS = 20
_SAMPLE = 40
_LOOKED_AT = 300
_HAS_PYTEST = "import importlib.util as u,sys;sys.exit(u.find_spec('pytest') is None)"


def is_test_file(name: str) -> bool:
    """Whether pytest and unittest collect a file of this name by default."""
    return name.endswith(".py") and (name.startswith("test") or name.endswith("_test.py"))


def recognised(workspace: Workspace, folder: ConfinedPath) -> bool:
    """Whether a folder holds Python tests."""
    found = workspace.walk(folder, wanted=is_test_file, folders=_LOOKED_AT)
    return next(found, None) is not None


def plan(project: Project) -> Command:
    """The command that runs the target.

    Raises:
        Failed: There is no interpreter, or no pytest for tests that need it.
    """
    own = _own_interpreter(project)
    if not _uses_pytest(project):
        return _unittest(project, own or _system_python(project))
    if own is not None:
        if not _has_pytest_installed(project, own):
            raise Failed("pytest is not installed")
        return _pytest(project, own)
    python = _system_python(project)
    if not _system_has_pytest(python):
        # Quillon's own interpreter is the last resort: it has none of the project's packages.
        if importlib.util.find_spec("pytest") is None or not sys.executable:
            raise Failed("pytest is not installed")
        python = sys.executable
    return _pytest(project, python)


def _pytest(project: Project, python: str) -> Command:
    node = "::".join((project.relative, *project.target.names)) if project.relative else ""
    return Command(
        argv=(
            *(python, "-m", "pytest", "-q", "--tb=short", "--color=no", "-p", "no:cacheprovider"),
            *("-o", "junit_family=xunit1", f"--junit-xml={REPORT}"),
            *((node,) if node else ()),
        ),
        folder=project.folder,
        environment={"PYTHONDONTWRITEBYTECODE": "1"},
        seconds=project.seconds,
        read=_read_pytest,
    )


_NO_TEST = re.compile(r"^ERROR: not found: (?:.*/)?(.*::.*)$", re.MULTILINE)
_NOT_FOUND = re.compile(r"^ERROR: (file or directory not found: .*)$", re.MULTILINE)


def _read_pytest(finished: Finished) -> str:
    if match := re.search(
        r"^ERROR: (file or directory not found: .*)$", finished.output, re.MULTILINE
    ):
        raise Failed(match[1])
    if match := _NO_TEST.search(finished.output):
        raise Failed(f"there is no such test: {match[1]}")
    if "No module named pytest" in finished.output:
        raise Failed("pytest is not installed")
    return rendered(read_junit(finished.report), finished)


def _unittest(project: Project, python: str) -> Command:
    relative, names = project.relative, project.target.names
    if project.is_file:
        module = relative.removesuffix(".py").removeprefix("./").replace("/", ".")
        arguments = [".".join((module, *names))]
    else:
        start = relative or ("." if _discovers_from_root(project) else "tests")
        arguments = ["discover", "-s", start]
        if start != "." and not (project.folder.real / start / "__init__.py").exists():
            arguments += ["-t", start]
    return Command(
        argv=(python, "-m", "unittest", arguments[0], "-v", *arguments[1:])
        if arguments[0] == "discover"
        else (python, "-m", "unittest", "-v", *arguments),
        folder=project.folder,
        environment={"PYTHONDONTWRITEBYTECODE": "1"},
        seconds=project.seconds,
        read=lambda finished: rendered(
            read_unittest(finished.output, project.folder.real), finished
        ),
    )


def _discovers_from_root(project: Project) -> bool:
    tests = project.folder.real / "tests"
    return not tests.is_dir() or (tests / "__init__.py").exists()


# Interpreters


def _own_interpreter(project: Project) -> str | None:
    """The interpreter of the project's virtual environment, here or in a folder above."""
    relative = "Scripts/python.exe" if os.name == "nt" else "bin/python"
    for depth in range(len(project.folder.parts), -1, -1):
        folder = project.folder.root.real.joinpath(*project.folder.parts[:depth])
        for name in _VENVS:
            python = folder / name / relative
            if (folder / name / "pyvenv.cfg").is_file() and python.exists():
                return str(python)
    return None


def _system_python(project: Project) -> str:
    try:
        return program("python3", project.workspace)
    except Failed:
        return program("python", project.workspace)


def _has_pytest_installed(project: Project, python: str) -> bool:
    """Whether a virtual environment holds pytest, found without running its interpreter."""
    prefix = Path(python).parent.parent
    places = ("lib/python*/site-packages/pytest", "Lib/site-packages/pytest")
    if any(any(prefix.glob(place)) for place in places):
        return True
    place = next(r for r in project.workspace.roots if r.root is project.folder.root)
    for part in prefix.relative_to(place.real).parts:
        place = place.child(part)
    config = read_config(project.workspace, place, "pyvenv.cfg").lower()
    return "include-system-site-packages = true" in config


def _system_has_pytest(python: str) -> bool:
    """Asks the system's interpreter, isolated and away from the workspace."""
    try:
        done = subprocess.run(
            [python, "-I", "-c", _HAS_PYTEST],
            cwd=Path(python).anchor,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PROBE_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def _uses_pytest(project: Project) -> bool:
    if project.has("pytest.ini", ".pytest.ini", "conftest.py", "tests/conftest.py"):
        return True
    marks = {"pyproject.toml": "pytest", "setup.cfg": "[tool:pytest]", "tox.ini": "[pytest]"}
    if any(mark in project.config(name) for name, mark in marks.items()):
        return True
    start = project.target.path or project.folder
    for path in islice(project.workspace.walk(start, wanted=is_test_file), _SAMPLE):
        try:
            text = project.workspace.read_text(path).text
        except Failed:
            continue
        if "pytest" in text or re.search(r"^(async )?def test", text, re.MULTILINE):
            return True
    return False
