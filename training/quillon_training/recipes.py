"""From fresh weights to a trained model in phases: one recipe for each size of machine.

`cpu` is for two cores and some ten hours; `gpu` for one H200 and 25 minutes, with text of at most
64 MiB (compressed) and a model of less than 64 MiB. The `gpu` recipe has not been run on a GPU, but
for a few steps on a CPU: its rates and numbers of steps are estimates.
"""

import logging
from pathlib import Path

import msgspec

from quillon_training.checkpoint import LATEST
from quillon_training.errors import TrainingError
from quillon_training.model import SHAPES
from quillon_training.pretrain import PretrainSettings, Run
from quillon_training.supervised import DialogueMixture

log = logging.getLogger(__name__)


class Phase(msgspec.Struct, frozen=True):
    """Settings that hold until a step."""

    until: int
    settings: PretrainSettings


class Recipe(msgspec.Struct, frozen=True):
    """The name of the shape and its phases: code alone, then code with dialogues, decaying."""

    shape: str
    phases: tuple[Phase, ...]


def _recipe(
    shape: str, steps: int, decay_steps: int, code: PretrainSettings, mixed: PretrainSettings
) -> Recipe:
    decay = msgspec.structs.replace(mixed, decay_from=steps, decay_steps=decay_steps)
    return Recipe(shape, (Phase(steps, code), Phase(steps + decay_steps, decay)))


_CHEAP = DialogueMixture(context_weight=0.1, joined=0.2, prefix_learns=0.2)
_SHORT = msgspec.structs.replace(_CHEAP, longest=420)

RECIPES = {
    "miniature": _recipe(
        "miniature",
        20,
        10,
        PretrainSettings(length=96, rows_per_batch=4, batches_per_step=1, lr=1e-2, warmup=4),
        PretrainSettings(
            length=96,
            rows_per_batch=2,
            batches_per_step=1,
            lr=1e-2,
            warmup=4,
            dialogue_batches=1,
            dialogue_tokens=400,
            dialogue_mixture=_SHORT,
        ),
    ),
    # 123M tokens of code, then 48M of code and dialogues.
    "cpu": _recipe(
        "cpu",
        15_000,
        12_000,
        PretrainSettings(),
        PretrainSettings(
            length=256,
            rows_per_batch=4,
            batches_per_step=1,
            lr=2.5e-3,
            dialogue_batches=1,
            dialogue_tokens=3000,
            dialogue_mixture=_CHEAP,
        ),
    ),
    # 0.8G tokens of code, then 0.2G of code and dialogues.
    "gpu": _recipe(
        "gpu",
        3_000,
        800,
        PretrainSettings(length=1024, rows_per_batch=32, batches_per_step=8, lr=3e-3, warmup=200),
        PretrainSettings(
            length=1024,
            rows_per_batch=32,
            batches_per_step=4,
            lr=3e-3,
            warmup=200,
            dialogue_batches=4,
            dialogue_tokens=32_768,
        ),
    ),
}


def follow(
    recipe: Recipe,
    folder: Path,
    run: Run,
    *,
    threads: int,
    minutes: float | None = None,
    at_most: int | None = None,
) -> None:
    """Train through all phases from wherever the run stands.

    Raises:
        TrainingError: It was interrupted or reached `minutes` or the step `at_most`; what it did
            is saved.
    """
    end = recipe.phases[-1].until
    for number, phase in enumerate(recipe.phases):
        if number == 0 and not (folder / LATEST).exists():
            run.start(SHAPES[recipe.shape], phase.settings)
        else:
            run.resume()
            if run.step >= phase.until:
                continue
            run.resume(phase.settings)
        until = phase.until if at_most is None else min(phase.until, at_most)
        log.info("phase %d of %d, to step %d", number + 1, len(recipe.phases), phase.until)
        run.train(threads=threads, steps=until, minutes=minutes)
        if run.step < phase.until:
            raise TrainingError(
                f"Stopped at step {run.step} of {end}; it is saved",
                "The same command goes on from there.",
            )
