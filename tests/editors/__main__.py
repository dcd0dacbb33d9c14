"""Install what the tests of the editors need: `PYTHONPATH=tests python -m editors`.

With `--windows COUNT`, open so many windows of the workbench on the embedded model instead, and
print what that took.
"""

import argparse
import sys

from editors.cache import InstallError, say
from editors.chromium import chromium
from editors.neovim import neovim
from editors.windows import open_windows
from editors.workbench import workbench


def main() -> int:
    """Do what the arguments say; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m editors")
    parser.add_argument("--windows", type=int, metavar="COUNT", help="open so many windows")
    windows = parser.parse_args().windows
    try:
        if windows is not None:
            sys.stdout.write(open_windows(windows))
        else:
            _install()
    except (InstallError, AssertionError) as error:
        say(str(error))
        return 1
    return 0


def _install() -> None:
    say(f"Neovim: {neovim()}")
    say(f"Chromium: {chromium()}")
    say(f"workbench: {workbench().folder}")


if __name__ == "__main__":
    sys.exit(main())
