"""JavaScript: Node's own runner, npm's scripts, Vitest and Jest."""

import json
import shutil
import sys

import pytest

from quillon_testing.projects import NODE, check_program, timeless


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
