"""Model configurations: small Qwen3 models in `transformers`, and growing one in depth."""

import copy

import msgspec
import torch
from transformers import Qwen3Config, Qwen3ForCausalLM

from quillon_training.tokenizer import END_OF_TEXT, IM_END, VOCABULARY


class ModelShape(msgspec.Struct, frozen=True):
    """The dimensions of a model; widths are multiples of 256 so that K-quants fit."""

    vocabulary: int = VOCABULARY
    hidden: int = 256
    layers: int = 6
    heads: int = 4
    kv_heads: int = 2
    head_dim: int = 64
    feed_forward: int = 768
    context: int = 4096
    rope_theta: float = 100_000.0


# Two CPU cores without bf16: six layers first, doubled later. One H200: 25 minutes.
SHAPES = {
    "miniature": ModelShape(
        vocabulary=512, hidden=64, layers=2, heads=2, kv_heads=1, head_dim=32, feed_forward=128
    ),
    "cpu": ModelShape(),
    "cpu-deep": ModelShape(layers=12),
    "gpu": ModelShape(
        vocabulary=8192, hidden=512, layers=12, heads=8, kv_heads=2, feed_forward=1536
    ),
}


def build_model(shape: ModelShape, seed: int) -> Qwen3ForCausalLM:
    """A freshly initialised model; residual outputs start smaller the deeper the model."""
    torch.manual_seed(seed)
    model = Qwen3ForCausalLM(model_config(shape))
    scale = 0.02 / (2 * shape.layers) ** 0.5
    for name, parameter in model.named_parameters():
        if parameter.dim() == 2:  # noqa: PLR2004
            residual = name.endswith(("o_proj.weight", "down_proj.weight"))
            torch.nn.init.normal_(parameter, std=scale if residual else 0.02)
    return model


def model_config(shape: ModelShape) -> Qwen3Config:
    """The `transformers` configuration of a shape."""
    config = Qwen3Config(
        vocab_size=shape.vocabulary,
        hidden_size=shape.hidden,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.kv_heads,
        head_dim=shape.head_dim,
        intermediate_size=shape.feed_forward,
        max_position_embeddings=shape.context,
        rope_parameters={"rope_type": "default", "rope_theta": shape.rope_theta},
        tie_word_embeddings=True,
        use_cache=False,
        bos_token_id=END_OF_TEXT,
        eos_token_id=IM_END,
        pad_token_id=END_OF_TEXT,
    )
    config._attn_implementation = "sdpa"  # noqa: SLF001 - the constructor does not take it
    return config


def grow(
    model: Qwen3ForCausalLM, shape: ModelShape, factor: int
) -> tuple[Qwen3ForCausalLM, ModelShape]:
    """The model with its stack of layers repeated `factor` times.

    Stacking a trained shallow model saves much of a deep one's training (G_stack, Du et al. 2024,
    arXiv:2405.15319).
    """
    deep = msgspec.structs.replace(shape, layers=shape.layers * factor)
    grown = Qwen3ForCausalLM(model_config(deep))
    source, target = model.state_dict(), copy.copy(grown.state_dict())
    for name in target:
        parts = name.split(".")
        if len(parts) > 2 and parts[1] == "layers":  # noqa: PLR2004
            parts[2] = str(int(parts[2]) % shape.layers)
        target[name] = source[".".join(parts)].clone()
    grown.load_state_dict(target)
    return grown, deep


def parameter_count(model: torch.nn.Module) -> int:
    """Trainable numbers, shared ones once."""
    return sum(parameter.numel() for parameter in model.parameters())
