"""Finished suggestions, found again while the user types into them.

A suggestion answers a later query on the same document if all that happened since is that a
part of it was typed: the text before its place and the text after it are the same, but for
brackets and quotes that the editor closed on the way. Texts are compared by hash, lengths first.
"""

from collections import OrderedDict
from collections.abc import Hashable

import msgspec

from quillon.assist.inline_reason import NoSuggestion
from quillon.assist.suggestion import CLOSERS

MAX_ENTRIES = 250
_MAX_AUTO_CLOSED = 4  # characters that an editor may have put right of the cursor


class Completed(msgspec.Struct, frozen=True):
    """What the model wrote, ready to be fitted to a line, and how sure it was.

    `reason` says why nothing of it was left, if so. `echoed`: the user's own files say it.
    `shown`: the user has seen it, and typed of it since.
    """

    text: str
    confidence: float
    reason: NoSuggestion | None = None
    echoed: bool = False
    shown: bool = False


class _Entry(msgspec.Struct, frozen=True):
    place: int
    before: int  # hash of the text before the place
    after: int  # hash of the text after it
    after_length: int
    completed: Completed


class SuggestionCache:
    """The last suggestions of each document, least recently used first out.

    `scope` of each call is what else a suggestion depends on, such as the document's address and
    the model.
    """

    def __init__(self, max_entries: int = MAX_ENTRIES) -> None:
        self._max = max_entries
        self._entries: OrderedDict[tuple[Hashable, int, int, int], _Entry] = OrderedDict()

    def put(self, scope: Hashable, text: str, place: int, completed: Completed) -> None:
        """Remember what was suggested at `place`, a code-point offset of `text`."""
        entry = _Entry(place, hash(text[:place]), hash(text[place:]), len(text) - place, completed)
        key = (scope, place, entry.before, entry.after)
        self._entries[key] = entry
        self._entries.move_to_end(key)
        while len(self._entries) > self._max:
            self._entries.popitem(last=False)

    def find(self, scope: Hashable, text: str, cursor: int) -> Completed | None:
        """What is left of a suggestion after what was typed of it; None: none fits."""
        for key, entry in reversed(self._entries.items()):
            if key[0] == scope and (left := _left_of(entry, text, cursor)) is not None:
                self._entries.move_to_end(key)
                return left
        return None

    def clear(self) -> None:
        """Forget everything."""
        self._entries.clear()


def typed_since(old: str, place: int, text: str, cursor: int) -> str | None:
    """What was typed at `place` of the text `old` to make it `text`; None: something else was done.

    What an editor closes by itself behind the cursor does not count.
    """
    closed = len(text) - cursor - (len(old) - place)
    if cursor < place or not _auto_closed(text[cursor : cursor + max(0, closed)], closed):
        return None
    if not text.startswith(old[:place]) or text[cursor + closed :] != old[place:]:
        return None
    return text[place:cursor]


def _auto_closed(added: str, length: int) -> bool:
    return 0 <= length <= _MAX_AUTO_CLOSED and all(char in CLOSERS for char in added)


def _left_of(entry: _Entry, text: str, cursor: int) -> Completed | None:
    typed = cursor - entry.place
    suggested = entry.completed.text
    # The cheap comparisons come first: an entry of another place costs no hash.
    if not 0 <= typed < max(1, len(suggested)) or text[entry.place : cursor] != suggested[:typed]:
        return None
    closed = len(text) - cursor - entry.after_length
    if not _auto_closed(text[cursor : cursor + max(0, closed)], closed):
        return None
    if hash(text[: entry.place]) != entry.before or hash(text[cursor + closed :]) != entry.after:
        return None
    shown = entry.completed.shown and typed > 0
    return msgspec.structs.replace(entry.completed, text=suggested[typed:], shown=shown)
