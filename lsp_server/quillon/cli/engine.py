"""`quillon engine`: the engine processes of this user, and one in the foreground."""

import os

import msgspec

from quillon.cli.output import Output
from quillon.engine.base import EngineInfo, EngineUnavailable
from quillon.engine.control import ask_state, ask_to_stop, running_engines
from quillon.engine.host import HostOptions
from quillon.engine.host import main as host_main
from quillon.engine.models import resolve_model, verify
from quillon.settings import Settings


class EngineLine(msgspec.Struct, frozen=True):
    """One running engine, for `--json`."""

    pid: int
    info: EngineInfo | None


async def show_engines(output: Output) -> int:
    """Print the engine processes that run, and what each does."""
    found = [EngineLine(state.pid, await ask_state(state)) for state in running_engines()]
    table = output.table("pid", "state", "model", "context", "clients", "tokens/s")
    for line in found:
        output.value(line)
        info = line.info
        if info is None:
            table.add_row(str(line.pid), "does not answer", "", "", "", "")
        else:
            cells = (info.state, info.model, str(info.context), str(info.clients))
            table.add_row(str(line.pid), *cells, f"{info.tokens_per_second:.0f}")
    if found:
        output.show(table)
    else:
        output.notice("No engine runs. One starts when an editor or a command needs it.")
    return 0


async def stop_engines(output: Output) -> int:
    """Stop them all; the status is 1 where one did not go."""
    stubborn = []
    running = running_engines()
    if not running:
        output.notice("No engine runs.")
    for state in running:
        try:
            await ask_to_stop(state)
        except (TimeoutError, EngineUnavailable):
            stubborn.append(state.pid)
        else:
            output.line(f"stopped {state.pid}")
    for pid in stubborn:
        output.notice(f"Engine {pid} does not answer. End it yourself: kill {pid}")
    return 1 if stubborn else 0


def run_engine(settings: Settings) -> int:
    """Run the engine of a model here until it is stopped.

    Raises:
        ModelError: The file cannot be run; a process without a model would only wait.
    """
    model = resolve_model(settings, os.environ)
    verify(model.path)
    options = HostOptions(model=model.path, settings=settings.model, foreground=True)
    return min(1, host_main(options))  # its own statuses are for the client that starts it
