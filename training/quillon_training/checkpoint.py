"""Checkpoints: everything a run needs to go on at the very next step, in one file."""

import logging
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import torch
from transformers import Qwen3ForCausalLM

from quillon_training.errors import CheckpointError
from quillon_training.model import ModelShape, model_config
from quillon_training.rows import StreamState

log = logging.getLogger(__name__)

LATEST, PREVIOUS = "latest.pt", "previous.pt"


class Checkpoint(msgspec.Struct):
    """The state of a run after `step` optimiser steps and `tokens` tokens seen."""

    step: int
    tokens: int
    shape: ModelShape
    settings: dict[str, Any]
    model: dict[str, torch.Tensor]
    average: dict[str, torch.Tensor]
    optimizers: list[dict[str, Any]]
    stream: StreamState
    torch_rng: torch.Tensor

    def build_model(self, *, averaged: bool = False) -> Qwen3ForCausalLM:
        """The model of this checkpoint, with its last or its averaged weights."""
        model = Qwen3ForCausalLM(model_config(self.shape))
        model.load_state_dict(self.average if averaged else self.model)
        return model


def save_checkpoint(folder: Path, checkpoint: Checkpoint) -> Path:
    """Write atomically; the checkpoint before stays as `previous.pt`."""
    values = {field: getattr(checkpoint, field) for field in checkpoint.__struct_fields__}
    values["shape"] = msgspec.to_builtins(checkpoint.shape)
    values["stream"] = msgspec.to_builtins(checkpoint.stream)
    return save_state(folder, values)


def load_checkpoint(path: Path) -> Checkpoint:
    """The checkpoint in a file, or a folder's newest one that can be read."""
    values = load_state(path)
    try:
        values["shape"] = msgspec.convert(values["shape"], ModelShape)
        values["stream"] = msgspec.convert(values["stream"], StreamState)
        return Checkpoint(**values)
    except (KeyError, TypeError, msgspec.ValidationError) as error:
        raise CheckpointError(
            f"{path} is no checkpoint of a run: {error!r}",
            "Name the folder that `pretrain`, `grow` or `finetune` of our own model wrote.",
        ) from error


def save_state(folder: Path, values: dict[str, Any]) -> Path:
    """Write any state atomically as `latest.pt`; the one before stays as `previous.pt`.

    Raises:
        CheckpointError: The disk is full, or the folder cannot be written.
    """
    latest, temporary = folder / LATEST, folder / f"{LATEST}.{os.getpid()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        torch.save(values, temporary)
        if latest.exists():
            latest.replace(folder / PREVIOUS)
        temporary.replace(latest)
    except (OSError, RuntimeError) as error:  # torch's writer raises RuntimeError for a full disk
        with suppress(OSError):
            temporary.unlink()
        raise CheckpointError(
            f"{folder} cannot be written: {error}",
            "Free some disk space; the checkpoint before is kept.",
        ) from error
    return latest


def load_state(path: Path) -> dict[str, Any]:
    """The state in a file, or a folder's newest one that can be read.

    Raises:
        CheckpointError: There is none; the message says why.
    """
    candidates = [path / LATEST, path / PREVIOUS] if path.is_dir() else [path]
    problem: Exception | None = None
    for candidate in candidates:
        if not candidate.exists():
            continue
        try:
            values: dict[str, Any] = torch.load(candidate, map_location="cpu", weights_only=True)
        except Exception as error:  # noqa: BLE001 - torch raises many kinds for a damaged file
            problem = error
            log.warning("%s cannot be read: %s", candidate, error)
        else:
            return values
    raise CheckpointError(
        f"{path} holds no readable checkpoint" + (f": {problem}" if problem else ""),
        "Start again with an empty folder, or name another one.",
    )
