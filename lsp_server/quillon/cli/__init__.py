"""The command line.

`main` looks at the first word before anything else is imported: an editor waits for
`quillon lsp`, and typer and rich are not needed to answer it.
"""

import sys


def main() -> None:
    """Run the command that the arguments name; exits with its status."""
    try:
        status = _run()
    except KeyboardInterrupt:
        status = 130  # Ctrl-C may come at any time, also while modules are imported
    sys.exit(status)


def _run() -> int:
    if sys.argv[1:2] == ["lsp"]:
        from quillon.cli.lsp import run  # noqa: PLC0415 - see the module's docstring

        return run(sys.argv[2:])
    from quillon.cli.app import app  # noqa: PLC0415 - see the module's docstring
    from quillon.cli.ending import run_app  # noqa: PLC0415 - the same
    from quillon.cli.output import accept_any_text  # noqa: PLC0415 - the same

    accept_any_text()
    return run_app(app)
