"""A scenario in a workbench, and what its engine says."""

import os
from pathlib import Path
from typing import Any

from editors.code_server import Editor
from editors.scripts import engine_settings


def drive(
    editor: Editor, scenario: str, folder: Path, machine: dict[str, Any], **extra: str
) -> None:
    """Run a scenario, whose failure is reported with a picture.

    Its pictures are kept where `QUILLON_TEST_PICTURES` says, else for a while in `folder`.
    """
    kept = os.environ.get("QUILLON_TEST_PICTURES")
    pictures = Path(kept) / scenario if kept else folder / "pictures"
    editor.configure(machine)
    done = editor.drive(scenario, pictures, **extra)
    assert done.returncode == 0, f"{done.stdout}\n{editor.log()}"


def scripted(folder: Path) -> dict[str, Any]:
    """Settings for the scripted engine; its gates are in `folder`."""
    return {f"quillon.engine.{name}": value for name, value in engine_settings(folder).items()}


def drive_scripted(editor: Editor, scenario: str, folder: Path) -> None:
    """Run a scenario on the scripted engine, whose gates it opens."""
    gates = str(folder / "gates")
    drive(editor, scenario, folder, scripted(folder), QUILLON_TEST_GATES=gates)
