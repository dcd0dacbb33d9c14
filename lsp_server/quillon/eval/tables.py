"""Figures as Markdown: one model, or two side by side."""

from collections.abc import Iterable, Sequence

from quillon.eval.intervals import of_difference
from quillon.eval.outcomes import Figure, Outcome, Report

_LOW_IS_GOOD = ("accused",)


def markdown(report: Report) -> str:
    """The table of one measurement, under a heading that says of what."""
    rows = [
        [f.task, f.name, _value(f), f"{_number(f, f.low)} – {_number(f, f.high)}", str(f.count)]
        for f in report.figures
    ]
    head = ["task", "figure", "value", "95 % interval", "n"]
    return "\n\n".join([*_about(report), _table(head, rows)]) + "\n"


def comparison(one: Report, other: Report) -> str:
    """Two measurements side by side; differences are of the questions that both were asked."""
    others = {(figure.task, figure.name): figure for figure in other.figures}
    rows = []
    for figure in one.figures:
        found = others.get((figure.task, figure.name))
        if found is not None:
            difference = _difference(figure, one.outcomes, other.outcomes)
            rows.append([figure.task, figure.name, _value(figure), _value(found), difference])
    names = [one.subject.model, other.subject.model]
    if names[0] == names[1]:
        names = [f"{name} ({letter})" for name, letter in zip(names, "AB", strict=True)]
    head = ["task", "figure", *names, "difference (95 %)"]
    lines = [*_about(one), *_about(other), _table(head, rows)]
    return "\n\n".join(lines) + "\n"


def _about(report: Report) -> list[str]:
    subject = report.subject
    size = f", {subject.parameters / 1e6:,.1f} million parameters" if subject.parameters else ""
    state = "" if report.complete else " Stopped before its end."
    return [
        f"**{subject.model}**{size}, Quillon {subject.version}, seed {subject.seed}.{state}",
        *report.notes,
    ]


def _difference(figure: Figure, one: Iterable[Outcome], other: Iterable[Outcome]) -> str:
    before = _answers(figure, one)
    after = _answers(figure, other)
    pairs = [after[id_] - before[id_] for id_ in before if id_ in after]
    if not pairs:
        return "–"
    low, high = of_difference(pairs)
    mean = sum(pairs) / len(pairs)
    if figure.kind == "median":
        return f"{mean:+.3g} ({low:+.3g} … {high:+.3g})"
    return f"{mean:+.1%} ({low:+.1%} … {high:+.1%})"


def _answers(figure: Figure, outcomes: Iterable[Outcome]) -> dict[str, float]:
    found: dict[str, float] = {}
    for outcome in outcomes:
        values = {**outcome.marks, **outcome.values}
        if outcome.task == figure.task and figure.name in values:
            found[outcome.id] = float(values[figure.name])
    return found


def _value(figure: Figure) -> str:
    lower = " (less is better)" if any(word in figure.name for word in _LOW_IS_GOOD) else ""
    return _number(figure, figure.value) + lower


def _number(figure: Figure, value: float) -> str:
    return f"{value:.1%}" if figure.kind == "share" else f"{value:,.3g}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [list(head), ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())
