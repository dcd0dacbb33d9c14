"""GGUF files: weights, vocabulary, chat template, FIM ids, licence and model-card metadata.

Names and fields: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md. The output layer is
tied to the embedding, so no `output.weight` is written; one-dimensional weights stay in F32.
"""

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import gguf
import msgspec
import numpy as np
import torch
from numpy.typing import NDArray

from quillon_training.checkpoint import Checkpoint
from quillon_training.errors import ExportError
from quillon_training.gguf_file import written
from quillon_training.gguf_names import gguf_name
from quillon_training.model import ModelShape
from quillon_training.quantise import QUANTISED, quantise, tensor_types
from quillon_training.record import Data, write_record
from quillon_training.tokenizer import (
    CONTROL_TOKENS,
    END_OF_TEXT,
    FILE_SEP,
    FIM_MIDDLE,
    FIM_PAD,
    FIM_PREFIX,
    FIM_SUFFIX,
    IM_END,
    REPO_NAME,
    SPECIAL_TOKENS,
)

_TYPES = {
    "f32": (gguf.GGMLQuantizationType.F32, gguf.LlamaFileType.ALL_F32),
    "f16": (gguf.GGMLQuantizationType.F16, gguf.LlamaFileType.MOSTLY_F16),
    "q8_0": (gguf.GGMLQuantizationType.Q8_0, gguf.LlamaFileType.MOSTLY_Q8_0),
}
FORMATS = (*_TYPES, *QUANTISED)
_SOURCES = "SOURCES.md"


class ModelCard(msgspec.Struct, frozen=True):
    """What a model file says about itself."""

    name: str
    version: str
    description: str
    licence: str = "apache-2.0"
    author: str = "The Quillon authors"


def chat_template() -> str:
    """The chat template: ChatML with Hermes tool calls, as Qwen's instruct models have it."""
    return files("quillon_training").joinpath("data/chat_template.jinja").read_text("utf-8")


def write_model(
    path: Path,
    saved: Checkpoint,
    tokenizer: Path,
    *,
    kind: str,
    card: ModelCard,
    corpus: Path | None = None,
    averaged: bool = True,
) -> Path:
    """Write a checkpoint as one of `FORMATS`, its record beside it, and the corpus's sources.

    Raises:
        ExportError: No such format, no licence, or as `write_gguf` and `quantise`.
    """
    if kind not in FORMATS:
        raise ExportError(f"There is no format {kind}", f"Choose from {', '.join(FORMATS)}.")
    sources = _sources(corpus) if corpus else None
    weights = saved.average if averaged else saved.model
    if kind in _TYPES:
        write_gguf(path, weights, saved.shape, tokenizer, kind=kind, card=card)
        types = tensor_types(path)
    else:
        whole = path.with_suffix(".f16.gguf")
        try:
            write_gguf(whole, weights, saved.shape, tokenizer, kind="f16", card=card)
            types = quantise(whole, path, kind)
        finally:
            whole.unlink(missing_ok=True)
    if sources is not None:
        path.with_name(f"{path.name}.{_SOURCES}").write_bytes(sources)
    settings = {
        "card": msgspec.to_builtins(card),
        "kind": kind,
        "tensors": types,
        "step": saved.step,
        "tokens": saved.tokens,
        "shape": msgspec.to_builtins(saved.shape),
        "training": saved.settings,
    }
    write_record(path, card.name, settings, [Data.of("tokenizer", tokenizer)])
    return path


def _sources(corpus: Path) -> bytes:
    """The list of packages and licences that the corpus was made from."""
    for path in (corpus / _SOURCES, corpus / "train" / _SOURCES):
        if path.exists():
            return path.read_bytes()
    raise ExportError(
        f"{corpus} has no {_SOURCES}: the licences of what the model learnt from are unknown",
        "Build the corpus anew with `quillon_training corpus`.",
    )


def write_gguf(
    path: Path,
    weights: dict[str, torch.Tensor],
    shape: ModelShape,
    tokenizer: Path,
    *,
    kind: str,
    card: ModelCard,
    architecture: str = "qwen3",
) -> Path:
    """Write `weights` (names of `transformers`) as `kind`: "f32", "f16" or "q8_0".

    Raises:
        ExportError: The tokenizer and the weights do not belong together, no licence is named, or
            the disk is full.
    """
    if not card.licence.strip():
        raise ExportError("The model names no licence", "Name one, such as --licence apache-2.0.")
    vocabulary = _vocabulary(tokenizer)
    _check_vocabulary(vocabulary, shape)
    kept = {name: value for name, value in weights.items() if name != "lm_head.weight"}
    quantization, file_type = _TYPES[kind]
    with written(path, architecture) as writer:
        _add_card(writer, card, sum(value.numel() for value in kept.values()))
        _add_shape(writer, shape)
        _add_vocabulary(writer, vocabulary, shape.vocabulary)
        writer.add_file_type(file_type)
        writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
        for name, value in kept.items():
            _add_tensor(writer, gguf_name(name), value.detach().float().numpy(), quantization)
    return path


def _vocabulary(tokenizer: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(tokenizer.read_text("utf-8"))
        found["model"]["vocab"]["<|endoftext|>"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ExportError(
            f"{tokenizer} is no tokenizer of ours: {error!r}",
            "Name the file that `quillon_training tokenizer` wrote (--tokenizer).",
        ) from error
    return found


def _check_vocabulary(vocabulary: dict[str, Any], shape: ModelShape) -> None:
    tokens = vocabulary["model"]["vocab"]
    missing = [token for index, token in enumerate(SPECIAL_TOKENS) if tokens.get(token) != index]
    if missing or len(tokens) != shape.vocabulary:
        raise ExportError(
            f"The tokenizer does not match the model: {len(tokens)} tokens for {shape.vocabulary}"
            + (f", {', '.join(missing)} not in place" if missing else ""),
            "Name the tokenizer that the model was trained with (--tokenizer).",
        )


def _add_card(writer: gguf.GGUFWriter, card: ModelCard, parameters: int) -> None:
    writer.add_type(gguf.GGUFType.MODEL)
    writer.add_name(card.name)
    writer.add_version(card.version)
    writer.add_description(card.description)
    writer.add_author(card.author)
    writer.add_license(card.licence)
    writer.add_size_label(f"{parameters / 1e6:.0f}M")
    writer.add_languages(["en", "zh"])
    writer.add_tags(["code", "fill-in-the-middle", "tool-use"])


def _add_shape(writer: gguf.GGUFWriter, shape: ModelShape) -> None:
    writer.add_block_count(shape.layers)
    writer.add_context_length(shape.context)
    writer.add_embedding_length(shape.hidden)
    writer.add_feed_forward_length(shape.feed_forward)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.kv_heads)
    writer.add_key_length(shape.head_dim)
    writer.add_value_length(shape.head_dim)
    writer.add_rope_freq_base(shape.rope_theta)
    writer.add_layer_norm_rms_eps(1e-6)


def _add_vocabulary(writer: gguf.GGUFWriter, vocabulary: dict[str, Any], size: int) -> None:
    by_id = {index: token for token, index in vocabulary["model"]["vocab"].items()}
    kinds = []
    for index in range(size):
        token = by_id[index]
        if token in CONTROL_TOKENS:
            kinds.append(gguf.TokenType.CONTROL)
        else:
            kinds.append(
                gguf.TokenType.USER_DEFINED if token in SPECIAL_TOKENS else gguf.TokenType.NORMAL
            )
    merges = [
        merge if isinstance(merge, str) else " ".join(merge)
        for merge in vocabulary["model"]["merges"]
    ]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list([by_id[index] for index in range(size)])
    writer.add_token_types(kinds)
    writer.add_token_merges(merges)
    # Without a BOS id of its own llama.cpp takes 11, which is another token here.
    writer.add_bos_token_id(END_OF_TEXT)
    writer.add_add_bos_token(value=False)
    writer.add_eos_token_id(IM_END)
    writer.add_eot_token_id(IM_END)
    writer.add_pad_token_id(END_OF_TEXT)
    for key, token in (
        ("pre", FIM_PREFIX),
        ("suf", FIM_SUFFIX),
        ("mid", FIM_MIDDLE),
        ("pad", FIM_PAD),
        ("rep", REPO_NAME),
        ("sep", FILE_SEP),
    ):
        writer.add_uint32(f"tokenizer.ggml.fim_{key}_token_id", token)
    writer.add_chat_template(chat_template())


def _add_tensor(
    writer: gguf.GGUFWriter,
    name: str,
    value: NDArray[np.float32],
    quantization: gguf.GGMLQuantizationType,
) -> None:
    if value.ndim == 1 or quantization == gguf.GGMLQuantizationType.F32:
        writer.add_tensor(name, value)
    elif quantization == gguf.GGMLQuantizationType.F16:
        writer.add_tensor(name, value.astype(np.float16))
    else:
        writer.add_tensor(name, gguf.quants.quantize(value, quantization), raw_dtype=quantization)
