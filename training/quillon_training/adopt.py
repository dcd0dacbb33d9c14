"""A run that begins from a GGUF of ours: its weights and its vocabulary, without its optimisers.

Who has no checkpoint, but the model that ships, trains on from there.
"""

import re
from pathlib import Path
from typing import Any

import gguf
import msgspec
import torch
from gguf.quants import dequantize
from tokenizers import AddedToken, Tokenizer, models
from transformers import Qwen3ForCausalLM

from quillon_training.checkpoint import LATEST, Checkpoint, save_checkpoint
from quillon_training.errors import CheckpointError, ExportError, TrainingError
from quillon_training.gguf_names import transformers_name
from quillon_training.model import ModelShape, model_config
from quillon_training.optim import optimizers
from quillon_training.pretrain import PretrainSettings
from quillon_training.rows import StreamState
from quillon_training.tokenizer import SPECIAL_TOKENS, finish_tokenizer

_SEEN = re.compile(r"([\d.]+)M tokens")


def adopt(source: Path, run: Path, tokenizer: Path, *, seed: int = 1) -> int:
    """Write the first checkpoint of `run` and the file `tokenizer`; tokens seen before.

    Raises:
        CheckpointError: `source` is no GGUF that `export` wrote.
        TrainingError: `run` holds a run already.
    """
    if (run / LATEST).exists():
        raise TrainingError(
            f"{run} already holds a run", "`pretrain` on it goes on; name another folder."
        )
    try:
        reader = gguf.GGUFReader(source)
        shape = _shape(reader)
        weights = _weights(reader)
        learnt = _tokenizer(reader)
        seen = _SEEN.search(_value(reader, "general.description"))
        model = Qwen3ForCausalLM(model_config(shape))
        weights["lm_head.weight"] = weights["model.embed_tokens.weight"]
        model.load_state_dict(weights)
    except (OSError, ValueError, KeyError, IndexError, RuntimeError, ExportError) as error:
        raise CheckpointError(
            f"{source} is no model that a run can begin from: {error}",
            "Name a GGUF that `quillon_training export` wrote, such as the one that ships.",
        ) from error
    learnt.save(str(tokenizer))
    settings = PretrainSettings(seed=seed)
    tokens = int(float(seen[1]) * 1e6) if seen else 0
    fresh = optimizers(model, lr=settings.lr, weight_decay=settings.weight_decay)
    torch.manual_seed(seed)
    save_checkpoint(
        run,
        Checkpoint(
            step=0,
            tokens=tokens,
            shape=shape,
            settings=msgspec.to_builtins(settings),
            model=model.state_dict(),
            average={name: value.clone() for name, value in model.state_dict().items()},
            optimizers=[optimizer.state_dict() for optimizer in fresh],
            stream=StreamState(),
            torch_rng=torch.get_rng_state(),
        ),
    )
    return tokens


def _value(reader: gguf.GGUFReader, key: str) -> Any:
    field = reader.fields.get(key)
    if field is None:
        raise KeyError(f"it has no {key}")
    return field.contents()


def _shape(reader: gguf.GGUFReader) -> ModelShape:
    if (architecture := _value(reader, "general.architecture")) != "qwen3":
        raise ValueError(f"its architecture is {architecture}, not qwen3")
    numbers = {
        "hidden": "embedding_length",
        "layers": "block_count",
        "heads": "attention.head_count",
        "kv_heads": "attention.head_count_kv",
        "head_dim": "attention.key_length",
        "feed_forward": "feed_forward_length",
        "context": "context_length",
        "rope_theta": "rope.freq_base",
    }
    found = {name: _value(reader, f"qwen3.{key}") for name, key in numbers.items()}
    return ModelShape(vocabulary=len(_value(reader, "tokenizer.ggml.tokens")), **found)


def _weights(reader: gguf.GGUFReader) -> dict[str, torch.Tensor]:
    """By the names of `transformers`, in fp32; dimensions as torch has them."""
    return {
        transformers_name(tensor.name): torch.from_numpy(
            dequantize(tensor.data, tensor.tensor_type).copy()
        )
        for tensor in reader.tensors
    }


def _tokenizer(reader: gguf.GGUFReader) -> Tokenizer:
    tokens, merges = (_value(reader, f"tokenizer.ggml.{key}") for key in ("tokens", "merges"))
    if tuple(tokens[: len(SPECIAL_TOKENS)]) != SPECIAL_TOKENS:
        raise ValueError("its vocabulary does not begin with our special tokens")
    vocabulary = {token: index for index, token in enumerate(tokens)}
    tokenizer = Tokenizer(
        models.BPE(vocab=vocabulary, merges=[tuple(each.split(" ")) for each in merges])
    )
    tokenizer.add_special_tokens([AddedToken(token, normalized=False) for token in SPECIAL_TOKENS])
    return finish_tokenizer(tokenizer)
