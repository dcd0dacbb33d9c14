"""A scenario in a workbench, and what its engine says."""

import os
from pathlib import Path
from typing import Any

from editors.cache import cache_folder
from editors.code_server import Editor
from editors.scripts import engine_settings


def drive(
    editor: Editor, scenario: str, window: str, machine: dict[str, Any], **given: str
) -> None:
    """Play a scenario in a window, whose failure is reported with a picture.

    The pictures of its steps, in a light and a dark theme, stay in the editors' cache, or where
    `QUILLON_TEST_PICTURES` says.
    """
    kept = os.environ.get("QUILLON_TEST_PICTURES") or cache_folder() / "pictures"
    failure = editor.drive(scenario, window, Path(kept) / scenario, machine, **given)
    assert failure is None, f"{failure}\n{editor.log()}"


def scripted(editor: Editor, script: str, **more: str) -> dict[str, Any]:
    """Settings for the scripted engine. Windows have a script each, for a change restarts it."""
    settings = engine_settings(_script(editor, script), **more)
    return {f"quillon.engine.{name}": value for name, value in settings.items()}


def drive_scripted(editor: Editor, scenario: str, window: str, **given: str) -> None:
    """Play a scenario on the scripted engine, whose gates it opens."""
    gates = str(_script(editor, window) / "gates")
    drive(editor, scenario, window, scripted(editor, window), gates=gates, **given)


def drive_loading(editor: Editor, scenario: str, window: str) -> None:
    """Play a scenario on an engine whose model is loaded when the gate `load` opens."""
    gates = str(_script(editor, "loading") / "gates")
    drive(editor, scenario, window, scripted(editor, "loading", loadGate="load"), gates=gates)


def _script(editor: Editor, name: str) -> Path:
    folder = editor.surroundings.folder / "scripts" / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder
