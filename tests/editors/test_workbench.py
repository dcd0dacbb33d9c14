"""The VS Code extension, in a real workbench driven through a browser: files, and the server."""

import sys
from pathlib import Path

import pytest

from editors import broken_servers
from editors.code_server import Editor
from editors.scenarios import drive, drive_scripted, scripted
from quillon.engine.models import EMBEDDED


@pytest.mark.parametrize("scenario", ["suggest", "actions", "reviews", "house", "large", "trust"])
def test_on_the_scripted_engine(scenario: str, editor: Editor, tmp_path: Path):
    drive_scripted(editor, scenario, tmp_path)


def test_servers_that_do_not_serve(editor: Editor, tmp_path: Path):
    programs = broken_servers.programs(tmp_path / "programs")
    drive(editor, "broken", tmp_path, {}, QUILLON_TEST_PROGRAMS=str(programs))


def test_a_model_is_downloaded(editor: Editor, tmp_path: Path):
    model = str(EMBEDDED)
    drive(editor, "models", tmp_path, scripted(tmp_path), QUILLON_TEST_MODEL=model)


def test_the_server_is_installed(editor: Editor, tmp_path: Path):
    wheel = broken_servers.wheel(tmp_path, sys.executable)
    machine = {"quillon.interpreter": "", "quillon.installPackage": str(wheel)}
    drive(editor, "install", tmp_path, {**scripted(tmp_path), **machine})
