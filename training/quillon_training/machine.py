"""What the machine must have before a step starts, said to a person."""

import importlib.util

import psutil

from quillon_training.errors import TrainingError

_GIB = 1 << 30


def require_modules(*names: str) -> None:
    """Raise a TrainingError that names what to install when a library is missing."""
    missing = [name for name in names if importlib.util.find_spec(name) is None]
    if missing:
        raise TrainingError(
            f"{', '.join(missing)} is not installed",
            "Install the extra: pip install '.[training]' in a clone.",
        )


def require_memory(gib: float) -> None:
    """Raise a TrainingError when less than `gib` GiB of memory are free."""
    free = psutil.virtual_memory().available / _GIB
    if free < gib:
        raise TrainingError(
            f"{free:.1f} GiB of memory are free, {gib:.1f} are needed",
            "Close other programs, or use fewer rows per batch.",
        )
