"""Why there is no suggestion: the value that the status line shows."""

from enum import Enum

import msgspec


class NoSuggestion(Enum):
    """A reason, with the sentence that people read."""

    OFF = "Suggestions are turned off in the settings."
    LANGUAGE_OFF = "Suggestions are turned off for this language in the settings."
    NOT_OPEN = "The document is not open."
    TOO_LARGE = "The document is too large for suggestions."
    INSIDE_WORD = "The cursor is inside a word."
    PRIVATE = "The file may hold secrets, so nothing is suggested unless you ask for it."
    NO_MODEL = "No model runs."
    LOADING = "The model is still loading."
    NO_FIM = "The model cannot fill in code: its vocabulary has no fill-in-the-middle tokens."
    CHANGED = "The document has changed since a suggestion was asked for."
    SUPERSEDED = "A newer request took its place."
    TOO_SLOW = "The model did not answer in time."
    ENGINE_FAILED = "The model failed to answer."
    UNSURE = "The model was not sure enough."
    NOTHING_TO_ADD = "The model had nothing to add here."
    ALREADY_THERE = "The model only proposed what already follows."
    REPETITIVE = "The model only repeated itself."


class Nothing(msgspec.Struct, frozen=True):
    """No suggestion, why, and what else is known about it, such as the engine's own message."""

    reason: NoSuggestion
    detail: str = ""

    @property
    def sentence(self) -> str:
        """The reason in words."""
        return f"{self.reason.value} {self.detail}".rstrip()
