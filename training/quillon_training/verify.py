"""Compare an exported GGUF with the PyTorch model it was made from, through llama.cpp."""

import random
from pathlib import Path

import msgspec
import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from transformers import Qwen3ForCausalLM

from quillon_training.corpus import Corpus
from quillon_training.errors import ExportError

# A llama.cpp cache is F16, so even F32 weights differ in the third decimal place.
TOLERANCE = {"f32": 0.02, "f16": 0.05, "q8_0": 0.6}
_SNIPPET = 1200
_TEXTS, _TOKENS = 12, 250
_AWKWARD = ' 你好，世界 — “naïve” 😀\t\r\n   \n{"name": "x"}\n<tool_call></think><|im_end|>\n'


class Verification(msgspec.Struct, frozen=True):
    """What was compared; logits are natural, differences absolute."""

    snippets: int
    equal_snippets: int
    tokens: int
    positions: int
    largest_difference: float
    mean_difference: float
    same_choice: float
    """Share of positions whose most likely token is the same."""


def verify_gguf(
    path: Path,
    model: Qwen3ForCausalLM,
    tokenizer: Tokenizer,
    corpus: Corpus,
    *,
    kind: str,
    snippets: int = 1000,
) -> Verification:
    """Tokenise `snippets` texts and compare logits on a dozen of them.

    `tokenizer` parses special tokens. Raises ExportError where tokens differ anywhere or the mean
    difference of a text's largest logit error is over the tolerance of `kind`.
    """
    from llama_cpp import Llama  # noqa: PLC0415 - absent where nothing is verified

    llama = Llama(str(path), n_ctx=1024, logits_all=True, verbose=False, n_threads=1)
    texts = _snippets(corpus, snippets)
    equal = total = 0
    for text in texts:
        ours = tokenizer.encode(text, add_special_tokens=False).ids
        theirs = llama.tokenize(text.encode(), add_bos=False, special=True)
        equal, total = equal + (ours == theirs), total + len(ours)
    largest, means, same, positions = 0.0, [], 0, 0
    for text in texts[:_TEXTS]:
        ids = tokenizer.encode(text, add_special_tokens=False).ids[:_TOKENS]
        expected = _logits(model, ids)
        llama.reset()  # type: ignore[no-untyped-call]
        llama.eval(ids)
        answered = np.array(llama.scores[: len(ids)])
        difference = np.abs(expected - answered)
        largest = max(largest, float(difference.max()))
        means.append(float(difference.mean()))
        same += int((expected.argmax(1) == answered.argmax(1)).sum())
        positions += len(ids)
    result = Verification(
        snippets=len(texts),
        equal_snippets=equal,
        tokens=total,
        positions=positions,
        largest_difference=largest,
        mean_difference=float(np.mean(means)),
        same_choice=same / positions,
    )
    if equal < len(texts) or result.largest_difference > TOLERANCE[kind]:
        raise ExportError(
            f"{path.name} does not answer like its source: {result}",
            "Export again; if it stays, llama.cpp and the tokenizer disagree: report it.",
        )
    return result


def _logits(model: Qwen3ForCausalLM, ids: list[int]) -> NDArray[np.float32]:
    with torch.no_grad():
        logits: NDArray[np.float32] = model(torch.tensor([ids])).logits[0].float().numpy()
    return logits


def _snippets(corpus: Corpus, count: int) -> list[str]:
    """Pieces of held-out files; every fifth has characters that tokenizers get wrong."""
    rng = random.Random(3)  # noqa: S311 - no secret
    texts = []
    for number in range(count):
        text = corpus.text(rng.randrange(len(corpus)))
        start = rng.randrange(max(1, len(text) - _SNIPPET))
        piece = text[start : start + _SNIPPET]
        texts.append(piece[:300] + _AWKWARD + piece[300:600] if number % 5 == 0 else piece)
    return texts
