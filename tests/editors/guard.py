"""Ends what a test has started when the test's process is gone, however it went.

`python -m editors.guard FOLDER` waits for the end of its standard input, which is a pipe to the
process that runs the tests: not even SIGKILL leaves a workbench behind.
"""

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from editors.headless import REPOSITORY, Surroundings, end_processes


@contextlib.contextmanager
def guarded(surroundings: Surroundings) -> Iterator[None]:
    """Watch over what runs in these surroundings."""
    guard = subprocess.Popen(
        [sys.executable, "-m", "editors.guard", surroundings.folder],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY / "tests")},
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        yield
    finally:
        guard.kill()
        guard.communicate()


def main() -> None:
    """Wait for the end of standard input, then end every process of the folder and remove it."""
    surroundings = Surroundings(Path(sys.argv[1]))
    sys.stdin.buffer.read()
    end_processes(surroundings)
    shutil.rmtree(surroundings.folder, ignore_errors=True)


if __name__ == "__main__":
    main()
