"""What the vote of several answers (`tools.agreement`) is worth on the embedded model.

    PYTHONPATH=tests python benchmarks/vote.py [--answers 3 5]

Each request is one turn of the chat by the product's own loop, prompt and grammar, up to the
first call that would run something. Printed: how many of these calls were right and wrong, how
many of each the vote let through, and what it cost.
"""

import argparse
import asyncio
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import aclosing
from typing import Any

from quillon.assist.chat import Turn, TurnResult
from quillon.assist.conversations import new_conversation
from quillon.engine.base import Engine
from quillon.engine.choose import open_engine
from quillon.settings import Settings
from quillon_tools.calls import ToolCall, ToolResult
from quillon_tools.live import Live
from quillon_tools.registry import default_tools
from quillon_tools.tool import Detail

# What each asks for: a target of run_tests, "" for all tests, None where nothing is to be run.
REQUESTS: list[tuple[str, str | None]] = [
    ("Run the tests.", ""),
    ("run all tests again", ""),
    ("Do the tests pass?", ""),
    ("run everything in the test suite", ""),
    ("Run tests/test_mailer.py", "tests/test_mailer.py"),
    ("please execute tests/test_queue.py", "tests/test_queue.py"),
    ("Does tests/test_queue.py::test_order pass?", "tests/test_queue.py::test_order"),
    ("Run the test test_retry_limit", "test_retry_limit"),
    ("run only test_parse_header", "test_parse_header"),
    ("Please run the tests in tests/api", "tests/api"),
    ("Check that test_ledger_balance still passes", "test_ledger_balance"),
    ("I changed lib/mailer.py, run tests/test_mailer.py", "tests/test_mailer.py"),
    ("Run tests/api/test_login.py and tell me what fails", "tests/api/test_login.py"),
    ("运行 tests/test_queue.py", "tests/test_queue.py"),
    ("运行所有测试", ""),
    ("Is tests/unit green?", "tests/unit"),
    ("Why would a test of the queue be slow?", None),
    ("Where is test_retry_limit defined?", None),
    ("Show tests/test_mailer.py", None),
    ("What is a flaky test?", None),
    ("Which files are in tests/api?", None),
    ("Write nothing and run nothing: what does pytest do?", None),
    ("Search for run_tests in lib/runner.py", None),
    ("My tests are green, thanks!", None),
]


class Recorder:
    """Tools that run nothing: they note the first call that would have run something."""

    def __init__(self, answers: int) -> None:
        self.agreement = answers
        self.call: ToolCall | None = None
        self.carried = False
        self.exhausted = False

    def definitions(self, detail: Detail = "full") -> list[dict[str, Any]]:
        return [] if self.exhausted else [tool.definition(detail) for tool in default_tools()]

    async def live(self) -> Live:
        return {}

    def weight(self, call: ToolCall) -> str | None:
        if call.name != "run_tests":
            return None
        return str(sorted(call.arguments.items()))

    def withhold(self, call: ToolCall, why: str) -> ToolResult:
        return self._noted(call, why, carried=False)

    async def execute(
        self,
        call: ToolCall,
        *,
        on_run: Callable[[ToolCall], None] | None = None,  # noqa: ARG002 - nothing runs
        doubt: str = "",  # noqa: ARG002 - only a second lost vote has one
    ) -> ToolResult:
        return self._noted(call, "measured", carried=True)

    def _noted(self, call: ToolCall, why: str, *, carried: bool) -> ToolResult:
        if self.call is None and self.weight(call) is not None:
            self.call, self.carried = call, carried
        self.exhausted = True
        return ToolResult(call.id, ok=False, text=why, outcome="stopped")


def kind(call: ToolCall | None, target: str | None) -> str:
    """Whether what the model wanted to run is what was asked for."""
    if call is None:
        return "none"
    return "right" if target is not None and call.arguments.get("target", "") == target else "wrong"


async def measure(engine: Engine, answers: int) -> tuple[Counter[str], list[float]]:
    """How the calls fell out, and the seconds of the turns that made one."""
    counts: Counter[str] = Counter()
    seconds = []
    for text, target in REQUESTS:
        tools = Recorder(answers)
        turn = Turn(engine, tools, Settings().chat, new_conversation())
        started = time.perf_counter()
        async with aclosing(turn.run(text)) as events:
            async for event in events:
                if tools.call is not None and not isinstance(event, TurnResult):
                    break  # what it says without tools is not measured
        found = kind(tools.call, target)
        counts[found] += 1
        counts[f"{found} carried"] += tools.carried
        if tools.call is not None:
            seconds.append(time.perf_counter() - started)
    return counts, seconds


async def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--answers", type=int, nargs="+", default=[1, 3, 5])
    options = parser.parse_args()
    engine = open_engine(Settings())
    print(
        f"{len(REQUESTS)} requests, {sum(t is not None for _, t in REQUESTS)} of them to run tests"
    )
    print(f"{'answers':>7} {'right calls':>12} {'let through':>12}", end=" ")
    print(f"{'wrong calls':>12} {'let through':>12} {'s a turn':>9}")
    try:
        for answers in options.answers:
            counts, seconds = await measure(engine, answers)
            row = [counts[key] for key in ("right", "right carried", "wrong", "wrong carried")]
            print(f"{answers:7}", *(f"{number:12}" for number in row), end=" ")
            print(f"{statistics.median(seconds or [0.0]):9.2f}", flush=True)
    finally:
        await engine.aclose()
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
