"""The tools of a conversation, made from the settings: what they may see, run and cost."""

import asyncio
import json
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Protocol

from quillon.engine.base import EngineInfo
from quillon.folders import audit_directory
from quillon.settings import Settings
from quillon_tools.audit import AuditLog
from quillon_tools.mcp.servers import ServerSpec
from quillon_tools.policy import Approve, Decision, Policy
from quillon_tools.registry import all_tools, default_tools
from quillon_tools.tool import Limits, Tool
from quillon_tools.toolset import Toolset
from quillon_tools.workspace import Buffers, Diagnostics, Workspace

# The root where no folder is open: nothing lies below it.
_NOWHERE = Path(os.devnull)
_ROOM_FOR_ALL = 8192  # tokens of context; below, definitions would take too much of it
# Characters of others' definitions per token of context: a third of it, more or less.
_FOREIGN_SHARE = 1


class Editor(Buffers, Diagnostics, Protocol):
    """A session: its folders, whether they are trusted, its settings, documents, diagnostics."""

    settings: Settings
    roots: tuple[Path, ...]
    trusted: bool


def make_workspace(editor: Editor) -> Workspace:
    """The editor's folders, as tools may see them; without any they see nothing."""
    return Workspace(editor.roots or (_NOWHERE,), buffers=editor, diagnostics=editor)


def offered(info: EngineInfo, workspace: Workspace) -> tuple[Tool, ...]:
    """The tools that a model can tell apart and that can work in a workspace. Blocks."""
    few = info.embedded or info.context < _ROOM_FOR_ALL
    return default_tools(workspace) if few else all_tools(workspace)


async def make_toolset(
    editor: Editor,
    approve: Approve,
    info: EngineInfo,
    workspace: Workspace,
    conversation_id: str,
    decided: dict[str, Decision] | None = None,
    foreign: Callable[[], Sequence[Tool]] = tuple,
) -> Toolset:
    """The tools of one conversation under the settings as they are now.

    Where no folder is open there are none of ours. `foreign` gives those of others that may be
    called at the moment; what the model has no room for is left out. `approve` asks the user;
    `decided` is what they have decided in this conversation. Every call is written to the
    conversation's audit log.
    """
    settings = editor.settings
    limits = Limits(
        test_seconds=settings.tools.test_timeout,
        output=settings.tools.output_limit,
        calls=settings.chat.max_tool_calls,
        agreement=settings.tools.agreement,
    )
    policy = Policy(
        approve,
        rules=settings.tools.approval,
        denied=frozenset(settings.tools.disabled),
        trusted=editor.trusted,
        decided=decided,
    )
    audit = AuditLog(audit_directory()).writer(conversation_id)
    tools: tuple[Tool, ...] = ()
    if editor.roots:
        tools = await asyncio.to_thread(offered, info, workspace)
    return Toolset(
        workspace,
        tools,
        limits=limits,
        policy=policy,
        audit=audit,
        foreign=lambda: with_room(foreign(), info),
    )


def with_room(tools: Iterable[Tool], info: EngineInfo) -> tuple[Tool, ...]:
    """The tools of others whose definitions leave the model room for the conversation."""
    room, kept = info.context * _FOREIGN_SHARE, []
    for tool in tools:
        size = len(json.dumps(tool.definition("brief" if info.embedded else "full")))
        if size <= room:
            room -= size
            kept.append(tool)
    return tuple(kept)


def servers_of(settings: Settings) -> dict[str, ServerSpec]:
    """The servers of others that the settings name."""
    return {
        name: ServerSpec(
            command=server.command,
            arguments=server.args,
            environment=server.env,
            folder=os.path.expanduser(server.cwd),  # noqa: PTH111 - an empty one stays empty
            url=server.url,
            headers=server.headers,
        )
        for name, server in settings.mcp.servers.items()
    }
