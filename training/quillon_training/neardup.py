"""Near-duplicates by MinHash (Broder 1997) over pairs of neighbouring lines."""

import zlib
from itertools import pairwise

import numpy as np
from datasketch import MinHash, MinHashLSH

PERMUTATIONS = 64
THRESHOLD = 0.7
_FEW_LINES = 4


class NearDuplicates:
    """Texts seen so far; says whether another is nearly equal (estimated Jaccard >= 0.7)."""

    def __init__(self) -> None:
        self._index = MinHashLSH(threshold=THRESHOLD, num_perm=PERMUTATIONS)
        self._count = 0

    def add_if_new(self, text: str) -> bool:
        """Remember `text` unless it is nearly equal to an earlier one; whether it was new."""
        signature = _signature(text)
        if self._index.query(signature):
            return False
        self._index.insert(str(self._count), signature, check_duplication=False)
        self._count += 1
        return True


def _signature(text: str) -> MinHash:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if len(lines) < _FEW_LINES:
        pairs = set(lines) or {text}
    else:
        pairs = {f"{first}\n{second}" for first, second in pairwise(lines)}
    minhash = MinHash(num_perm=PERMUTATIONS, hashfunc=_identity)
    hashes = np.fromiter((zlib.crc32(pair.encode()) for pair in pairs), np.uint64, len(pairs))
    minhash.update_batch(hashes.tolist())
    return minhash


def _identity(value: int) -> int:
    return value
