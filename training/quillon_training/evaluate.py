"""Fill-in-the-middle on held-out packages: exact lines, first characters, confidence."""

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import numpy as np
from tokenizers import Tokenizer

from quillon_training.corpus import Corpus
from quillon_training.holes import Hole, cut_hole
from quillon_training.tokenizer import (
    END_OF_TEXT,
    FILE_SEP,
    FIM_MIDDLE,
    FIM_PREFIX,
    FIM_SUFFIX,
    REPO_NAME,
    SPECIAL_TOKENS,
)

ORDERS = ("psm", "spm")
# What a prompt of 512 tokens holds.
_PREFIX_CHARACTERS, _SUFFIX_CHARACTERS = 900, 400
_LONGEST_LINE = 80  # characters
_LONGEST_ANSWER = 48  # tokens
_FIRST = 4
_ONE_LINE_KINDS = ("rest of line", "whole line", "brackets")

Greedy = Callable[[list[int]], Iterator[tuple[int, float]]]
"""From prompt ids to an endless stream of the likeliest next id and its log-probability."""


class HoleCase(msgspec.Struct, frozen=True):
    """A hole of one line in a held-out file."""

    hole: Hole
    package: str
    path: str


class HoleResult(msgspec.Struct, frozen=True):
    """What was written into a hole; `confidence` is the mean log-probability of its tokens."""

    kind: str
    path: str
    before: str
    expected: str
    written: str
    confidence: float
    ended: bool

    @property
    def exact(self) -> bool:
        """Whether the written line is the expected one."""
        return self.written.rstrip() == self.expected.rstrip()

    @property
    def first_right(self) -> bool:
        """Whether the first four characters (or all of fewer) are right."""
        head = self.expected.rstrip()[:_FIRST]
        return self.written[: len(head)] == head

    @property
    def accepted(self) -> int:
        """How many characters are right before the first wrong one."""
        count = 0
        for written, expected in zip(self.written, self.expected, strict=False):
            if written != expected:
                break
            count += 1
        return count


class FimReport(msgspec.Struct, frozen=True):
    """Shares of 1 over the holes of one order; `accepted` is in characters.

    The last two are of the quarter of the holes with the highest confidence.
    """

    order: str
    holes: int
    exact: float
    exact_by_kind: dict[str, float]
    first_right: float
    accepted: float
    ended: float
    confidence_of_quarter: float
    first_right_of_quarter: float


def single_line_holes(
    corpus: Corpus, count: int, *, seed: int, language: str = "python"
) -> Iterator[HoleCase]:
    """`count` holes in random files of `language`; comments and docstrings' first lines are not."""
    rng = random.Random(seed)  # noqa: S311 - no secret
    indices = [i for i, document in enumerate(corpus.documents) if document.language == language]
    made = 0
    while made < count:
        index = rng.choice(indices)
        text = corpus.text(index)
        middle = text.rfind("\n", 0, rng.randrange(len(text))) + 1
        window = text[max(0, middle - _PREFIX_CHARACTERS) : middle + _PREFIX_CHARACTERS]
        hole = cut_hole(window, rng, rng.choice(_ONE_LINE_KINDS))
        if hole is not None and _worth_asking(hole):
            document = corpus.documents[index]
            yield HoleCase(hole, document.package, document.path)
            made += 1


def _worth_asking(hole: Hole) -> bool:
    line = (hole.prefix.rpartition("\n")[2] + hole.middle).lstrip()
    return 1 < len(hole.middle.strip()) <= _LONGEST_LINE and not line.startswith(
        ("#", '"""', "'''")
    )


def fill(greedy: Greedy, tokenizer: Tokenizer, case: HoleCase, order: str) -> HoleResult:
    """Write one line, greedily, after the repository form of a prompt in `order`."""
    written: list[int] = []
    logs: list[float] = []
    ended = False
    for token, log_probability in greedy(prompt_ids(tokenizer, case, order)):
        logs.append(log_probability)
        if token < len(SPECIAL_TOKENS):
            ended = token == END_OF_TEXT
            break
        written.append(token)
        if len(written) == _LONGEST_ANSWER or "\n" in tokenizer.decode([token]):
            break
    return HoleResult(
        kind=case.hole.kind,
        path=case.path,
        before=case.hole.prefix.rpartition("\n")[2],
        expected=case.hole.middle,
        written=tokenizer.decode(written).split("\n")[0],
        confidence=float(np.mean(logs)),
        ended=ended,
    )


def prompt_ids(tokenizer: Tokenizer, case: HoleCase, order: str) -> list[int]:
    """The token ids of a prompt; its parts are tokenised apart, as the product does."""

    def encode(text: str) -> list[int]:
        ids: list[int] = tokenizer.encode(text, add_special_tokens=False).ids
        return ids

    head = [REPO_NAME, *encode(f"{case.package}\n"), FILE_SEP, *encode(f"{case.path}\n")]
    before = [FIM_PREFIX, *encode(case.hole.prefix[-_PREFIX_CHARACTERS:])]
    after = [FIM_SUFFIX, *encode(case.hole.suffix[:_SUFFIX_CHARACTERS])]
    context = after + before if order == "spm" else before + after
    return [*head, *context, FIM_MIDDLE]


def report(order: str, results: list[HoleResult]) -> FimReport:
    """The shares over `results`."""
    exact = np.array([result.exact for result in results])
    first = np.array([result.first_right for result in results])
    kinds = np.array([result.kind for result in results])
    confidences = np.array([result.confidence for result in results])
    quarter = np.argsort(-confidences)[: max(1, len(results) // 4)]
    return FimReport(
        order=order,
        holes=len(results),
        exact=float(exact.mean()),
        exact_by_kind={str(kind): float(exact[kinds == kind].mean()) for kind in np.unique(kinds)},
        first_right=float(first.mean()),
        accepted=float(np.mean([result.accepted for result in results])),
        ended=float(np.mean([result.ended for result in results])),
        confidence_of_quarter=float(confidences[quarter[-1]]),
        first_right_of_quarter=float(first[quarter].mean()),
    )


def evaluate_fim(
    path: Path, tokenizer: Tokenizer, corpus: Corpus, *, holes: int, seed: int = 7
) -> tuple[list[FimReport], list[HoleResult]]:
    """Both orders on the same holes; the results are those of PSM, the product's order."""
    greedy = llama_greedy(path)
    cases = list(single_line_holes(corpus, holes, seed=seed))
    results = {order: [fill(greedy, tokenizer, case, order) for case in cases] for order in ORDERS}
    return [report(order, results[order]) for order in ORDERS], results[ORDERS[0]]


def llama_greedy(path: Path) -> Greedy:
    """Greedy decoding of a GGUF by llama.cpp, on one thread."""
    from llama_cpp import Llama  # noqa: PLC0415 - absent where nothing is evaluated

    llama = Llama(
        str(path), n_ctx=1024, n_threads=1, n_threads_batch=1, logits_all=True, verbose=False
    )

    def greedy(ids: list[int]) -> Iterator[tuple[int, float]]:
        llama.reset()
        llama.eval(ids)
        while True:
            scores = np.asarray(llama.scores[llama.n_tokens - 1])
            token = int(scores.argmax())
            yield token, -float(np.log(np.exp(scores - scores[token]).sum()))
            llama.eval([token])

    return greedy
