"""Checkpoints: everything a run needs to go on at the very next step, in one file."""

import logging
import os
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
    folder.mkdir(parents=True, exist_ok=True)
    values = {field: getattr(checkpoint, field) for field in checkpoint.__struct_fields__}
    values["shape"] = msgspec.to_builtins(checkpoint.shape)
    values["stream"] = msgspec.to_builtins(checkpoint.stream)
    latest, temporary = folder / LATEST, folder / f"{LATEST}.{os.getpid()}"
    torch.save(values, temporary)
    if latest.exists():
        latest.replace(folder / PREVIOUS)
    temporary.replace(latest)
    return latest


def load_checkpoint(path: Path) -> Checkpoint:
    """The checkpoint in a file, or a folder's newest one that can be read."""
    candidates = [path / LATEST, path / PREVIOUS] if path.is_dir() else [path]
    problem: Exception | None = None
    for candidate in candidates:
        if not candidate.exists():
            continue
        try:
            return _read(candidate)
        except Exception as error:  # noqa: BLE001 - torch raises many kinds for a damaged file
            problem = error
            log.warning("%s cannot be read: %s", candidate, error)
    raise CheckpointError(
        f"{path} holds no readable checkpoint" + (f": {problem}" if problem else ""),
        "Start again with `quillon_training pretrain`, or name another folder.",
    )


def _read(path: Path) -> Checkpoint:
    values = torch.load(path, map_location="cpu", weights_only=True)
    values["shape"] = msgspec.convert(values["shape"], ModelShape)
    values["stream"] = msgspec.convert(values["stream"], StreamState)
    return Checkpoint(**values)
