"""The user's folders that Quillon writes to."""

import os
from pathlib import Path

import platformdirs

STATE_VARIABLE = "QUILLON_STATE_DIR"


def state_directory() -> Path:
    """Where conversations and audit logs are kept."""
    chosen = os.environ.get(STATE_VARIABLE)
    return Path(chosen) if chosen else platformdirs.user_state_path("quillon", appauthor=False)


def audit_directory() -> Path:
    """Where the audit logs are, a file for each conversation."""
    return state_directory() / "audit"
