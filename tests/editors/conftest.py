"""A workbench for all scenarios."""

from collections.abc import Iterator

import pytest

from editors.code_server import Editor, running
from editors.headless import temporary_surroundings


@pytest.fixture(scope="session")
def editor() -> Iterator[Editor]:
    with temporary_surroundings() as made, running(made) as found:
        yield found
