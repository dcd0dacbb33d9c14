import asyncio
import os
import sys
import time
from pathlib import Path

import psutil
import pytest

from quillon_tools.calls import Failed
from quillon_tools.command import REPORT, Command, Finished
from quillon_tools.confinement import Roots
from quillon_tools.processes import RUN_VARIABLE, plain, run
from quillon_tools.workers import Stop


def command(folder: Path, code: str, *, seconds: float = 60, **more: object) -> Command:
    return Command(
        argv=(sys.executable, "-c", code, REPORT),
        folder=Roots([folder]).each()[0],
        seconds=seconds,
        read=lambda finished: finished.output,
        **more,  # type: ignore[arg-type]  # fields of the struct
    )


async def run_code(folder: Path, code: str, **more: object) -> Finished:
    stop = Stop()
    try:
        return await asyncio.to_thread(run, command(folder, code, **more), stop)
    finally:
        stop.set()


# Starts a child that starts a grandchild; each writes its number to a file once it runs.
# The grandchild changes its session, as daemons do.
TREE = """
import os, subprocess, sys, time
level = int(os.environ.get("LEVEL", "0"))
with open(f"pid{level}.tmp", "w") as file:
    file.write(str(os.getpid()))
os.rename(f"pid{level}.tmp", f"pid{level}")
if level < 2:
    again = [sys.executable, "-c", os.environ["CODE"]]
    more = {**os.environ, "LEVEL": str(level + 1)}
    subprocess.Popen(again, env=more, start_new_session=level == 1)
while not os.path.exists("pid2"):
    time.sleep(0.01)
{end}
time.sleep(600)
"""


async def until(condition, seconds: float = 60.0) -> None:
    """Wait for something that another process does; a deadline, and no fixed time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)


async def check_nothing_is_left(folder: Path) -> None:
    pids = [int((folder / f"pid{level}").read_text()) for level in range(3)]
    assert len(set(pids)) == 3
    await until(lambda: not any(alive(pid, folder) for pid in pids))


def alive(pid: int, folder: Path) -> bool:
    try:
        process = psutil.Process(pid)
        return process.status() != psutil.STATUS_ZOMBIE and process.cwd() == str(folder)
    except psutil.Error:
        return False


async def test_a_time_limit_ends_the_whole_tree(tmp_path):
    code = TREE.replace("{end}", "")
    task = asyncio.create_task(run_code(tmp_path, code, seconds=5, environment={"CODE": code}))
    finished = await task
    assert finished.timed_out
    await check_nothing_is_left(tmp_path)


async def test_cancelling_ends_the_whole_tree(tmp_path):
    code = TREE.replace("{end}", "")
    task = asyncio.create_task(run_code(tmp_path, code, environment={"CODE": code}))
    await until((tmp_path / "pid2").exists)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await check_nothing_is_left(tmp_path)


async def test_a_normal_end_leaves_no_children(tmp_path):
    code = TREE.replace("{end}", "if level == 0: print('done'); sys.exit(3)")
    finished = await run_code(tmp_path, code, environment={"CODE": code})
    assert (finished.code, finished.output) == (3, "done\n")
    await check_nothing_is_left(tmp_path)


async def test_a_signal_is_a_negative_status(tmp_path):
    finished = await run_code(tmp_path, "import os; os.kill(os.getpid(), 9)")
    assert finished.code == -9
    assert not finished.timed_out


async def test_both_streams_and_the_report(tmp_path):
    code = (
        "import sys; print('out'); print('err', file=sys.stderr); open(sys.argv[1],'w').write('r')"
    )
    finished = await run_code(tmp_path, code)
    assert (finished.code, finished.output, finished.report) == (0, "out\nerr\n", "r")


async def test_the_report_is_where_it_was_said_to_be_and_leaves_nothing(tmp_path):
    asked = command(tmp_path, "import sys; print(sys.argv[1])")
    finished = await asyncio.to_thread(run, asked, Stop())
    assert finished.output.strip() == asked.report == asked.vector[-1]
    assert not Path(asked.report).parent.exists()


async def test_a_report_whose_place_is_taken_is_refused(tmp_path):
    asked = command(tmp_path, "pass", report=str(tmp_path / "taken" / "report"))
    (tmp_path / "taken").mkdir()
    with pytest.raises(Failed, match="no place for a report"):
        await asyncio.to_thread(run, asked, Stop())
    assert (tmp_path / "taken").exists()


async def test_the_input_is_empty_and_the_folder_is_the_projects(tmp_path):
    finished = await run_code(
        tmp_path, "import os, sys; print(repr(sys.stdin.read()), os.getcwd())"
    )
    assert finished.output == f"'' {tmp_path}\n"


async def test_much_output_keeps_head_and_tail(tmp_path):
    code = "import sys; sys.stdout.write('a' * 100 + 'x' * 5_000_000 + 'z' * 100)"
    finished = await run_code(tmp_path, code, output_bytes=1000)
    assert finished.left_out == 5_000_200 - 1000
    assert finished.output.startswith("a" * 100)
    assert finished.output.endswith("z" * 100)
    assert "\n[... 4999200 bytes left out ...]\n" in finished.output
    assert len(finished.output) < 1100


async def test_output_without_end_is_bounded(tmp_path):
    code = "import sys\nwhile True: sys.stdout.write('x' * 65536)"
    finished = await run_code(tmp_path, code, seconds=1, output_bytes=1000)
    assert finished.timed_out
    assert len(finished.output) < 1100


async def test_a_program_that_is_not_there(tmp_path):
    missing = Command(
        argv=(str(tmp_path / "gone"),), folder=Roots([tmp_path]).each()[0], seconds=1, read=str
    )
    with pytest.raises(Failed, match="gone cannot be started"):
        run(missing, Stop())


async def test_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_DIR", "/somewhere")
    monkeypatch.setenv("PYTHONHOME", "")
    monkeypatch.setenv("VIRTUAL_ENV", "/quillon")
    monkeypatch.setenv("KEPT", "yes")
    code = "import os; print({k: os.environ.get(k) for k in os.environ['NAMES'].split()})"
    names = "GIT_DIR VIRTUAL_ENV KEPT CI NO_COLOR TERM ADDED"
    finished = await run_code(tmp_path, code, environment={"NAMES": names, "ADDED": "1"})
    assert finished.output == (
        "{'GIT_DIR': None, 'VIRTUAL_ENV': None, 'KEPT': 'yes', 'CI': '1', 'NO_COLOR': '1', "
        "'TERM': 'dumb', 'ADDED': '1'}\n"
    )
    assert RUN_VARIABLE not in os.environ


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"\x1b[31mred\x1b[0m", "red"),
        (b"\x1b]0;title\x07x\x1b]8;;http://y\x1b\\z", "xz"),
        (b"10%\r20%\r100%\n", "100%\n"),
        (b"a\r\nb", "a\nb"),
        (b"\xff\x00\x08ok", "\ufffdok"),
        (b"tab\there\n", "tab\there\n"),
    ],
)
def test_plain(raw, text):
    assert plain(raw) == text


def test_plain_is_linear():
    assert len(plain(b"x" * 2_000_000)) == 2_000_000
    assert plain(b"\x1b]" * 200_000).count("\x1b") == 0
