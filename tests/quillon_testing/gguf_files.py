"""Writes small GGUF files for tests: the header that a test wants, and zeros as weights."""

import re
import struct
from pathlib import Path
from typing import Any

F32, Q8_0 = 0, 8
_FIM_PAD = 6  # in the embedded model's vocabulary

CHAT_MODEL: dict[str, Any] = {
    "general.architecture": "qwen3",
    "general.name": "test model",
    "general.file_type": 7,
    "qwen3.context_length": 2048,
    "tokenizer.ggml.model": "gpt2",
    "tokenizer.ggml.tokens": ["a", "<tool_call>", "<|fim_prefix|>", "é"],
    "tokenizer.ggml.token_type": [1, 4, 3, 1],
    "tokenizer.chat_template": "{{ messages }}<tool_call>",
}
WEIGHTS: dict[str, tuple[tuple[int, ...], int]] = {"a": ((32, 4), Q8_0), "b": ((8,), F32)}


def gguf_bytes(
    metadata: dict[str, Any] = CHAT_MODEL,
    tensors: dict[str, tuple[tuple[int, ...], int]] = WEIGHTS,
    *,
    version: int = 3,
) -> bytes:
    """A GGUF file; `tensors` maps names to dimensions and type (F32 or Q8_0)."""
    out = b"GGUF" + struct.pack("<IQQ", version, len(tensors), len(metadata))
    for key, value in metadata.items():
        out += text(key) + _value(value)
    offset = 0
    for name, (dimensions, kind) in tensors.items():
        out += text(name) + struct.pack("<I", len(dimensions))
        out += struct.pack(f"<{len(dimensions)}Q", *dimensions)
        out += struct.pack("<IQ", kind, offset)
        offset += _aligned(_size(dimensions, kind))
    return out + bytes(_aligned(len(out)) - len(out) + offset)


def trained_for(path: Path, model: Path, context: int) -> Path:
    """A copy of a model whose header says that it was trained for `context` tokens."""
    data = model.read_bytes()
    value = data.index(b".context_length") + len(b".context_length") + struct.calcsize("<I")
    path.write_bytes(data[:value] + struct.pack("<I", context) + data[value + 4 :])
    return path


def never_ending(path: Path, model: Path) -> Path:
    """A copy of the embedded model whose answers go on until something else ends them.

    The tokens that llama.cpp takes for ends get other names, in the vocabulary and the template
    alike; what is left as an end is padding, which no model is trained to say.
    """
    data = model.read_bytes()
    for end in (b"im_end", b"endoftext", b"file_sep", b"repo_name"):
        data = data.replace(b"<|" + end + b"|>", b"<|" + end[::-1] + b"|>")
    role = rb"(tokenizer\.ggml\.(?:eos|eot|fim_rep|fim_sep)_token_id\x04\0\0\0)...."
    data, changed = re.subn(role, rb"\1" + struct.pack("<I", _FIM_PAD), data, flags=re.DOTALL)
    assert changed == 4
    path.write_bytes(data)
    return path


def write_gguf(path: Path, metadata: dict[str, Any] = CHAT_MODEL, **changes: Any) -> Path:
    """Write a GGUF file whose metadata has `changes`, given with `__` for dots."""
    renamed = {key.replace("__", "."): value for key, value in changes.items()}
    merged = {k: v for k, v in {**metadata, **renamed}.items() if v is not None}
    path.write_bytes(gguf_bytes(merged))
    return path


def text(value: str) -> bytes:
    """A text as GGUF stores it."""
    data = value.encode()
    return struct.pack("<Q", len(data)) + data


def _value(value: Any) -> bytes:
    if isinstance(value, bool):
        return struct.pack("<I?", 7, value)
    if isinstance(value, int):
        return struct.pack("<II", 4, value)
    if isinstance(value, float):
        return struct.pack("<If", 6, value)
    if isinstance(value, str):
        return struct.pack("<I", 8) + text(value)
    if value and isinstance(value[0], str):
        return struct.pack("<IIQ", 9, 8, len(value)) + b"".join(map(text, value))
    return struct.pack("<IIQ", 9, 5, len(value)) + struct.pack(f"<{len(value)}i", *value)


def _size(dimensions: tuple[int, ...], kind: int) -> int:
    count = 1
    for dimension in dimensions:
        count *= dimension
    return count * 4 if kind == F32 else count // 32 * 34


def _aligned(size: int) -> int:
    return -(-size // 32) * 32


SMALL_MODEL = gguf_bytes(tensors={**WEIGHTS, "c": ((32, 8192), Q8_0)})
"""A file that is well-formed and some pieces long: 280 kB."""
