"""How GGUF names the tensors of a Qwen2 or Qwen3 model in `transformers`."""

from quillon_training.errors import ExportError

_LAYER_NAMES = {
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
    "self_attn.q_norm": "attn_q_norm",
    "self_attn.k_norm": "attn_k_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}
_OTHERS = {
    "model.embed_tokens.weight": "token_embd.weight",
    "model.norm.weight": "output_norm.weight",
    "lm_head.weight": "output.weight",
}


def gguf_name(name: str) -> str:
    """The GGUF name of a weight or bias.

    Raises:
        ExportError: The name is none of these models'.
    """
    if name in _OTHERS:
        return _OTHERS[name]
    layer, _, rest = name.removeprefix("model.layers.").partition(".")
    module, _, kind = rest.rpartition(".")
    if module not in _LAYER_NAMES or not layer.isdigit():
        raise ExportError(f"GGUF has no name for {name}", "Only Qwen2 and Qwen3 can be written.")
    return f"blk.{layer}.{_LAYER_NAMES[module]}.{kind}"


def transformers_name(name: str) -> str:
    """The name in `transformers` of a tensor of a GGUF.

    Raises:
        ExportError: The name is none of these models'.
    """
    for ours, theirs in _OTHERS.items():
        if name == theirs:
            return ours
    _, layer, module, kind = [*name.split("."), "", "", ""][:4]
    for ours, theirs in _LAYER_NAMES.items():
        if module == theirs and layer.isdigit():
            return f"model.layers.{layer}.{ours}.{kind}"
    raise ExportError(f"{name} is no tensor of a Qwen2 or Qwen3 model", "Name another GGUF.")
