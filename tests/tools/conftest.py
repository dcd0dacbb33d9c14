"""Workspaces made of real files, and tools called the way the model calls them."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from quillon_tools.calls import ToolCall, ToolResult
from quillon_tools.policy import ApprovalRequest, Decision, Policy
from quillon_tools.registry import all_tools
from quillon_tools.tool import Limits, Tool
from quillon_tools.toolset import AuditEntry, Toolset
from quillon_tools.workspace import Problem, Workspace

Files = Mapping[str, str | bytes]


def write_files(root: Path, files: Files) -> None:
    """Write files below a folder; the content is dedented by nobody: it is what it is."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        raw = content if isinstance(content, bytes) else content.encode()
        path.write_bytes(raw)


class Editor:
    """Open documents and problems, as a session gives them to tools."""

    def __init__(self) -> None:
        self.documents: dict[Path, tuple[str, int]] = {}
        self.found: list[Problem] = []

    def text_of(self, path: Path) -> str | None:
        document = self.documents.get(path)
        return document[0] if document else None

    def version_of(self, path: Path) -> int | None:
        document = self.documents.get(path)
        return document[1] if document else None

    def open_paths(self) -> tuple[Path, ...]:
        return tuple(self.documents)

    def problems(self, path: Path | None) -> list[Problem]:
        return [problem for problem in self.found if path in (None, problem.path)]


class Bench:
    """One workspace with every tool. `asked` holds what the user was asked."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.editor = Editor()
        self.workspace = Workspace([root], buffers=self.editor, diagnostics=self.editor)
        self.asked: list[ApprovalRequest] = []
        self.audit: list[AuditEntry] = []
        self.answer = Decision("once")

    async def approve(self, request: ApprovalRequest) -> Decision:
        self.asked.append(request)
        return self.answer

    def toolset(self, tools: tuple[Tool, ...] = (), **limits: Any) -> Toolset:
        return Toolset(
            self.workspace,
            tools or all_tools(),
            limits=Limits(**limits),
            policy=Policy(self.approve),
            audit=self.audit.append,
        )

    async def result(self, name: str, /, **arguments: Any) -> ToolResult:
        return await self.toolset().execute(ToolCall("1", name, arguments))

    async def call(self, name: str, /, **arguments: Any) -> str:
        """The text of a call that must succeed."""
        result = await self.result(name, **arguments)
        assert result.ok, result.text
        return result.text

    async def error(self, name: str, /, **arguments: Any) -> str:
        """The text of a call that must not succeed."""
        result = await self.result(name, **arguments)
        assert not result.ok, result.text
        assert result.text.startswith("Error: ")
        return result.text.removeprefix("Error: ")


@pytest.fixture
def bench_of(tmp_path: Path) -> Iterator[Callable[..., Bench]]:
    """Makes a bench whose workspace, `ws` below the temporary folder, holds the given files."""
    made: list[Bench] = []

    def make(files: Files | None = None) -> Bench:
        root = tmp_path / "ws"
        root.mkdir(exist_ok=True)
        write_files(root, files or {})
        made.append(Bench(root))
        return made[-1]

    yield make
    for bench in made:
        bench.workspace.close()
