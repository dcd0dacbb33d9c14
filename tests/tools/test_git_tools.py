import subprocess
from pathlib import Path

import pytest

from quillon_tools.calls import ToolCall
from quillon_tools.registry import all_tools
from quillon_tools.toolset import Toolset
from quillon_tools.workspace import Workspace


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(
        ["git", "-c", "user.name=Ann", "-c", "user.email=ann@example.com", *arguments],
        cwd=folder,
        check=True,
        capture_output=True,
        env={
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_AUTHOR_DATE": "2026-01-02T03:04:05Z",
            "GIT_COMMITTER_DATE": "2026-01-02T03:04:05Z",
        },
    )


@pytest.fixture
def bench(bench_of):
    bench = bench_of({"src/a.py": "one\ntwo\n", "b.md": "text\n", "--all": "x\n", ".env": "A=1\n"})
    git(bench.root, "init", "-q", "-b", "main")
    git(bench.root, "add", ".")
    git(bench.root, "commit", "-qm", "Start")
    (bench.root / "src/a.py").write_text("one\n2\n")
    git(bench.root, "commit", "-qam", "Change a")
    return bench


async def test_git_status(bench):
    assert await bench.call("git_status") == "## main\nNothing has changed."
    (bench.root / "b.md").write_text("other\n")
    (bench.root / "new file.py").touch()
    assert await bench.call("git_status") == '## main\n M b.md\n?? "new file.py"'


async def test_git_diff(bench):
    assert await bench.call("git_diff") == "Nothing has changed."
    (bench.root / "b.md").write_text("other\n")
    (bench.root / "src/a.py").write_text("1\n2\n")
    git(bench.root, "add", "src/a.py")
    text = await bench.call("git_diff")
    assert "-text\n+other" in text
    assert "-one\n+1" in text
    assert "+other" not in await bench.call("git_diff", path="src")


async def test_git_diff_of_a_commit(bench):
    text = await bench.call("git_diff", commit="HEAD")
    assert "2026-01-02 Ann\nChange a\n" in text
    assert "-two\n+2" in text


async def test_git_diff_leaves_secrets_out(bench):
    (bench.root / ".env").write_text("PASSWORD=hunter2\n")
    text = await bench.call("git_diff")
    assert text == "[the changes of .env may hold secrets and are left out]"
    assert "A=1" not in await bench.call("git_diff", commit="HEAD~1")


async def test_git_log(bench):
    rows = (await bench.call("git_log")).split("\n")
    assert [row.split(" ", 1)[1] for row in rows] == [
        "2026-01-02 Ann: Change a",
        "2026-01-02 Ann: Start",
    ]
    assert len((await bench.call("git_log", path="src/a.py", count=1)).split("\n")) == 1
    assert (await bench.call("git_log", path="--all")).endswith("Ann: Start")


async def test_git_blame(bench):
    text = await bench.call("git_blame", path="src/a.py", start_line=2, end_line=2)
    assert "Ann 2026-01-02 2) 2" in text


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("git_diff", {"commit": "--output=/tmp/x"}, "'--output=/tmp/x' is no commit"),
        ("git_diff", {"commit": "HEAD; id"}, "'HEAD; id' is no commit"),
        ("git_diff", {"commit": "main..x"}, "'main..x' is no commit"),
        ("git_diff", {"commit": "nowhere"}, "git"),
        ("git_blame", {"path": "src/a.py", "start_line": 99}, "git: fatal: file src/a.py has only"),
        ("git_blame", {"path": "none.py"}, "git: fatal: "),
        ("git_log", {"path": "../x"}, "not a path of this workspace"),
        ("git_diff", {"path": ".git/config"}, ".git/config may hold secrets"),
    ],
)
async def test_what_git_cannot_show(bench, name, arguments, message):
    assert (await bench.error(name, **arguments)).startswith(message)


async def test_the_workspace_may_be_a_part_of_the_repository(bench, bench_of, tmp_path):
    (bench.root / "b.md").write_text("other\n")
    (bench.root / "src/a.py").write_text("1\n2\n")
    workspace = Workspace([bench.root / "src"])
    result = await Toolset(workspace, all_tools()).execute(ToolCall("1", "git_diff", {}))
    workspace.close()
    assert "+1" in result.text
    assert "other" not in result.text


async def test_nothing_that_the_repository_chooses_is_run(bench):
    trap = bench.root / "trap.sh"
    trap.write_text(f"#!/bin/sh\ntouch '{bench.root}/ran'\ncat\n")
    trap.chmod(0o755)
    for key in (
        *("core.fsmonitor", "core.pager", "diff.external", "diff.x.textconv", "diff.x.command"),
        *("filter.x.clean", "filter.x.smudge", "filter.x.process", "core.sshCommand"),
        *("pager.log", "pager.diff", "pager.show", "gpg.program", "core.editor", "core.askPass"),
    ):
        git(bench.root, "config", key, str(trap))
    git(bench.root, "config", "filter.x.required", "true")
    git(bench.root, "config", "log.showSignature", "true")
    hooks = bench.root / ".git" / "hooks"
    for name in ("post-index-change", "pre-commit", "post-checkout", "fsmonitor-watchman"):
        (hooks / name).write_text(trap.read_text())
        (hooks / name).chmod(0o755)
    (bench.root / ".gitattributes").write_text("* filter=x diff=x\n")
    (bench.root / "src/a.py").write_text("1\n2\n")
    for name, arguments in (
        ("git_status", {}),
        ("git_diff", {}),
        ("git_diff", {"commit": "HEAD"}),
        ("git_log", {}),
        ("git_blame", {"path": "src/a.py"}),
    ):
        await bench.call(name, **arguments)
    assert not (bench.root / "ran").exists()
    assert bench.asked == []


async def test_looking_changes_nothing(bench):
    before = {path: path.stat().st_mtime_ns for path in bench.root.rglob("*")}
    for name in ("git_status", "git_diff", "git_log"):
        await bench.call(name)
    assert {path: path.stat().st_mtime_ns for path in bench.root.rglob("*")} == before


async def test_in_a_repository_there_are_git_tools(bench):
    names = {tool.name for tool in all_tools(bench.workspace)}
    assert {"git_status", "git_diff", "git_log", "git_blame"} <= names


async def test_outside_of_a_repository_there_are_none(bench_of):
    bench = bench_of({"a.py": ""})
    assert not any(tool.name.startswith("git_") for tool in all_tools(bench.workspace))
    assert "not a git repository" in (await bench.error("git_log")).lower()


async def test_a_filter_that_cannot_be_disabled_keeps_git_from_running(bench):
    git(bench.root, "config", "filter.a=b.clean", f"touch '{bench.root}/ran'; cat")
    (bench.root / ".gitattributes").write_text("* filter=a=b\n")
    (bench.root / "src/a.py").write_text("1\n2\n")
    for name in ("git_status", "git_diff"):
        assert "content filter 'a=b'" in await bench.error(name)
    assert not (bench.root / "ran").exists()


@pytest.mark.parametrize(
    ("key", "value"),
    [("diff.noprefix", "true"), ("diff.mnemonicPrefix", "true"), ("core.quotePath", "true")],
)
async def test_secrets_are_left_out_however_the_repository_writes_names(bench, key, value):
    folder = bench.root / "tab\tand é"
    folder.mkdir()
    for secret in (bench.root / ".env", folder / ".env"):
        secret.write_text("PASSWORD=hunter2\n")
    git(bench.root, "add", "-Af", ".")
    git(bench.root, "config", key, value)
    assert "hunter2" not in await bench.call("git_diff")
    git(bench.root, "commit", "-qm", "Add secrets")
    text = await bench.call("git_diff", commit="HEAD")
    assert "hunter2" not in text
    assert "may hold secrets" in text


async def test_a_merge_is_compared_with_its_first_parent(bench):
    git(bench.root, "checkout", "-qb", "other", "HEAD~1")
    for name in (".env", "b.md"):
        (bench.root / name).write_text("theirs=1\n")
    git(bench.root, "commit", "-qam", "Theirs")
    git(bench.root, "checkout", "-q", "main")
    for name in (".env", "b.md"):
        (bench.root / name).write_text("ours=1\n")
    git(bench.root, "commit", "-qam", "Ours")
    git(bench.root, "merge", "-qs", "ours", "--no-commit", "other")
    for name in (".env", "b.md"):
        (bench.root / name).write_text("merged=1\n")
    git(bench.root, "commit", "-qam", "Merge")
    text = await bench.call("git_diff", commit="HEAD")
    assert text.count("merged=1") == 1
    assert "[the changes of .env may hold secrets and are left out]" in text


async def test_a_work_tree_elsewhere_is_not_looked_at(bench, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "b.md").write_text("private\n")
    git(bench.root, "config", "core.worktree", str(outside))
    for name, arguments in (("git_diff", {}), ("git_blame", {"path": "b.md"})):
        assert "not in a Git work tree" in await bench.error(name, **arguments)


async def test_nothing_is_fetched(bench, tmp_path):
    git(bench.root, "config", "uploadpack.allowFilter", "true")
    git(tmp_path, "clone", "-q", "--filter=blob:none", "--no-checkout", bench.root.as_uri(), "part")
    part = tmp_path / "part"
    git(part, "config", "remote.origin.url", f"ext::touch {tmp_path}/ran")
    git(part, "config", "protocol.ext.allow", "always")
    workspace = Workspace([part])
    toolset = Toolset(workspace, all_tools())
    result = await toolset.execute(ToolCall("1", "git_diff", {"commit": "HEAD"}))
    workspace.close()
    assert result.outcome == "failed"
    assert not (tmp_path / "ran").exists()


@pytest.fixture
def secret_repository(tmp_path):
    """A repository of the user's, outside the workspace."""
    other = tmp_path / "other"
    other.mkdir()
    git(other, "init", "-q", "-b", "main")
    (other / "a.txt").write_text("private\n")
    git(other, "add", ".")
    git(other, "commit", "-qm", "A private matter")
    return other


async def log_of(folder: Path) -> str:
    workspace = Workspace([folder])
    try:
        result = await Toolset(workspace, all_tools()).execute(ToolCall("1", "git_log", {}))
    finally:
        workspace.close()
    return result.text


@pytest.mark.parametrize("form", ["file", "link", "commondir", "stores", "alternates"])
async def test_a_repository_elsewhere_is_not_shown(secret_repository, tmp_path, form):
    folder = tmp_path / "sent"
    folder.mkdir()
    theirs, ours = secret_repository / ".git", folder / ".git"
    if form == "file":
        ours.write_text(f"gitdir: {theirs}\n")
    elif form == "link":
        ours.symlink_to(theirs)
    else:
        git(folder, "init", "-q", "-b", "main")
    if form == "commondir":
        (ours / "commondir").write_text(f"{theirs}\n")
    elif form == "stores":
        for name in ("objects", "refs"):
            (ours / name).rename(ours / f"{name}-away")
            (ours / name).symlink_to(theirs / name)
    elif form == "alternates":
        (ours / "objects/info/alternates").write_text(f"{theirs / 'objects'}\n")
        (ours / "refs/heads/main").write_bytes((theirs / "refs/heads/main").read_bytes())
    text = await log_of(folder)
    assert text.startswith("Error: ")
    assert "private" not in text


async def test_a_linked_work_tree_is_shown(secret_repository, tmp_path):
    git(secret_repository, "worktree", "add", "-q", str(tmp_path / "linked"))
    assert (await log_of(tmp_path / "linked")).endswith("A private matter")


async def test_a_submodule_is_shown_by_itself_and_in_its_project(secret_repository, tmp_path):
    project = tmp_path / "project"
    project.mkdir()
    git(project, "init", "-q", "-b", "main")
    allow = ("-c", "protocol.file.allow=always")
    git(project, *allow, "submodule", "--quiet", "add", str(secret_repository), "part")
    assert (await log_of(project / "part")).endswith("A private matter")
    git(project, "commit", "-qm", "Take a part in")
    assert (await log_of(project)).endswith("Take a part in")
