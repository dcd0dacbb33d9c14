import threading

import pytest

from quillon_tools.calls import Failed
from quillon_tools.symbol_tools import plain_name
from quillon_tools.workers import Stop

FILES = {
    "src/store.py": '''\
class Store:
    """Keeps."""

    # The gate.
    @property
    def size(self):
        return 1

    def load(self, path):
        return open(path)


def load_all(paths):
    return [Store().load(p) for p in paths]
''',
    "src/server.go": "package main\n\nfunc (s *Server) Load() {}\n\ntype Server struct{}\n",
    "include/shape.h": "class Shape {\n public:\n  int area();\n};\n",
    "tests/test_store.py": "from a import load_all\n\ndef test_load():\n    assert load_all([])\n",
    "node_modules/x/index.js": "function load() {}\n",
}


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        ("load_all", ["src/store.py:13-14 function load_all"]),
        ("Store", ["src/store.py:1-10 class Store"]),
        ("Store.load", ["src/store.py:9-10 method Store.load"]),
        ("`Store.load()`", ["src/store.py:9-10 method Store.load"]),
        ("def load_all(paths):", ["src/store.py:13-14 function load_all"]),
        ("Server::Load", ["src/server.go:3-3 method Server.Load"]),
        ("load", ["src/store.py:9-10 method Store.load"]),
        ("LOAD_ALL", ["src/store.py:13-14 function load_all"]),
        ("Shape", ["include/shape.h:1-4 class Shape"]),
        ("area", ["include/shape.h:3-3 method Shape.area"]),
        ("laod_all", ["src/store.py:13-14 function load_all"]),
        ("loa", [
            "src/server.go:3-3 method Server.Load",
            "src/store.py:9-10 method Store.load",
            "src/store.py:13-14 function load_all",
            "tests/test_store.py:3-4 function test_load",
        ]),
        ("nothing_like_it", ["No symbols found."]),
    ],
)  # fmt: skip
async def test_search_symbols(bench_of, query, rows):
    assert (await bench_of(FILES).call("search_symbols", query=query)).split("\n") == rows


async def test_search_symbols_by_kind(bench_of):
    bench = bench_of(FILES)
    found = await bench.call("search_symbols", query="Load", kind="method")
    assert found == "src/server.go:3-3 method Server.Load"
    assert await bench.call("search_symbols", query="Store", kind="enum") == "No symbols found."


@pytest.mark.parametrize("query", ["", "``", "  ", "()", "x" * 301])
async def test_search_symbols_without_a_name(bench_of, query):
    error = await bench_of(FILES).error("search_symbols", query=query)
    assert error.startswith("query must be the name of a symbol")


async def test_a_row_is_the_arguments_of_the_next_call(bench_of):
    bench = bench_of(FILES)
    row = await bench.call("search_symbols", query="load_all")
    path, lines = row.split()[0].split(":")
    start, end = lines.split("-")
    text = await bench.call("read_file", path=path, start_line=start, end_line=end)
    assert text.startswith("13: def load_all(paths):\n14:")


async def test_the_index_follows_changes(bench_of):
    bench = bench_of({"a.py": "def one(): pass\n"})
    assert await bench.call("search_symbols", query="one") == "a.py:1-1 function one"
    (bench.root / "a.py").write_text("\n\ndef one_two(): pass\n")
    (bench.root / "b.py").write_text("def three(): pass\n")
    assert await bench.call("search_symbols", query="one_two") == "a.py:3-3 function one_two"
    assert await bench.call("search_symbols", query="three") == "b.py:1-1 function three"
    (bench.root / "b.py").unlink()
    assert await bench.call("search_symbols", query="three") == "No symbols found."
    bench.editor.documents[bench.root / "a.py"] = ("def typed(): pass\n", 1)
    assert await bench.call("search_symbols", query="typed") == "a.py:1-1 function typed"
    bench.editor.documents[bench.root / "a.py"] = ("", 2)
    assert await bench.call("search_symbols", query="typed") == "No symbols found."


async def test_sources_that_cannot_be_parsed_define_nothing(bench_of):
    files = {
        "bad.py": b"\xff\xfe\0\0def x(",
        "huge.py": "x = 1\n" * 200_000,
        "ok.py": "def x(): 1\n",
    }
    assert await bench_of(files).call("search_symbols", query="x") == "ok.py:1-1 function x"


async def test_a_source_in_a_legacy_encoding_is_indexed_as_it_is_read(bench_of):
    source = "# coding: latin-1\ndef prix_du_caf\u00e9(): pass\nprix_du_caf\u00e9()\n"
    bench = bench_of({"menu.py": source.encode("latin-1")})
    name = "prix_du_caf\u00e9"
    assert await bench.call("search_symbols", query=name) == f"menu.py:2-2 function {name}"
    assert await bench.call("find_references", name=name) == (
        f"menu.py:2: def {name}(): pass (definition)\nmenu.py:3: {name}()"
    )


def test_an_index_that_is_stopped_keeps_what_it_has(bench_of):
    index = bench_of({"a.py": "def a(): pass\n"}).workspace.index
    stopped = Stop()
    stopped.set()
    with pytest.raises(Failed, match="stopped"):
        index.definitions(stopped)
    found, note = index.definitions(Stop())
    assert ([each.symbol.name for each in found], note) == (["a"], "")


def test_the_index_serves_several_threads(bench_of):
    index = bench_of(FILES).workspace.index
    counts: list[int] = []
    threads = [
        threading.Thread(target=lambda: counts.append(len(index.definitions(Stop())[0])))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(counts) == 4
    assert len(set(counts)) == 1


async def test_read_symbol(bench_of):
    bench = bench_of(FILES)
    assert await bench.call("read_symbol", name="Store.size") == (
        "src/store.py:6-7 method Store.size\n"
        "4:     # The gate.\n5:     @property\n6:     def size(self):\n7:         return 1"
    )
    assert await bench.call("read_symbol", name="nothing_at_all") == "No symbols found."


async def test_read_symbol_that_is_defined_twice(bench_of):
    bench = bench_of({"a.py": "def f(): pass\n", "b.py": "def f(): pass\n"})
    assert await bench.call("read_symbol", name="f") == (
        "Several are defined; read one with read_file:\na.py:1-1 function f\nb.py:1-1 function f"
    )


async def test_find_references(bench_of):
    files = {
        "a.py": "def load(): pass\n# load it\nx = 'load'\nload()\nreload()\n",
        "b.js": "import {load} from './a'; load(1); load(2);\n// load\n",
        "notes.md": "load\n",
    }
    assert await bench_of(files).call("find_references", name="load()") == (
        "a.py:1: def load(): pass (definition)\na.py:4: load()\n"
        "b.js:1: import {load} from './a'; load(1); load(2);"
    )
    assert await bench_of(files).call("find_references", name="zzz") == "No references found."


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("parse", "parse"),
        (" `Parser.parse()` ", "Parser.parse"),
        ("async def run(self):", "run"),
        ("class Foo(Bar):", "Foo"),
        ("std::vector", "std.vector"),
        ("Foo#bar", "Foo.bar"),
        ("ptr->field", "ptr.field"),
        ("'x'", "x"),
        ("pub fn go", "pub fn go"),
    ],
)
def test_plain_name(query, name):
    assert plain_name(query) == name
