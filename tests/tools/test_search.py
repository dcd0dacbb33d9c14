import os
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quillon_tools.search import _matches, compiled

FILES = {
    "src/a.py": "import os\n\ndef run(x):\n    return os.getcwd()  # TODO\n",
    "src/b.py": "from a import run\nrun(1)\n",
    "docs/notes.md": "run it\n\u4e2d\u6587 run\n",
    ".gitignore": "ignored/\n",
    "ignored/c.py": "run\n",
    "node_modules/m.js": "run\n",
    "bin.dat": b"run\0run\n",
    "wide.txt": "run \u00e4\n".encode("utf-16"),
    ".env": "run=1\n",
}


@pytest.mark.parametrize(
    ("arguments", "rows"),
    [
        ({"pattern": "def run"}, ["src/a.py:3: def run(x):"]),
        ({"pattern": "run("}, ["src/a.py:3: def run(x):", "src/b.py:2: run(1)"]),
        (
            {"pattern": "run", "path": "src/b.py"},
            ["src/b.py:1: from a import run", "src/b.py:2: run(1)"],
        ),
        (
            {"pattern": "run", "path": "docs"},
            ["docs/notes.md:1: run it", "docs/notes.md:2: \u4e2d\u6587 run"],
        ),
        ({"pattern": "run \u00e4"}, ["wide.txt:1: run \u00e4"]),
        ({"pattern": "\u4e2d\u6587"}, ["docs/notes.md:2: \u4e2d\u6587 run"]),
        ({"pattern": "nowhere"}, ["No matches."]),
        ({"pattern": "run", "path": "ignored"}, ["ignored/c.py:1: run"]),
        ({"pattern": r"^run\(\d\)$", "regex": True}, ["src/b.py:2: run(1)"]),
        (
            {"pattern": r"os\.\w+\("},
            [
                "src/a.py:4: return os.getcwd()  # TODO",
                "[the pattern was read as a regular expression]",
            ],
        ),
        (
            {"pattern": "todo"},
            [
                "src/a.py:4: return os.getcwd()  # TODO",
                "[these differ from the pattern in upper and lower case]",
            ],
        ),
        (
            {"pattern": "def run", "context": 1},
            [
                "src/a.py-2- ",
                "src/a.py:3: def run(x):",
                "src/a.py-4-     return os.getcwd()  # TODO",
            ],
        ),
    ],
    ids=str,
)
async def test_search_text(bench_of, arguments, rows):
    assert (await bench_of(FILES).call("search_text", **arguments)).split("\n") == rows


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"pattern": ""}, "pattern must be some text on one line"),
        ({"pattern": "a\nb"}, "pattern must be some text on one line"),
        ({"pattern": "x" * 1001}, "pattern must be some text on one line"),
        ({"pattern": "(", "regex": True}, "'(' is no regular expression that RE2 knows"),
        ({"pattern": "(?=a)b", "regex": True}, "'(?=a)b' is no regular expression that RE2 knows"),
        ({"pattern": "a", "path": "../x"}, "not a path of this workspace"),
    ],
)
async def test_search_that_cannot_be_done(bench_of, arguments, message):
    assert (await bench_of(FILES).error("search_text", **arguments)).startswith(message)


async def test_a_pattern_that_would_take_others_forever(bench_of):
    bench = bench_of({"a.txt": "a" * 100_000 + "b\n"})
    assert await bench.call("search_text", pattern="(a+)+$", regex=True) == "No matches."
    assert await bench.call("search_text", pattern="(a|aa)+c", regex=True) == "No matches."


async def test_an_ignore_file_that_would_take_others_forever(bench_of):
    bench = bench_of({".gitignore": "*a*a*a*a*a*a*a*a*a*a*b\n", "a" * 200: "find me\n"})
    assert (await bench.call("search_text", pattern="find me")).endswith(":1: find me")


async def test_an_ignore_file_of_very_many_patterns_is_heeded_as_far_as_it_goes(bench_of):
    patterns = "*.log\n" + "\n".join(f"x{number}**y" for number in range(14_000))
    bench = bench_of({".gitignore": patterns, "a.log": "find me\n", "a.py": "find me\n"})
    assert await bench.call("search_text", pattern="find me") == "a.py:1: find me"


async def test_open_documents_are_searched(bench_of):
    bench = bench_of({"a.py": "old\n"})
    bench.editor.documents[bench.root / "a.py"] = ("new text\n", 1)
    assert await bench.call("search_text", pattern="new text") == "a.py:1: new text"
    assert await bench.call("search_text", pattern="old") == "No matches."


async def test_many_matches_are_limited(bench_of):
    bench = bench_of({"a.txt": "x\n" * 500})
    rows = (await bench.call("search_text", pattern="x")).split("\n")
    assert len(rows) == 51
    assert rows[-1] == "[... more matches; search a folder or for more text ...]"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "latin-1", "utf-16"])
async def test_text_in_other_encodings_is_found_and_shown_as_it_is_read(bench_of, encoding):
    bench = bench_of({"menu.py": "caf\u00e9 = 1  # d\u00e9j\u00e0\n".encode(encoding)})
    found = "menu.py:1: caf\u00e9 = 1  # d\u00e9j\u00e0"
    assert await bench.call("search_text", pattern="caf\u00e9") == found
    assert await bench.call("search_text", pattern="^caf. =", regex=True) == found
    assert found.split(": ")[1] in await bench.call("read_file", path="menu.py")


async def test_a_broken_character_hides_no_other(bench_of):
    bench = bench_of({"a.py": "# 中文注释\n".encode() + b"bad = '\xff'\n"})
    assert await bench.call("search_text", pattern="中文") == "a.py:1: # 中文注释"
    assert await bench.call("search_text", pattern="bad =") == "a.py:2: bad = '\ufffd'"


async def test_a_long_line_shows_the_match(bench_of):
    bench = bench_of({"a.js": "x" * 9000 + "needle" + "y" * 9000})
    text = await bench.call("search_text", pattern="needle")
    assert "needle" in text
    assert len(text) < 500


async def test_files_that_are_too_large_are_told_where_nothing_is_found(bench_of):
    bench = bench_of({"big.txt": "a\n" * 1_100_000, "big.bin": b"\0" * 2_200_000})
    assert await bench.call("search_text", pattern="zzz") == (
        "No matches.\n[files left out because they are too large or unreadable: 1]"
    )


async def test_what_cannot_be_read_is_left_out(bench_of):
    bench = bench_of({"a.py": "x = 1\n"})
    os.mkfifo(bench.root / "pipe")
    (bench.root / "dangling").symlink_to("nowhere")
    (bench.root / "loop").symlink_to(".")
    assert await bench.call("search_text", pattern="x = 1") == "a.py:1: x = 1"


@given(
    st.text(alphabet="ab \n", max_size=60).map(str.encode),
    st.text(alphabet="ab", min_size=1, max_size=3),
)
def test_lines_found_are_the_lines_that_hold_the_text(raw, wanted):
    expression = compiled(wanted, literal=True)
    found = [(m.number, m.text) for m in _matches(None, raw, expression, 0, 1000)]  # type: ignore[arg-type]  # the path is only passed on
    lines = raw.decode().split("\n")
    assert found == [(n, line.strip()) for n, line in enumerate(lines, 1) if wanted in line]
    everything = compiled("a*", literal=False)
    assert len(list(_matches(None, raw, everything, 0, 1000))) <= len(lines)  # type: ignore[arg-type]  # the same


def test_patterns_are_literal_unless_said():
    assert compiled("a.c", literal=True).search(b"abc") is None
    assert compiled("a.c", literal=False).search(b"abc") is not None
    assert compiled("ABC", literal=True, exact=False).search(b"xabc") is not None
    assert re.search("(?=a)", "a")
    assert compiled("(?=a)", literal=False) is None
