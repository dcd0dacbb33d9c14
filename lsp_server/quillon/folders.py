"""The user's folders: what Quillon writes, and the settings that it reads."""

import os
from pathlib import Path

import platformdirs

STATE_VARIABLE = "QUILLON_STATE_DIR"
CONFIG_VARIABLE = "QUILLON_CONFIG_DIR"


def state_directory() -> Path:
    """Where conversations and audit logs are kept."""
    chosen = os.environ.get(STATE_VARIABLE)
    return Path(chosen) if chosen else platformdirs.user_state_path("quillon", appauthor=False)


def settings_file() -> Path:
    """The user's settings for the commands; it need not exist."""
    chosen = os.environ.get(CONFIG_VARIABLE)
    folder = Path(chosen) if chosen else platformdirs.user_config_path("quillon", appauthor=False)
    return folder / "settings.json"


def audit_directory() -> Path:
    """Where the audit logs are, a file for each conversation."""
    return state_directory() / "audit"
