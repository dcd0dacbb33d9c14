"""Vitest, Jest, Node's own runner, and whatever `npm test` is."""

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from quillon_tools.command import REPORT, Command, Finished
from quillon_tools.confinement import ConfinedPath
from quillon_tools.runners.project import Project, program, read_config
from quillon_tools.runners.report import (
    MAX_TRACEBACK,
    TestProblem,
    TestReport,
    counted,
    output_lines,
    rendered,
)
from quillon_tools.workspace import Workspace

MARKERS = ("package.json",)
_MANAGERS = {"pnpm-lock.yaml": "pnpm", "yarn.lock": "yarn", "bun.lockb": "bun", "bun.lock": "bun"}
_NO_TEST = "no test specified"
_FRAME = re.compile(r"(?:\(|at |❯ |file://)([^\s()]+?\.[cm]?[jt]sx?):(\d+)(?::\d+)?")


def recognised(workspace: Workspace, folder: ConfinedPath) -> bool:
    """Whether a folder's package has a test script."""
    script = _test_script(read_config(workspace, folder, "package.json"))
    return bool(script) and _NO_TEST not in script


def _test_script(package: str) -> str:
    try:
        script = json.loads(package)["scripts"]["test"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""
    return script if isinstance(script, str) else ""


def plan(project: Project) -> Command:
    """The command that runs the target.

    Raises:
        Failed: The runner or the package manager is not installed.
    """
    script = _test_script(project.config("package.json"))
    names = " ".join(project.target.names)
    for runner, arguments in (("vitest", _vitest), ("jest", _jest)):
        binary = project.folder.real / "node_modules" / ".bin" / runner
        if runner in script and binary.exists():
            argv = (str(binary), *arguments(project.relative, names))
            return _command(project, argv, _read_json)
    words = _words(script)
    if words[:1] == ["node"] and "--test" in words:
        return _command(project, _node(project, words[1:], names), _read_tap)
    return _command(project, _manager(project), lambda _folder, _finished: None)


def _command(project: Project, argv: tuple[str, ...], read: Any) -> Command:
    folder = project.folder.real
    return Command(
        argv=argv,
        folder=project.folder,
        seconds=project.seconds,
        read=lambda finished: rendered(read(folder, finished), finished),
    )


def _vitest(relative: str, names: str) -> tuple[str, ...]:
    only = ("-t", names) if names else ()
    return (
        "run",
        *((relative,) if relative else ()),
        *only,
        "--reporter=json",
        f"--outputFile={REPORT}",
    )


def _jest(relative: str, names: str) -> tuple[str, ...]:
    only = ("-t", names) if names else ()
    paths = ("--runTestsByPath", relative) if relative else ()
    return (*paths, *only, "--json", f"--outputFile={REPORT}")


def _node(project: Project, arguments: list[str], names: str) -> tuple[str, ...]:
    node = program("node", project.workspace)
    options = [word for word in arguments if word.startswith("-") and "reporter" not in word]
    paths = [project.relative] if project.relative else [w for w in arguments if w[:1] != "-"]
    only = [f"--test-name-pattern={re.escape(names)}"] if names else []
    return (node, *options, *only, "--test-reporter=tap", *paths)


def _manager(project: Project) -> tuple[str, ...]:
    name = next((m for lock, m in _MANAGERS.items() if project.has(lock)), "npm")
    target = [part for part in (project.relative, *project.target.names) if part]
    separator = ["--"] if target and name == "npm" else []
    run = ["run", "test"] if name == "bun" else ["test"]
    return (program(name, project.workspace), *run, *separator, *target)


def _words(script: str) -> list[str]:
    """The words of a script that is one plain command; nothing where it needs a shell."""
    if re.search(r"[;&|<>$`\n*?]", script):
        return []
    try:
        return shlex.split(script)
    except ValueError:
        return []


def _read_json(folder: Path, finished: Finished) -> TestReport | None:
    """The JSON that Jest writes, and Vitest after its model."""
    try:
        report = json.loads(finished.report)
        files = list(report["testResults"])
        problems = [problem for file in files for problem in _json_problems(folder, file)]
        passed, skipped = int(report["numPassedTests"]), int(report.get("numPendingTests", 0))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    return counted(problems, passed, skipped)


def _json_problems(folder: Path, file: dict[str, Any]) -> Iterator[TestProblem]:
    name = _shown(folder, str(file.get("name", "")))
    failed = [case for case in file.get("assertionResults", []) if case["status"] == "failed"]
    for case in failed:
        text = "\n".join(map(str, case.get("failureMessages") or []))
        title = case.get("fullName") or case.get("title") or ""
        yield TestProblem("FAILED", f"{name}::{title}", _first_line(text), _location(folder, text))
    if not failed and file.get("status") == "failed":
        yield TestProblem("ERROR", name, _first_line(str(file.get("message", ""))))


def _read_tap(folder: Path, finished: Finished) -> TestReport | None:
    """Node's TAP output: nested points are indented, their details in YAML blocks below."""
    lines = output_lines(finished.output)
    counts = {
        key: int(value)
        for line in lines
        if (match := re.fullmatch(r"# (pass|fail|skipped|todo|cancelled) (\d+)", line))
        for key, value in [match.groups()]
    }
    if "pass" not in counts:
        return None
    problems = []
    for number, line in enumerate(lines):
        match = re.match(r"( *)not ok \d+ - (.*)$", line)
        if match and not match[2].rstrip().endswith(("# TODO", "# SKIP")):
            problem = _tap_problem(folder, match[2], lines[number + 1 : number + 60])
            if problem is not None:
                problems.append(problem)
    failed = counts.get("fail", 0) + counts.get("cancelled", 0)
    skipped = counts.get("skipped", 0) + counts.get("todo", 0)
    return TestReport(counts["pass"], failed, 0, skipped, tuple(problems))


def _tap_problem(folder: Path, name: str, below: list[str]) -> TestProblem | None:
    end = next((n for n, line in enumerate(below) if line.strip() == "..."), len(below))
    details = "\n".join(below[:end])
    if "failureType: 'subtestsFailed'" in details:
        return None  # its own points say what failed
    error = re.search(r"^ *error: (?:\|-\n *([^\n]*)|'?(.*?)'?$)", details, re.MULTILINE)
    message = (error[1] or error[2] or "") if error else ""
    place = re.search(r"^ *location: '(.*?):(\d+):\d+'$", details, re.MULTILINE)
    location = _location(folder, details)
    if not location and place:
        location = f"{_shown(folder, place[1])}:{place[2]}"
    return TestProblem("FAILED", name, message, location)


def _first_line(text: str) -> str:
    return text.strip().split("\n")[0]


def _location(folder: Path, text: str) -> str:
    """The first frame of a stack that lies in the project."""
    for match in _FRAME.finditer(text[:MAX_TRACEBACK]):
        path = Path(match[1].removeprefix("file://"))
        if path.is_relative_to(folder) and "node_modules" not in path.parts:
            return f"{_shown(folder, str(path))}:{match[2]}"
    return ""


def _shown(folder: Path, name: str) -> str:
    path = Path(name.removeprefix("file://"))
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else name
