"""A workbench for the scenarios of a module."""

from collections.abc import Iterator

import pytest

from editors.code_server import Editor, running
from editors.headless import temporary_surroundings


@pytest.fixture(scope="module")
def editor() -> Iterator[Editor]:
    with temporary_surroundings() as made, running(made) as found:
        yield found
