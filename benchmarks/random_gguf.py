"""Writes a GGUF file of a Qwen3 shape with random weights: right speed and memory, no sense.

    python benchmarks/random_gguf.py 0.6b /tmp/random-0.6b.gguf

How fast a model runs depends on its shape and its quantisation, not on what it learned. The
vocabulary has Qwen's size and special tokens; its other tokens are the commonest words of
Python's standard library and their beginnings, so that code has about as many tokens as usual.
"""

import argparse
import sys
import sysconfig
from collections import Counter
from pathlib import Path
from re import findall

import gguf
import numpy as np

from quillon.engine.gguf import read_header
from quillon.engine.models import EMBEDDED

VOCABULARY = 151_936
SPECIAL_AT = 151_643
# In the order of Qwen's vocabulary; `<|` marks control tokens.
SPECIAL = [
    *("<|endoftext|>", "<|im_start|>", "<|im_end|>"),
    *("<|object_ref_start|>", "<|object_ref_end|>", "<|box_start|>", "<|box_end|>"),
    *("<|quad_start|>", "<|quad_end|>", "<|vision_start|>", "<|vision_end|>", "<|vision_pad|>"),
    *("<|image_pad|>", "<|video_pad|>", "<tool_call>", "</tool_call>"),
    *("<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>", "<|fim_pad|>"),
    *("<|repo_name|>", "<|file_sep|>", "<tool_response>", "</tool_response>"),
    *("<think>", "</think>"),
]

# layers, width, feed-forward width, heads, key-value heads, head width
SHAPES = {
    "nano": (4, 256, 768, 4, 2, 64),
    "0.6b": (28, 1024, 3072, 16, 8, 128),
    "1.7b": (28, 2048, 6144, 16, 8, 128),
    "4b": (36, 2560, 9728, 32, 8, 128),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("shape", choices=SHAPES)
    parser.add_argument("path", type=Path)
    options = parser.parse_args()
    write_random_gguf(options.shape, options.path)
    print(f"{options.path}: {options.path.stat().st_size / 2**20:.0f} MiB")


def write_random_gguf(shape: str, path: Path) -> None:
    layers, width, inner, heads, groups, head = SHAPES[shape]
    writer = gguf.GGUFWriter(path, "qwen3")
    writer.add_name(f"random-{shape}")
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q8_0)
    writer.add_context_length(32_768)
    writer.add_embedding_length(width)
    writer.add_block_count(layers)
    writer.add_feed_forward_length(inner)
    writer.add_head_count(heads)
    writer.add_head_count_kv(groups)
    writer.add_key_length(head)
    writer.add_value_length(head)
    writer.add_rope_freq_base(1e6)
    writer.add_layer_norm_rms_eps(1e-6)
    add_vocabulary(writer)
    weights = RandomWeights(writer)
    weights.matrix("token_embd.weight", VOCABULARY, width)
    weights.ones("output_norm.weight", width)
    for layer in range(layers):
        name = f"blk.{layer}."
        weights.ones(name + "attn_norm.weight", width)
        weights.matrix(name + "attn_q.weight", heads * head, width)
        weights.matrix(name + "attn_k.weight", groups * head, width)
        weights.matrix(name + "attn_v.weight", groups * head, width)
        weights.ones(name + "attn_q_norm.weight", head)
        weights.ones(name + "attn_k_norm.weight", head)
        weights.matrix(name + "attn_output.weight", width, heads * head)
        weights.ones(name + "ffn_norm.weight", width)
        weights.matrix(name + "ffn_gate.weight", inner, width)
        weights.matrix(name + "ffn_up.weight", inner, width)
        weights.matrix(name + "ffn_down.weight", width, inner)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


class RandomWeights:
    """Adds tensors; those of one size are the same, which no timing can tell."""

    def __init__(self, writer: gguf.GGUFWriter) -> None:
        self._writer = writer
        self._random = np.random.default_rng(0)
        self._made: dict[tuple[int, int], np.ndarray] = {}

    def matrix(self, name: str, rows: int, columns: int) -> None:
        """A Q8_0 matrix: blocks of a float16 scale and 32 signed bytes."""
        if (rows, columns) not in self._made:
            blocks = np.empty((rows, columns // 32, 34), np.uint8)
            scale = np.array([0.02 / 74], np.float16)  # 74: the deviation of uniform bytes
            blocks[:, :, :2] = scale.view(np.uint8)
            blocks[:, :, 2:] = self._random.integers(0, 256, (rows, columns // 32, 32), np.uint8)
            self._made[rows, columns] = blocks.reshape(rows, -1)
        self._writer.add_tensor(
            name, self._made[rows, columns], raw_dtype=gguf.GGMLQuantizationType.Q8_0
        )

    def ones(self, name: str, size: int) -> None:
        self._writer.add_tensor(name, np.ones(size, np.float32))


def add_vocabulary(writer: gguf.GGUFWriter) -> None:
    tokens, merges = plain_tokens()
    types = [gguf.TokenType.NORMAL] * len(tokens)
    tokens += SPECIAL
    types += [
        gguf.TokenType.CONTROL if token.startswith("<|") else gguf.TokenType.USER_DEFINED
        for token in SPECIAL
    ]
    unused = VOCABULARY - len(tokens)
    tokens += [f"[PAD{len(tokens) + number}]" for number in range(unused)]
    types += [gguf.TokenType.UNUSED] * unused
    ids = {token: number for number, token in enumerate(tokens)}
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list(tokens)
    writer.add_token_types(types)
    writer.add_token_merges(merges)
    writer.add_add_bos_token(value=False)
    writer.add_eos_token_id(ids["<|im_end|>"])
    writer.add_bos_token_id(ids["<|endoftext|>"])
    writer.add_pad_token_id(ids["<|endoftext|>"])
    template = read_header(EMBEDDED).template
    assert template is not None
    writer.add_chat_template(template)


def plain_tokens() -> tuple[list[str], list[str]]:
    """Byte-level BPE tokens and merges: bytes, then common words with all their beginnings."""
    letters = byte_letters()
    tokens = [letters[byte] for byte in range(256)]
    known = set(tokens)
    merges: list[str] = []
    for word in common_words():
        spelled = "".join(letters[byte] for byte in word.encode())
        for end in range(2, len(spelled) + 1):
            if len(tokens) == SPECIAL_AT:
                return tokens, merges
            if spelled[:end] not in known:
                known.add(spelled[:end])
                tokens.append(spelled[:end])
                merges.append(f"{spelled[: end - 1]} {spelled[end - 1]}")
    raise SystemExit("the standard library has too few words")


def common_words() -> list[str]:
    """Spaces, then the words of the standard library with the space before them."""
    words: Counter[str] = Counter()
    for path in sorted(Path(sysconfig.get_path("stdlib")).rglob("*.py")):
        words.update(findall(r" ?[A-Za-z]+|\n +", path.read_text("utf-8", "replace")))
    spaces = [" " * 32, "\n" * 8]
    numbered = (f" n{number:05}" for number in range(VOCABULARY))  # where the words do not suffice
    return [*spaces, *(word for word, _ in words.most_common()), *numbered]


def byte_letters() -> dict[int, str]:
    """The letter that stands for each byte (https://github.com/openai/gpt-2, encoder.py)."""
    shown = {*range(33, 127), *range(161, 173), *range(174, 256)}
    hidden = [byte for byte in range(256) if byte not in shown]
    letters = {byte: chr(byte) for byte in shown}
    letters |= {byte: chr(256 + number) for number, byte in enumerate(hidden)}
    return letters


if __name__ == "__main__":
    sys.exit(main())
