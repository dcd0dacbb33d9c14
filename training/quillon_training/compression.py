"""How well a model predicts held-out code, in bits per byte: comparable across vocabularies."""

import math
import random

import msgspec
import torch
from tokenizers import Tokenizer
from transformers import Qwen3ForCausalLM

from quillon_training.corpus import Corpus
from quillon_training.loss import weighted_cross_entropy

_WINDOW = 4000  # characters of a file


class Compression(msgspec.Struct, frozen=True):
    """`loss` is in nats per token; tokens after the first 16 of a window count."""

    files: int
    tokens: int
    loss: float
    bits_per_byte: float


_WARM = 16


@torch.no_grad()
def measure(
    model: Qwen3ForCausalLM,
    tokenizer: Tokenizer,
    corpus: Corpus,
    *,
    files: int,
    length: int,
    language: str = "python",
) -> Compression:
    """Predict windows of `length` tokens of random files, the same ones for every model."""
    rng = random.Random(11)  # noqa: S311 - no secret
    indices = [i for i, document in enumerate(corpus.documents) if document.language == language]
    total, tokens, size = 0.0, 0, 0
    chosen = rng.sample(indices, min(files, len(indices)))
    for index in chosen:
        text = corpus.text(index)
        start = text.rfind("\n", 0, rng.randrange(max(1, len(text) - _WINDOW))) + 1
        ids = tokenizer.encode(text[start : start + _WINDOW], add_special_tokens=False).ids[:length]
        if len(ids) <= _WARM + 1:
            continue
        batch = torch.tensor([ids])
        hidden = model.model(input_ids=batch[:, :-1]).last_hidden_state[0]
        weights = torch.ones(len(ids) - 1)
        weights[:_WARM] = 0
        total += weighted_cross_entropy(hidden, model.lm_head.weight, batch[0, 1:], weights).item()
        tokens += len(ids) - 1 - _WARM
        size += len(tokenizer.decode(ids[_WARM + 1 :]).encode())
    return Compression(
        files=len(chosen),
        tokens=tokens,
        loss=round(total / tokens, 4),
        bits_per_byte=round(total / math.log(2) / size, 4),
    )
