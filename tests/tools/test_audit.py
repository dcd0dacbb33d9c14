import stat

import pytest

from quillon_tools.audit import AuditLog
from quillon_tools.calls import Failed, ToolCall
from quillon_tools.policy import Decision, Policy
from quillon_tools.registry import all_tools
from quillon_tools.toolset import AuditEntry, Toolset


async def test_what_was_called_can_be_read_back(tmp_path, bench_of):
    bench = bench_of({"a.py": "x\n", "test_a.py": ""})
    bench.answer = Decision("deny", "no")
    log = AuditLog(tmp_path / "state" / "audit")
    toolset = Toolset(
        bench.workspace, all_tools(), policy=Policy(bench.approve), audit=log.writer("c-1")
    )
    await toolset.execute(ToolCall("1", "read_file", {"path": "a.py"}))
    await toolset.execute(ToolCall("2", "run_tests", {}))
    await toolset.execute(ToolCall("3", "read_file", {"path": "../a.py"}))
    rows = [(r.call_id, r.tool, r.arguments, r.decision, r.by, r.outcome) for r in log.read("c-1")]
    assert rows == [
        ("1", "read_file", {"path": "a.py"}, "allow", "rule", "ok"),
        ("2", "run_tests", {}, "deny", "user", "denied"),
        ("3", "read_file", {"path": "../a.py"}, "", "", "retry"),
    ]
    assert log.conversations() == ["c-1"]
    path = tmp_path / "state" / "audit" / "c-1.jsonl"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def entry(**arguments: object) -> AuditEntry:
    return AuditEntry(ToolCall("1", "x", arguments), arguments, "allow", "rule", 0.1, "ok")


def test_secrets_and_long_arguments_are_not_kept(tmp_path):
    log = AuditLog(tmp_path)
    write = log.writer("a")
    write(entry(text="token ghp_" + "a" * 36))
    write(entry(text="x" * 100_000))
    write(entry(text={1, 2}))
    write(entry(text="\ud800"))
    first, second, third, fourth = (record.arguments for record in log.read("a"))
    assert first == {"text": "token [secret removed]"}
    assert len(second) < 21_000
    assert third == "arguments that are no JSON"
    assert "text" in fourth


def test_a_broken_line_costs_only_itself(tmp_path):
    log = AuditLog(tmp_path)
    log.writer("a")(entry(n=1))
    with (tmp_path / "a.jsonl").open("a") as file:
        file.write('{"time": "cut\n\n')
    log.writer("a")(entry(n=2))
    assert [record.arguments for record in log.read("a")] == [{"n": 1}, {"n": 2}]


@pytest.mark.parametrize("name", ["", "../x", "a/b", "a\0", "x" * 101, "."])
def test_ids_are_plain(tmp_path, name):
    with pytest.raises(ValueError, match="is no id of a conversation"):
        AuditLog(tmp_path).writer(name)


def test_without_a_log(tmp_path):
    log = AuditLog(tmp_path / "none")
    assert log.conversations() == []
    with pytest.raises(Failed, match="no audit log of a"):
        log.read("a")


def test_a_log_is_not_written_through_a_link(tmp_path):
    (tmp_path / "target").write_text("")
    (tmp_path / "a.jsonl").symlink_to("target")
    with pytest.raises(OSError, match="symbolic links"):
        AuditLog(tmp_path).writer("a")(entry())
    assert (tmp_path / "target").read_text() == ""
