"""What `python -m unittest -v` prints, read line by line."""

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from quillon_tools.runners.report import TestProblem, TestReport, output_lines

_RAN = re.compile(r"Ran (\d+) tests? in ")
_COUNT = re.compile(r"(failures|errors|skipped|unexpected successes)=(\d+)")
_HEAD = re.compile(r"(FAIL|ERROR): (\w+) \(([^()]*)\)")
_FRAME = re.compile(r'  File "([^"]+)", line (\d+)')
_RULE = 20


def read_unittest(output: str, folder: Path) -> TestReport | None:
    """The report; None where the run did not come to its end.

    Paths are shown relative to `folder`, where the tests ran.
    """
    lines = output_lines(output)
    at = next((n for n in range(len(lines) - 1, -1, -1) if _RAN.match(lines[n])), None)
    ran = _RAN.match(lines[at]) if at is not None else None
    if at is None or ran is None:
        return None
    counts = {name: int(count) for name, count in _COUNT.findall("\n".join(lines[at:]))}
    failed = counts.get("failures", 0) + counts.get("unexpected successes", 0)
    errors, skipped = counts.get("errors", 0), counts.get("skipped", 0)
    passed = max(0, int(ran[1]) - failed - errors - skipped)
    problems = tuple(_problems(lines[:at], folder))
    return TestReport(passed, failed, errors, skipped, problems)


def _problems(lines: list[str], folder: Path) -> Iterator[TestProblem]:
    """Sections begin with a rule of `=` and a head; a rule of `-` follows the head."""
    starts = [n for n, line in enumerate(lines) if _is_rule(line, "=")]
    for start, end in pairwise([*starts, len(lines)]):
        head = _HEAD.match(lines[start + 1]) if start + 1 < end else None
        if head is not None:
            yield _problem(head, lines[start + 2 : end], folder)


def _is_rule(line: str, char: str) -> bool:
    return len(line) >= _RULE and not line.strip(char)


def _problem(head: re.Match[str], section: list[str], folder: Path) -> TestProblem:
    kind, test, owner = head.groups()
    lines = [line for line in section if line and not _is_rule(line, "-")]
    said = [line for line in lines if not line.startswith((" ", "Traceback "))]
    frames = [match for line in lines if (match := _FRAME.match(line))]
    own = [match for match in frames if Path(match[1]).is_relative_to(folder)]
    location = ""
    if own:
        location = f"{Path(own[-1][1]).relative_to(folder).as_posix()}:{own[-1][2]}"
    return TestProblem(
        kind="FAILED" if kind == "FAIL" else "ERROR",
        # Python 3.11 and later repeat the test's name after its class.
        name=owner if owner.endswith(f".{test}") else f"{owner}.{test}",
        message=said[-1] if said else "",
        location=location,
    )
