"""What a test run gave, whatever the runner: counts, and what failed where."""

import re
from collections.abc import Callable, Iterable
from typing import Literal
from xml.etree import ElementTree as ET

import msgspec

from quillon_tools.calls import Failed
from quillon_tools.command import Finished

MAX_PROBLEMS = 30
MAX_LINE = 2000
MAX_TRACEBACK = 20_000
_TAIL = 3000
_MESSAGE = 300


class TestProblem(msgspec.Struct, frozen=True):
    """One test that failed, or one file that could not be run (`ERROR`).

    `location` is `path:line`, as far as the runner tells it.
    """

    kind: Literal["FAILED", "ERROR"]
    name: str
    message: str = ""
    location: str = ""


class TestReport(msgspec.Struct, frozen=True):
    """The counts of a run. `problems` may be fewer than `failed` plus `errors`."""

    passed: int = 0
    failed: int = 0
    errors: int = 0
    skipped: int = 0
    problems: tuple[TestProblem, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nothing ran and nothing went wrong."""
        return not (self.passed or self.failed or self.errors or self.skipped)


def output_lines(output: str) -> list[str]:
    """The lines of a program's output, each within a length that patterns can be tried on."""
    return [line[:MAX_LINE] for line in output.split("\n")]


def rendered(report: TestReport | None, finished: Finished) -> str:
    """The report for the model; where there is none, how the program ended and what it wrote.

    Raises:
        Failed: It was stopped before it could report.
    """
    if report is None or (report.is_empty and finished.code not in {0, 5}):
        return _raw(finished)
    rows = [_row(problem) for problem in report.problems[:MAX_PROBLEMS]]
    if len(report.problems) > MAX_PROBLEMS:
        rows.append(f"[... {len(report.problems) - MAX_PROBLEMS} more ...]")
    rows.append(_summary(report, finished))
    if finished.timed_out:
        rows.append(f"[stopped after {finished.seconds:.0f} s: the tests took too long]")
    return "\n".join(rows)


def _row(problem: TestProblem) -> str:
    message = " ".join(problem.message.split())
    message = message if len(message) <= _MESSAGE else f"{message[:_MESSAGE]}..."
    row = f"{problem.kind} {problem.name}" + (f" - {message}" if message else "")
    return row + (f"\n  at {problem.location}" if problem.location else "")


def _summary(report: TestReport, finished: Finished) -> str:
    counts = [
        (report.failed, "failed"),
        (report.passed, "passed"),
        (report.skipped, "skipped"),
        (report.errors, "error" if report.errors == 1 else "errors"),
    ]
    said = ", ".join(f"{count} {what}" for count, what in counts if count) or "no tests ran"
    return f"{said} in {finished.seconds:.2f}s"


def _raw(finished: Finished) -> str:
    output = finished.output.strip()
    if finished.code == 0:
        head = f"The tests passed in {finished.seconds:.2f}s"
    else:
        head = f"The test runner ended with exit status {finished.code}"
    if len(output) > _TAIL:
        output = f"[... {len(output) - _TAIL} characters left out ...]\n{output[-_TAIL:]}"
    if finished.timed_out:
        raise Failed(f"timed out after {finished.seconds:.0f}s\n{output}".strip())
    return f"{head}\n{output}".strip()


def said_in(output: str) -> list[str]:
    """What a test wrote at its end, without empty lines."""
    return [line for line in output_lines(output[-MAX_TRACEBACK:]) if line.strip()]


def read_junit(
    text: str, problem_of: Callable[[ET.Element], TestProblem] | None = None
) -> TestReport | None:
    """A JUnit XML report; None where it is no such report.

    Names are as pytest writes them: `path::Class::test` where the case has a file. `problem_of`
    reads a case that failed, where the runner has its own way to write one.
    """
    # Entities can expand without bound; no runner writes a DTD.
    if not text.strip() or "<!DOCTYPE" in text or "<!ENTITY" in text:
        return None
    try:
        root = ET.fromstring(text)  # noqa: S314 - without a DTD there is nothing to expand
    except ET.ParseError:
        return None
    counts = {"passed": 0, "FAILED": 0, "ERROR": 0, "skipped": 0}
    problems = []
    for case in root.iter("testcase"):
        outcome, problem = _junit_case(case)
        counts[outcome] += 1
        if problem is not None:
            problems.append(problem_of(case) if problem_of else problem)
    return TestReport(
        counts["passed"], counts["FAILED"], counts["ERROR"], counts["skipped"], tuple(problems)
    )


def _junit_case(case: ET.Element) -> tuple[str, TestProblem | None]:
    for tag, kind in (("error", "ERROR"), ("failure", "FAILED")):
        found = case.find(tag)
        if found is not None:
            return kind, _junit_problem(case, found, kind)
    return ("passed" if case.find("skipped") is None else "skipped"), None


def _junit_problem(case: ET.Element, found: ET.Element, kind: str) -> TestProblem:
    text = (found.text or "")[-MAX_TRACEBACK:]
    message = (found.get("message") or "").split("\n")[0]
    lines = [line[4:].strip() for line in text.split("\n") if line.startswith("E   ")]
    if message in {"", "collection failure"} or message.startswith("failed on setup with"):
        message = lines[-1] if lines else message
    return TestProblem(
        kind="ERROR" if kind == "ERROR" else "FAILED",
        name=_junit_name(case),
        message=message,
        location=last_location(text),
    )


def _junit_name(case: ET.Element) -> str:
    name, file, owner = case.get("name", ""), case.get("file"), case.get("classname", "")
    if not file:
        if not owner and re.fullmatch(r"[\w.]+", name):
            return name.replace(".", "/") + ".py"  # pytest's name of a file it could not collect
        return f"{owner}::{name}" if owner else name
    module = file.removesuffix(".py").replace("/", ".").replace("\\", ".")
    if not owner and name == module:
        return file
    inner = owner.removeprefix(module).strip(".")
    return "::".join(part for part in (file, *inner.split("."), name) if part)


_LOCATION = re.compile(r"^(?!/)([^\s:]+\.\w+):(\d+): ", re.MULTILINE)


def last_location(text: str) -> str:
    """The last `path:line: ` of a traceback that lies below the working directory."""
    found = [m for m in _LOCATION.finditer(text) if "site-packages" not in m[1]]
    return f"{found[-1][1]}:{found[-1][2]}" if found else ""


def counted(problems: Iterable[TestProblem], passed: int, skipped: int = 0) -> TestReport:
    """A report whose failures are counted from its problems."""
    kept = tuple(problems)
    failed = sum(problem.kind == "FAILED" for problem in kept)
    return TestReport(passed, failed, len(kept) - failed, skipped, kept)
