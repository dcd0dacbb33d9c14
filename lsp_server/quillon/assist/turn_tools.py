"""The tools as a turn of the chat sees them."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any, Protocol

from quillon_tools.calls import ToolCall, ToolResult
from quillon_tools.live import Live
from quillon_tools.tool import Detail


class Tools(Protocol):
    """The tools of one turn, the guard around them included."""

    @property
    def exhausted(self) -> bool:
        """Whether no further call will run in this turn."""
        ...

    @property
    def agreement(self) -> int:
        """How many answers vote on a call that changes or runs something; 1: no vote."""
        ...

    async def live(self) -> Live:
        """The values that exist, by tool and parameter, for a grammar to name."""
        ...

    def definitions(self, detail: Detail = "full") -> list[dict[str, Any]]:
        """What the model may still call, in the OpenAI function form; nothing once exhausted."""
        ...

    def weight(self, call: ToolCall) -> str | None:
        """What a call means, if it changes or runs something; None: it needs no vote."""
        ...

    def withhold(self, call: ToolCall, why: str) -> ToolResult:
        """The result of a call that is not run, because of what `why` tells the model."""
        ...

    async def execute(
        self,
        call: ToolCall,
        *,
        on_run: Callable[[ToolCall], None] | None = None,
        doubt: str = "",
    ) -> ToolResult:
        """Check, approve and run a call; whatever happens becomes a result.

        With a `doubt`, the user is told it and asked, whatever was decided before.
        """
        ...


async def run_call(
    tools: Tools, call: ToolCall, doubt: str
) -> AsyncIterator[ToolCall | ToolResult]:
    """The call once it was approved and runs, then its result."""
    approved = asyncio.Event()
    running = asyncio.create_task(
        tools.execute(call, on_run=lambda _call: approved.set(), doubt=doubt)
    )
    waiting = asyncio.create_task(approved.wait())
    try:
        await asyncio.wait({running, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if approved.is_set():
            yield call
        yield await running
    finally:
        waiting.cancel()
        if running.cancel():
            # Only once the tool has let go may the turn be over: it may end processes.
            await asyncio.wait({running})
