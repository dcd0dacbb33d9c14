"""How a command ends: a status, and a sentence on stderr, never a traceback.

The status is 130 after Ctrl-C and 141 where the reader of our output left, as `head` does.
"""

import asyncio
import errno
import logging
import os
import sys
from collections.abc import Callable, Coroutine
from typing import Any, NoReturn

import typer

from quillon.cli.output import Output, complain, fail
from quillon.engine.base import EngineError
from quillon.signals import SignalledError, heeding_signals

_INTERRUPTED = 130
_NO_READER = 141
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def run_app(app: Callable[[], object]) -> int:
    """Run a typer application; its status."""
    logging.lastResort = _Sentences()
    try:
        try:
            app()
            status = 0
        except SystemExit as ended:
            status = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
            if isinstance(ended.__context__, BrokenPipeError):
                # So rich ends a help text. Its status 1 says nothing of a reader who left.
                return _NO_READER
        if sys.stdout is not None:
            # Now, and not at the interpreter's end, where nobody could tell of a full disk.
            sys.stdout.flush()
    except BrokenPipeError:
        # There is nobody to tell.
        _drop_output()
        return _NO_READER
    except OSError as error:
        _drop_output()
        complain(_sentence(error))
        return 1
    return status


def guarded(job: Callable[[], int | None], *, json: bool) -> NoReturn:
    """Run the job of a command and end it."""
    try:
        status = job()
    except EngineError as error:
        fail(str(error), json=json)
    except KeyboardInterrupt:
        raise typer.Exit(_INTERRUPTED) from None
    except BrokenPipeError:
        _drop_output()
        raise typer.Exit(_NO_READER) from None
    except OSError as error:
        if error.errno in _FULL:
            raise  # nothing more can be printed, the error as JSON neither
        fail(_sentence(error), json=json)
    raise typer.Exit(status or 0)


def guarded_loop(job: Coroutine[Any, Any, int | None], *, json: bool) -> NoReturn:
    """Run an asynchronous job and end the command."""

    def run() -> int | None:
        try:
            return asyncio.run(heeding_signals(job))
        except SignalledError as signalled:
            return signalled.status

    guarded(run, json=json)


def _sentence(error: OSError) -> str:
    if error.errno in _FULL and error.filename is None:
        return "The output cannot be written: no space is left where it goes."
    if error.errno == errno.ENOENT and error.filename is None:
        return "The current folder is gone. Change to another one and call again."
    where = "" if error.filename is None else f"{error.filename}: "
    return f"{where}{error.strerror or error}."


def _drop_output() -> None:
    """Let what is still buffered for the standard output go nowhere at our exit."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)
    os.close(nothing)


class _Sentences(logging.Handler):
    """Says what our modules warn of beside the result, each thing once.

    A traceback is for the log of a server; a person gets its last line.
    """

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._said: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        """Print a record as one line."""
        text = record.getMessage()
        if record.exc_info and record.exc_info[1] is not None:
            text += f": {record.exc_info[1]}"
        if text not in self._said:
            self._said.add(text)
            Output().notice(f"quillon: {text}")
