"""Which calls run: allowed, asked for, or denied. Only the policy makes an approved call.

Reading is allowed, running and editing are asked for, and so is all that servers of others do,
whatever these say of it. Settings may tighten that; they may relax it for tools that only read and,
one by one, for those of others, and never in an untrusted workspace. Denials that are written here
stand whatever the settings say and whatever the user answers.
"""

import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Literal

import msgspec

from quillon_tools.calls import Effect, Proposal
from quillon_tools.command import Command
from quillon_tools.foreign import ForeignCall
from quillon_tools.tool import Answer, Tool
from quillon_tools.validation import ValidCall
from quillon_tools.visible import visible_lines, visible_values

logger = logging.getLogger(__name__)

Rule = Literal["allow", "ask", "deny"]
By = Literal["rule", "user", "conversation"]
_SEAL = object()
_STRENGTH: dict[str, int] = {"allow": 0, "ask": 1, "deny": 2}
_DEFAULTS: dict[Effect, Rule] = {"read": "allow", "run": "ask", "edit": "ask", "foreign": "ask"}
_RELAXABLE = frozenset({"read", "foreign"})
# Programs that are never started for a model: they become another user, or start others.
_NEVER_RUN = frozenset(
    {"sudo", "su", "doas", "pkexec", "runuser", "chroot", "nsenter", "mkfs", "dd", "shutdown"}
    | {"reboot", "sh", "bash", "zsh", "dash", "fish", "ksh", "csh", "cmd", "powershell", "pwsh"}
    | {"eval", "osascript", "crontab", "at", "env", "busybox", "xargs", "parallel", "watch"}
    | {"ash", "tcsh", "mksh", "rbash", "nu", "elvish", "xonsh", "wsl", "runas", "batch"}
    | {"nohup", "setsid", "nice", "ionice", "timeout", "stdbuf", "script", "expect", "unshare"}
    | {"systemd-run", "wscript", "cscript", "mshta", "start", "ssh", "halt", "poweroff"}
)


class ApprovalRequest(msgspec.Struct, frozen=True):
    """What the user is asked. `preview` shows what would happen: a command, or a diff.

    All of it is for eyes: what could not be seen is spelled out. Only `identity` is not: it is
    the same for two requests exactly where the same would happen.
    """

    call_id: str
    tool: str
    effect: Effect
    arguments: dict[str, Any]
    reason: str
    preview: str
    identity: str = ""


class Decision(msgspec.Struct, frozen=True):
    """The user's answer: for this call, for the like in this conversation, or no.

    `reason` is told to the model.
    """

    kind: Literal["once", "session", "deny"]
    reason: str | None = None


_UNTRUSTED = "This folder is not trusted: it is asked each time."
_UNASKED = Decision("deny", "asking for approval failed")

Approve = Callable[[ApprovalRequest], Awaitable[Decision]]
Action = Answer | Callable[[], Answer]


class ApprovedCall:
    """A call that may be carried out, with the very action that was approved."""

    __slots__ = ("action", "by", "valid")

    def __init__(self, valid: ValidCall, action: Action, by: By, *, seal: object) -> None:
        if seal is not _SEAL:
            raise TypeError("only a policy approves calls")
        self.valid = valid
        self.action = action
        self.by = by


class Denied(msgspec.Struct, frozen=True):
    """A call that does not run; `message` is for the model."""

    message: str
    by: By


async def deny_all(_request: ApprovalRequest) -> Decision:
    """The answer where nobody can be asked."""
    return Decision("deny", "nobody is there to approve it")


class Policy:
    """The rules, and what the user has decided in one conversation.

    `rules` maps tool names to what the settings say. `denied` names tools that nothing allows.
    In a workspace that is not `trusted`, what changes or runs anything is asked for each time.
    `decided` is what the user has decided in the conversation before, and is kept up to date: a
    policy under other rules goes on with it.
    """

    def __init__(
        self,
        approve: Approve = deny_all,
        *,
        rules: Mapping[str, Rule] | None = None,
        denied: frozenset[str] = frozenset(),
        trusted: bool = True,
        decided: dict[str, Decision] | None = None,
    ) -> None:
        self._approve = approve
        self._rules = dict(rules or {})
        self._denied = denied
        self._trusted = trusted
        self._decided: dict[str, Decision] = {} if decided is None else decided

    def rule(self, tool: Tool) -> Rule:
        """What holds for a tool before anyone is asked."""
        if tool.name in self._denied:
            return "deny"
        default = _DEFAULTS[tool.effect]
        wished = self._rules.get(tool.name, default)
        if wished not in _STRENGTH:
            return "deny"  # a rule that cannot be read allows nothing
        relaxes = _STRENGTH[wished] < _STRENGTH[default]
        may_relax = tool.effect in _RELAXABLE and self._trusted
        return default if relaxes and not may_relax else wished

    async def decide(
        self, valid: ValidCall, action: Action, *, doubt: str = ""
    ) -> ApprovedCall | Denied:
        """Approve a call or not; asks the user where the rules say so.

        With a `doubt`, whether the model means the call, the user is told it and always asked.
        """
        if (why := never(action)) is not None:
            return Denied(f"this is never done: {why}", "rule")
        rule = self.rule(valid.tool)
        if rule == "deny":
            return Denied(f"{valid.tool.name} is switched off in the settings", "rule")
        if doubt or (isinstance(action, Command) and action.is_of_workspace):
            rule = "ask"  # whatever the tool calls itself, this runs the workspace's code
        if rule == "allow":
            return ApprovedCall(valid, action, "rule", seal=_SEAL)
        preview = _preview(valid, action)
        same = action.identity if isinstance(action, Command) else preview
        key = json.dumps([valid.tool.name, valid.arguments, same], sort_keys=True)
        by: By = "conversation"
        decision = self._remembered(key, valid.tool, doubt)
        if decision is None:
            by = "user"
            decision = await self._ask(valid, preview, key, doubt)
            # Only what the user said is remembered, not that nobody could be asked.
            if decision.kind != "once" and decision is not _UNASKED:
                self._decided[key] = decision
        if decision.kind == "deny":
            why = f": {decision.reason}" if decision.reason else ""
            return Denied(f"the user does not want {valid.tool.name} to run{why}", by)
        return ApprovedCall(valid, action, by, seal=_SEAL)

    def _remembered(self, key: str, tool: Tool, doubt: str) -> Decision | None:
        """What the user has decided on the very same call, where that still counts."""
        decision = self._decided.get(key)
        if decision is None or decision.kind == "deny":
            return decision
        # Files may change between two runs, and nobody vouches for those of an untrusted folder.
        fresh = bool(doubt) or (tool.effect != "read" and not self._trusted)
        return None if fresh else decision

    async def _ask(self, valid: ValidCall, preview: str, identity: str, doubt: str) -> Decision:
        summary = visible_lines(valid.tool.summary)
        if valid.tool.effect == "foreign":  # the words of a stranger, not ours
            summary = f"The server says of it: {summary}"
        reasons = [summary, visible_lines(doubt)]
        if not self._trusted and valid.tool.effect != "read":
            reasons.append(_UNTRUSTED)
        request = ApprovalRequest(
            call_id=valid.call.id,
            tool=valid.tool.name,
            effect=valid.tool.effect,
            arguments=visible_values(valid.arguments),
            reason="\n".join(filter(None, reasons)),
            preview=preview,
            identity=identity,
        )
        try:
            return await self._approve(request)
        except Exception:
            # Whatever fails while the user is asked, the answer is no.
            logger.exception("asking for approval of %s failed", valid.tool.name)
            return _UNASKED


def never(action: Action) -> str | None:
    """Why an action is denied whatever the settings and the user say; None: it is not."""
    if isinstance(action, Command):
        program = action.argv[0].replace("\\", "/").rsplit("/", 1)[-1].lower()
        if program.removesuffix(".exe") in _NEVER_RUN:
            return f"{program} is not run for a model"
    return None


def _preview(valid: ValidCall, action: Action) -> str:
    if isinstance(action, (Command, ForeignCall)):
        return action.preview
    if isinstance(action, Proposal):
        return visible_lines(action.diff)
    arguments = json.dumps(valid.arguments, ensure_ascii=False, indent=2)
    return visible_lines(f"{valid.tool.name} {arguments}")
