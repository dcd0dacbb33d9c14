"""Figures with their intervals, kept as JSON and shown side by side."""

import pytest

from quillon.eval.intervals import of_difference, of_median, wilson
from quillon.eval.outcomes import (
    EvalError,
    Outcome,
    Subject,
    figures,
    load_report,
    report_of,
    save_report,
)
from quillon.eval.tables import comparison, markdown


def outcomes(*rights):
    return [Outcome("calls", str(n), {"exact": right}) for n, right in enumerate(rights)]


def test_wilsons_interval():
    low, high = wilson(8, 10)
    assert (round(low, 3), round(high, 3)) == (0.490, 0.943)  # as in statsmodels
    assert wilson(0, 20)[0] == 0.0
    assert wilson(20, 20)[1] == 1.0
    assert wilson(0, 0) == (0.0, 1.0)


def test_bootstraps_hold_their_statistic_and_repeat_themselves():
    values = [1.0, 2.0, 3.0, 4.0, 100.0]
    low, high = of_median(values)
    assert low <= 3.0 <= high
    assert of_median(values) == (low, high)
    low, high = of_difference([1.0, 0.0, 0.0, -1.0])
    assert low < 0 < high
    assert of_difference([]) == (0.0, 0.0)


def test_figures_are_shares_of_what_was_asked():
    found = figures([*outcomes(True, False, True), Outcome("speed", "1", values={"s": 2.0})])
    assert [(f.task, f.name, f.kind, f.count) for f in found] == [
        ("calls", "exact", "share", 3),
        ("speed", "s", "median", 1),
    ]
    assert found[0].value == pytest.approx(2 / 3)


def test_a_report_is_kept_as_json(tmp_path):
    made = report_of(Subject("m"), outcomes(True), ["a note"], complete=False)
    save_report(made, tmp_path / "r.json")
    assert load_report(tmp_path / "r.json") == made
    assert [path.name for path in tmp_path.iterdir()] == ["r.json"]
    table = markdown(made)
    assert "| calls | exact | 100.0% | 20.7% – 100.0% | 1 |" in table
    assert "Stopped before its end" in table
    assert "a note" in table


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"subject": 3}', "\udcff"])
def test_what_is_no_report_is_said(tmp_path, text):
    path = tmp_path / "r.json"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(EvalError, match="is no report of"):
        load_report(path)


def test_a_missing_report_is_said(tmp_path):
    with pytest.raises(EvalError, match="cannot be read"):
        load_report(tmp_path / "none.json")
    with pytest.raises(EvalError, match="cannot be written"):
        save_report(report_of(Subject("m"), [], complete=True), tmp_path / "none" / "r.json")


def test_two_reports_are_compared_on_the_questions_of_both():
    one = report_of(Subject("one"), outcomes(True, False, False), complete=True)
    other = report_of(Subject("other"), outcomes(True, True), complete=True)
    table = comparison(one, other)
    assert "| calls | exact | 33.3% | 100.0% | +50.0% (" in table
