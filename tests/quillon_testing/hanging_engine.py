"""An engine process that hangs in a native call at its twentieth step; run as a program."""

import ctypes
import sys
from typing import Any

from quillon.engine import host
from quillon.engine.llama_context import Context

_STEPS = 20


def hang() -> None:
    """From the twentieth step on, nothing comes back."""
    decode, steps = Context.decode, [0]

    def hanging(self: Context, *given: Any) -> Any:
        steps[0] += 1
        return decode(self, *given) if steps[0] < _STEPS else ctypes.CDLL(None).sleep(1000)

    Context.decode = hanging  # type: ignore[method-assign]


def command(engine_command: list[str]) -> list[str]:
    """The command that starts it in place of an engine's own command."""
    return [sys.executable, __file__, *engine_command[engine_command.index("--model") :]]


if __name__ == "__main__":
    hang()
    sys.exit(host.main(host.parse_options(sys.argv[1:])))
