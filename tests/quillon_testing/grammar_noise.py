"""Texts of random tokens that a grammar allows."""

import random

import numpy as np

from quillon.engine.llama_sampler import _CANDIDATE, Grammar


def chance(seed):
    """A source of noise."""
    return random.Random(seed)  # noqa: S311 - the same noise each time


def _is_text(piece: bytes) -> bool:
    return piece.decode("utf-8", "ignore").encode() == piece


def generated(model, grammar, rng):
    """A text of random tokens that a grammar allows, which soon prefers what comes to an end."""
    running = Grammar(model, grammar)
    pieces = []
    ends = [token for token in range(model.vocab_size) if model.ends(token)]
    closing = [model._raw_tokens(text, special=True) for text in ('"', "}", "]", "</", "\n", ">")]
    favourites = [tokens[0] for tokens in closing if len(tokens) == 1]
    # llama.cpp lets parts of characters stand alone, which no text has: noise must not draw them.
    parts = [token for token in range(model.vocab_size) if not _is_text(model.piece(token))]
    try:
        for count in range(3000):
            candidates = np.zeros(model.vocab_size, _CANDIDATE)
            candidates["id"] = np.arange(model.vocab_size)
            running.mask(candidates)
            candidates["logit"][[*model.steering, *parts]] = -np.inf
            allowed = np.flatnonzero(np.isfinite(candidates["logit"]))
            good = [t for t in (*ends, *favourites) if t in set(allowed.tolist())]
            if good and (count > 30 or rng.random() < 0.2):
                token = int(rng.choice(good))
            else:
                token = int(rng.choice(allowed.tolist()))
            if model.ends(token):
                return b"".join(pieces).decode("utf-8")
            running.accept(token)
            pieces.append(model.piece(token))
    finally:
        running.close()
    raise AssertionError(b"".join(pieces))
