"""The tool that runs a project's own tests."""

# ruff: noqa: D417 - injected parameters are not the model's, so docstrings leave them out

from types import ModuleType

from quillon_tools.calls import Failed, ToolError
from quillon_tools.command import Command
from quillon_tools.confinement import ConfinedPath
from quillon_tools.index import Defined, SymbolIndex
from quillon_tools.runners import cargo, ctest, go, javascript, python
from quillon_tools.runners.project import Project, Target, parse_target
from quillon_tools.tool import Limits, tool
from quillon_tools.workers import Stop
from quillon_tools.workspace import Workspace

# By what a target's suffix says; without a target the first that fits the folder.
_BY_SUFFIX: dict[str, ModuleType] = {
    ".py": python,
    ".go": go,
    ".rs": cargo,
    **dict.fromkeys((".js", ".mjs", ".cjs", ".jsx", ".ts", ".mts", ".cts", ".tsx"), javascript),
    **dict.fromkeys((".c", ".cc", ".cpp", ".cxx"), ctest),
}
_RUNNERS: tuple[ModuleType, ...] = (cargo, go, javascript, ctest, python)


@tool(effect="run")
def run_tests(
    workspace: Workspace,
    index: SymbolIndex,
    limits: Limits,
    stop: Stop,
    target: str | None = None,
) -> Command:
    """Run tests.

    Args:
        target: File, folder or test name.
    """
    known = ctest.target_of(workspace, target.strip()) if target else None
    parsed = known or parse_target(workspace, target, lambda: _tests(index, stop))
    runner, folder = _runner(workspace, parsed)
    project = Project(workspace, folder, parsed, limits.test_seconds)
    command: Command = runner.plan(project)
    return command


def can_run_tests(workspace: Workspace) -> bool:
    """Whether a runner fits the workspace."""
    try:
        _runner(workspace, Target())
    except ToolError:
        return False
    return True


def _tests(index: SymbolIndex, stop: Stop) -> list[Defined]:
    definitions, _note = index.definitions(stop)
    return [each for each in definitions if "test" in str(each.path).lower()]


def _runner(workspace: Workspace, target: Target) -> tuple[ModuleType, ConfinedPath]:
    """The runner and the folder of its project: the nearest above the target that it knows.

    Raises:
        Failed: No runner fits.
    """
    suffix = target.path.real.suffix.lower() if target.path is not None else ""
    wanted = (_BY_SUFFIX[suffix],) if suffix in _BY_SUFFIX else _RUNNERS
    for folder in _folders(workspace, target):
        present = {entry.path.name for entry in workspace.entries(folder)}
        for runner in wanted:
            marked = not present.isdisjoint(runner.MARKERS)
            if (marked or _is_plain(runner, folder, present)) and runner.recognised(
                workspace, folder
            ):
                return runner, folder
    roots = workspace.roots if target.path is None else [_root_of(workspace, target.path)]
    for root in roots:
        if python in wanted and python.recognised(workspace, root):
            return python, root
    raise Failed(
        "no test runner fits here: looked for pytest or unittest files, a test script in "
        "package.json, go.mod, Cargo.toml and a configured CMake build"
    )


def _is_plain(runner: ModuleType, folder: ConfinedPath, present: set[str]) -> bool:
    """Whether a root without configuration is a Python project all the same."""
    tests = any(python.is_test_file(name) for name in present) or bool(present & {"tests", "test"})
    return runner is python and not folder.parts and tests


def _folders(workspace: Workspace, target: Target) -> list[ConfinedPath]:
    """The folders that may hold the project, the nearest first."""
    if target.path is None:
        roots = workspace.roots
        # A repository may hold its projects in folders of their own.
        below = [e.path for root in roots for e in workspace.visible(root) if e.is_folder]
        return [*roots, *below]
    folders = [_root_of(workspace, target.path)]
    for part in target.path.parts:
        folders.append(folders[-1].child(part))
    return [folder for folder in reversed(folders) if folder.real.is_dir()]


def _root_of(workspace: Workspace, path: ConfinedPath) -> ConfinedPath:
    return next(root for root in workspace.roots if root.root is path.root)
