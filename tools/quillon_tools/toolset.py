"""The path that every tool call takes, and the guards around it.

    ToolCall ─guard, validate─▶ ValidCall ─bind, look─▶ action ─policy─▶ ApprovedCall ─run─▶ result

Results are masked and cut, and every call is audited.

One `Toolset` serves one conversation: it remembers what the user decided. `turn()` starts a turn
with a fresh call budget. Whatever happens, `execute` returns a `ToolResult`; only cancelling
raises.
"""

import asyncio
import json
import logging
import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import msgspec

from quillon_tools.calls import (
    Failed,
    Outcome,
    Proposal,
    Refusal,
    Retry,
    ToolBug,
    ToolCall,
    ToolError,
    ToolResult,
)
from quillon_tools.command import Command
from quillon_tools.foreign import ForeignCall
from quillon_tools.guard import LoopGuard
from quillon_tools.index import SymbolIndex
from quillon_tools.live import Live, live_values
from quillon_tools.masking import masked
from quillon_tools.policy import Action, ApprovedCall, Denied, Policy, never
from quillon_tools.processes import run
from quillon_tools.textfile import whole
from quillon_tools.tool import Detail, Limits, Tool
from quillon_tools.validation import ValidCall, unknown_tool, validate
from quillon_tools.workers import Stop
from quillon_tools.workspace import Workspace

logger = logging.getLogger(__name__)

_MAX_ERROR = 4000
_LIVE_SECONDS = 1.0  # an answer waits for it

T = TypeVar("T")
OnRun = Callable[[ToolCall], None]


class AuditEntry(msgspec.Struct, frozen=True):
    """What happened to one call. `decision` is how it was approved or denied, and `by` whom.

    Both are empty where nothing was decided, because the call was refused before. `seconds`
    counts the time a user took to answer.
    """

    call: ToolCall
    arguments: dict[str, Any]
    decision: str
    by: str
    seconds: float
    outcome: Outcome


Audit = Callable[[AuditEntry], None]


def no_audit(_entry: AuditEntry) -> None:
    """Writes nothing."""


class Toolset:
    """The tools of one conversation, and the only way to call them.

    `foreign` gives the tools of others, which come and go; none of them takes the place of ours.
    """

    def __init__(
        self,
        workspace: Workspace,
        tools: Sequence[Tool],
        *,
        limits: Limits | None = None,
        policy: Policy | None = None,
        audit: Audit = no_audit,
        foreign: Callable[[], Sequence[Tool]] = tuple,
    ) -> None:
        self._workspace = workspace
        self._policy = policy or Policy()
        self._own = {tool.name: tool for tool in tools}
        self._foreign = foreign
        self._audit = audit
        self.limits = limits or Limits()

    @property
    def tools(self) -> tuple[Tool, ...]:
        """The tools that are offered: those that the rules do not deny."""
        return tuple(t for t in self._known().values() if self._policy.rule(t) != "deny")

    def definitions(self, detail: Detail = "full") -> list[dict[str, Any]]:
        """What the model may call, in the OpenAI function form."""
        return [tool.definition(detail) for tool in self.tools]

    def validate(self, call: ToolCall) -> ValidCall | Refusal:
        """The call with arguments that fit its tool's schema, or what to mend."""
        tool = self._known().get(call.name)
        if tool is None:
            return unknown_tool(call, [tool.name for tool in self.tools])
        return validate(call, tool)

    def _known(self) -> dict[str, Tool]:
        foreign = {tool.name: tool for tool in self._foreign() if tool.name not in self._own}
        return self._own | foreign

    def turn(self) -> "Turn":
        """A turn of the conversation, with a call budget of its own."""
        return Turn(self)

    async def live(self) -> Live:
        """The values that exist, by tool and parameter; none where finding them takes long."""
        workspace, stop = self._workspace, Stop()
        try:
            return await workspace.workers.run(
                lambda: live_values(workspace, self.tools, stop), stop, _LIVE_SECONDS
            )
        except (ToolError, RuntimeError):  # it took too long, or the workspace was closed
            return {}

    async def execute(self, call: ToolCall, *, on_run: OnRun | None = None) -> ToolResult:
        """Run one call as a turn of its own: see `Turn.execute`."""
        return await self.turn().execute(call, on_run=on_run)

    def weight(self, call: ToolCall) -> str | None:
        """What a call means, if it would change or run something; None: it is light, or unfit.

        Calls that mean the same have the same weight, whatever their order of arguments.
        """
        valid = self.validate(call)
        if isinstance(valid, Refusal) or valid.tool.effect == "read":
            return None
        return json.dumps([valid.tool.name, valid.arguments], sort_keys=True)

    async def _execute(
        self, call: ToolCall, guard: LoopGuard, on_run: OnRun | None, doubt: str
    ) -> ToolResult:
        record = _Record(call, on_run, doubt)
        try:
            result = await self._guarded(call, guard, record)
        except asyncio.CancelledError:
            self._write(record, "cancelled")
            raise
        except Exception:
            # The last wall: a defect in the guard itself must not end the conversation.
            logger.exception("the call of %s failed in the guard", call.name)
            result = _result(call, "bug", f"{call.name} has a defect; its call was not run")
        self._write(record, result.outcome)
        return result

    async def _guarded(self, call: ToolCall, guard: LoopGuard, record: "_Record") -> ToolResult:
        if (why := guard.stop(call)) is not None:
            return _result(call, "stopped", why)
        valid = self.validate(call)
        if isinstance(valid, Refusal):
            guard.ended(call, ok=False, result=valid.message)
            return _result(call, "retry", valid.message)
        record.arguments = valid.arguments
        result = await self._checked(valid, record)
        changes = valid.tool.effect != "read"
        guard.ended(call, ok=result.ok, changed=changes, result=result.text)
        return result

    async def _checked(self, valid: ValidCall, record: "_Record") -> ToolResult:
        rule = self._policy.rule(valid.tool)
        # What is denied is not even looked at; nor is reading that the user wants to be asked for.
        ahead = valid.tool.plans and (rule == "allow" or valid.tool.effect != "read")
        try:
            action = await self._look(valid, ahead=ahead and rule != "deny")
            decided = await self._policy.decide(valid, action, doubt=record.doubt)
            record.by = decided.by
            if isinstance(decided, Denied):
                record.decision = "deny"
                return _result(valid.call, "denied", decided.message)
            record.decision = "allow"
            if record.on_run is not None:
                record.on_run(valid.call)
            return self._finished(valid, await self._carry_out(decided))
        except Retry as error:
            return _result(valid.call, "retry", str(error))
        except Failed as error:
            return _result(valid.call, "failed", str(error))
        except ToolBug as error:
            logger.exception("%s has a defect", valid.tool.name)
            return _result(valid.call, "bug", str(error))

    async def _look(self, valid: ValidCall, *, ahead: bool) -> Action:
        """What the call would do: found by calling a tool that plans, if `ahead`, else the call."""
        stop = Stop()
        injected = {
            Workspace: self._workspace,
            SymbolIndex: self._workspace.index,
            Limits: self.limits,
            Stop: stop,
        }

        def look() -> Action:
            call = valid.tool.bind(valid.arguments, self._workspace.resolve, injected)
            return call() if ahead else call

        return await self._in_thread(valid.tool, look, stop, self.limits.read_seconds)

    async def _carry_out(self, approved: ApprovedCall) -> str | Proposal:
        action, tool = approved.action, approved.valid.tool
        if callable(action):
            answer = await self._in_thread(tool, action, Stop(), self.limits.test_seconds)
            unasked = isinstance(answer, Command) and (
                tool.effect != "read" or answer.is_of_workspace or never(answer) is not None
            )
            if unasked:
                raise ToolBug(f"{tool.name} wants to run something that nobody was asked about")
            action = answer
        if isinstance(action, ForeignCall):
            return await action.send(self.limits.test_seconds)
        if not isinstance(action, Command):
            return action
        command, stop = action, Stop()
        seconds = command.seconds + self.limits.read_seconds
        return await self._in_thread(tool, lambda: command.read(run(command, stop)), stop, seconds)

    async def _in_thread(self, tool: Tool, call: Callable[[], T], stop: Stop, seconds: float) -> T:
        def guarded() -> T:
            try:
                return call()
            except ToolError:
                raise
            except BaseException as error:
                # A tool's defect must reach the model as a sentence and the log as a traceback,
                # even where it is `sys.exit()`: nothing else runs in this thread.
                raise ToolBug(f"{tool.name} has a defect; its call failed") from error

        return await self._workspace.workers.run(guarded, stop, seconds)

    def _finished(self, valid: ValidCall, answer: str | Proposal) -> ToolResult:
        proposal = answer if isinstance(answer, Proposal) else None
        text = answer if isinstance(answer, str) else answer.label
        text = cut(masked(text), self.limits.output)
        if valid.coercions:
            text += whole("\n(" + "; ".join(valid.coercions) + ")")
        return ToolResult(valid.call.id, ok=True, text=text, proposal=proposal)

    def _withhold(self, call: ToolCall, why: str) -> ToolResult:
        record = _Record(call)
        record.decision, record.by = "deny", "rule"
        self._write(record, "retry")
        return _result(call, "retry", why)

    def _write(self, record: "_Record", outcome: Outcome) -> None:
        seconds = time.monotonic() - record.started
        call = record.call
        try:
            self._audit(
                AuditEntry(call, record.arguments, record.decision, record.by, seconds, outcome)
            )
        except Exception:
            # A log that cannot be written must not cost the answer; it is said in ours.
            logger.exception("the audit log was not written")


class Turn:
    """One turn: its calls share a budget, and a guard against going in circles."""

    def __init__(self, toolset: Toolset) -> None:
        self._toolset = toolset
        self._guard = LoopGuard(toolset.limits.calls)
        self._live: Live | None = None

    @property
    def exhausted(self) -> bool:
        """Whether no further call will run: the model should answer without tools."""
        return self._guard.exhausted

    def definitions(self, detail: Detail = "full") -> list[dict[str, Any]]:
        """What the model may still call; nothing once the turn is exhausted."""
        return [] if self.exhausted else self._toolset.definitions(detail)

    async def live(self) -> Live:
        """The values that exist, by tool and parameter; found once a turn, and not for long."""
        if self._live is None:
            self._live = await self._toolset.live()
        return self._live

    @property
    def agreement(self) -> int:
        """How many answers of the model vote on a call that has a weight; 1: no vote."""
        return self._toolset.limits.agreement

    def weight(self, call: ToolCall) -> str | None:
        """What a call means, if it would change or run something."""
        return self._toolset.weight(call)

    def withhold(self, call: ToolCall, why: str) -> ToolResult:
        """The result of a call that is not run, because of what `why` tells the model."""
        return self._toolset._withhold(call, why)  # noqa: SLF001 - its turn

    async def execute(
        self, call: ToolCall, *, on_run: OnRun | None = None, doubt: str = ""
    ) -> ToolResult:
        """Check, approve and run a call; whatever happens becomes a result.

        `on_run` is told when the call was approved and starts. `doubt` says why the model may not
        mean the call: the user is told, and asked.
        """
        execute = self._toolset._execute  # noqa: SLF001 - its turn
        return await execute(call, self._guard, on_run, doubt)


class _Record:
    """A call that is still on its way: who waits for it, and what the audit will say of it."""

    def __init__(self, call: ToolCall, on_run: OnRun | None = None, doubt: str = "") -> None:
        self.call = call
        self.on_run = on_run
        self.doubt = doubt
        self.arguments = call.arguments
        self.decision = ""
        self.by = ""
        self.started = time.monotonic()


def cut(text: str, limit: int) -> str:
    """The text within a number of characters: head and tail are kept, and the cut is named."""
    if len(text) <= limit:
        return text
    head, tail = text[: limit * 2 // 3], text[-(limit // 3) :]
    # Whole lines where there are lines, and none so long that little would be left.
    if (end := head.rfind("\n") + 1) > len(head) // 2:
        head = head[:end]
    if 0 < (start := tail.find("\n") + 1) < len(tail) // 2:
        tail = tail[start:]
    left_out = len(text) - len(head) - len(tail)
    lines = text.count("\n", len(head), len(text) - len(tail))
    what = f"{lines} lines" if lines > 1 else f"{left_out} characters"
    return f"{head}[... {what} left out; ask for a smaller part ...]\n{tail}"


def _result(call: ToolCall, outcome: Outcome, message: str) -> ToolResult:
    text = cut(masked(message), _MAX_ERROR)
    return ToolResult(call.id, ok=False, text=f"Error: {text}", outcome=outcome)
