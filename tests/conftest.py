"""What holds for every test."""

import signal
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from hypothesis import settings
from xdist.scheduler import LoadGroupScheduling

# Their tests share something large, a workbench or a model: one worker runs all of a group.
TOGETHER = (
    "tests/editors/test_workbench",
    "tests/editors/",
    "tests/training/",
)

# A deadline would fail tests on a busy machine; speed is measured in benchmarks.
settings.register_profile("quillon", deadline=None)
settings.load_profile("quillon")


def pytest_configure() -> None:
    """Let a run that is told to end put its processes away, as one that is interrupted does."""
    if sys.platform != "win32":
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    # A shell starts what runs in its background with Ctrl-C ignored, and children inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True, scope="session")
def _plain_pytest_in_projects() -> Iterator[None]:
    """Let the projects that tests make run their own tests without this environment's plugins.

    They need none, and to import them takes five times as long as the tests.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
        yield


@pytest.fixture
def folder_of(tmp_path):
    """Makes the folder that an editor or a command works in, of texts by their names."""

    def made(files: Mapping[str, str]) -> Path:
        path = tmp_path / "workspace"
        path.mkdir()
        for name, text in files.items():
            (path / name).write_text(text)
        return path

    return made


class ByFolder(LoadGroupScheduling):
    """Groups by their place. Marks of `xdist_group` have no effect with pytest 9.2, xdist 3.8."""

    def _split_scope(self, nodeid: str) -> str:
        return next((group for group in TOGETHER if nodeid.startswith(group)), nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> LoadGroupScheduling | None:
    """What `--dist loadgroup` means here."""
    return ByFolder(config, log) if config.getvalue("dist") == "loadgroup" else None
