"""A whole measurement: which questions, in which order, and what was found when it stops."""

from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from quillon.engine.base import Engine, EngineInfo, PromptTooLong
from quillon.eval.asking import Asker
from quillon.eval.bfcl import bfcl_questions, read_bfcl
from quillon.eval.calling import dialogue_questions
from quillon.eval.dialogues import Dialogue, read_dialogues
from quillon.eval.filling import files_for, fim_questions
from quillon.eval.mistakes import bug_dialogues
from quillon.eval.outcomes import EvalError, Outcome, Question
from quillon.eval.proving import proof_questions
from quillon.eval.requests import request_questions
from quillon.eval.scenes import scenes
from quillon.eval.speed import load_seconds, speed_questions

TASKS = ("calls", "requests", "bugs", "fim", "tests", "speed", "bfcl")
_HOLES = 500
_RUNS = 3  # of the measurement of speed


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What to measure: tasks, at most `count` questions of each, and where questions come from."""

    tasks: tuple[str, ...] = ()
    count: int | None = None
    seed: int = 7
    dialogues: Path | None = None
    packages: Path | None = None
    bfcl: Path | None = None

    def first(self, items: Sequence[Question]) -> list[Question]:
        """As many questions as are wanted."""
        return list(items[: self.count])


def chosen(names: str, *, bfcl: bool) -> tuple[str, ...]:
    """The tasks of a list of names with commas between; empty: all that have questions."""
    found = tuple(name.strip() for name in names.split(",") if name.strip())
    return found or tuple(task for task in TASKS if bfcl or task != "bfcl")


class Progress(msgspec.Struct, frozen=True):
    """How far a measurement is, in questions."""

    task: str
    asked: int
    total: int


class Run:
    """One measurement. `outcomes` and `notes` hold what was found, even where it was stopped."""

    def __init__(self, engine: Engine, plan: Plan) -> None:
        self._engine, self._plan = engine, plan
        self.outcomes: list[Outcome] = []
        self.notes: list[str] = []
        self._known: set[tuple[str, str]] = set()

    def go_on_from(self, before: Sequence[Outcome]) -> None:
        """Count what a stopped measurement found, and do not ask it again."""
        self._known = {(outcome.task, outcome.id) for outcome in before}
        new = [o for o in self.outcomes if (o.task, o.id) not in self._known]
        self.outcomes = [*before, *new]

    async def go(self, info: EngineInfo, tell: Callable[[Progress], None]) -> None:
        """Ask everything that was not asked before.

        Raises:
            EngineError: The model could not answer.
            EvalError: Questions cannot be read.
        """
        questions = await self._questions(Asker(self._engine, info), info)
        if not questions:
            raise EvalError("There is nothing to ask: no task has questions here.")
        too_long = 0
        for number, question in enumerate(questions, 1):
            if (question.task, question.id) not in self._known:
                try:
                    self.outcomes.append(await question.ask())
                except PromptTooLong:
                    too_long += 1
            tell(Progress(question.task, number, len(questions)))
        if too_long:
            self.notes.append(
                f"{too_long} questions do not fit the model's context and count for nothing."
            )

    async def load(self) -> EngineInfo:
        """Load the model, and note how long that took.

        Raises:
            EngineError: It cannot be loaded.
        """
        loaded = await load_seconds(self._engine) if "speed" in self._plan.tasks else None
        if loaded is not None:
            self.outcomes.append(loaded)
        return await self._engine.info()

    async def _questions(self, asker: Asker, info: EngineInfo) -> list[Question]:
        plan = self._plan
        found: list[Question] = []
        asked = dialogue_questions(asker, await _dialogues(plan))
        found += plan.first([question for question in asked if _wanted(question, plan)])
        if "requests" in plan.tasks:
            found += plan.first(request_questions(asker))
        if "bfcl" in plan.tasks:
            if plan.bfcl is None:
                raise EvalError("The task bfcl needs a copy of BFCL's data: name it with --bfcl.")
            found += plan.first(bfcl_questions(asker, read_bfcl(plan.bfcl)))
        if "fim" in plan.tasks:
            found += fim_questions(
                self._engine, files_for(plan.packages, plan.seed), plan.count or _HOLES, plan.seed
            )
        if "tests" in plan.tasks:
            found += plan.first(proof_questions(self._engine))
        if "speed" in plan.tasks:
            found += speed_questions(self._engine, info, _RUNS)
        return found


async def _dialogues(plan: Plan) -> list[Dialogue]:
    """The dialogues of a file, else ours; those are made only where they are asked."""
    if plan.dialogues is not None:
        return read_dialogues(plan.dialogues)
    mistakes = bug_dialogues() if "bugs" in plan.tasks else []
    return [*(await scenes() if "calls" in plan.tasks else []), *mistakes]


def _wanted(question: Question, plan: Plan) -> bool:
    return question.task in plan.tasks or (question.task == "answers" and "calls" in plan.tasks)
