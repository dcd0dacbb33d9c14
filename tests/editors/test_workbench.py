"""The VS Code extension, in a real workbench driven through a browser."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from editors import broken_servers
from editors.code_server import Editor, running
from editors.headless import temporary_surroundings
from editors.scripts import engine_settings
from quillon.engine.models import EMBEDDED


@pytest.fixture(scope="module")
def editor() -> Iterator[Editor]:
    with temporary_surroundings() as made, running(made) as found:
        yield found


def drive(
    editor: Editor, scenario: str, pictures: Path, machine: dict[str, Any], **extra: str
) -> None:
    """Run a scenario; its pictures are kept where `QUILLON_TEST_PICTURES` says."""
    kept = os.environ.get("QUILLON_TEST_PICTURES")
    folder = Path(kept) / scenario if kept else pictures
    editor.configure(machine)
    done = editor.drive(scenario, folder, **extra)
    assert done.returncode == 0, f"{done.stdout}\n{editor.log()}"


def scripted(folder: Path) -> dict[str, Any]:
    """Settings for the scripted engine; its gates are in `folder`."""
    return {f"quillon.engine.{name}": value for name, value in engine_settings(folder).items()}


@pytest.mark.parametrize(
    "scenario",
    [
        "suggest",
        "actions",
        "chat",
        "library",
        "reviews",
        "references",
        "house",
        "windows",
        "large",
        "trust",
    ],
)
def test_on_the_scripted_engine(scenario: str, editor: Editor, tmp_path: Path):
    drive(editor, scenario, tmp_path / "pictures", scripted(tmp_path))


def test_servers_that_do_not_serve(editor: Editor, tmp_path: Path):
    programs = broken_servers.programs(tmp_path / "programs")
    drive(editor, "broken", tmp_path / "pictures", {}, QUILLON_TEST_PROGRAMS=str(programs))


def test_a_model_is_downloaded(editor: Editor, tmp_path: Path):
    model = str(EMBEDDED)
    drive(editor, "models", tmp_path / "pictures", scripted(tmp_path), QUILLON_TEST_MODEL=model)


def test_the_server_is_installed(editor: Editor, tmp_path: Path):
    wheel = broken_servers.wheel(tmp_path, sys.executable)
    machine = {"quillon.interpreter": "", "quillon.installPackage": str(wheel)}
    drive(editor, "install", tmp_path / "pictures", {**scripted(tmp_path), **machine})


def test_on_the_embedded_model(editor: Editor, tmp_path: Path):
    # However unsure the small model is: this is about the editor.
    drive(editor, "recovery", tmp_path / "pictures", {"quillon.inline.minConfidence": 0})


def test_in_chinese(tmp_path: Path):
    with temporary_surroundings() as made, running(made, language="zh-cn") as editor:
        drive(
            editor,
            "chinese",
            tmp_path / "pictures",
            scripted(tmp_path),
            QUILLON_TEST_LOCALE="zh-CN",
        )
