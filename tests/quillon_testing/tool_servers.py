"""Servers of tools in processes of their own, and the hub that speaks to them."""

import asyncio
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from quillon_tools.calls import ToolCall
from quillon_tools.mcp.hub import ServerHub
from quillon_tools.mcp.servers import Patience, ServerSpec
from quillon_tools.policy import ApprovalRequest, Decision, Policy
from quillon_tools.tool import Limits
from quillon_tools.toolset import Toolset
from quillon_tools.workspace import Workspace

HERE = Path(__file__).parent
DEADLINE = 60.0  # seconds; machines that run tests are shared and slow
PATIENCE = Patience(start=DEADLINE, leave=0.2, pause=0.01, tries=3)


def hostile(**plan: object) -> ServerSpec:
    return ServerSpec(
        command=sys.executable,
        arguments=("-I", str(HERE / "hostile_tool_server.py"), json.dumps(plan)),
    )


def honest() -> ServerSpec:
    return ServerSpec(command=sys.executable, arguments=(str(HERE / "honest_tool_server.py"),))


async def until(wanted: Callable[[], object]) -> None:
    """Wait for a state that a thread or a process brings about."""
    async with asyncio.timeout(DEADLINE):
        while not wanted():  # noqa: ASYNC110 - of another thread or process
            await asyncio.sleep(0.02)


def alive(number: int) -> bool:
    """Whether a process runs; one that nobody has reaped does not."""
    try:
        return psutil.Process(number).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


class Servers:
    """A hub, and calls of its tools under the guard."""

    def __init__(self, hub: ServerHub, workspace: Workspace) -> None:
        self.hub = hub
        self.asked: list[ApprovalRequest] = []
        self.workspace = workspace
        self.decision = Decision("once")
        self.toolset = self.guarded()
        self._ids = iter(range(1, 1000))

    def guarded(self, *, seconds: float = DEADLINE, output: int = 8000, **policy) -> Toolset:
        async def approve(request: ApprovalRequest) -> Decision:
            self.asked.append(request)
            return self.decision

        limits = Limits(test_seconds=seconds, output=output)
        return Toolset(
            self.workspace,
            (),
            limits=limits,
            policy=Policy(approve, **policy),
            foreign=lambda: self.hub.tools,
        )

    async def started(self, **specs: ServerSpec) -> None:
        self.hub.configure(specs)
        await self.hub.settle(DEADLINE)

    async def call(self, name: str, toolset: Toolset | None = None, **arguments: object):
        call = ToolCall(f"c{next(self._ids)}", name, arguments)
        return await (toolset or self.toolset).execute(call)

    @property
    def names(self) -> list[str]:
        return [tool.name for tool in self.hub.tools]


@contextmanager
def hub_with(patience: Patience) -> Iterator[ServerHub]:
    before = {p.pid for p in psutil.Process().children(recursive=True)}
    hub = ServerHub(patience)
    try:
        yield hub
    finally:
        hub.close()
    left = [p for p in psutil.Process().children(recursive=True) if p.pid not in before]
    assert [p for p in left if alive(p.pid)] == []
