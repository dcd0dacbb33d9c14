"""The VS Code extension's chat, in a real workbench driven through a browser.

Scenarios of the same window follow each other in it.
"""

import pytest

from editors.code_server import Editor
from editors.scenarios import drive, drive_scripted


@pytest.mark.parametrize("scenario", ["library", "references", "chat", "windows"])
def test_on_the_scripted_engine(scenario: str, editor: Editor) -> None:
    drive_scripted(editor, scenario, "chat")


def test_in_chinese(editor: Editor) -> None:
    drive(editor, "chinese", "chinese", {}, language="zh-cn")
