"""What holds for every test."""

import signal
import sys

from hypothesis import settings

# A deadline would fail tests on a busy machine; speed is measured in benchmarks.
settings.register_profile("quillon", deadline=None)
settings.load_profile("quillon")


def pytest_configure() -> None:
    """Let a run that is told to end put its processes away, as one that is interrupted does."""
    if sys.platform != "win32":
        signal.signal(signal.SIGTERM, signal.default_int_handler)
