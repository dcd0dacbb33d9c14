"""The VS Code extension's chat, in a real workbench driven through a browser."""

from pathlib import Path

import pytest

from editors.code_server import Editor, running
from editors.headless import temporary_surroundings
from editors.scenarios import drive, drive_scripted, scripted


@pytest.mark.parametrize("scenario", ["chat", "library", "references", "windows"])
def test_on_the_scripted_engine(scenario: str, editor: Editor, tmp_path: Path):
    drive_scripted(editor, scenario, tmp_path)


def test_on_the_embedded_model(editor: Editor, tmp_path: Path):
    # However unsure the small model is: this is about the editor.
    drive(editor, "recovery", tmp_path, {"quillon.inline.minConfidence": 0})


def test_in_chinese(tmp_path: Path):
    with temporary_surroundings() as made, running(made, language="zh-cn") as editor:
        drive(editor, "chinese", tmp_path, scripted(tmp_path), QUILLON_TEST_LOCALE="zh-CN")
