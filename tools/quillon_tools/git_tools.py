"""Tools that look at a repository's history. Git runs with nothing that the repository chooses.

A repository's own configuration may name programs: file system monitors, pagers, external diffs,
text converters and filters. They are switched off, so that looking runs nobody's code.
"""

# ruff: noqa: D417 - injected parameters are not the model's, so docstrings leave them out

import os
import re
import subprocess
from collections.abc import Callable

from quillon_tools.calls import Failed, Retry, ToolError
from quillon_tools.command import Command, Finished
from quillon_tools.processes import inherited_environment
from quillon_tools.repository import Repository, demand_own
from quillon_tools.runners.project import program
from quillon_tools.secret_files import secret_part
from quillon_tools.tool import Limits, tool
from quillon_tools.workspace import ConfinedPath, Workspace

MAX_COMMITS = 100
_PROBE_SECONDS = 10
_REVISION = re.compile(r"[A-Za-z0-9_][\w./^~@{}\-]{0,100}")
_SAFE = (
    *("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "core.pager=cat"),
    *("-c", "core.quotePath=false", "-c", "log.showSignature=false", "-c", "color.ui=false"),
    *("-c", "submodule.recurse=false", "-c", "blame.ignoreRevsFile="),
    *("--no-pager", "--literal-pathspecs"),
)
# A repository's configuration may put other prefixes there, or none; `_diff` reads the names.
# Merges are compared with their first parent: other forms have other headers, and one of them
# merges again, with the repository's merge drivers.
_PLAIN = (
    *("--no-ext-diff", "--no-textconv", "--no-color", "--ignore-submodules=all"),
    *("--src-prefix=a/", "--dst-prefix=b/"),
)
_HEADER = re.compile(r'diff --git (?:"a/(.*)"|a/(.*)) (?:"b/(.*)"|b/(.*))')
_ENVIRONMENT = {
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_PAGER": "cat",
    "GIT_ASKPASS": "",
    "GIT_NO_LAZY_FETCH": "1",
    # Not every Git knows the line above; no protocol is called "none", so nothing is fetched.
    "GIT_ALLOW_PROTOCOL": "none",
    "LC_ALL": "C.UTF-8",
}


@tool(effect="read")
def git_status(workspace: Workspace, limits: Limits) -> Command:
    """Show branch and changed files."""
    arguments = ("status", "--porcelain=v1", "--branch", "--ignore-submodules=all", "--", ".")
    return _git(workspace, limits, None, arguments, _text("Nothing has changed."))


@tool(effect="read")
def git_diff(
    workspace: Workspace,
    limits: Limits,
    path: ConfinedPath | None = None,
    *,
    commit: str | None = None,
) -> Command:
    """Show uncommitted changes.

    Args:
        path: File or folder.
        commit: A commit.
    """
    command: tuple[str, ...] = ("diff", *_PLAIN, "HEAD")
    if commit is not None:
        form = ("--format=%h %ad %an%n%B", "--date=short", "--diff-merges=first-parent")
        command = ("show", *form, *_PLAIN, _revision(commit))
    arguments = (*command, "--", _place(path))
    return _git(workspace, limits, path, arguments, _diff)


@tool(effect="read")
def git_log(
    workspace: Workspace,
    limits: Limits,
    path: ConfinedPath | None = None,
    *,
    count: int = 20,
) -> Command:
    """Show latest commits.

    Args:
        path: File or folder.
        count: How many.
    """
    number = min(max(1, count), MAX_COMMITS)
    form = ("--date=short", "--format=%h %ad %an: %s", "--no-show-signature")
    arguments = ("log", f"-n{number}", *form, "--", _place(path))
    return _git(workspace, limits, path, arguments, _text("No commits."))


@tool(effect="read")
def git_blame(
    workspace: Workspace,
    limits: Limits,
    path: ConfinedPath,
    start_line: int = 1,
    end_line: int | None = None,
) -> Command:
    """Show who last changed each line.

    Args:
        path: File.
        start_line: First.
        end_line: Last.
    """
    lines = f"-L{max(1, start_line)},{'' if end_line is None else max(1, end_line)}"
    arguments = ("blame", "--date=short", "--no-textconv", lines, "--", _place(path))
    return _git(workspace, limits, path, arguments, _text(f"{path} is empty."))


def has_git(workspace: Workspace) -> bool:
    """Whether Git is installed and the workspace is in a repository."""
    try:
        _demand_work_tree(workspace, workspace.roots[0])
    except ToolError:
        return False
    return True


def _git(
    workspace: Workspace,
    limits: Limits,
    path: ConfinedPath | None,
    arguments: tuple[str, ...],
    read: Callable[[Finished], str],
) -> Command:
    folder = workspace.roots[0]
    if path is not None and not path.top:
        folder = next(root for root in workspace.roots if root.root is path.root)
    _demand_work_tree(workspace, folder)
    return Command(
        argv=(program("git", workspace), *_SAFE, *_no_filters(workspace, folder), *arguments),
        folder=folder,
        environment=_ENVIRONMENT,
        seconds=limits.read_seconds,
        read=read,
    )


def _demand_work_tree(workspace: Workspace, folder: ConfinedPath) -> None:
    """Make sure that Git would look at the workspace and its own repository: both may be named."""
    if _probe(workspace, folder, ("rev-parse", "--is-inside-work-tree")).strip() != b"true":
        raise Failed("this folder is not in a Git work tree")
    asked = ("--show-toplevel", "--absolute-git-dir", "--git-common-dir")
    # Each by itself: a path may hold line ends.
    found = [os.fsdecode(_probe(workspace, folder, ("rev-parse", each))[:-1]) for each in asked]
    top, own, common = (folder.real / each for each in found)
    demand_own(Repository(top, own, common), [root.real for root in workspace.roots])


def _no_filters(workspace: Workspace, folder: ConfinedPath) -> tuple[str, ...]:
    """Options that switch off the content filters that the repository itself configures.

    Raises:
        Failed: One cannot be switched off.
    """
    listed = _probe(workspace, folder, ("config", "--list", "--name-only", "--show-scope", "-z"))
    fields = listed.decode("utf-8", "replace").split("\0")
    names = set()
    for scope, key in zip(fields[::2], fields[1::2], strict=False):
        match = re.fullmatch(r"filter\.(.+)\.\w+", key, re.DOTALL)
        if match and scope in {"local", "worktree"}:
            names.add(match[1])
    options: list[str] = []
    for name in sorted(names):
        if "=" in name:  # `-c` takes it for the end of the option's name
            raise Failed(f"the repository has a content filter {name!r} that cannot be disabled")
        for key in ("clean", "smudge", "process"):
            options += ("-c", f"filter.{name}.{key}=")
        options += ("-c", f"filter.{name}.required=false")
    return tuple(options)


def _probe(workspace: Workspace, folder: ConfinedPath, arguments: tuple[str, ...]) -> bytes:
    """What Git says about the repository, reading nothing but its configuration."""
    try:
        done = subprocess.run(
            [program("git", workspace), *_SAFE, *arguments],
            cwd=folder.real,
            env={**inherited_environment(), **_ENVIRONMENT},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PROBE_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Failed(f"git cannot be run: {error}") from error
    if done.returncode != 0:
        said = done.stderr.decode("utf-8", "replace").strip().split("\n")[-1]
        raise Failed(f"git: {said or f'exit status {done.returncode}'}")
    return done.stdout


def _place(path: ConfinedPath | None) -> str:
    return "/".join(path.parts) if path is not None and path.parts else "."


def _revision(commit: str) -> str:
    if not _REVISION.fullmatch(commit.strip()) or ".." in commit:
        raise Retry(f"{commit[:60]!r} is no commit, such as a hash, HEAD~2 or a branch")
    return commit.strip()


def _text(nothing: str) -> Callable[[Finished], str]:
    def read(finished: Finished) -> str:
        _check(finished)
        rows = [row for row in finished.output.rstrip().split("\n") if row]
        if not rows or (len(rows) == 1 and rows[0].startswith("## ")):
            return "\n".join([*rows, nothing])
        return "\n".join(rows)

    return read


def _diff(finished: Finished) -> str:
    """The changes, those of files that may hold secrets left out."""
    _check(finished)
    kept, shown = [], True
    for row in finished.output.rstrip().split("\n"):
        if row.startswith("diff --"):
            match = _HEADER.fullmatch(row)
            names = [name for name in match.groups() if name] if match else []
            shown = bool(names) and not any(secret_part(tuple(n.split("/"))) for n in names)
            if not shown:
                which = names[-1] if names else "a file"
                kept.append(f"[the changes of {which} may hold secrets and are left out]")
        if shown:
            kept.append(row)
    return "\n".join(kept).strip() or "Nothing has changed."


def _check(finished: Finished) -> None:
    if finished.timed_out:
        raise Failed(f"git was stopped after {finished.seconds:.0f} s")
    if finished.code != 0:
        said = finished.output.strip().split("\n")[-1] or f"exit status {finished.code}"
        if "unknown revision" in finished.output or "bad revision" in finished.output:
            raise Retry(f"git knows no such commit: {said}")
        raise Failed(f"git: {said}")
