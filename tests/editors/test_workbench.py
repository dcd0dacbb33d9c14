"""The VS Code extension, in a real workbench driven through a browser: files, and the server.

Scenarios of the same window follow each other in it.
"""

import sys
from pathlib import Path

import pytest

from editors import broken_servers
from editors.code_server import Editor
from editors.scenarios import drive, drive_loading, drive_scripted, scripted
from quillon.engine.models import EMBEDDED
from quillon_testing.gguf_files import never_ending


@pytest.mark.parametrize("scenario", ["house", "suggest", "reviews", "large", "actions", "unsaved"])
def test_files_on_the_scripted_engine(scenario: str, editor: Editor) -> None:
    drive_scripted(editor, scenario, "files")


def test_a_model_that_takes_long_to_load(editor: Editor) -> None:
    drive_loading(editor, "loading", "files")


def test_an_untrusted_folder(editor: Editor) -> None:
    drive_scripted(editor, "trust", "trust")


def test_a_model_is_downloaded(editor: Editor) -> None:
    drive_scripted(editor, "models", "server", model=str(EMBEDDED))


def test_servers_that_do_not_serve(editor: Editor, tmp_path: Path) -> None:
    programs = broken_servers.programs(tmp_path / "programs")
    drive(editor, "broken", "server", {}, programs=str(programs), python=sys.executable)


def test_the_server_is_installed_and_found(editor: Editor, tmp_path: Path) -> None:
    wheel = broken_servers.wheel(tmp_path, sys.executable)
    programs = broken_servers.programs(tmp_path / "programs")
    machine = {"quillon.interpreter": "", "quillon.installPackage": str(wheel)}
    settings = {**scripted(editor, "server"), **machine}
    given = {"bin": str(editor.surroundings.folder / "bin"), "programs": str(programs)}
    drive(editor, "install", "server", settings, **given)
    drive(editor, "environment", "server", settings, **given, python=sys.executable)


def test_on_the_embedded_model(editor: Editor, tmp_path: Path) -> None:
    endless = never_ending(tmp_path / "endless.gguf", EMBEDDED)
    # However unsure the small model is: this is about the editor.
    settings = {"quillon.inline.minConfidence": 0}
    drive(editor, "embedded", "server", settings, endless=str(endless))
