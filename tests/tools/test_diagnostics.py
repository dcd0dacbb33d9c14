import pytest

from quillon_tools.workspace import Problem

IN_A = ["src/a.py:2:1 error: undefined name 'x' [pyright]", "src/a.py:9:5 warning: unused [ruff]"]


@pytest.fixture
def bench(bench_of):
    bench = bench_of({"src/a.py": "", "src/b.py": "", "c.py": ""})
    a, c = bench.root / "src/a.py", bench.root / "c.py"
    bench.editor.found = [
        Problem(c, 1, 1, "hint", "shorter"),
        Problem(a, 9, 5, "warning", "unused", "ruff"),
        Problem(a, 2, 1, "error", "undefined\nname 'x'", "pyright"),
        Problem(bench.root / "../other.py", 1, 1, "error", "outside"),
        Problem(bench.root / ".env", 1, 1, "error", "secret"),
    ]
    return bench


@pytest.mark.parametrize(
    ("arguments", "rows"),
    [
        (
            {"path": "src/a.py"},
            IN_A,
        ),
        (
            {"path": "src"},
            IN_A,
        ),
        ({"path": "src/b.py"}, ["No problems found."]),
        (
            {},
            [
                "c.py:1:1 hint: shorter",
                *IN_A,
            ],
        ),
    ],
)
async def test_get_diagnostics(bench, arguments, rows):
    assert (await bench.call("get_diagnostics", **arguments)).split("\n") == rows


async def test_get_diagnostics_of_a_path_outside(bench):
    assert "outside of the workspace" in await bench.error("get_diagnostics", path="/etc/passwd")
