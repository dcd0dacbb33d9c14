"""The tools of a conversation, made from the settings: what they may see, run and cost."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from quillon_tools.registry import default_tools

from quillon.settings import Settings
from quillon_tools.policy import Approve, Policy
from quillon_tools.tool import Limits
from quillon_tools.toolset import Toolset
from quillon_tools.workspace import Buffers, Diagnostics, Workspace


class Editor(Buffers, Diagnostics, Protocol):
    """A session: its folders, its settings, its open documents and its diagnostics."""

    settings: Settings
    roots: tuple[Path, ...]


def make_workspace(editor: Editor) -> Workspace:
    """The editor's folders, as tools may see them."""
    roots: Sequence[Path] = editor.roots
    return Workspace(roots, buffers=editor, diagnostics=editor)


def make_toolset(editor: Editor, approve: Approve, workspace: Workspace | None = None) -> Toolset:
    """The tools of one conversation under the settings as they are now.

    `approve` asks the user. Tools that cannot work in this workspace are not among them.
    """
    workspace = workspace or make_workspace(editor)
    settings = editor.settings
    limits = Limits(
        test_seconds=settings.tools.test_timeout,
        output=settings.tools.output_limit,
        calls=settings.chat.max_tool_calls,
    )
    policy = Policy(
        approve, rules=settings.tools.approval, denied=frozenset(settings.tools.disabled)
    )
    return Toolset(workspace, default_tools(workspace), limits=limits, policy=policy)
