"""A folder and a document in it, for what actions propose."""

from pathlib import Path

import pytest

from quillon_testing.proposals import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)
