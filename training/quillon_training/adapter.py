"""LoRA adapters as GGUF, in the form that llama.cpp and the engine load.

Every matrix `W` of the model that has `W.lora_a` `[rank, in]` and `W.lora_b` `[out, rank]` becomes
`W + alpha / rank * lora_b @ lora_a`.
"""

from pathlib import Path

import gguf
import msgspec
import torch

from quillon_training.errors import ExportError
from quillon_training.gguf_file import written
from quillon_training.gguf_names import gguf_name

_PREFIX = "base_model.model."
_PARTS = {".lora_A.weight": "lora_a", ".lora_B.weight": "lora_b"}


class AdapterCard(msgspec.Struct, frozen=True):
    """What an adapter says about itself; `base` is the name of the model that it is for."""

    name: str
    architecture: str
    alpha: float
    licence: str
    base: str
    description: str


def write_adapter(path: Path, state: dict[str, torch.Tensor], card: AdapterCard) -> Path:
    """Write peft's matrices (`base_model.model...lora_A.weight`) in F32.

    Raises:
        ExportError: A name is unknown to GGUF, or the disk is full.
    """
    with written(path, card.architecture) as writer:
        writer.add_type(gguf.GGUFType.ADAPTER)
        writer.add_string(gguf.Keys.Adapter.TYPE, "lora")
        writer.add_float32(gguf.Keys.Adapter.LORA_ALPHA, card.alpha)
        writer.add_name(card.name)
        writer.add_description(card.description)
        writer.add_license(card.licence)
        writer.add_base_model_count(1)
        writer.add_base_model_name(0, card.base)
        for name, value in state.items():
            writer.add_tensor(_tensor_name(name), value.detach().float().cpu().contiguous().numpy())
    return path


def _tensor_name(name: str) -> str:
    for ending, part in _PARTS.items():
        if name.startswith(_PREFIX) and name.endswith(ending):
            return f"{gguf_name(name[len(_PREFIX) : -len(ending)] + '.weight')}.{part}"
    raise ExportError(
        f"{name} is no part of a LoRA adapter that a GGUF can hold",
        "Train the adapter with `quillon_training finetune`.",
    )
