"""The embedded model, loaded once, and fresh contexts of it."""

import pytest

from quillon_testing.generation import Desk, embedded_model


@pytest.fixture(scope="session")
def model():
    with embedded_model() as loaded:
        yield loaded


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
