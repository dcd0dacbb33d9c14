"""What holds for every test."""

from hypothesis import settings

# A deadline would fail tests on a busy machine; speed is measured in benchmarks.
settings.register_profile("quillon", deadline=None)
settings.load_profile("quillon")
