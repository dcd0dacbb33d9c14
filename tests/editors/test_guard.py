"""A run of tests that is killed leaves no workbench and no browser behind."""

import contextlib
import signal
import subprocess
import sys
import time

import psutil

from editors.headless import REPOSITORY

_SECONDS = 300

_RUN = """\
import signal
from editors.code_server import running
from editors.headless import temporary_surroundings
with temporary_surroundings() as made, running(made) as editor:
    editor.open_browser()
    print("up", flush=True)
    signal.pause()
"""


def test_killed_tests_leave_nothing() -> None:
    command = [sys.executable, "-c", _RUN]
    with subprocess.Popen(command, cwd=REPOSITORY / "tests", stdout=subprocess.PIPE) as tests:
        assert tests.stdout is not None
        assert tests.stdout.readline() == b"up\n"
        deadline = time.monotonic() + _SECONDS
        while not _has_browser(left := psutil.Process(tests.pid).children(recursive=True)):
            assert time.monotonic() < deadline, left
            time.sleep(0.05)
        tests.send_signal(signal.SIGKILL)
    while any(map(_runs, left)):
        assert time.monotonic() < deadline, [process for process in left if _runs(process)]
        time.sleep(0.05)


def _has_browser(processes: list[psutil.Process]) -> bool:
    """Whether pages could be loaded: Chromium has its renderers."""
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            if "--type=renderer" in process.cmdline():
                return True
    return False


def _runs(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
