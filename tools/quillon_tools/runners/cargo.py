"""`cargo test`, read from the text of Rust's test harness."""

import re
from itertools import pairwise

from quillon_tools.command import Command, Finished
from quillon_tools.confinement import ConfinedPath
from quillon_tools.runners.project import Project, program
from quillon_tools.runners.report import TestProblem, TestReport, counted, output_lines, rendered
from quillon_tools.workspace import Workspace

MARKERS = ("Cargo.toml",)
_RESULT = re.compile(r"test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored")
_SECTION = re.compile(r"---- (\S+)(?: - .*)? stdout ----$")
_PANIC = re.compile(r"thread '.*' (?:\(\d+\) )?panicked at (?:'(.*)', )?([^:']+):(\d+):\d+:?$")
_COMPILE = re.compile(r"error(?:\[E\d+\])?: (.*)$")
_ARROW = re.compile(r"\s*--> ([^:]+):(\d+):\d+$")


def recognised(workspace: Workspace, folder: ConfinedPath) -> bool:
    """Whether a folder is a Cargo package or workspace."""
    return any(entry.path.name == "Cargo.toml" for entry in workspace.entries(folder))


def plan(project: Project) -> Command:
    """The command that runs the target.

    Raises:
        Failed: Cargo is not installed.
    """
    return Command(
        argv=(
            *(program("cargo", project.workspace), "test", "--color=never", "--no-fail-fast"),
            *_selection(project),
        ),
        folder=project.folder,
        seconds=project.seconds,
        read=lambda finished: rendered(read_text(finished), finished),
    )


def _selection(project: Project) -> list[str]:
    """The tests of a file are those of its module, or of its integration test."""
    *above, file = project.relative.removeprefix("./").split("/")
    stem = file.removesuffix(".rs")
    names = "::".join(project.target.names)
    if above == ["tests"] and file.endswith(".rs"):
        return ["--test", stem, *([names] if names else [])]
    if not file.endswith(".rs"):
        return [names] if names else []
    modules = above[1:] if above[:1] == ["src"] else above
    modules += [] if stem in {"lib", "main", "mod"} else [stem]
    wanted = "::".join(part for part in (*modules, names) if part)
    return [wanted] if wanted else []


def read_text(finished: Finished) -> TestReport | None:
    """The report; where nothing ran because nothing compiled, the compiler's errors."""
    lines = output_lines(finished.output)
    results = [match for line in lines if (match := _RESULT.match(line))]
    if not results:
        errors = list(_compile_errors(lines))
        return TestReport(errors=len(errors), problems=tuple(errors)) if errors else None
    passed, _failed, ignored = (sum(int(m[n]) for m in results) for n in (1, 2, 3))
    return counted(_failures(lines), passed, ignored)


def _failures(lines: list[str]) -> list[TestProblem]:
    """Each failed test has a section with what it printed, its panic included."""
    found = []
    starts = [n for n, line in enumerate(lines) if _SECTION.match(line)]
    for start, end in pairwise([*starts, len(lines)]):
        head = _SECTION.match(lines[start])
        name = head[1] if head else ""
        message, location = "", ""
        for number in range(start + 1, end):
            if panic := _PANIC.match(lines[number]):
                location = f"{panic[2]}:{panic[3]}"
                following = lines[number + 1] if number + 1 < len(lines) else ""
                message = panic[1] or following.strip()
                break
        found.append(TestProblem("FAILED", name, message, location))
    return found


def _compile_errors(lines: list[str]) -> list[TestProblem]:
    found = []
    for number, line in enumerate(lines):
        error = _COMPILE.match(line)
        arrow = _ARROW.match(lines[number + 1]) if error and number + 1 < len(lines) else None
        if error and arrow:
            place = f"{arrow[1]}:{arrow[2]}"
            found.append(TestProblem("ERROR", arrow[1], error[1], place))
    return found
