"""The VS Code extension, in a real workbench driven through a browser."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from editors.code_server import Editor, running
from editors.headless import Surroundings, temporary_surroundings
from editors.scripts import engine_settings

pytestmark = pytest.mark.xdist_group("editors")


@pytest.fixture
def surroundings() -> Iterator[Surroundings]:
    with temporary_surroundings() as made:
        yield made


def drive(editor: Editor, scenario: str, pictures: Path, **extra: str) -> None:
    """Run a scenario; its pictures are kept where `QUILLON_TEST_PICTURES` says."""
    kept = os.environ.get("QUILLON_TEST_PICTURES")
    folder = Path(kept) / scenario if kept else pictures
    done = editor.drive(scenario, folder, **extra)
    assert done.returncode == 0, f"{done.stdout}\n{editor.log()}"


def test_an_interpreter_without_quillon_is_a_sentence(surroundings: Surroundings, tmp_path: Path):
    bare = tmp_path / "bare"
    bare.write_text(f'#!/bin/sh\nexec "{sys.base_prefix}/bin/python3" "$@"\n', encoding="utf-8")
    bare.chmod(0o755)
    with running(surroundings, {"quillon.interpreter": str(bare)}) as editor:
        drive(editor, "broken", tmp_path / "pictures")


@pytest.mark.parametrize("scenario", ["suggest", "actions", "chat"])
def test_on_the_scripted_engine(scenario: str, surroundings: Surroundings, tmp_path: Path):
    engine = engine_settings(surroundings.folder)
    machine = {f"quillon.engine.{name}": value for name, value in engine.items()}
    with running(surroundings, machine) as editor:
        drive(editor, scenario, tmp_path / "pictures")


def test_on_the_embedded_model(surroundings: Surroundings, tmp_path: Path):
    # However unsure the small model is: this is about the editor.
    with running(surroundings, {"quillon.inline.minConfidence": 0}) as editor:
        drive(editor, "recovery", tmp_path / "pictures")


def test_in_chinese(surroundings: Surroundings, tmp_path: Path):
    engine = engine_settings(surroundings.folder)
    machine = {f"quillon.engine.{name}": value for name, value in engine.items()}
    with running(surroundings, machine, language="zh-cn") as editor:
        drive(editor, "chinese", tmp_path / "pictures", QUILLON_TEST_LOCALE="zh-CN")
