import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quillon_tools.calls import Edit, FileEdit, Proposal
from quillon_tools.policy import Decision
from quillon_tools.unified import unified_diff

SOURCE = """\
def one():
    return 1


def two():
    return 2


def three():
    return 1
"""


async def proposal(bench, **arguments) -> Proposal:
    result = await bench.result("propose_edit", **arguments)
    assert result.ok, result.text
    assert result.proposal is not None
    return result.proposal


def change(search: str, replace: str, path: str = "a.py") -> dict[str, str]:
    return {"path": path, "search": search, "replace": replace}


async def test_several_changes_in_several_files(bench_of):
    bench = bench_of({"a.py": SOURCE, "sub/b.py": "x = 1\n"})
    found = await proposal(
        bench,
        edits=[
            change("def three():\n    return 1", "def three():\n    return 3"),
            change("return 2", "return 22"),
            change("x = 1", "x = 2", "sub/b.py"),
        ],
    )
    assert found.label == "Proposed 3 changes in a.py, sub/b.py."
    assert found.diff.split("\n") == [
        *("--- a/a.py", "+++ b/a.py", "@@ -3,8 +3,8 @@", " ", " "),
        *(" def two():", "-    return 2", "+    return 22", " ", " "),
        *(" def three():", "-    return 1", "+    return 3"),
        *("--- a/sub/b.py", "+++ b/sub/b.py", "@@ -1,1 +1,1 @@", "-x = 1", "+x = 2", ""),
    ]
    assert [file.path for file in found.files] == [
        str(bench.root / "a.py"),
        str(bench.root / "sub/b.py"),
    ]
    assert (bench.root / "a.py").read_text() == SOURCE  # proposed, not written
    assert bench.asked[0].preview == found.diff


async def test_a_single_change_need_not_be_a_list(bench_of):
    found = await proposal(bench_of({"a.py": SOURCE}), edits=change("return 2", "return 3"))
    assert len(found.files) == 1


async def test_the_open_document_is_changed_in_its_version(bench_of):
    bench = bench_of({"a.py": "on disk\n"})
    bench.editor.documents[bench.root / "a.py"] = ("in the editor\n", 7)
    found = await proposal(bench, edits=[change("editor", "buffer")])
    (file,) = found.files
    assert (file.version, file.before) == (7, "in the editor\n")
    assert file.edits == (Edit(7, 13, "buffer"),)
    assert "search does not stand in a.py" in await bench.error(
        "propose_edit", edits=[change("disk", "x")]
    )


async def test_line_ends_stay(bench_of):
    bench = bench_of({"a.py": "one\r\ntwo\r\nthree\r\n"})
    found = await proposal(bench, edits=[change("one\ntwo", "1\n2")])
    assert found.files[0].edits == (Edit(0, 8, "1\r\n2"),)


@pytest.mark.parametrize(
    ("edits", "message"),
    [
        ([], "edits must hold 1 to 50 changes"),
        ([change("", "x")], "search is empty; it must be text that stands in the file exactly"),
        (
            [change("return 1", "x")],
            "search stands in a.py more than once, at lines 2, 10; add lines before or after it, "
            "so that it is found once",
        ),
        (
            [change("def tow():", "x")],
            "search does not stand in a.py; the nearest is line 5:\ndef two():",
        ),
        (
            [change("  def two():\n      return 2", "x")],
            "search does not stand in a.py with these spaces; lines 5 hold it with others:\n"
            "def two():\n    return 2",
        ),
        ([change("zzz qqq", "x")], "search does not stand in a.py; read the file and copy the"),
        ([change("return 2", "return 2")], "search and replace are the same, so nothing in a.py"),
        (
            [change("def two():\n    return 2", "x"), change("return 2", "y")],
            "two changes of a.py overlap; make them one",
        ),
        ([change("x", "y", "gone.py")], "file not found: gone.py"),
        ([change("x", "y", "../a.py")], "not a path of this workspace"),
        ([change("x", "y", ".git/hooks/pre-commit")], ".git/hooks/pre-commit may hold secrets"),
        ([change("x", "y", ".env")], ".env may hold secrets"),
        ([{"path": "a.py", "search": "x"}], "the arguments of propose_edit do not fit"),
    ],
)  # fmt: skip
async def test_what_cannot_be_changed(bench_of, edits, message):
    bench = bench_of({"a.py": SOURCE, ".env": "x"})
    assert (await bench.error("propose_edit", edits=edits)).startswith(message)
    assert bench.asked == []


async def test_a_denied_change_is_no_proposal(bench_of):
    bench = bench_of({"a.py": SOURCE})
    bench.answer = Decision("deny", "keep it")
    result = await bench.result("propose_edit", edits=[change("return 2", "return 3")])
    assert (result.ok, result.proposal, result.outcome) == (False, None, "denied")
    assert result.text.endswith(": keep it")


async def test_a_file_with_broken_characters_is_not_changed(bench_of):
    raw = "# 中文注释\n".encode() + b"bad = '\xff'\n"
    bench = bench_of({"a.py": raw, "b.txt": b"\xef\xbb\xbfbad = \xff"})
    for name, encoding in (("a.py", "utf-8"), ("b.txt", "utf-8-sig")):
        edits = [{"path": name, "search": "bad", "replace": "good"}]
        refused = await bench.error("propose_edit", edits=edits)
        assert refused.startswith(f"{name} is not valid {encoding}, and changing it would lose")
    assert not bench.asked


async def test_create_file(bench_of):
    bench = bench_of({"a.py": ""})
    result = await bench.result("create_file", path="new/b.py", content="x = 1\n")
    assert result.text == "Proposed the new file new/b.py."
    assert result.proposal is not None
    (file,) = result.proposal.files
    assert (file.path, file.create, file.edits) == (
        str(bench.root / "new/b.py"),
        True,
        (Edit(0, 0, "x = 1\n"),),
    )
    assert bench.asked[0].preview == "--- /dev/null\n+++ b/new/b.py\n@@ -0,0 +1,1 @@\n+x = 1\n"
    assert not (bench.root / "new").exists()


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("a.py", "a.py exists; change it with propose_edit"),
        (".", ". exists; change it with propose_edit"),
        ("/etc/cron.d/x", "/etc/cron.d/x is outside of the workspace"),
        (".git/hooks/pre-commit", ".git/hooks/pre-commit may hold secrets"),
        ("out/x.py", "out/x.py is a link that leads out of the workspace"),
    ],
)
async def test_what_cannot_be_created(bench_of, tmp_path, path, message):
    bench = bench_of({"a.py": ""})
    (bench.root / "out").symlink_to(tmp_path)
    assert (await bench.error("create_file", path=path, content="x")).startswith(message)


lines = st.lists(st.sampled_from(["a", "b", "", "c d"]), max_size=30).map("\n".join)


@given(lines, st.data())
def test_a_diff_says_what_patch_understands(tmp_path_factory, before, data):
    cuts = data.draw(st.lists(st.integers(0, len(before)), max_size=6, unique=True).map(sorted))
    edits = tuple(
        Edit(start, end, data.draw(st.sampled_from(["", "x", "x\ny", "\n"])))
        for start, end in zip(cuts[::2], cuts[1::2], strict=False)
    )
    edits = tuple(edit for edit in edits if before[edit.start : edit.end] != edit.text)
    after, at = "", 0
    for edit in edits:
        after += before[at : edit.start] + edit.text
        at = edit.end
    after += before[at:]
    folder = tmp_path_factory.mktemp("patch")
    (folder / "f").write_text(before)
    diff = unified_diff("f", FileEdit(str(folder / "f"), edits, before))
    if "@@" in diff:
        done = subprocess.run(
            ["git", "apply", "--whitespace=nowarn", "-"],
            input=diff.encode(),
            cwd=folder,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, (diff, done.stderr)
    assert (folder / "f").read_text() == after
