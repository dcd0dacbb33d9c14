"""`unittest`: its text is all that there is to read."""

from pathlib import Path

import pytest
from inline_snapshot import snapshot

from quillon_testing.projects import UNITTEST, check_tests
from quillon_tools.runners.unittest_text import read_unittest


async def test_unittest(bench_of):
    assert await check_tests(bench_of(UNITTEST), None) == snapshot(
        """\
ERROR test_calc.TestCalc.test_broken - ValueError: no
  at tests/test_calc.py:16
FAILED test_calc.TestCalc.test_wrong - AssertionError: 1 != 2
  at tests/test_calc.py:13
1 failed, 1 passed, 1 skipped, 1 error\
"""
    )


@pytest.mark.parametrize(
    ("target", "result"),
    [
        ("tests/test_calc.py::TestCalc::test_ok", "1 passed"),
        ("tests/test_calc.py", "1 failed, 1 passed, 1 skipped, 1 error"),
        ("tests", "1 failed, 1 passed, 1 skipped, 1 error"),
        ("test_ok", "1 passed"),
    ],
)
async def test_unittest_runs_a_part(bench_of, target, result):
    assert (await check_tests(bench_of(UNITTEST), target)).split("\n")[-1] == result


def test_unittest_that_did_not_end():
    assert read_unittest("Segmentation fault\n", Path("/")) is None
    hostile = "=" * 70 + "\nFAIL: a (b)\n" + "-" * 70 + "\n"
    report = read_unittest(hostile * 5000 + "Ran 5000 tests in 1s\n", Path("/"))
    assert report is not None
    assert len(report.problems) == 5000
