"""Memory and numbers that run out in training, said to a person."""

import math
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from quillon_training.errors import TrainingError

_ADVICE = (
    "Use fewer tokens per batch (--tokens), --checkpointing, a smaller --rank or a smaller model; "
    "the same command goes on from the last checkpoint."
)


@contextmanager
def out_of_memory_said() -> Iterator[None]:
    """Turn a failed allocation on a CPU or a GPU into a TrainingError with advice."""
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise TrainingError(f"Memory ran out: {_first_line(error)}", _ADVICE) from error
    except RuntimeError as error:
        # torch has no class of its own for main memory.
        if "can't allocate memory" not in str(error):
            raise
        raise TrainingError(f"Memory ran out: {_first_line(error)}", _ADVICE) from error


def require_finite(loss: float, step: int) -> None:
    """Raise a TrainingError where the loss is no number: nothing after it would be worth saving."""
    if not math.isfinite(loss):
        raise TrainingError(
            f"The loss of step {step} is {loss}",
            "Go on with a smaller --lr: the last checkpoint is from before it and stays.",
        )


def _first_line(error: BaseException) -> str:
    return (str(error) or "the system gave none").splitlines()[0]
