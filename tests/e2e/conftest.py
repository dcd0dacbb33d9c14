"""What an editor opens, where a test has no files of its own."""

import pytest


@pytest.fixture
def folder(folder_of):
    return folder_of({})
