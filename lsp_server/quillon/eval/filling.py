"""The task `fim`: what ghost text would write into holes, and whether it knows when to be silent.

A suggestion is made by the product's own suggester, as if the user had asked for it; then the
same place is looked at as if the user just typed, where the confidence decides. Beside the embedded
model the suggester looks first at what the file says elsewhere: what the model would write without
that is asked, too.
"""

import random
import sysconfig
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import msgspec

from quillon.assist.inline import Suggester
from quillon.assist.inline_place import Query
from quillon.assist.inline_reason import Nothing
from quillon.context.document import snapshot_of
from quillon.engine.base import Engine
from quillon.eval.holdout import held_out_files
from quillon.eval.holes import Hole, holes
from quillon.eval.outcomes import Outcome, Question
from quillon.settings import InlineSettings
from quillon.uri import uri_of_path

_FIRST = 4  # characters, which decide whether a reader believes ghost text
_GATES = (0.2, 0.5, 0.65, 0.8, 0.9, 0.95)
_FILES = 400  # of the standard library


class Filler:
    """Fills holes with one engine."""

    def __init__(self, engine: Engine, *, echoes: bool = True) -> None:
        self._engine = engine
        self._settings = InlineSettings()
        self._suggester = Suggester(echoes=echoes)

    async def fill(self, hole: Hole, *, least: float | None = None) -> str:
        """The suggestion at a hole, empty where there is none.

        With `least`, the least confidence, it is what a user sees who did not ask for it.
        """
        snapshot = snapshot_of(
            uri_of_path(hole.path), hole.prefix + hole.suffix, language_id="python", path=hole.path
        )
        settings = self._settings
        if least is not None:
            settings = msgspec.structs.replace(settings, min_confidence=least)
        query = Query(snapshot, len(hole.prefix), invoked=least is None, roots=(hole.root,))
        answer = await self._suggester.suggest(query, self._engine, settings)
        return "" if isinstance(answer, Nothing) else answer.text


def fim_questions(
    engine: Engine, files: Sequence[tuple[Path, Path]], count: int, seed: int
) -> list[Question]:
    """Questions about `count` holes in files, which are pairs of a root and a path."""
    filler = Filler(engine)
    alone = Filler(engine, echoes=False) if engine.state().embedded else None
    return [
        Question("fim", hole.id, partial(_outcome, filler, alone, hole))
        for hole in holes(files, count, seed)
    ]


def files_for(packages: Path | None, seed: int) -> list[tuple[Path, Path]]:
    """The files to cut: held-out packages, or without any the running Python's own library.

    Raises:
        EvalError: No held-out package lies in `packages`.
    """
    if packages is not None:
        return list(held_out_files(packages))
    root = Path(sysconfig.get_paths()["stdlib"])
    found = sorted(path for path in root.glob("*.py") if path.stat().st_size > _FILES)
    random.Random(seed).shuffle(found)  # noqa: S311 - no secret
    return [(root, path) for path in found]


def _rightness(written: str, hole: Hole) -> dict[str, bool]:
    """What is right of a suggestion."""
    expected = hole.middle.rstrip()
    marks: dict[str, bool] = {}
    if hole.kind == "lines":
        marks["several lines exact"] = written.rstrip() == expected
    else:
        exact = written.partition("\n")[0].rstrip() == expected
        marks["single line exact"] = exact
        marks[f"{hole.kind} exact"] = exact
    marks["first four characters right"] = written.startswith(expected[:_FIRST])
    return marks


async def _outcome(filler: Filler, alone: Filler | None, hole: Hole) -> Outcome:
    written = await filler.fill(hole)
    expected = hole.middle.rstrip()
    head = expected[:_FIRST]
    marks = _rightness(written, hole)
    right = marks["first four characters right"]
    if alone is not None:
        guess = _rightness(await alone.fill(hole), hole)
        marks |= {f"the model alone: {name}": mark for name, mark in guess.items()}
    shown = await filler.fill(hole, least=InlineSettings().min_confidence)
    marks["ghost text shown"] = bool(shown)
    if shown:
        marks["shown: first four characters right"] = shown[: len(head)] == head
    for gate in _GATES:
        seen = await filler.fill(hole, least=gate)
        marks[f"shown at confidence {gate}"] = bool(seen)
        if seen:
            marks[f"first four right at confidence {gate}"] = right
    line = hole.prefix.rpartition("\n")[2]
    return Outcome("fim", hole.id, marks, shown=f"{line}⟦{expected}⟧\n→ {written}")
