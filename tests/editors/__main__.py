"""Install what the tests of the editors need: `PYTHONPATH=tests python -m editors`."""

import sys

from editors.cache import InstallError, say
from editors.chromium import chromium
from editors.neovim import neovim
from editors.workbench import workbench


def main() -> int:
    """Install everything; returns the exit status."""
    try:
        say(f"Neovim: {neovim()}")
        say(f"Chromium: {chromium()}")
        say(f"workbench: {workbench().folder}")
    except InstallError as error:
        say(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
