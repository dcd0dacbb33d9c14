"""Compare an exported GGUF with the PyTorch model it was made from, through llama.cpp."""

import ctypes
import random
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from transformers import Qwen2ForCausalLM, Qwen3ForCausalLM

from quillon.engine.gguf import GgufError, read_header
from quillon_training.corpus import Corpus
from quillon_training.errors import ExportError

# A llama.cpp cache is F16, so even F32 weights differ in the third decimal place.
TOLERANCE = {
    "f32": 0.02,
    "f16": 0.05,
    "q8_0": 0.6,
    "q6_k": 1.5,
    "q5_k_m": 3.0,
    "q4_k_m": 5.0,
    "iq4_nl": 5.0,
}
_CALL_TAGS = ("<tool_call>",)
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

    require_tools(path)
    llama = Llama(
        str(path), n_ctx=1024, logits_all=True, verbose=False, n_threads=1, n_threads_batch=1
    )
    texts = _snippets(corpus, snippets)
    equal, total = _equal_tokens(llama, tokenizer, texts)
    largest, means, same, positions = 0.0, [], 0, 0
    for text in texts[:_TEXTS]:
        ids = tokenizer.encode(text, add_special_tokens=False).ids[:_TOKENS]
        expected = _logits(model, ids)
        llama.reset()
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


def _equal_tokens(llama: Any, tokenizer: Tokenizer, texts: list[str]) -> tuple[int, int]:
    """How many texts have the same tokens in llama.cpp, and all tokens together."""
    equal = total = 0
    for text in texts:
        ours = tokenizer.encode(text, add_special_tokens=False).ids
        theirs = llama.tokenize(text.encode(), add_bos=False, special=True)
        equal, total = equal + (ours == theirs), total + len(ours)
    return equal, total


def require_tools(path: Path) -> None:
    """Check that a model file can hold tool calls.

    Raises:
        ExportError: It is no GGUF, its vocabulary has no tags for calls, or its chat template
            shows the model no tools.
    """
    try:
        header = read_header(path)
    except (GgufError, OSError) as error:
        raise ExportError(f"{path} cannot be read: {error}", "Export it again.") from error
    missing = [tag for tag in _CALL_TAGS if tag not in header.tokens]
    if missing:
        raise ExportError(
            f"{path} cannot hold tools: its vocabulary has no {', '.join(missing)}",
            "Export with the tokenizer that `quillon_training tokenizer` made.",
        )
    if "tools" not in (header.template or ""):
        raise ExportError(
            f"{path} cannot hold tools: its chat template shows the model none",
            "Export with `quillon_training export`, which writes the template.",
        )


def verify_adapter(
    model_file: Path,
    adapter_file: Path,
    model: Qwen2ForCausalLM | Qwen3ForCausalLM,
    texts: list[list[int]],
    *,
    tolerance: float,
) -> Verification:
    """Compare logits of base and adapter in the engine with those of PyTorch, token by token.

    `model` has the adapter applied; `texts` are token ids.

    Raises:
        ExportError: They differ by more than `tolerance` anywhere.
    """
    largest, means, same, positions = 0.0, [], 0, 0
    for ids, answered in zip(texts, engine_logits(model_file, adapter_file, texts), strict=True):
        expected = _logits(model, ids)
        difference = np.abs(expected - answered[:, : expected.shape[1]])
        largest = max(largest, float(difference.max()))
        means.append(float(difference.mean()))
        same += int((expected.argmax(1) == answered.argmax(1)).sum())
        positions += len(ids)
    result = Verification(
        snippets=len(texts),
        equal_snippets=len(texts),
        tokens=positions,
        positions=positions,
        largest_difference=largest,
        mean_difference=float(np.mean(means)),
        same_choice=same / positions,
    )
    if largest > tolerance:
        raise ExportError(
            f"{adapter_file.name} does not answer like its source: {result}",
            "Export it again; the GGUF must be of the checkpoint that the adapter was made for.",
        )
    return result


def engine_logits(
    model_file: Path, adapter_file: Path | None, texts: list[list[int]]
) -> list[NDArray[np.float32]]:
    """Logits after every token of every text, `[tokens, vocabulary]`, by the product's engine."""
    import llama_cpp.llama_cpp as lib  # noqa: PLC0415 - absent where nothing is verified

    from quillon.engine.llama import Model, start_backend  # noqa: PLC0415 - loads llama.cpp
    from quillon.engine.llama_context import Context, ContextSize  # noqa: PLC0415 - the same
    from quillon.engine.scheduler import Piece  # noqa: PLC0415 - the same

    start_backend()
    loaded = Model(model_file, adapter=adapter_file)
    cells = max(512, *(len(ids) for ids in texts))
    context = Context(loaded, ContextSize(cells=cells, context=cells, sequences=1))
    found = []
    try:
        for ids in texts:
            context.trim(0, 0)
            rows = []
            for at, token in enumerate(ids):
                context.decode([Piece(0, at, [token], logits=True)])
                values = lib.llama_get_logits_ith(context.handle, -1)
                row = ctypes.cast(values, ctypes.POINTER(ctypes.c_float * loaded.vocab_size))
                rows.append(np.array(row.contents, dtype=np.float32))
            found.append(np.stack(rows))
    finally:
        context.close()
        loaded.close()
    return found


def _logits(model: Qwen2ForCausalLM | Qwen3ForCausalLM, ids: list[int]) -> NDArray[np.float32]:
    with torch.no_grad():
        answer = model(torch.tensor([ids], device=model.device))
        logits: NDArray[np.float32] = answer.logits[0].float().cpu().numpy()
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
