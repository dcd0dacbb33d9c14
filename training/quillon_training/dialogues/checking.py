"""Requests about problems and tests: diagnostics as an editor reports them, and real test runs."""

import re

from quillon_tools.workspace import Problem
from quillon_training.dialogues.recorder import Scene
from quillon_training.dialogues.records import Call, Dialogue
from quillon_training.dialogues.scenarios import Scenario

_PROBLEM = re.compile(
    r"^(?P<path>\S+?):(?P<line>\d+):\d+ (?P<severity>\w+): (?P<message>.*)$", re.MULTILINE
)
_FAILED = re.compile(
    r"^FAILED (?P<test>\S+) - (?P<why>.*)\n  at (?P<path>\S+?):(?P<line>\d+)", re.MULTILINE
)
_SUMMARY = re.compile(r"^(?P<counts>\d+ (?:passed|failed).*?) in [\d.]+s", re.MULTILINE)
_LONGEST = 1500
_MESSAGES = (
    ("error", '"{name}" is not defined', "Pyright"),
    ("error", "Undefined name `{name}`", "Ruff"),
    ("error", 'Import "{name}" could not be resolved', "Pyright"),
    ("error", '"{name}" is not a known attribute of "None"', "Pyright"),
    ("error", 'Argument missing for parameter "{name}"', "Pyright"),
    (
        "error",
        'Argument of type "str" cannot be assigned to parameter "{name}" of type "int"',
        "Pyright",
    ),
    ("error", 'Cannot access attribute "{name}" for class "object"', "Pyright"),
    ("error", '"(" was not closed', "Pyright"),
    ("error", "Expected expression", "Pyright"),
    ("error", 'Incompatible return value type (got "None", expected "{name}")', "mypy"),
    ("error", 'Name "{name}" is not defined', "mypy"),
    ("error", 'Module has no attribute "{name}"', "mypy"),
    ("warning", "`{name}` imported but unused", "Ruff"),
    ("warning", "Local variable `{name}` is assigned to but never used", "Ruff"),
    ("warning", 'Variable "{name}" is not accessed', "Pyright"),
    ("warning", '"{name}" is possibly unbound', "Pyright"),
    ("warning", "Line too long (104 > 100)", "Ruff"),
    ("warning", "Do not use mutable data structures for argument defaults", "Ruff"),
    ("warning", "Redefinition of unused `{name}`", "Ruff"),
    ("warning", "Function `{name}` is too complex (14 > 10)", "Ruff"),
)
_REFUSALS = (None, None, "not now", "I'll do it myself", "too slow", "no", "现在不要", "先不用")


async def problems(scene: Scene) -> Dialogue | None:
    """All that the editor reports; one time in five nothing."""
    _report(scene, scene.rng.choice((0, 1, 1, 2, 3)))
    scene.ask("diag")
    [text] = await scene.call(Call("get_diagnostics", {}))
    return _told(scene, "diag", text)


async def problems_in(scene: Scene) -> Dialogue | None:
    """What the editor reports for one file."""
    path = _report(scene, scene.rng.choice((0, 1, 1, 2)))
    scene.ask("diagin", path=path)
    [text] = await scene.call(Call("get_diagnostics", {"path": path}))
    return _told(scene, "diagin", text)


async def problem_code(scene: Scene) -> Dialogue | None:
    """The code at a file's first problem."""
    path = _report(scene, 1)
    scene.ask("diagfix", path=path)
    [text] = await scene.call(Call("get_diagnostics", {"path": path}))
    problem = _PROBLEM.search(text)
    if problem is None or not await _read_line(scene, problem["path"], int(problem["line"])):
        return None
    place = f"{problem['path']}:{problem['line']}"
    said = scene.either(
        f"The problem is at {place}: {problem['message']}", f"问题在 {place}：{problem['message']}"
    )
    return scene.answer("diagfix", said, place)


async def tests(scene: Scene) -> Dialogue | None:
    """All tests, or those of a file; what failed is named with its place."""
    if scene.rng.random() < 0.5:  # noqa: PLR2004
        scene.ask("tests")
        [text] = await scene.call(Call("run_tests", {}))
    else:
        target = _test_file(scene)
        scene.ask("testone", path=target)
        [text] = await scene.call(Call("run_tests", {"target": target}))
    return _outcome(scene, "tests", text)


async def failing_code(scene: Scene) -> Dialogue | None:
    """Run the tests, then read where the first one fails."""
    scene.ask("testfix")
    [text] = await scene.call(Call("run_tests", {}))
    failure = _FAILED.search(text)
    if failure is None:
        return _outcome(scene, "testfix", text)
    if not await _read_line(scene, failure["path"], int(failure["line"])):
        return None
    place = f"{failure['path']}:{failure['line']}"
    said = scene.either(
        f"{failure['test']} fails at {place}: {failure['why']}",
        f"{failure['test']} 在 {place} 失败：{failure['why']}",
    )
    return scene.answer("testfix", said, place)


async def denied(scene: Scene) -> Dialogue | None:
    """The user does not let the tests run: said, and not tried again."""
    scene.bench.allowed, scene.bench.refusal = False, scene.rng.choice(_REFUSALS)
    try:
        scene.ask("tests")
        await scene.call(Call("run_tests", {}))
    finally:
        scene.bench.allowed, scene.bench.refusal = True, None
    said = scene.either(
        "The tests were not run, because you did not allow it.", "测试没有运行，因为你没有允许。"
    )
    return scene.answer("denied", said, scene.either("not run", "没有运行"))


async def no_such_test(scene: Scene) -> Dialogue | None:
    """A test file that does not exist."""
    target = _test_file(scene).replace(
        "test_", scene.rng.choice(("test_old_", "test_new_", "test_my_"))
    )
    scene.ask("testone", path=target)
    [text] = await scene.call(Call("run_tests", {"target": target}))
    if not text.startswith("Error"):
        return None
    said = scene.either(f"There is no test file {target}.", f"没有测试文件 {target}。")
    return scene.answer("notest", said, target)


def _report(scene: Scene, count: int) -> str:
    """Let the editor report `count` problems, mostly of one file; its path."""
    rows, repository = [], scene.repository
    path = first = scene.path()
    for _ in range(count):
        length = len(repository.text(path).splitlines())
        severity, message, source = scene.rng.choice(_MESSAGES)
        name = scene.symbol().name.split(".")[-1]
        rows.append(
            Problem(
                repository.root / path,
                scene.rng.randint(1, length),
                scene.rng.choice((1, 5, 9, 13, 17)),
                "error" if severity == "error" else "warning",
                message.format(name=name),
                source,
            )
        )
        path = first if scene.rng.random() < 0.7 else scene.path()  # noqa: PLR2004
    scene.bench.problems.rows = rows
    return first


def _told(scene: Scene, kind: str, text: str) -> Dialogue | None:
    found = list(_PROBLEM.finditer(text))
    if not found:
        said = scene.either("No problems are reported.", "没有报告任何问题。")
        return scene.answer(kind, said, scene.either("No problems", "没有"))
    rows = [f"{row['path']}:{row['line']}: {row['message']}" for row in found]
    return scene.answer(kind, "\n".join(rows), f"{found[0]['path']}:{found[0]['line']}")


def _outcome(scene: Scene, kind: str, text: str) -> Dialogue | None:
    summary = _SUMMARY.search(text)
    if summary is None or len(text) > _LONGEST:
        return None
    counts = summary["counts"]
    failed = [f"{row['test']} ({row['path']}:{row['line']})" for row in _FAILED.finditer(text)]
    if not failed:
        said = scene.either(f"All tests pass: {counts}.", f"测试全部通过：{counts}。")
        return scene.answer(kind, said, counts)
    said = scene.either(
        f"{counts}. Failed: {', '.join(failed)}", f"{counts}。失败的有：{'、'.join(failed)}"
    )
    return scene.answer(kind, said, counts, failed[0])


async def _read_line(scene: Scene, path: str, line: int) -> bool:
    """Read the line that was named (no sum to be done); whether that worked."""
    arguments = {"path": path, "start_line": line, "end_line": line}
    [text] = await scene.call(Call("read_file", arguments))
    return len(text) < _LONGEST and not text.startswith("Error")


def _test_file(scene: Scene) -> str:
    paths = [path for path in scene.repository.paths if path.rpartition("/")[2].startswith("test_")]
    return scene.rng.choice(paths)


CHECKING: dict[str, tuple[Scenario, float]] = {
    "diag": (problems, 1.2),
    "diagin": (problems_in, 1.2),
    "diagfix": (problem_code, 1.0),
}
TESTING: dict[str, tuple[Scenario, float]] = {
    "tests": (tests, 2.5),
    "testfix": (failing_code, 1.2),
    "denied": (denied, 0.8),
    "notest": (no_such_test, 0.6),
}
