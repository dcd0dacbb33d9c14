r"""Training examples from texts: plain code and fill-in-the-middle in both orders, as token ids.

PSM, the product's order: `<|fim_prefix|>p<|fim_suffix|>s<|fim_middle|>m<|endoftext|>`;
SPM, llama.cpp's `--spm-infill`: `<|fim_suffix|>s<|fim_prefix|>p<|fim_middle|>m<|endoftext|>`.
Either may stand behind `<|repo_name|>name\n<|file_sep|>path\n`, Qwen2.5-Coder's repository form.
The parts are tokenised apart, as the product does, so cuts fall inside of words as they do there.
"""

import random

import msgspec
from tokenizers import Tokenizer

from quillon_training.holes import Hole, cut_hole
from quillon_training.tokenizer import (
    END_OF_TEXT,
    FILE_SEP,
    FIM_MIDDLE,
    FIM_PREFIX,
    FIM_SUFFIX,
    REPO_NAME,
)


class Mixture(msgspec.Struct, frozen=True):
    """How examples are made: shares of 1, and the loss weight of a middle's tokens."""

    fim: float = 0.6
    spm: float = 0.4
    header: float = 0.5
    no_suffix: float = 0.1
    short_suffix: float = 0.3
    middle_weight: float = 2.0


class Example(msgspec.Struct):
    """Token ids and the weight that the loss gives to predicting each of them."""

    ids: list[int]
    weights: list[float]
    divisible: bool
    """Whether it may be cut in two to fill a row (plain code, but not a hole)."""


class ExampleMaker:
    """Makes examples of at most `length` tokens."""

    def __init__(self, tokenizer: Tokenizer, mixture: Mixture, length: int) -> None:
        self._tokenizer = tokenizer
        self._mixture = mixture
        self._length = length

    def make(
        self, text: str, package: str, path: str, rng: random.Random, *, ends: bool
    ) -> Example:
        """An example from a window of a file; `ends` says that the window ends the file."""
        header = self._header(package, path) if rng.random() < self._mixture.header else []
        if rng.random() < self._mixture.fim:
            hole = cut_hole(text, rng)
            if hole is not None:
                example = self._fim(self._shortened(hole, rng), header, rng)
                if example is not None:
                    return example
        ids = header + self._encode(text) + ([END_OF_TEXT] if ends else [])
        return Example(ids=ids, weights=[0.0] + [1.0] * (len(ids) - 1), divisible=True)

    def _fim(self, hole: Hole, header: list[int], rng: random.Random) -> Example | None:
        prefix, middle, suffix = map(self._encode, (hole.prefix, hole.middle, hole.suffix))
        room = self._length - len(header) - len(middle) - 4
        if room < len(middle):
            return None
        suffix = suffix[: max(room // 3, room - len(prefix))]
        prefix = prefix[max(0, len(prefix) - (room - len(suffix))) :]
        before, after = [FIM_PREFIX, *prefix], [FIM_SUFFIX, *suffix]
        context = after + before if rng.random() < self._mixture.spm else before + after
        ids = [*header, *context, FIM_MIDDLE, *middle, END_OF_TEXT]
        answer = len(middle) + 1
        weights = [1.0] * (len(ids) - answer) + [self._mixture.middle_weight] * answer
        # Where the text stops and a sentinel comes is chance: not worth learning.
        for index, token in enumerate(ids):
            if token in (FIM_PREFIX, FIM_SUFFIX, FIM_MIDDLE):
                weights[index] = 0.0
        weights[0] = 0.0
        return Example(ids=ids, weights=weights, divisible=False)

    def _shortened(self, hole: Hole, rng: random.Random) -> Hole:
        """The hole with no suffix, or a part of it, in some of the cases: files being written."""
        chance = rng.random()
        if chance < self._mixture.no_suffix:
            keep = 0
        elif chance < self._mixture.no_suffix + self._mixture.short_suffix:
            keep = rng.randint(0, min(300, len(hole.suffix)))
        else:
            return hole
        return Hole(hole.prefix, hole.middle, hole.suffix[:keep], hole.kind)

    def _header(self, package: str, path: str) -> list[int]:
        return [REPO_NAME, *self._encode(f"{package}\n"), FILE_SEP, *self._encode(f"{path}\n")]

    def _encode(self, text: str) -> list[int]:
        ids: list[int] = self._tokenizer.encode(text, add_special_tokens=False).ids
        return ids
