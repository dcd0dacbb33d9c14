"""A server of models, and downloads from it without pauses."""

import pytest

from quillon.engine.pull import events, pull
from quillon_testing.file_server import hub


@pytest.fixture
def server(monkeypatch, tmp_path):
    with hub(monkeypatch) as running:
        yield running


class Puller:
    """Pulls into a folder and keeps what was told."""

    def __init__(self, folder):
        self.folder = folder
        self.told = []

    def __call__(self, what, **more):
        return pull(what, self.folder, self.told.append, **{"pauses": (0, 0), **more})

    def of(self, kind):
        return [event for event in self.told if isinstance(event, kind)]

    def refused(self, what, **more):
        """What is said where a pull ends in an error."""
        with pytest.raises(events.PullError) as caught:
            self(what, **more)
        return str(caught.value)

    @property
    def kept(self):
        """Bytes of parts that wait for the next pull."""
        return sum(path.stat().st_size for path in self.folder.glob(".pull/*.part"))


@pytest.fixture
def puller(tmp_path):
    return Puller(tmp_path / "models")
