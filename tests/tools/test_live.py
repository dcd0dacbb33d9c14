"""What exists, for grammars that hold arguments to it: paths and symbols, and nothing hidden."""

import pytest

from quillon_tools.calls import Failed
from quillon_tools.live import MAX_PATHS, MAX_SYMBOLS, live_values
from quillon_tools.registry import all_tools
from quillon_tools.workers import Stop
from quillon_tools.workspace import Workspace

READ, SEARCH = ("read_file", "path"), ("search_symbols", "query")


def live(workspace):
    return live_values(workspace, all_tools(), Stop())


def test_files_and_their_folders(bench_of):
    bench = bench_of({"a.py": "", "src/app/b.py": "", "名.md": ""})
    assert set(live(bench.workspace)[READ]) == {"a.py", "src", "src/app", "src/app/b.py", "名.md"}


def test_what_tools_do_not_show_is_not_named(bench_of):
    hidden = [".git/config", ".env", "id_rsa", "a\nb.py", "a\u202eb.py", "node_modules/m.js"]
    files = {".gitignore": "out/\n", "out/x.py": "", "ok.py": ""}
    bench = bench_of(files | dict.fromkeys(hidden, ""))
    (bench.root / "link.py").symlink_to("/etc/passwd")
    assert set(live(bench.workspace)[READ]) == {".gitignore", "ok.py"}


def test_parameters_that_name_what_exists(bench_of):
    found = live(bench_of({"a.py": ""}).workspace)
    assert {READ, ("list_files", "path"), ("search_text", "path"), ("git_blame", "path")} <= set(
        found
    )
    # What is made need not exist.
    assert not [place for place in found if place[0] in {"create_file", "propose_edit"}]
    assert len({id(values) for values in found.values()}) == 1


def test_symbols_before_anybody_has_looked_for_one_and_after_a_change(bench_of):
    bench = bench_of({"a.py": "class Cart:\n    def total(self):\n        return 1\n"})
    found = live(bench.workspace)
    assert found[SEARCH] == ("Cart", "total", "Cart.total")
    assert found[("read_symbol", "name")] == found[SEARCH]
    (bench.root / "b.py").write_text("def price(): pass\n")
    assert live(bench.workspace)[SEARCH] == ("Cart", "total", "Cart.total", "price")


async def test_too_many_are_left_out_and_not_cut(bench_of):
    files = {f"d/f{n}.txt": "" for n in range(MAX_PATHS - 1)}
    many = "".join(f"def name_{n}(): pass\n" for n in range(MAX_SYMBOLS))
    bench = bench_of(files)
    assert len(live(bench.workspace)[READ]) == MAX_PATHS
    (bench.root / "a.py").write_text(many)
    await bench.call("search_symbols", query="name_1")
    found = live(bench.workspace)
    assert READ not in found
    assert len(found[SEARCH]) == MAX_SYMBOLS
    (bench.root / "a.py").write_text(many + "def one_more(): pass\n")
    await bench.call("search_symbols", query="name_1")
    assert live(bench.workspace) == {}


def test_several_roots(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.py").touch()
    workspace = Workspace([tmp_path / "one", tmp_path / "two"])
    names = live(workspace)[READ]
    assert set(names) == {"one", "one/a.py", "two", "two/a.py"}
    assert all(workspace.resolve(name).real.exists() for name in names)
    workspace.close()


async def test_a_turn_looks_once(bench_of):
    bench = bench_of({"a.py": ""})
    turn = bench.toolset().turn()
    before = await turn.live()
    (bench.root / "b.py").touch()
    assert await turn.live() is before
    assert "b.py" in (await bench.toolset().turn().live())[READ]


async def test_nothing_is_named_where_nobody_can_look(bench_of):
    bench = bench_of({"a.py": ""})
    stop = Stop()
    stop.set()
    with pytest.raises(Failed):
        live_values(bench.workspace, all_tools(), stop)
    bench.workspace.close()
    assert await bench.toolset().turn().live() == {}
