import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quillon_tools.calls import Failed, ToolCall
from quillon_tools.registry import all_tools
from quillon_tools.textfile import Decoded, decode, lines_of
from quillon_tools.toolset import Toolset
from quillon_tools.workspace import Workspace


async def test_read_file(bench_of):
    bench = bench_of({"src/a.py": "one\ntwo\n\nfour\n"})
    assert await bench.call("read_file", path="src/a.py") == "1: one\n2: two\n3: \n4: four"
    assert await bench.call("read_file", path="src/a.py", start_line=2, end_line=3) == "2: two\n3: "
    assert await bench.call("read_file", path="src/a.py", start_line=0, end_line=99) == (
        "1: one\n2: two\n3: \n4: four"
    )
    assert await bench.call("read_file", path="src/a.py", start_line=4) == "4: four"


async def test_read_file_that_is_long(bench_of):
    bench = bench_of({"a.txt": "".join(f"line {n}\n" for n in range(1, 501))})
    rows = (await bench.call("read_file", path="a.txt")).split("\n")
    assert rows[0] == "1: line 1"
    assert rows[-2:] == ["200: line 200", "[a.txt has 500 lines; read on from line 201]"]
    rows = (await bench.call("read_file", path="a.txt", start_line=450)).split("\n")
    assert (rows[0], rows[-1]) == ("450: line 450", "500: line 500")


async def test_read_file_with_long_lines(bench_of):
    bench = bench_of({"a.js": "x" * 5000 + "\nshort\n"})
    rows = (await bench.call("read_file", path="a.js")).split("\n")
    assert rows[0].endswith("xx [... 4600 characters left out ...]")
    assert rows[1] == "2: short"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"path": "src/other.py"}, "file not found: src/other.py"),
        ({"path": "src"}, "src is a folder; use list_files"),
        ({"path": "a.txt", "start_line": 9}, "a.txt has 2 lines, so there is no line 9"),
        ({"path": "a.txt", "start_line": 2, "end_line": 1}, "end_line 1 is before start_line 2"),
        ({"path": "pic.png"}, "pic.png is a binary file (12 bytes) and has no text to show"),
        ({"path": "big.log"}, "big.log is too large: over 8000000 bytes"),
    ],
)
async def test_read_file_that_cannot_be_read(bench_of, arguments, message):
    bench = bench_of({"a.txt": "1\n2\n", "src/a.py": "", "pic.png": b"\x89PNG\r\n\x1a\n\0\0\0\r"})
    with (bench.root / "big.log").open("wb") as file:
        file.truncate(8_000_001)
    assert await bench.error("read_file", **arguments) == message


async def test_a_near_name_is_offered(bench_of):
    bench = bench_of({"src/parser.py": "", "src/server.py": ""})
    error = await bench.error("read_file", path="src/parsr.py")
    assert error == "file not found: src/parsr.py\nDid you mean: src/parser.py"


async def test_a_secret_is_neither_read_nor_offered(bench_of):
    bench = bench_of({".env": "A=1", "conf/secrets.yaml": "a: 1", "a.txt": ""})
    assert "may hold secrets" in await bench.error("read_file", path=".env")
    assert await bench.error("read_file", path=".envv") == "file not found: .envv"
    assert await bench.call("list_files", path="conf") == "conf is empty."


async def test_a_pipe_does_not_wait(bench_of):
    bench = bench_of()
    os.mkfifo(bench.root / "pipe")
    assert "not a regular file" in await bench.error("read_file", path="pipe")


async def test_an_empty_file(bench_of):
    assert await bench_of({"a.py": ""}).call("read_file", path="a.py") == "a.py is empty."


async def test_the_open_document_comes_before_the_disk(bench_of):
    bench = bench_of({"a.py": "on disk\n"})
    bench.editor.documents[bench.root / "a.py"] = ("in the editor\n", 3)
    bench.editor.documents[bench.root / "new.py"] = ("not saved yet\n", 1)
    assert await bench.call("read_file", path="a.py") == "1: in the editor"
    assert await bench.call("read_file", path="new.py") == "1: not saved yet"
    del bench.editor.documents[bench.root / "a.py"]
    assert await bench.call("read_file", path="a.py") == "1: on disk"


async def test_a_document_opened_by_the_name_of_a_link(bench_of):
    bench = bench_of({"real/a.py": "on disk\n"})
    (bench.root / "link").symlink_to("real")
    bench.editor.documents[bench.root / "link" / "a.py"] = ("in the editor\n", 1)
    assert await bench.call("read_file", path="link/a.py") == "1: in the editor"


@pytest.mark.parametrize(
    ("raw", "text", "encoding"),
    [
        (b"abc", "abc", "utf-8"),
        ("ä".encode(), "ä", "utf-8"),
        (b"\xef\xbb\xbfabc", "abc", "utf-8-sig"),
        ("äx".encode("utf-16"), "äx", "utf-16"),
        ("äx".encode("utf-32"), "äx", "utf-32"),
        ("für".encode("latin-1"), "für", "latin-1"),
        ("für Ã¤rger".encode("latin-1"), "für Ã¤rger", "latin-1"),
        (b"", "", "utf-8"),
        (b"\x1b[31mred", "\x1b[31mred", "utf-8"),
    ],
)
def test_encodings(raw, text, encoding):
    decoded = decode(raw, "f")
    assert (decoded.text, decoded.encoding) == (text, encoding)
    assert bool(decoded.note) == (encoding == "latin-1")


@pytest.mark.parametrize("raw", [b"a\0b", bytes(range(256)), b"\x00" * 9, b"\x01\x02\x03ok"])
def test_binary(raw):
    with pytest.raises(Failed, match="binary"):
        decode(raw, "f")


async def test_a_legacy_encoding_is_noted(bench_of):
    bench = bench_of({"a.txt": "für\n".encode("latin-1")})
    assert await bench.call("read_file", path="a.txt") == (
        "1: für\n[a.txt is not UTF-8; read as Latin-1]"
    )


async def test_a_broken_character_leaves_the_others_of_utf_8_readable(bench_of):
    bench = bench_of({"a.py": "# 中文注释\n".encode() + b"bad = '\xff'\n"})
    assert await bench.call("read_file", path="a.py") == (
        "1: # 中文注释\n2: bad = '\ufffd'\n"
        "[a.py is not valid utf-8; broken characters show as \ufffd]"
    )


@given(st.text(alphabet="a中é\n\ufffd", max_size=30), st.integers(0, 30))
def test_only_a_text_that_is_exact_can_be_written_back(text, at):
    raw = text[:at].encode() + b"\xff" + text[at:].encode()
    decoded = decode(raw, "f")
    assert decoded.note
    assert decoded.exact == (decoded.text.encode(decoded.encoding) == raw)
    assert decode(text.encode(), "f") == Decoded(text, "utf-8")


@pytest.mark.parametrize(
    ("text", "lines"),
    [("", []), ("a", ["a"]), ("a\n", ["a"]), ("a\r\nb\rc\n\nd", ["a", "b", "c", "", "d"]),
     ("a\u2028b\x0cc", ["a\u2028b\x0cc"])],
)  # fmt: skip
def test_lines(text, lines):
    assert lines_of(text) == lines


PROJECT = {
    "README.md": "",
    "src/app.py": "",
    "src/inner/deep.py": "",
    ".gitignore": "*.log\n/build/\n!keep.log\nweird[\n!\n",
    "build/out.py": "",
    "src/build/kept.py": "",
    "x.log": "",
    "keep.log": "",
    "src/.ignore": "*.tmp\n",
    "src/a.tmp": "",
    "a.tmp": "",
    "node_modules/m/index.js": "",
    "__pycache__/a.pyc": b"\0",
    ".git/config": "",
    ".venv/lib/x.py": "",
}


async def test_list_files(bench_of):
    bench = bench_of(PROJECT)
    (bench.root / "link").symlink_to("src")
    expected = ".gitignore\nREADME.md\na.tmp\nkeep.log\nsrc/\nlink (link)"
    assert await bench.call("list_files", path=".") == expected
    assert await bench.call("list_files") == expected
    assert await bench.call("list_files", path="src/") == ".ignore\napp.py\nbuild/\ninner/"
    assert await bench.call("list_files", path="build") == "out.py"  # asked for by name


async def test_a_pipe_is_not_listed_as_a_link(bench_of):
    bench = bench_of({"a.py": ""})
    os.mkfifo(bench.root / "pipe")
    (bench.root / "way").symlink_to("pipe")
    assert await bench.call("list_files") == "a.py\nway (link)\npipe (no regular file)"


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("nowhere", "file not found: nowhere"),
        ("README.md", "README.md is a file; use read_file"),
        (".git", ".git may hold secrets (.git), so it is not shown"),
    ],
)
async def test_list_files_that_is_no_folder(bench_of, path, message):
    assert await bench_of(PROJECT).error("list_files", path=path) == message


async def test_list_files_of_a_full_folder(bench_of):
    bench = bench_of({f"f{n:03}.py": "" for n in range(250)})
    rows = (await bench.call("list_files")).split("\n")
    assert (rows[0], rows[-2], rows[-1]) == ("f000.py", "f199.py", "[... 50 more entries ...]")


async def test_names_that_could_be_taken_for_rows_are_not_shown(bench_of):
    bench = bench_of({"a.py": "", "b.py\nError: fake": "", "c\u202eyp.": ""})
    (bench.root / os.fsdecode(b"\xff.py")).touch()
    assert await bench.call("list_files") == "a.py"
    assert await bench.call("find_files", pattern="*.py") == "a.py"


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("*.py", ["src/app.py", "src/build/kept.py", "src/inner/deep.py"]),
        ("src/*.py", ["src/app.py"]),
        ("src/**/*.py", ["src/app.py", "src/build/kept.py", "src/inner/deep.py"]),
        ("README.*", ["README.md"]),
        ("*.rs", ["No files found."]),
    ],
)
async def test_find_files(bench_of, pattern, found):
    assert (
        sorted((await bench_of(PROJECT).call("find_files", pattern=pattern)).split("\n")) == found
    )


@pytest.mark.parametrize("pattern", ["", "  ", "!", "a\nb", "x" * 500])
async def test_find_files_by_no_glob(bench_of, pattern):
    assert "is no glob such as *.py" in await bench_of().error("find_files", pattern=pattern)


async def test_several_roots(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "f.py").write_text(f"{name}\n")
    workspace = Workspace([tmp_path / "one", tmp_path / "two"])
    toolset = Toolset(workspace, all_tools())
    listed = await toolset.execute(ToolCall("1", "list_files", {}))
    assert listed.text == "one/\ntwo/"
    read = await toolset.execute(ToolCall("1", "read_file", {"path": "two/f.py"}))
    assert read.text == "1: two"
    found = await toolset.execute(ToolCall("1", "search_text", {"pattern": "o"}))
    assert found.text == "one/f.py:1: one\ntwo/f.py:1: two"
    workspace.close()


async def test_a_huge_folder_is_walked_in_order(bench_of):
    names = sorted(f"{n * 7919 % 4500:x}.txt" for n in range(4500))
    bench = bench_of({**dict.fromkeys(names, b""), ".gitignore": "1*.txt\n"})
    found = [path.name for path in bench.workspace.walk()]
    assert found == [".gitignore", *(name for name in names if not name.startswith("1"))]
    assert [entry.path.name for entry in bench.workspace.entries(bench.workspace.top)] == [
        ".gitignore",
        *names,
    ]
