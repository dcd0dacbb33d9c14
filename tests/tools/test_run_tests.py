"""`run_tests`: what it is asked for, what runs after approval, and what pytest tells of it."""

import asyncio
import sys

import pytest
from inline_snapshot import snapshot

from quillon_testing.projects import CARGO, GO, NODE, PYTEST, UNITTEST, check_tests, ended, timeless
from quillon_tools.calls import ToolCall
from quillon_tools.command import Command
from quillon_tools.policy import Decision
from quillon_tools.registry import default_tools
from quillon_tools.runners.report import read_junit, rendered


async def test_pytest_runs_everything(bench_of):
    bench = bench_of(PYTEST)
    assert await check_tests(bench, None) == snapshot(
        """\
FAILED tests/test_calc.py::TestHalf::test_odd - assert 1.5 == 1
  at tests/test_calc.py:11
ERROR tests/test_calc.py::test_broken_setup - fixture 'missing' not found
FAILED tests/test_other.py::test_other - KeyError: 'name'
  at tests/test_other.py:2
2 failed, 3 passed, 1 skipped, 1 error\
"""
    )
    assert not (bench.root / ".pytest_cache").exists()
    assert not list(bench.root.rglob("__pycache__"))


@pytest.mark.parametrize(
    ("target", "result"),
    [
        ("tests/test_other.py", "1 failed"),
        ("tests/test_calc.py::TestHalf::test_four", "1 passed"),
        ("tests/test_calc.py::TestHalf", "1 failed, 1 passed"),
        ("tests/test_calc.py::test_text[a b]", "1 passed"),
        ("tests/test_calc.py::test_text", "2 passed"),
        ("test_four", "1 passed"),
        ("TestHalf", "1 failed, 1 passed"),
        ("./tests/test_other.py", "1 failed"),
    ],
)
async def test_pytest_runs_a_part(bench_of, target, result):
    assert (await check_tests(bench_of(PYTEST), target)).split("\n")[-1] == result


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("tests/test_gone.py", "file or directory not found: tests/test_gone.py"),
        ("test_gone", "file or directory not found: test_gone"),
        ("tests/test_calc.py::", "'' is no name of a test"),
        ("tests/test_calc.py::-x", "'-x' is no name of a test"),
        ("tests/test_calc.py::x\ny", "'x\\ny' is no name of a test"),
        ("../tests", "not a path of this workspace: '../tests'"),
        ("/etc", "/etc is outside of the workspace"),
        ("--collect-only", "file or directory not found: --collect-only"),
        ("-p no:x", "file or directory not found: -p no:x"),
    ],
)
async def test_what_is_no_target_is_not_run(bench_of, target, message):
    bench = bench_of(PYTEST)
    assert (await bench.error("run_tests", target=target)).startswith(message)
    assert bench.asked == []


async def test_a_test_that_is_not_there(bench_of):
    error = await bench_of(PYTEST).error("run_tests", target="tests/test_calc.py::test_gone")
    assert error.startswith("there is no such test: ")


async def test_a_file_that_looks_like_an_option(bench_of):
    bench = bench_of({**PYTEST, "-test_x.py": "def test_x(): pass\n"})
    assert await check_tests(bench, "-test_x.py") == "1 passed"
    assert bench.asked[0].preview.split("\n")[0].endswith(" ./-test_x.py")


async def test_a_test_name_that_is_not_unique(bench_of):
    bench = bench_of({"test_a.py": "def test_x(): pass\n", "test_b.py": "def test_x(): pass\n"})
    assert await bench.error("run_tests", target="test_x") == (
        "several tests are named test_x; use one of:\ntest_a.py::test_x\ntest_b.py::test_x"
    )


async def test_a_file_that_cannot_be_collected(bench_of):
    bench = bench_of({"pytest.ini": "", "tests/test_a.py": "import nowhere_at_all\n"})
    assert await check_tests(bench, None) == (
        "ERROR tests/test_a.py - ModuleNotFoundError: No module named 'nowhere_at_all'\n"
        "  at tests/test_a.py:1\n1 error"
    )


async def test_no_tests(bench_of):
    bench = bench_of({"pytest.ini": "", "tests/test_a.py": "x = 1\n"})
    assert await check_tests(bench, None) == "no tests ran"


async def test_tests_without_end_are_stopped(bench_of):
    bench = bench_of({"pytest.ini": "", "test_a.py": "def test_a():\n    while True: pass\n"})
    toolset = bench.toolset(test_seconds=4)
    result = await toolset.execute(ToolCall("1", "run_tests", {}))
    assert result.text.startswith("Error: timed out after 4s")


async def test_the_user_is_asked_for_exactly_what_runs(bench_of):
    bench = bench_of(PYTEST)
    bench.answer = Decision("deny", "not on this machine")
    error = await bench.error("run_tests", target="tests")
    assert error == "the user does not want run_tests to run: not on this machine"
    argv, folder = bench.asked[0].preview.split("\n")
    assert " -m pytest -q " in argv
    assert argv.endswith(" tests")
    assert folder == f"in {bench.root}"


async def test_nothing_of_the_workspace_runs_before_approval(bench_of):
    trap = "import pathlib; pathlib.Path('ran').touch()\n"
    bench = bench_of({**PYTEST, "conftest.py": trap, "sitecustomize.py": trap, "queue.py": trap})
    bench.answer = Decision("deny")
    await bench.error("run_tests")
    assert not (bench.root / "ran").exists()


async def test_the_projects_own_interpreter_is_used(bench_of):
    bench = bench_of({"pytest.ini": "", "test_a.py": "def test_a(): pass\n"})
    python = bench.root / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    (bench.root / ".venv" / "pyvenv.cfg").write_text("home = /usr/bin\n")
    python.symlink_to(sys.executable)
    assert await bench.error("run_tests") == "pytest is not installed"
    (bench.root / ".venv/lib/python3.11/site-packages/pytest").mkdir(parents=True)
    bench.answer = Decision("deny")
    await bench.error("run_tests")
    assert bench.asked[-1].preview.startswith(f"{python} -m pytest ")


async def test_a_program_in_the_workspace_is_not_found_on_the_path(bench_of, monkeypatch):
    bench = bench_of({"go.mod": "module x\n", "bin/go": "#!/bin/sh\n", "go": "#!/bin/sh\n"})
    for name in ("bin/go", "go"):
        (bench.root / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{bench.root}/bin:.:{bench.root}:")
    monkeypatch.chdir(bench.root)
    assert await bench.error("run_tests") == "go is not installed, or not on the PATH"


JUNIT = """<?xml version="1.0"?>
<testsuites><testsuite>
<testcase name="ok" classname="a"/>
<testcase name="bad" classname="a"><failure message="1 != 2">x</failure></testcase>
</testsuite></testsuites>"""


@pytest.mark.parametrize(
    ("text", "read"),
    [
        (JUNIT, "FAILED a::bad - 1 != 2\n1 failed, 1 passed"),
        ("", None),
        ("<broken", None),
        ('<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>', None),
        ("<x/>", "no tests ran"),
    ],
)
def test_junit_reports(text, read):
    report = read_junit(text)
    assert (timeless(rendered(report, ended("", 0))) if report else None) == read


@pytest.mark.parametrize("files", [{}, {"a.py": "x = 1\n"}, {"package.json": "{"}])
async def test_without_tests_there_is_no_tool(bench_of, files):
    bench = bench_of(files)
    names = [tool.name for tool in default_tools(bench.workspace)]
    assert "run_tests" not in names
    assert len(names) == 5
    assert (await bench.error("run_tests")).startswith(
        "no test runner fits here: looked for pytest"
    )


@pytest.mark.parametrize("files", [PYTEST, UNITTEST, NODE, GO, CARGO])
async def test_with_tests_there_is_the_tool(bench_of, files):
    assert "run_tests" in [tool.name for tool in default_tools(bench_of(files).workspace)]


async def test_a_project_in_a_folder_of_its_own(bench_of):
    bench = bench_of({f"backend/{name}": content for name, content in PYTEST.items()})
    bench.answer = Decision("deny")
    for arguments in ({}, {"target": "backend/tests/test_other.py"}):
        await bench.error("run_tests", **arguments)
        assert bench.asked[-1].preview.endswith(f"in {bench.root}/backend")


async def test_cancelling_kills_the_tests(bench_of):
    code = (
        "import pathlib, time\ndef test_a():\n    pathlib.Path('started').touch()\n"
        "    time.sleep(600)\n    pathlib.Path('ended').touch()\n"
    )
    bench = bench_of({"pytest.ini": "", "test_a.py": code})
    task = asyncio.create_task(bench.result("run_tests"))
    async with asyncio.timeout(60):
        while not (bench.root / "started").exists():  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.02)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert bench.audit[-1].outcome == "cancelled"


def test_commands_are_values(bench_of):
    folder = bench_of().workspace.roots[0]
    command = Command(argv=("/bin/a b", "c"), folder=folder, seconds=1, read=str)
    assert command.preview.startswith("'/bin/a b' c\nin ")
    assert not command.is_of_workspace
