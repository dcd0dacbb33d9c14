"""How soon a request ends in an error whose engine is killed, stopped, or hangs in a native call.

    python benchmarks/lost.py

The client and the engine process are the product's own, on the embedded model. The ratio is the
time over the two seconds that are allowed; 1.0 or less is wanted.
"""

import argparse
import asyncio
import os
import signal
import time
from collections.abc import Callable
from statistics import median

from quillon.engine import client
from quillon.engine.base import Delta, EngineError, Request, Segment
from quillon_testing import hanging_engine
from quillon_testing.engines import engines

ALLOWED = 2.0  # seconds
ENDLESS = Request(prompt=(Segment("x = [" + "1, 2, 3, " * 40),), max_tokens=1900)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    own = client.host_command
    for name, harm in (
        ("killed", lambda pid: os.kill(pid, signal.SIGKILL)),
        ("stopped", lambda pid: os.kill(pid, signal.SIGSTOP)),
        ("hung in a native call", None),
    ):
        if harm is None:
            client.host_command = lambda *given: hanging_engine.command(own(*given))
        found = [asyncio.run(time_loss(harm)) for _ in range(options.rounds)]
        print(
            f"{name}: median {median(found):.2f} s, longest {max(found):.2f} s, "
            f"ratio to {ALLOWED:g} s {max(found) / ALLOWED:.2f}"
        )


async def time_loss(harm: Callable[[int], None] | None) -> float:
    """Seconds from the harm, or from the last text, to the error."""
    async with engines() as made:
        engine = made.client()
        pid = (await engine.info()).pid
        harmed = 0.0
        try:
            async for event in engine.generate(ENDLESS):
                if isinstance(event, Delta) and (harm is None or not harmed):
                    harmed = time.perf_counter()
                    if harm is not None:
                        harm(pid)
        except EngineError:
            return time.perf_counter() - harmed
        finally:
            for process in made.processes():
                process.kill()
    raise SystemExit("the request went on although its engine was lost")


if __name__ == "__main__":
    main()
