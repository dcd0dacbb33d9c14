"""The tool that runs a program. It always asks."""

# ruff: noqa: D417 - injected parameters are not the model's, so docstrings leave them out

from quillon_tools.calls import Retry
from quillon_tools.command import Command, Finished
from quillon_tools.runners.project import program
from quillon_tools.tool import Limits, tool
from quillon_tools.workspace import Workspace

MAX_ARGUMENTS = 100


@tool(effect="run")
def run_command(workspace: Workspace, limits: Limits, arguments: list[str]) -> Command:
    """Run a program without a shell.

    Args:
        arguments: Program, arguments.
    """
    if not arguments or not arguments[0].strip() or len(arguments) > MAX_ARGUMENTS:
        raise Retry('arguments must hold a program and its arguments, such as ["ls", "-l"]')
    if any("\0" in argument for argument in arguments):
        raise Retry("arguments must not hold NUL characters")
    folder = workspace.roots[0]
    name, *rest = arguments
    if "/" in name:
        path = workspace.resolve(name)
        if not path.real.is_file():
            raise Retry(f"there is no program {path}")
        name = str(path.real)
    elif len(rest) == 0 and " " in name:
        raise Retry('give the program and each argument as an item, such as ["ls", "-l"]')
    else:
        name = program(name, workspace)
    return Command(argv=(name, *rest), folder=folder, seconds=limits.test_seconds, read=_read)


def _read(finished: Finished) -> str:
    if finished.timed_out:
        end = f"stopped after {finished.seconds:.0f} s"
    else:
        end = f"exit status {finished.code}"
    return f"{finished.output.strip()}\n[{end}]".strip()
