import json
import re
import sys

import pytest

from quillon_tools.calls import ToolCall
from quillon_tools.policy import Decision


async def test_run_command(bench_of):
    bench = bench_of({"a.py": ""})
    text = await bench.call("run_command", arguments=["ls", "-a"])
    assert text == ".\n..\na.py\n[exit status 0]"
    argv, folder = bench.asked[0].preview.split("\n")
    assert argv.endswith("/ls -a")
    assert folder == f"in {bench.root}"


async def test_there_is_no_shell(bench_of):
    bench = bench_of()
    text = await bench.call("run_command", arguments=["echo", "$HOME; touch x", "*", "`id`"])
    assert text == "$HOME; touch x * `id`\n[exit status 0]"
    assert list(bench.root.iterdir()) == []


async def test_a_program_of_the_workspace_by_its_path(bench_of):
    bench = bench_of({"tools/run": f"#!{sys.executable}\nprint('ran')\nraise SystemExit(3)\n"})
    (bench.root / "tools/run").chmod(0o755)
    assert await bench.call("run_command", arguments=["tools/run"]) == "ran\n[exit status 3]"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "arguments must hold a program"),
        ([" "], "arguments must hold a program"),
        (["ls -l"], "give the program and each argument as an item"),
        (["no-such-program", "x"], "no-such-program is not installed, or not on the PATH"),
        (["../x"], "not a path of this workspace"),
        (["/bin/ls"], "/bin/ls is outside of the workspace"),
        (["tools/gone"], "there is no program tools/gone"),
        (["ls", "a\0b"], "arguments must not hold NUL"),
        (["bash", "-c", "id"], "this is never done: bash is not run for a model"),
        (["sh", "-c", "id"], "this is never done: sh is not run for a model"),
        (["ls"] * 101, "arguments must hold a program"),
    ],
    ids=lambda value: json.dumps(value)[:30],
)
async def test_what_is_not_run(bench_of, arguments, message):
    bench = bench_of()
    assert (await bench.error("run_command", arguments=arguments)).startswith(message)
    assert bench.asked == []


async def test_it_always_asks(bench_of):
    bench = bench_of()
    bench.answer = Decision("deny", "no")
    error = await bench.error("run_command", arguments=["ls"])
    assert error == "the user does not want run_command to run: no"


async def test_it_is_stopped_in_time(bench_of):
    bench = bench_of({"run": "#!/bin/sh\necho here\nexec sleep 600\n"})
    (bench.root / "run").chmod(0o755)
    toolset = bench.toolset(test_seconds=5)
    result = await toolset.execute(ToolCall("1", "run_command", {"arguments": ["./run"]}))
    # On a slow machine a little more time goes by until it has ended.
    assert re.fullmatch(r"here\n\[stopped after \d+ s\]", result.text)
