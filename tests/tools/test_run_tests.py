import asyncio
import json
import os
import shutil
import sys
from pathlib import Path

import pytest
from inline_snapshot import snapshot

from quillon_tools.calls import ToolCall
from quillon_tools.command import Command, Finished
from quillon_tools.policy import Decision
from quillon_tools.registry import default_tools
from quillon_tools.runners.cargo import read_text
from quillon_tools.runners.go import read_events
from quillon_tools.runners.report import read_junit, rendered
from quillon_tools.runners.unittest_text import read_unittest

PYTEST = {
    "pyproject.toml": "[tool.pytest.ini_options]\n",
    "calc.py": "def half(x):\n    return x / 2\n",
    "tests/test_calc.py": """\
from calc import half

import pytest


class TestHalf:
    def test_four(self):
        assert half(4) == 2

    def test_odd(self):
        assert half(3) == 1


@pytest.mark.parametrize("x", ["a b", "c::d"])
def test_text(x):
    assert x


def test_broken_setup(missing):
    pass


@pytest.mark.skip
def test_skipped():
    pass
""",
    "tests/test_other.py": "def test_other():\n    raise KeyError('name')\n",
}


def timeless(text: str) -> str:
    """The text without how long it took."""
    head, _, _seconds = text.rpartition(" in ")
    return head


async def check_tests(bench, target: str | None) -> str:
    arguments = {"target": target} if target is not None else {}
    return timeless(await bench.call("run_tests", **arguments))


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


UNITTEST = {
    "tests/test_calc.py": """\
import unittest


class TestCalc(unittest.TestCase):
    def test_ok(self):
        pass

    def test_wrong(self):
        '''Compares.

        More.
        '''
        self.assertEqual(1, 2)

    def test_broken(self):
        raise ValueError("no")

    @unittest.skip("later")
    def test_later(self):
        pass
""",
}


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


NODE = {
    "package.json": json.dumps({"scripts": {"test": "node --test test/"}}),
    "test/calc.test.js": """\
const test = require('node:test');
const assert = require('node:assert');

test('adds', () => assert.equal(1 + 1, 2));

test('halves', () => {
  assert.equal(3 / 2, 1);
});

test.skip('later', () => {});
""",
}


async def check_program(bench, name: str, expected: str, **arguments: str) -> None:
    """The result where the program is installed, else that its absence is said."""
    if shutil.which(name):
        assert timeless(await bench.call("run_tests", **arguments)) == expected
    else:
        error = await bench.error("run_tests", **arguments)
        assert error == f"{name} is not installed, or not on the PATH"


async def test_nodes_own_runner(bench_of):
    bench = bench_of(NODE)
    await check_program(
        bench,
        "node",
        "FAILED halves - 1.5 == 1\n  at test/calc.test.js:7\n1 failed, 1 passed, 1 skipped",
    )


async def test_nodes_own_runner_for_a_part(bench_of):
    await check_program(
        bench_of(NODE), "node", "1 passed, 2 skipped", target="test/calc.test.js::adds"
    )


async def test_npm_for_any_other_script(bench_of):
    script = "node -e \"console.log('it works'); process.exit(0)\" && true"
    bench = bench_of({"package.json": json.dumps({"scripts": {"test": script}})})
    if shutil.which("npm"):
        text = await bench.call("run_tests")
        assert text.startswith("The tests passed in ")
        assert "it works" in text
        assert bench.asked[0].preview.split("\n")[0].endswith("npm test")
    else:
        assert "npm is not installed" in await bench.error("run_tests")


async def test_npm_that_fails(bench_of):
    bench = bench_of({"package.json": json.dumps({"scripts": {"test": "exit 4 && true"}})})
    if shutil.which("npm"):
        assert (await bench.call("run_tests")).startswith("The test runner ended with exit status")
    else:
        assert "npm is not installed" in await bench.error("run_tests")


@pytest.mark.parametrize("runner", ["vitest", "jest"])
async def test_vitest_and_jest(bench_of, runner):
    """Their own programs are run, with their JSON; here a program that writes what they write."""
    bench = bench_of({"package.json": json.dumps({"scripts": {"test": runner}}), "a.test.ts": ""})
    report = {
        "numPassedTests": 2,
        "numPendingTests": 1,
        "testResults": [
            {
                "name": f"{bench.root}/a.test.ts",
                "status": "failed",
                "assertionResults": [
                    {
                        "status": "failed",
                        "fullName": "sum adds",
                        "failureMessages": [f"Error: no\n    at x ({bench.root}/a.test.ts:3:5)"],
                    },
                    {"status": "passed", "fullName": "sum"},
                ],
            },
            {"name": f"{bench.root}/b.test.ts", "status": "failed", "message": "SyntaxError: x"},
        ],
    }
    program = bench.root / "node_modules" / ".bin" / runner
    program.parent.mkdir(parents=True)
    program.write_text(
        f"#!{sys.executable}\nimport sys\n"
        "path = next(a for a in sys.argv if a.startswith('--outputFile=')).split('=', 1)[1]\n"
        f"open(path, 'w').write({json.dumps(report)!r})\nsys.exit(1)\n"
    )
    program.chmod(0o755)
    assert timeless(await bench.call("run_tests", target="a.test.ts::sum::adds")) == (
        "FAILED a.test.ts::sum adds - Error: no\n  at a.test.ts:3\n"
        "ERROR b.test.ts - SyntaxError: x\n1 failed, 2 passed, 1 skipped, 1 error"
    )
    argv = bench.asked[0].preview.split("\n")[0]
    assert argv.startswith(str(program))
    assert "a.test.ts" in argv
    assert "-t 'sum adds'" in argv


GO = {
    "go.mod": "module example.com/calc\n\ngo 1.20\n",
    "calc_test.go": 'package calc\n\nimport "testing"\n\nfunc TestAdd(t *testing.T) {}\n',
    "sub/sub_test.go": "package sub\n",
}


async def test_go(bench_of):
    await check_program(bench_of(GO), "go", "1 passed", target="calc_test.go::TestAdd")


@pytest.mark.parametrize(
    ("target", "arguments"),
    [
        (None, "test -json ./..."),
        ("calc_test.go", "test -json ."),
        ("sub", "test -json ./sub/..."),
        ("sub/sub_test.go::TestX::case 1", "test -json -run '^TestX$/^case\\ 1$' ./sub"),
    ],
)
async def test_gos_arguments(bench_of, tmp_path, monkeypatch, target, arguments):
    check_program_on_path(tmp_path, monkeypatch, "go")
    bench = bench_of(GO)
    bench.answer = Decision("deny")
    await bench.error("run_tests", **({"target": target} if target else {}))
    assert bench.asked[0].preview.split("\n")[0] == f"{tmp_path}/tools/go {arguments}"


def check_program_on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Put an installed program of this name on the PATH; it is never started."""
    program = tmp_path / "tools" / name
    program.parent.mkdir()
    program.write_text("#!/bin/false\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")


def ended(output: str, code: int = 1, report: str = "") -> Finished:
    return Finished(code=code, output=output, left_out=0, seconds=1.0, report=report)


def test_gos_events():
    events = [
        {"Action": "run", "Package": "p", "Test": "TestA"},
        {"Action": "output", "Package": "p", "Test": "TestA", "Output": "    a_test.go:7: no\n"},
        {"Action": "fail", "Package": "p", "Test": "TestA"},
        {"Action": "fail", "Package": "p", "Test": "TestB/one"},
        {"Action": "fail", "Package": "p", "Test": "TestB"},
        {"Action": "pass", "Package": "p", "Test": "TestC"},
        {"Action": "skip", "Package": "p", "Test": "TestD"},
        {"Action": "fail", "Package": "p"},
        {"Action": "build-output", "ImportPath": "q", "Output": "q/x.go:3:5: undefined: y\n"},
        {"Action": "fail", "Package": "q"},
    ]
    output = "\n".join(["{broken", "[]", *map(json.dumps, events)])
    assert timeless(rendered(read_events(ended(output)), ended(output))) == (
        "FAILED p.TestA - no\n  at a_test.go:7\nFAILED p.TestB/one\n"
        "ERROR q - undefined: y\n  at q/x.go:3\n2 failed, 1 passed, 1 skipped, 1 error"
    )
    assert read_events(ended("go: no such tool")) is None


def test_gos_panics():
    said = [
        "=== RUN   TestPanic\n",
        "--- FAIL: TestPanic (0.00s)\n",
        "panic: assignment to entry in nil map [recovered]\n",
        "\tpanic: assignment to entry in nil map\n",
        "goroutine 6 [running]:\n",
        "\t/usr/lib/go-1.19/src/testing/testing.go:1399 +0x39f\n",
        "example.com/x.TestPanic(0x0?)\n",
        "\t/w/x_test.go:5 +0x28\n",
    ]
    key = {"Package": "p", "Test": "TestPanic"}
    events = [{"Action": "output", "Output": line, **key} for line in said]
    output = "\n".join(map(json.dumps, [*events, {"Action": "fail", **key}]))
    assert timeless(rendered(read_events(ended(output)), ended(output))) == (
        "FAILED p.TestPanic - panic: assignment to entry in nil map\n  at x_test.go:5\n1 failed"
    )


CARGO = {
    "Cargo.toml": '[package]\nname = "calc"\nversion = "0.1.0"\nedition = "2021"\n',
    "src/lib.rs": """\
pub fn half(x: i32) -> i32 { x / 2 }

#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn four() { assert_eq!(half(4), 2); }
    #[test]
    fn odd() {
        assert_eq!(half(3), 2);
    }
}
""",
}


async def test_cargo(bench_of):
    await check_program(
        bench_of(CARGO),
        "cargo",
        "FAILED tests::odd - assertion `left == right` failed\n  at src/lib.rs:10\n"
        "1 failed, 1 passed",
    )


async def test_cargo_that_does_not_compile(bench_of):
    files = {**CARGO, "src/lib.rs": "pub fn half() -> i32 { nothing }\n"}
    await check_program(
        bench_of(files),
        "cargo",
        "ERROR src/lib.rs - cannot find value `nothing` in this scope\n  at src/lib.rs:1\n1 error",
    )


@pytest.mark.parametrize(
    ("target", "arguments"),
    [
        (None, ""),
        ("src/lib.rs::tests::four", " tests::four"),
        ("src/a/b.rs", " a::b"),
        ("src/a/mod.rs::tests", " a::tests"),
        ("tests/it.rs::case", " --test it case"),
    ],
)
async def test_cargos_arguments(bench_of, tmp_path, monkeypatch, target, arguments):
    check_program_on_path(tmp_path, monkeypatch, "cargo")
    files = {"src/a/b.rs": "", "src/a/mod.rs": "", "tests/it.rs": ""}
    bench = bench_of({**CARGO, **files})
    bench.answer = Decision("deny")
    await bench.error("run_tests", **({"target": target} if target else {}))
    argv = bench.asked[0].preview.split("\n")[0]
    assert argv == f"{tmp_path}/tools/cargo test --color=never --no-fail-fast{arguments}"


def test_cargos_older_panics():
    output = (
        "---- tests::odd stdout ----\n"
        "thread 'tests::odd' panicked at 'assertion failed: x', src/lib.rs:9:5\n\n"
        "test result: FAILED. 3 passed; 1 failed; 2 ignored; 0 measured\n"
    )
    assert timeless(rendered(read_text(ended(output)), ended(output))) == (
        "FAILED tests::odd - assertion failed: x\n  at src/lib.rs:9\n1 failed, 3 passed, 2 skipped"
    )


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
