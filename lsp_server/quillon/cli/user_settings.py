"""The settings of the commands: the user's file, and over it what the command line says.

Editors send settings; in a terminal nobody does. Only the file in the user's own folder counts:
what lies in a workspace chooses no model, no program and no address, and allows nothing.
"""

import json
from pathlib import Path
from typing import Any

from quillon.cli.output import complain, fail
from quillon.folders import settings_file
from quillon.settings import Settings, layered, parse_settings

_MAX_BYTES = 1_000_000


class UserSettingsError(Exception):
    """The file cannot be used; the message is a sentence that says why and what to do."""


def user_settings(over: dict[str, Any]) -> tuple[Settings, list[str]]:
    """The settings with `over` on top, and a sentence for each value that was ignored.

    Raises:
        UserSettingsError: There is a file, and it is no JSON object. Going on without it could
            allow what it forbids.
    """
    file = settings_file()
    settings, problems = parse_settings(layered(_read(file), over))
    return settings, [f"{file}: {problem}" for problem in problems]


def chosen_settings(over: dict[str, Any], *, json: bool = False) -> Settings:
    """The settings of a command; it says what was ignored, and ends where the file is unusable."""
    try:
        settings, problems = user_settings(over)
    except UserSettingsError as error:
        fail(str(error), json=json)
    for problem in problems:
        complain(problem)
    return settings


def of_model(model: Path) -> dict[str, Any]:
    """What an option that names a model, a file or a name, puts over the settings."""
    whole = Path.cwd() / model  # a server or an engine may look for it from another folder
    # A folder may bear the name of a model.
    path = str(whole if whole.is_file() else model)
    return {"model": {"path": path}, "engine": {"kind": "local"}}


def _read(file: Path) -> dict[str, Any]:
    if not file.is_absolute() or not (file.exists() or file.is_symlink()):
        return {}  # a relative folder would be one of wherever the command is started
    advice = "Mend it or remove it."
    try:
        # A pipe would keep us waiting for ever.
        raw = file.read_bytes() if file.is_file() and file.stat().st_size <= _MAX_BYTES else None
        if raw is None:
            raise UserSettingsError(f"{file} is no file of settings. {advice}")
        value = json.loads(raw.decode("utf-8-sig"))
    except OSError as error:
        raise UserSettingsError(f"{file} cannot be read: {error.strerror}. {advice}") from error
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise UserSettingsError(f"{file} is no JSON: {error.msg} at {place}. {advice}") from error
    except (ValueError, RecursionError) as error:
        raise UserSettingsError(f"{file} is no JSON of settings in UTF-8. {advice}") from error
    if not isinstance(value, dict):
        raise UserSettingsError(f"{file} must hold a JSON object, such as {{}}. {advice}")
    return value
