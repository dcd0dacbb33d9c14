"""The embedded model's vocabulary, for what llama.cpp accepts under a grammar."""

import pytest

from quillon.engine.llama_sampler import Grammar
from quillon_testing.generation import embedded_model


@pytest.fixture(scope="session")
def model():
    with embedded_model() as loaded:
        yield loaded


@pytest.fixture(scope="session")
def accepts(model):
    """Whether llama.cpp accepts a text, tags as tokens, and lets the answer end behind it."""
    end = next(token for token in range(model.vocab_size) if model.ends(token))

    def check(grammar: str, text: str) -> bool:
        running = Grammar(model, grammar)
        try:
            tokens = model._raw_tokens(text, special=True)
            return running.replay(tokens) and running.allows(end)
        finally:
            running.close()

    return check
