"""The embedded model, loaded once, and fresh contexts of it."""

import pytest

from quillon.engine.llama import Model, start_backend
from quillon.engine.models import EMBEDDED
from quillon_testing.generation import Desk


@pytest.fixture(scope="session")
def model():
    start_backend()
    loaded = Model(EMBEDDED)
    yield loaded
    loaded.close()


@pytest.fixture
def new_desk(model):
    """Makes desks of the embedded model; all end with the test."""
    desks = []

    def make(**size):
        desks.append(Desk(model, **size))
        return desks[-1]

    yield make
    for desk in desks:
        desk.close()


@pytest.fixture
def desk(new_desk):
    return new_desk()
