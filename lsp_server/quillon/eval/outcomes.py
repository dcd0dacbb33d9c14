"""What came of each question, and the figures that are made from it; both as JSON."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from pathlib import Path
from statistics import median
from typing import Literal

import msgspec

from quillon.eval.intervals import of_median, wilson

Kind = Literal["share", "median"]


class EvalError(Exception):
    """The measurement cannot be made; the message says why and what to do."""


class Outcome(msgspec.Struct, frozen=True):
    """What came of one question.

    `id` is the same for the same question to another model. `marks` are right or wrong,
    `values` are measured (their names end in the unit). `shown` is what was asked and answered.
    """

    task: str
    id: str
    marks: dict[str, bool] = {}
    values: dict[str, float] = {}
    shown: str = ""


class Question(msgspec.Struct, frozen=True, eq=False):
    """Something to ask the model; `ask` asks it and judges the answer."""

    task: str
    id: str
    ask: Callable[[], Awaitable[Outcome]]


class Figure(msgspec.Struct, frozen=True):
    """A share of `count` questions (0 to 1), or the median of values; with a 95 % interval."""

    task: str
    name: str
    kind: Kind
    value: float
    low: float
    high: float
    count: int


class Subject(msgspec.Struct, frozen=True):
    """What was measured, and with what."""

    model: str
    path: str = ""
    parameters: int = 0
    context: int = 0
    embedded: bool = False
    version: str = ""
    seed: int = 0


class Report(msgspec.Struct, frozen=True):
    """All of one measurement. `complete` is false where it was stopped before its end."""

    subject: Subject
    figures: tuple[Figure, ...]
    outcomes: tuple[Outcome, ...]
    complete: bool = True
    notes: tuple[str, ...] = ()


def figures(outcomes: Iterable[Outcome]) -> tuple[Figure, ...]:
    """One figure for each mark and value of each task, in the order of their appearance."""
    marks: dict[tuple[str, str], list[bool]] = {}
    values: dict[tuple[str, str], list[float]] = {}
    for outcome in outcomes:
        for name, mark in outcome.marks.items():
            marks.setdefault((outcome.task, name), []).append(mark)
        for name, value in outcome.values.items():
            values.setdefault((outcome.task, name), []).append(value)
    shares = [_share(*key, found) for key, found in marks.items()]
    medians = [_median(*key, found) for key, found in values.items()]
    order = dict.fromkeys(figure.task for figure in (*shares, *medians))
    return tuple(f for task in order for f in (*shares, *medians) if f.task == task)


def report_of(
    subject: Subject, outcomes: Sequence[Outcome], notes: Sequence[str] = (), *, complete: bool
) -> Report:
    """The report of what was found."""
    return Report(subject, figures(outcomes), tuple(outcomes), complete, tuple(notes))


def load_report(path: Path) -> Report:
    """A report that was saved before.

    Raises:
        EvalError: It cannot be read, or is none.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=Report)
    except OSError as error:
        raise EvalError(f"The report {path} cannot be read: {error.strerror}.") from error
    except msgspec.MsgspecError as error:
        raise EvalError(
            f"{path} is no report of `quillon eval --json`: {error}. Name another file."
        ) from error


def save_report(report: Report, path: Path) -> None:
    """Write a report; what stood there is replaced only by a whole one.

    Raises:
        EvalError: It cannot be written.
    """
    beside = path.with_name(f".{path.name}.part")
    try:
        beside.write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=1) + b"\n")
        beside.replace(path)
    except OSError as error:
        raise EvalError(f"The report {path} cannot be written: {error.strerror}.") from error


def _share(task: str, name: str, marks: Sequence[bool]) -> Figure:
    hits = sum(marks)
    return Figure(task, name, "share", hits / len(marks), *wilson(hits, len(marks)), len(marks))


def _median(task: str, name: str, values: Sequence[float]) -> Figure:
    return Figure(task, name, "median", median(values), *of_median(values), len(values))
