"""The task `tests`: holes in functions that have tests, which are run on what the model wrote.

What a model wrote is run in a temporary copy of a small project that comes with Quillon.
"""

import ast
import asyncio
import shutil
import sys
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from quillon.engine.base import Engine
from quillon.eval.filling import Filler
from quillon.eval.holes import Hole
from quillon.eval.outcomes import Outcome, Question
from quillon_tools.command import Command, Finished
from quillon_tools.processes import run
from quillon_tools.workers import Stop
from quillon_tools.workspace import Workspace

PROJECT = Path(__file__).parent / "data" / "harbour"
_SECONDS = 20.0
# Isolated from the user's own modules; the project's folder is all that is added.
_RUN = "import sys, unittest; sys.path.insert(0, '.'); unittest.main(module=None)"


def proof_questions(engine: Engine) -> list[Question]:
    """Two questions for each tested function: its last line, and its whole body."""
    filler = Filler(engine)
    return [
        Question("tests", f"{hole.id} {hole.kind}", partial(_outcome, filler, hole))
        for path in sorted((PROJECT / "harbour").rglob("*.py"))
        for hole in function_holes(path)
    ]


def function_holes(path: Path) -> Iterator[Hole]:
    """The last line and the body of each function of a file that is more than one line."""
    text = path.read_text("utf-8")
    starts = [0]
    for line in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.FunctionDef) or node.name.startswith("__"):
            continue
        body = node.body[1:] if ast.get_docstring(node) else node.body
        last = body[-1]
        end = starts[(last.end_lineno or last.lineno) - 1] + (last.end_col_offset or 0)
        if isinstance(last, ast.Return) and last.end_lineno == last.lineno:
            start = starts[last.lineno - 1] + last.col_offset
            yield Hole("whole line", PROJECT, path, text[:start], text[start:end], text[end:])
        if len(body) > 1:
            start = starts[body[0].lineno - 1] + body[0].col_offset
            yield Hole("lines", PROJECT, path, text[:start], text[start:end], text[end:])


def passes(hole: Hole, written: str) -> bool:
    """Whether the project's tests pass with `written` in a hole. Blocks; runs what is written."""
    with tempfile.TemporaryDirectory(prefix="quillon-") as folder:
        copy = Path(folder) / "harbour"
        shutil.copytree(PROJECT, copy, ignore=shutil.ignore_patterns("__pycache__"))
        target = copy / hole.path.relative_to(PROJECT)
        target.write_text(hole.prefix + written + hole.suffix, "utf-8")
        workspace = Workspace((copy,))
        command = Command(
            argv=(sys.executable, "-I", "-B", "-c", _RUN, "discover", "-s", "tests", "-t", "."),
            folder=workspace.top,
            read=lambda finished: finished.output,
            seconds=_SECONDS,
        )
        try:
            return _passed(run(command, Stop()))
        finally:
            workspace.close()


def _passed(finished: Finished) -> bool:
    return finished.code == 0 and "\nOK" in finished.output


async def _outcome(filler: Filler, hole: Hole) -> Outcome:
    written = await filler.fill(hole)
    if hole.kind == "whole line":
        written = written.split("\n")[0]
    name = "last line passes the tests" if hole.kind == "whole line" else "body passes the tests"
    right = bool(written.strip()) and await asyncio.to_thread(passes, hole, written)
    line = hole.prefix.rstrip().rpartition("\n")[2]
    shown = f"{line}\n⟦{hole.middle}⟧\n→ {written}"
    return Outcome("tests", f"{hole.id} {hole.kind}", {name: right}, shown=shown)
