"""`quillon lsp`: the language server over the standard streams.

The first answer goes out before the server is imported; see `quillon.handshake`.
"""

import argparse
import json
import logging
import os
import signal
import sys
from typing import Any

from quillon.cli.streams import CLOSED, are_open
from quillon.handshake import shake_hands

_HINT = "quillon lsp waits for the messages of an editor, which starts it. Ctrl-C ends it."
_LEVELS = {"error": 40, "warning": 30, "info": 20, "debug": 10}


def run(arguments: list[str]) -> int:
    """Serve one editor; the exit status."""
    options = _parser().parse_args(arguments)
    if not are_open():
        if sys.stderr is not None:
            sys.stderr.write(f"quillon: {CLOSED}\n")
        return 1
    stdout = _claim_stdout()
    if os.isatty(0):
        sys.stderr.write(f"{_HINT}\n")
    try:
        hands = shake_hands(0, stdout)
    except OSError as error:
        sys.stderr.write(f"quillon: The client cannot be answered: {error.strerror}.\n")
        return 1
    _start_log(options.log_file, options.log_level or "info")

    from quillon.server import ServerOptions, create_server, serve  # noqa: PLC0415

    server = create_server(ServerOptions(_overrides(options)))
    status = serve(server, hands, 0, stdout)
    logging.shutdown()
    sys.stderr.flush()
    if status < 0:
        # Editors end servers by signals, and take any other status for a failure.
        signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    # A thread of the tools may still wait for a child; the editor must not wait for it.
    os._exit(status)


def _claim_stdout() -> Any:
    """Take fd 1 for the protocol and point it at stderr for everybody else.

    Native code, a stray `print` and child processes write to fd 1 too; one byte of theirs between
    two frames would end the session.
    """
    protocol_fd = os.dup(1)
    os.set_inheritable(protocol_fd, False)  # noqa: FBT003 - the function has no names
    os.dup2(2, 1)
    return os.fdopen(protocol_fd, "wb", buffering=0)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("quillon lsp", description="Serve an editor over stdio.")
    parser.add_argument("--stdio", action="store_true", help="accepted for clients that pass it")
    parser.add_argument(
        "--model", metavar="GGUF", help="model file; wins over the editor's setting"
    )
    parser.add_argument(
        "--settings", metavar="JSON", type=_json_object, default={}, help="settings that win"
    )
    parser.add_argument("--log-file", metavar="FILE", help="log there instead of stderr")
    parser.add_argument("--log-level", choices=_LEVELS, help="wins over the editor's setting")
    return parser


def _json_object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise argparse.ArgumentTypeError(f"not JSON: {error}") from None
    if not isinstance(value, dict):
        raise argparse.ArgumentTypeError('expected a JSON object, such as {"inline": {}}')
    return value


def _overrides(options: argparse.Namespace) -> dict[str, Any]:
    settings: dict[str, Any] = dict(options.settings)
    if options.log_level:
        settings["logLevel"] = options.log_level
    if options.model:
        given = settings.get("model")
        model = given if isinstance(given, dict) else {}
        settings["model"] = {**model, "path": os.path.abspath(options.model)}  # noqa: PTH100
    return settings


def _start_log(file: str | None, level: str) -> None:
    # A log whose disk is full must not fill the editor's output with tracebacks instead.
    logging.raiseExceptions = False
    form = "%(asctime)s %(levelname)s %(name)s: %(message)s"
    try:
        logging.basicConfig(filename=file, level=_LEVELS[level], format=form)
    except OSError as error:
        logging.basicConfig(level=_LEVELS[level], format=form)
        logging.getLogger(__name__).warning("Cannot log to %s: %s; logging to stderr", file, error)
