"""A hub of tool servers, and its end."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from quillon_testing.tool_servers import PATIENCE, Servers, hub_with
from quillon_tools.workspace import Workspace


@pytest.fixture
def servers(tmp_path) -> Iterator[Servers]:
    workspace = Workspace([tmp_path])
    with hub_with(PATIENCE) as hub:
        yield Servers(hub, workspace)
    workspace.close()


@pytest.fixture
def notes(tmp_path) -> Path:
    """What servers write down."""
    file = tmp_path / "notes"
    file.touch()
    return file
