"""Dialogues about the project that comes with Quillon, made by running the product's tools on it.

They need nothing but the installed package, so that any model can be measured on any machine.
"""

import ast
import itertools
import re
import shutil
import tempfile
import tomllib
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from quillon.eval.dialogues import Dialogue
from quillon.eval.proving import PROJECT
from quillon.prompt.messages import Message
from quillon_tools.calls import ToolCall
from quillon_tools.policy import ApprovalRequest, Decision, Policy
from quillon_tools.registry import default_tools
from quillon_tools.toolset import Toolset
from quillon_tools.workspace import Problem, Workspace

_WORDINGS = Path(__file__).parent / "data" / "wordings.toml"
_EVERY_CHINESE = 4
_HIT = re.compile(r"(?P<path>\S+?):(?P<first>\d+)-(?P<last>\d+) .*")
_TEXTS = ("FLAGS", "json.dumps", "QuayFull", "PERIOD", "divmod", "sorted(", "moored", "RATES")
_PROBLEMS = ('"coal" is not defined', "`math` imported but unused", "Line too long (112 > 100)")

Call = tuple[str, dict[str, Any]]


class _Symbol(msgspec.Struct, frozen=True):
    name: str
    path: str
    line: int


class Stage:
    """A copy of the project with the tools opened on it."""

    def __init__(self, folder: Path) -> None:
        self.root = folder
        self.rows: list[Problem] = []
        self.allowed = True
        self.workspace = Workspace([folder], diagnostics=self)
        tools = default_tools()
        self.definitions = tuple(tool.definition("brief") for tool in tools)
        self._toolset = Toolset(self.workspace, tools, policy=Policy(self._approve))
        self._words = tomllib.loads(_WORDINGS.read_text("utf-8"))
        self._asked: dict[str, int] = {}

    def problems(self, path: Path | None) -> Sequence[Problem]:
        """What an editor would report."""
        return [row for row in self.rows if path is None or row.path == path]

    def every(self, intent: str) -> list[str]:
        """All wordings of an intent."""
        return [*self._words[intent]["en"], *self._words[intent]["zh"]]

    def asks(self, intent: str, **values: object) -> str:
        """The next wording of an intent; every fourth is Chinese."""
        number = self._asked[intent] = self._asked.get(intent, -1) + 1
        chinese = number % _EVERY_CHINESE == _EVERY_CHINESE - 1
        options = self._words[intent]["zh" if chinese else "en"]
        return str(options[number % len(options)]).format(**values)

    async def dialogue(
        self, kind: str, asked: str, steps: Sequence[Sequence[Call]], facts: Sequence[str]
    ) -> Dialogue:
        """A question, the calls of each step with what they bring, and the answer's facts.

        The first step of the kind `mended` is a mistake.
        """
        messages = [Message(role="user", content=asked)]
        numbers = itertools.count(1)
        for step in steps:
            calls = tuple(ToolCall(f"call_{next(numbers)}", *call) for call in step)
            messages.append(Message(role="assistant", tool_calls=calls))
            for call in calls:
                result = await self._toolset.execute(call)
                messages.append(Message(role="tool", content=result.text, tool_call_id=call.id))
        messages.append(Message(role="assistant", content=" ".join(facts)))
        return Dialogue(
            id=f"{kind}: {asked}",
            kind=kind,
            messages=tuple(messages),
            tools=self.definitions,
            facts=tuple(facts),
            given=frozenset({1} if kind == "mended" else ()),
        )

    async def hit(self, name: str) -> re.Match[str] | None:
        """The one place of a symbol; None where the search finds several."""
        result = await self._toolset.execute(ToolCall("call_1", "search_symbols", {"query": name}))
        return _HIT.fullmatch(result.text.strip())

    async def _approve(self, _request: ApprovalRequest) -> Decision:
        return Decision("once") if self.allowed else Decision("deny", None)


async def scenes() -> list[Dialogue]:
    """All dialogues, in the same order every time."""
    with tempfile.TemporaryDirectory(prefix="quillon-") as folder:
        root = Path(folder) / "harbour"
        shutil.copytree(PROJECT, root, ignore=shutil.ignore_patterns("__pycache__"))
        stage = Stage(root)
        try:
            groups = (_symbols(stage), _files(stage), _checks(stage), _talk(stage))
            found = [[dialogue async for dialogue in group] for group in groups]
        finally:
            stage.workspace.close()
    # In turns, so that the first few are of every kind.
    mixed = itertools.zip_longest(*found)
    return [dialogue for row in mixed for dialogue in row if dialogue is not None]


async def _symbols(stage: Stage) -> AsyncIterator[Dialogue]:
    symbols = list(_defined(stage.root))
    for number, symbol in enumerate(symbols):
        search: Call = ("search_symbols", {"query": symbol.name})
        hit = await stage.hit(symbol.name)
        if hit is None:
            continue
        if number % 6 == 5:  # noqa: PLR2004 - one of six each
            wrong: Call = ("search_symbols", {"symbol": symbol.name})
            asked = stage.asks("where", name=symbol.name)
            yield await stage.dialogue("mended", asked, [[wrong], [search]], [symbol.path])
        elif number % 6 == 4:  # noqa: PLR2004 - the same
            other = symbols[(number * 7) % len(symbols)]
            asked = stage.asks("two", name=symbol.name, other=other.name)
            both: Call = ("search_symbols", {"query": other.name})
            yield await stage.dialogue("two", asked, [[search, both]], [symbol.path, other.path])
        elif number % 2:
            asked = stage.asks("show", name=symbol.name)
            place = {"start_line": int(hit["first"]), "end_line": int(hit["last"])}
            read: Call = ("read_file", {"path": hit["path"], **place})
            yield await stage.dialogue("show", asked, [[search], [read]], [hit["path"]])
        else:
            asked = stage.asks("where", name=symbol.name)
            yield await stage.dialogue("where", asked, [[search]], [symbol.path, str(symbol.line)])


async def _files(stage: Stage) -> AsyncIterator[Dialogue]:
    paths = sorted(path.relative_to(stage.root).as_posix() for path in stage.root.rglob("*.py"))
    for number, path in enumerate(paths):
        length = len((stage.root / path).read_text("utf-8").splitlines())
        first, last = 2 + number % 3, min(length, 9 + number)
        if last > first:
            asked = stage.asks("lines", path=path, first=first, last=last)
            call: Call = ("read_file", {"path": path, "start_line": first, "end_line": last})
            yield await stage.dialogue("lines", asked, [[call]], [])
        if length > last:
            typo = path.replace(".py", "s.py")
            steps: list[list[Call]] = [
                [("read_file", {"path": typo})],
                [("read_file", {"path": path})],
            ]
            yield await stage.dialogue("typo", stage.asks("typo", path=typo), steps, [path])
    for text in _TEXTS:
        call = ("search_text", {"pattern": text})
        yield await stage.dialogue("grep", stage.asks("grep", text=text), [[call]], [".py:"])
    for folder in ("harbour", "harbour/office", "tests"):
        call = ("list_files", {"path": folder})
        name = sorted(path.name for path in (stage.root / folder).glob("*.py"))[-1]
        yield await stage.dialogue("ls", stage.asks("ls", folder=folder), [[call]], [name])


async def _checks(stage: Stage) -> AsyncIterator[Dialogue]:
    paths = sorted(
        path.relative_to(stage.root).as_posix() for path in stage.root.rglob("[b-t]*.py")
    )
    for number, path in enumerate(paths):
        message = _PROBLEMS[number % len(_PROBLEMS)]
        stage.rows = [Problem(stage.root / path, 3 + number, 5, "error", message, "Ruff")]
        call: Call = ("get_diagnostics", {"path": path})
        asked = stage.asks("problems", path=path)
        yield await stage.dialogue("problems", asked, [[call]], [str(3 + number), message])
    stage.rows = []
    call = ("run_tests", {})
    for _ in range(2):
        yield await stage.dialogue("tests", stage.asks("tests"), [[call]], ["passed"])
    stage.allowed = False
    yield await stage.dialogue("denied", stage.asks("denied"), [[call]], ["not"])
    stage.allowed = True


async def _talk(stage: Stage) -> AsyncIterator[Dialogue]:
    for asked in stage.every("talk"):
        yield await stage.dialogue("talk", asked, [], [])


def _defined(root: Path) -> Iterator[_Symbol]:
    """The functions, classes and methods of the project without its tests."""
    for path in sorted((root / "harbour").rglob("*.py")):
        shown = path.relative_to(root).as_posix()
        for node in ast.parse(path.read_text("utf-8")).body:
            if not isinstance(node, ast.FunctionDef | ast.ClassDef):
                continue
            yield _Symbol(node.name, shown, node.lineno)
            for inner in node.body if isinstance(node, ast.ClassDef) else []:
                if isinstance(inner, ast.FunctionDef) and not inner.name.startswith("__"):
                    yield _Symbol(f"{node.name}.{inner.name}", shown, inner.lineno)
