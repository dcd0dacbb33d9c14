"""The tools that Quillon has."""

from collections.abc import Sequence

from quillon_tools.diagnostics import get_diagnostics
from quillon_tools.edit_tools import create_file, propose_edit
from quillon_tools.files import find_files, list_files, read_file
from quillon_tools.git_tools import git_blame, git_diff, git_log, git_status, has_git
from quillon_tools.run_command import run_command
from quillon_tools.run_tests import can_run_tests, run_tests
from quillon_tools.search import search_text
from quillon_tools.symbol_tools import find_references, read_symbol, search_symbols
from quillon_tools.tool import Tool
from quillon_tools.workspace import Workspace

_GIT = (git_status, git_diff, git_log, git_blame)


def default_tools(workspace: Workspace | None = None) -> tuple[Tool, ...]:
    """The six that the smallest models can tell apart; with a workspace, those that can work there.

    Looks at a few hundred folders at most.
    """
    tools = (search_symbols, read_file, search_text, list_files, run_tests, get_diagnostics)
    return usable(workspace, tools) if workspace is not None else tools


def all_tools(workspace: Workspace | None = None) -> tuple[Tool, ...]:
    """Every tool, the default ones first; with a workspace, those that can work there.

    Runs Git once to see whether there is a repository.
    """
    tools = (
        *default_tools(),
        *(find_files, read_symbol, find_references, *_GIT),
        *(propose_edit, create_file, run_command),
    )
    return usable(workspace, tools) if workspace is not None else tools


def usable(workspace: Workspace, tools: Sequence[Tool]) -> tuple[Tool, ...]:
    """The tools that can work in a workspace: without a test runner there is no `run_tests`."""
    missing: set[Tool] = set()
    if run_tests in tools and not can_run_tests(workspace):
        missing.add(run_tests)
    if set(_GIT) & set(tools) and not has_git(workspace):
        missing.update(_GIT)
    return tuple(tool for tool in tools if tool not in missing)
