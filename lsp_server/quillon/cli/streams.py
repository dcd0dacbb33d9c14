"""The standard streams of a command that serves a protocol over them; standard library only."""

import os
import sys

CLOSED = "The standard input and output must be open: a program starts this and talks over them."


def are_open() -> bool:
    """Whether our input and our output are open.

    Where only the errors were closed before we started, their descriptor leads nowhere from now
    on: the next file that is opened would have its number.
    """
    if sys.stdin is None or sys.stdout is None:
        return False
    if sys.stderr is None:
        nothing = os.open(os.devnull, os.O_WRONLY)
        if nothing != 2:  # noqa: PLR2004 - the number of the standard error
            os.dup2(nothing, 2)
            os.close(nothing)
    return True
