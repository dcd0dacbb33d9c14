"""Requests that tools answer: one scenario per kind, each ending in one fixed form of answer.

A tool's output holds the next call's arguments and the answer's facts, so that the model copies
and never counts or computes.
"""

import re
from collections.abc import Awaitable, Callable

from quillon_training.dialogues.recorder import Scene
from quillon_training.dialogues.records import Call, Dialogue

Scenario = Callable[[Scene], Awaitable[Dialogue | None]]
"""None where the repository or a tool's answer does not fit the scenario."""

_HIT = re.compile(
    r"^(?P<path>\S+?):(?P<first>\d+)-(?P<last>\d+) (?P<kind>\w+) (?P<name>\S+)", re.MULTILINE
)
_MATCH = re.compile(r"^(?P<path>\S+?):(?P<line>\d+): ", re.MULTILINE)
_FIRST_LINE = re.compile(r"^\d+: (\S.*?) *$", re.MULTILINE)
_SUGGESTION = re.compile(r"^Did you mean: (?P<path>\S+?)(?:,|$)", re.MULTILINE)
_LONGEST_OUTPUT = 1500  # characters, so that a dialogue fits a training row
_MOST_LISTED = 3
_BARE = 0.6
_TEXTS = 0.3  # of the files that are opened, such as hold no code


async def where(scene: Scene) -> Dialogue | None:
    """Where a symbol is defined."""
    hits = await _search(scene, "where", _name(scene))
    return _located(scene, "where", hits)


async def show(scene: Scene) -> Dialogue | None:
    """Find a symbol, then read its lines."""
    hits = await _search(scene, "show", _name(scene))
    hit = await _read_hit(scene, hits)
    if hit is None:
        return None
    place = _place(hit)
    text = scene.either(
        f"`{hit['name']}` is the {hit['kind']} at {place}.", f"`{hit['name']}` 的定义在 {place}。"
    )
    return scene.answer("show", text, place)


async def explain(scene: Scene) -> Dialogue | None:
    """Find a symbol, read it, and say what its docstring says."""
    documented = [symbol for symbol in scene.repository.symbols if 15 < len(symbol.summary) < 120]  # noqa: PLR2004
    if not documented:
        return None
    symbol = scene.rng.choice(documented)
    hits = await _search(scene, "explain", symbol.name)
    hit = await _read_hit(scene, hits)
    if hit is None or hit["path"] != symbol.path:
        return None
    place = _place(hit)
    text = scene.either(
        f"`{hit['name']}` ({place}): {symbol.summary}",
        f"`{hit['name']}`（{place}）的说明：{symbol.summary}",
    )
    return scene.answer("explain", text, symbol.summary)


async def missing(scene: Scene) -> Dialogue | None:
    """A symbol that is not there: searched as text, then said."""
    name = _name(scene)
    absent = scene.rng.choice(("{}_v2", "old_{}", "{}Factory", "my_{}", "{}_impl")).format(
        name.split(".")[-1]
    )
    scene.ask("where", name=absent)
    [found] = await scene.call(Call("search_symbols", {"query": absent}))
    if _HIT.search(found):
        return None
    [found] = await scene.call(Call("search_text", {"pattern": absent}))
    if _MATCH.search(found):
        return None
    text = scene.either(
        f"I found no `{absent}` in this workspace. Please check the name.",
        f"工作区里没有找到 `{absent}`，请检查一下名字。",
    )
    return scene.answer("missing", text, absent)


async def two(scene: Scene) -> Dialogue | None:
    """Two symbols at once, by parallel calls."""
    names = [_name(scene), _name(scene)]
    if names[0] == names[1]:
        return None
    scene.ask("two", name=names[0], other=names[1])
    found = await scene.call(*(Call("search_symbols", {"query": name}) for name in names))
    hits = [_HIT.search(text) for text in found]
    if not all(hits) or max(map(len, found)) > _LONGEST_OUTPUT // 2:
        return None
    places = [f"{hit['path']}:{hit['first']}" for hit in hits if hit]
    pairs = list(zip(names, places, strict=True))
    text = scene.either(
        "\n".join(f"`{name}`: {place}" for name, place in pairs),
        "\n".join(f"`{name}` 在 {place}" for name, place in pairs),
    )
    return scene.answer("two", text, *places)


async def lines(scene: Scene) -> Dialogue | None:
    """Given lines of a given file."""
    path = scene.path()
    count = len(scene.repository.text(path).splitlines())
    first = scene.rng.randint(1, max(1, count - 5))
    last = min(count, first + scene.rng.choice((4, 9, 10, 14, 19)))
    scene.ask("lines", path=path, start=first, end=last)
    return await _read_lines(scene, "lines", path, first, last)


async def open_file(scene: Scene) -> Dialogue | None:
    """A file; the answer names what it defines first, or tells its first line."""
    texts = scene.repository.texts
    path = scene.rng.choice(texts) if texts and scene.rng.random() < _TEXTS else scene.path()
    scene.ask("open", path=path)
    [text] = await scene.call(Call("read_file", {"path": path}))
    names = re.findall(r"^\d+: (?:class|def|async def) (\w+)", text, re.MULTILINE)[:_MOST_LISTED]
    if text.startswith("Error") or len(text) > 2 * _LONGEST_OUTPUT:
        return None
    if not names:
        line = _FIRST_LINE.search(text)
        if line is None:
            return None
        said = scene.either(f"{path} begins with: {line[1]}", f"{path} 的开头是：{line[1]}")
        return scene.answer("open", said, line[1])
    listed = ", ".join(f"`{name}`" for name in names)
    said = scene.either(f"{path} defines {listed}.", f"{path} 定义了 {listed}。")
    return scene.answer("open", said, *names)


async def misspelled(scene: Scene) -> Dialogue | None:
    """A path that does not exist: the tool names the nearest, which is read."""
    path = scene.path()
    stem, _, suffix = path.rpartition(".")
    wrong = scene.rng.choice((f"{stem}s.{suffix}", f"{stem}_.{suffix}", f"{stem[:-1]}.{suffix}"))
    scene.ask("open", path=wrong)
    [text] = await scene.call(Call("read_file", {"path": wrong}))
    suggestion = _SUGGESTION.search(text)
    if suggestion is None:
        return None
    [text] = await scene.call(Call("read_file", {"path": suggestion["path"]}))
    if len(text) > 2 * _LONGEST_OUTPUT:
        return None
    said = scene.either(
        f"There is no {wrong}; this is {suggestion['path']}.",
        f"没有 {wrong}，这是 {suggestion['path']}。",
    )
    return scene.answer("misspelled", said, suggestion["path"])


async def mended(scene: Scene) -> Dialogue | None:
    """A call with a wrong argument, as models make them; the error says how to mend it."""
    name = _name(scene)
    scene.ask("where", name=name)
    wrong = scene.rng.choice(({"name": name}, {"symbol": name}, {"query": name, "kind": "any"}))
    [text] = await scene.call(Call("search_symbols", wrong), trained=False)
    if not text.startswith("Error"):
        return None
    [text] = await scene.call(Call("search_symbols", {"query": name}))
    return _located(scene, "mended", text)


async def grep(scene: Scene) -> Dialogue | None:
    """Where a text occurs."""
    pattern = _pattern(scene)
    scene.ask("grep", pattern=pattern)
    return await _matches(scene, "grep", {"pattern": pattern})


async def grep_in(scene: Scene) -> Dialogue | None:
    """Where a text occurs in a folder or file."""
    symbol = scene.symbol()
    folder = symbol.path if scene.rng.random() < _BARE else _folder(scene, symbol.path)
    if not folder:
        return None
    pattern = symbol.name.split(".")[-1]
    scene.ask("grepin", pattern=pattern, folder=folder)
    return await _matches(scene, "grepin", {"pattern": pattern, "path": folder})


async def list_folder(scene: Scene) -> Dialogue | None:
    """What a folder holds."""
    folder = _folder(scene, scene.rng.choice((scene.path(), *scene.repository.texts)))
    if not folder:
        return None
    scene.ask("ls", folder=folder + scene.rng.choice(("", "", "/")))
    return await _listed(scene, "ls", {"path": folder})


async def list_root(scene: Scene) -> Dialogue | None:
    """What the workspace holds."""
    scene.ask("root")
    return await _listed(scene, "root", {})


async def _search(scene: Scene, intent: str, name: str) -> str:
    scene.ask(intent, name=name)
    [text] = await scene.call(Call("search_symbols", {"query": name}))
    return text


def _located(scene: Scene, kind: str, hits: str) -> Dialogue | None:
    """An answer that names the first places of a search's result."""
    found = list(_HIT.finditer(hits))
    if not found or len(hits) > _LONGEST_OUTPUT:
        return None
    places = [f"{hit['path']}:{hit['first']}" for hit in found[:_MOST_LISTED]]
    name = found[0]["name"]
    if len(found) == 1:
        said = scene.either(
            f"`{name}` is defined at {places[0]}.", f"`{name}` 定义在 {places[0]}。"
        )
    else:
        said = scene.either(
            f"`{name}` is defined at {places[0]}; see also {', '.join(places[1:])}.",
            f"`{name}` 定义在 {places[0]}；另见 {'、'.join(places[1:])}。",
        )
    return scene.answer(kind, said, places[0])


async def _read_hit(scene: Scene, hits: str) -> re.Match[str] | None:
    """Read the lines of a search's first hit; None where they are too many."""
    hit = _HIT.search(hits)
    if hit is None or len(hits) > _LONGEST_OUTPUT // 2:
        return None
    arguments = {"path": hit["path"], "start_line": int(hit["first"]), "end_line": int(hit["last"])}
    [text] = await scene.call(Call("read_file", arguments))
    return None if len(text) > _LONGEST_OUTPUT else hit


async def _read_lines(scene: Scene, kind: str, path: str, first: int, last: int) -> Dialogue | None:
    arguments = {"path": path, "start_line": first, "end_line": last}
    [text] = await scene.call(Call("read_file", arguments))
    if len(text) > _LONGEST_OUTPUT:
        return None
    place = f"{path}:{first}-{last}"
    return scene.answer(kind, scene.either(f"These are {place}.", f"这是 {place}。"), place)


async def _matches(scene: Scene, kind: str, arguments: dict[str, str]) -> Dialogue | None:
    [text] = await scene.call(Call("search_text", arguments))
    found = [f"{match['path']}:{match['line']}" for match in _MATCH.finditer(text)]
    if len(text) > _LONGEST_OUTPUT:
        return None
    pattern = arguments["pattern"]
    if not found:
        said = scene.either(f"Nothing contains `{pattern}`.", f"没有找到 `{pattern}`。")
        return scene.answer(kind, said, pattern)
    listed = found[:_MOST_LISTED]
    more = scene.either(" and more", " 等") if len(found) > _MOST_LISTED else ""
    said = scene.either(
        f"`{pattern}` occurs at {', '.join(listed)}{more}.",
        f"`{pattern}` 出现在 {'、'.join(listed)}{more}。",
    )
    return scene.answer(kind, said, listed[0])


async def _listed(scene: Scene, kind: str, arguments: dict[str, str]) -> Dialogue | None:
    [text] = await scene.call(Call("list_files", arguments))
    names = text.splitlines()
    if not names or len(text) > _LONGEST_OUTPUT or text.startswith("Error"):
        return None
    folder = arguments.get("path", "")
    shown = ", ".join(names[:_MOST_LISTED]) + (", ..." if len(names) > _MOST_LISTED else "")
    said = scene.either(
        f"{folder or 'The workspace'} contains {shown}", f"{folder or '工作区'} 包含 {shown}"
    )
    return scene.answer(kind, said, names[0])


def _folder(scene: Scene, path: str) -> str:
    """The folder that a file lies in, or one of those around it."""
    parts = path.split("/")[:-1]
    return "/".join(parts[: scene.rng.randint(1, len(parts))]) if parts else ""


def _name(scene: Scene) -> str:
    """A symbol's name, mostly without its class."""
    name = scene.symbol().name
    return name.split(".")[-1] if scene.rng.random() < _BARE else name


def _pattern(scene: Scene) -> str:
    """A text that occurs, or one time in ten one that hardly does."""
    chance = scene.rng.random()
    name = scene.symbol().name.split(".")[-1]
    if chance < 0.1:  # noqa: PLR2004
        return f"{name}{scene.rng.randint(2, 99)}"
    if chance < 0.4:  # noqa: PLR2004
        return f"{name}("
    if chance < 0.5:  # noqa: PLR2004
        return scene.rng.choice(
            ("TODO", "FIXME", "NotImplementedError", "deprecated", "import os", "lambda")
        )
    return name


def _place(hit: re.Match[str]) -> str:
    return f"{hit['path']}:{hit['first']}-{hit['last']}"


LOOKING: dict[str, tuple[Scenario, float]] = {
    "where": (where, 3.0),
    "show": (show, 2.5),
    "explain": (explain, 2.0),
    "missing": (missing, 1.0),
    "two": (two, 2.0),
    "lines": (lines, 1.5),
    "open": (open_file, 1.5),
    "misspelled": (misspelled, 0.7),
    "mended": (mended, 0.5),
    "grep": (grep, 2.0),
    "grepin": (grep_in, 1.5),
    "ls": (list_folder, 1.2),
    "root": (list_root, 0.6),
}
