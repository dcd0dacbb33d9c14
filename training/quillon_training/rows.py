"""An endless, resumable stream of packed rows over a corpus.

A file is divided into blocks; an epoch is a random order of all blocks, fixed by seed and epoch.
Each block gives one example. Rows of `length + 1` tokens are filled from a small pool of examples,
best fit first; plain code may be cut to fill a row, a hole never is. The whole state is the place
in the order plus the pool, so that a resumed stream goes on with the very next row.
"""

import random
from collections.abc import Iterator

import msgspec
import numpy as np
from numpy.typing import NDArray

from quillon_training.corpus import Corpus
from quillon_training.examples import Example, ExampleMaker
from quillon_training.tokenizer import FIM_PAD

_POOL = 24
_SMALLEST_REST = 24


class StreamState(msgspec.Struct):
    """Where a stream stands."""

    epoch: int = 0
    position: int = 0
    pool: list[Example] = []


class Rows:
    """Rows of ids and loss weights, both `[length + 1]`; weights are for predicting that id."""

    def __init__(
        self,
        corpus: Corpus,
        maker: ExampleMaker,
        *,
        length: int,
        characters: int,
        seed: int,
        state: StreamState | None = None,
    ) -> None:
        self._corpus = corpus
        self._maker = maker
        self._length = length
        self._characters = characters
        self._seed = seed
        self.state = state or StreamState()
        counts = [max(1, round(doc.size / characters)) for doc in corpus.documents]
        self._document = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
        first = np.concatenate([[0], np.cumsum(counts)[:-1]])
        self._block = np.arange(len(self._document)) - np.repeat(first, counts)
        self._order: tuple[int, NDArray[np.int64]] | None = None

    @property
    def blocks(self) -> int:
        """How many blocks an epoch has."""
        return len(self._document)

    def __iter__(self) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
        while True:
            yield self.next_row()

    def next_row(self) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """The next row: ids and weights."""
        ids: list[int] = []
        weights: list[float] = []
        size = self._length + 1
        while len(ids) < size:
            rest = size - len(ids)
            taken = self._take(rest)
            if taken is None:
                break
            ids += taken.ids
            weights += taken.weights
        padding = size - len(ids)
        return (
            np.array(ids + [FIM_PAD] * padding, np.int64),
            np.array(weights + [0.0] * padding, np.float32),
        )

    def _take(self, rest: int) -> Example | None:
        """The longest example of the pool that fits, or the head of a plain one that does not."""
        pool = self.state.pool
        while len(pool) < _POOL:
            example = self._next_example()
            if len(example.ids) > 1:
                pool.append(example)
        if (
            rest > self._length
        ):  # a new row starts with the oldest example, so that none waits forever
            best = 0
        else:
            fitting = [index for index, example in enumerate(pool) if len(example.ids) <= rest]
            best = max(fitting, key=lambda index: len(pool[index].ids), default=-1)
        if best >= 0 and len(pool[best].ids) <= rest:
            return pool.pop(best)
        if rest < _SMALLEST_REST:
            return None
        for index, example in enumerate(pool):
            if example.divisible:
                return self._cut(index, example, rest)
        return None

    def _cut(self, index: int, example: Example, rest: int) -> Example:
        head = Example(ids=example.ids[:rest], weights=example.weights[:rest], divisible=False)
        tail = Example(
            ids=example.ids[rest:], weights=[0.0, *example.weights[rest + 1 :]], divisible=True
        )
        if len(tail.ids) >= _SMALLEST_REST:
            self.state.pool[index] = tail
        else:
            self.state.pool.pop(index)
        return head

    def _next_example(self) -> Example:
        state = self.state
        if self._order is None or self._order[0] != state.epoch:
            generator = np.random.default_rng([self._seed, state.epoch])
            self._order = (state.epoch, generator.permutation(self.blocks))
        unit = int(self._order[1][state.position])
        rng = random.Random(f"{self._seed} {state.epoch} {unit}")  # noqa: S311 - no secret
        state.position += 1
        if state.position == self.blocks:
            state.epoch, state.position = state.epoch + 1, 0
        return self._example(int(self._document[unit]), int(self._block[unit]), rng)

    def _example(self, index: int, block: int, rng: random.Random) -> Example:
        document, text = self._corpus.documents[index], self._corpus.text(index)
        start = block * self._characters
        if block:
            start = text.find("\n", start) + 1 or len(text)
        stop = min(len(text), start + int(self._characters * rng.uniform(0.7, 1.2)))
        if stop < len(text):
            stop = max(text.rfind("\n", start, stop) + 1, start) or stop
        window = text[start:stop]
        return self._maker.make(
            window, document.package, document.path, rng, ends=stop == len(text)
        )
