"""`go test`, read from its JSON events (`go doc test2json`)."""

import json
import re

from quillon_tools.command import Command, Finished
from quillon_tools.confinement import ConfinedPath
from quillon_tools.runners.project import Project, program
from quillon_tools.runners.report import TestProblem, TestReport, counted, output_lines, rendered
from quillon_tools.workspace import Workspace

MARKERS = ("go.mod", "go.work")
_LOCATION = re.compile(r"^\s*([\w./-]+\.go):(\d+)(?::\d+)?: ?(.*)$")
_PANIC = re.compile(r"^panic: (.*?)(?: \[recovered.*)?$")
_FRAME = re.compile(r"^\s+/\S*?([^/\s]+_test\.go):(\d+) \+0x")


def recognised(workspace: Workspace, folder: ConfinedPath) -> bool:
    """Whether a folder is a Go module."""
    names = {entry.path.name for entry in workspace.entries(folder)}
    return not names.isdisjoint(MARKERS)


def plan(project: Project) -> Command:
    """The command that runs the target.

    Raises:
        Failed: Go is not installed.
    """
    relative = project.relative.removeprefix("./")
    if project.is_file:
        relative = relative.rpartition("/")[0]
        package = f"./{relative}" if relative else "."
    else:
        package = f"./{relative}/..." if relative else "./..."
    names = project.target.names
    only = ("-run", "/".join(f"^{re.escape(name)}$" for name in names)) if names else ()
    return Command(
        argv=(program("go", project.workspace), "test", "-json", *only, package),
        folder=project.folder,
        seconds=project.seconds,
        read=lambda finished: rendered(read_events(finished), finished),
    )


def read_events(finished: Finished) -> TestReport | None:
    """The report of a stream of events; None where there are none."""
    outputs: dict[tuple[str, str], list[str]] = {}
    outcomes: dict[tuple[str, str], str] = {}
    build: list[str] = []
    for line in finished.output.split("\n"):
        event = _event(line)
        if event is None:
            build.append(line)
            continue
        key = (str(event.get("Package", "")), str(event.get("Test", "")))
        action = event.get("Action")
        if action == "build-output":
            build.append(str(event.get("Output", "")).rstrip("\n"))
        elif action == "output":
            outputs.setdefault(key, []).append(str(event.get("Output", "")))
        elif action in {"pass", "fail", "skip"}:
            outcomes[key] = action
    if not outcomes:
        return None
    return _report(outcomes, outputs, build)


def _event(line: str) -> dict[str, object] | None:
    if not line.startswith("{"):
        return None
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return event if isinstance(event, dict) else None


def _report(
    outcomes: dict[tuple[str, str], str],
    outputs: dict[tuple[str, str], list[str]],
    build: list[str],
) -> TestReport:
    tests = {key: outcome for key, outcome in outcomes.items() if key[1]}
    parents = {(package, above) for package, test in tests for above in _parents(test)}
    broken = {package for (package, _test), outcome in tests.items() if outcome == "fail"}
    problems = []
    for key, outcome in outcomes.items():
        if outcome != "fail" or key in parents:
            continue
        package, test = key
        said = output_lines("".join(outputs.get(key, [])))
        if test:
            problems.append(_problem("FAILED", f"{package}.{test}", said))
        elif package not in broken:
            problems.append(_problem("ERROR", package, [*build, *said]))
    leaves = [outcome for key, outcome in tests.items() if key not in parents]
    return counted(problems, leaves.count("pass"), leaves.count("skip"))


def _parents(test: str) -> list[str]:
    """The tests that a subtest such as `TestA/case/1` belongs to."""
    steps = test.split("/")
    return ["/".join(steps[:depth]) for depth in range(1, len(steps))]


def _problem(kind: str, name: str, said: list[str]) -> TestProblem:
    match = next((m for line in said if (m := _LOCATION.match(line))), None)
    panic = next((m for line in said if (m := _PANIC.match(line))), None)
    if panic and match is None:
        frame = next((m for line in said if (m := _FRAME.match(line))), None)
        where = f"{frame[1]}:{frame[2]}" if frame else ""
        return TestProblem(kind="FAILED", name=name, message=f"panic: {panic[1]}", location=where)
    plain = [line.strip() for line in said if line.strip() and not line.startswith(("=", "---"))]
    return TestProblem(
        kind="FAILED" if kind == "FAILED" else "ERROR",
        name=name,
        message=match[3] if match else (plain[0] if plain else ""),
        location=f"{match[1]}:{match[2]}" if match else "",
    )
