"""Byte-level BPE with Qwen2's pre-tokenizer and Qwen's special tokens.

Two differences from Qwen's own vocabulary, both for a small model: it is small, so that every
token occurs often, and no merge joins punctuation with letters, so that a name is spelled alike
wherever it stands. The finer split that forbids those merges is used in training only; text is
encoded with Qwen2's pattern, to which llama.cpp's `qwen2` pre-tokenizer is equal.
"""

import random
from collections.abc import Iterable, Iterator
from importlib.resources import files
from pathlib import Path

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from quillon_training.corpus import Corpus
from quillon_training.errors import CheckpointError

VOCABULARY = 4096
_FILE_START = 20_000  # characters
# llama-cpp-python's detokenize() drops tokens of more than 32 bytes.
MAX_TOKEN_BYTES = 32

CONTROL_TOKENS = (
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|fim_prefix|>",
    "<|fim_middle|>",
    "<|fim_suffix|>",
    "<|fim_pad|>",
    "<|repo_name|>",
    "<|file_sep|>",
)
TAG_TOKENS = (
    "<tool_call>",
    "</tool_call>",
    "<tool_response>",
    "</tool_response>",
    "<think>",
    "</think>",
)
SPECIAL_TOKENS = CONTROL_TOKENS + TAG_TOKENS
END_OF_TEXT, IM_START, IM_END, FIM_PREFIX, FIM_MIDDLE, FIM_SUFFIX, FIM_PAD, REPO_NAME, FILE_SEP = (
    range(9)
)

QWEN2_PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
# As above, but only a blank may stand before letters; Chinese text is split off from the rest.
_MERGE_PATTERN = (
    r" ?[\p{L}&&[^\p{Han}]]+|\p{Han}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def train_tokenizer(texts: Iterable[str], vocabulary: int = VOCABULARY) -> Tokenizer:
    """A tokenizer of at most `vocabulary` tokens, the special ones first."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = _byte_level(_MERGE_PATTERN)
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=list(SPECIAL_TOKENS),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        max_token_length=MAX_TOKEN_BYTES,
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return finish_tokenizer(tokenizer)


def finish_tokenizer(tokenizer: Tokenizer) -> Tokenizer:
    """Give a tokenizer with our vocabulary what text is split and joined by."""
    tokenizer.pre_tokenizer = _byte_level(QWEN2_PATTERN)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def load_tokenizer(path: Path, *, parse_special: bool = False) -> Tokenizer:
    """The tokenizer in `path`; special tokens in texts are plain text unless `parse_special`."""
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:
        raise CheckpointError(
            f"{path} is no tokenizer: {error}", "Train one with `quillon_training tokenizer`."
        ) from error
    tokenizer.encode_special_tokens = not parse_special
    return tokenizer


def chinese_text() -> str:
    """Our own Chinese sentences about programming."""
    return files("quillon_training").joinpath("data/chinese.txt").read_text(encoding="utf-8")


def sample_texts(corpus: Corpus, count: int, seed: int) -> Iterator[str]:
    """The beginnings of `count` random files, and our Chinese sentences many times over.

    Few files hold Chinese: the repetition buys a few hundred tokens of it, about one per character.
    """
    rng = random.Random(seed)  # noqa: S311 - no secret
    for index in rng.sample(range(len(corpus)), min(count, len(corpus))):
        yield corpus.text(index)[:_FILE_START]
    sentences = chinese_text().splitlines()
    for _ in range(max(1, count // 40)):
        yield from sentences


def hugging_face_folder(tokenizer: Tokenizer, folder: Path, chat_template: str) -> None:
    """Write `tokenizer.json` and its configuration so that `transformers` reads the folder."""
    from transformers import PreTrainedTokenizerFast  # noqa: PLC0415 - slow to import

    wrapped = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer,
        eos_token="<|im_end|>",  # noqa: S106 - no password
        pad_token="<|endoftext|>",  # noqa: S106 - no password
        chat_template=chat_template,
    )
    wrapped.save_pretrained(folder)


def _byte_level(pattern: str) -> pre_tokenizers.PreTokenizer:
    return pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(pattern), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
