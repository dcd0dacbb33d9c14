"""One generation of a suggestion: the stream is watched, and ended where it stops being useful."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import Any

from quillon.assist.inline_cache import Completed, typed_since
from quillon.assist.inline_confidence import Confidence
from quillon.assist.inline_reason import NoSuggestion, Nothing
from quillon.assist.suggestion import Surroundings
from quillon.assist.suggestion_indent import indentation_at
from quillon.assist.suggestion_trim import Cut, cut, intact
from quillon.context.document import DocumentSnapshot, snapshot_of
from quillon.context.truncation import completion_end
from quillon.engine.base import (
    DeadlineExceeded,
    Delta,
    Engine,
    EngineError,
    Finished,
    Request,
)

Outcome = Completed | Nothing | None

_CAUSES = {"below": NoSuggestion.ALREADY_THERE, "repetition": NoSuggestion.REPETITIVE}


class Flight:
    """A generation for one place of one version of a document.

    `least` is the confidence below which it is given up at once; `expected` is what was typed at
    the place since it began. Both may change while it runs.
    """

    def __init__(
        self,
        scope: tuple[str, str],
        snapshot: DocumentSnapshot,
        cursor: int,
        around: Surroundings,
        *,
        least: float,
    ) -> None:
        self.scope = scope
        self.cursor = cursor
        self.least = least
        self.expected = ""
        self.task: asyncio.Task[Outcome] | None = None
        self._snapshot = snapshot
        self._open = _without_closers(snapshot, cursor, around)
        self._around = around
        self._indentation = indentation_at(snapshot.text, cursor, around)
        self._received = ""
        self._text = ""
        self._confidence = Confidence()

    @property
    def document_text(self) -> str:
        """The text of the document that the model writes in."""
        return self._snapshot.text

    def carries(self, scope: tuple[str, str], text: str, cursor: int) -> bool:
        """Whether all that happened since it began is that what it writes was typed."""
        if self.scope != scope or self.task is None or self.task.done():
            return False
        typed = typed_since(self._snapshot.text, self.cursor, text, cursor)
        return typed is not None and _agree(self._text, typed)

    def start(self, engine: Engine, request: Callable[[], Awaitable[Request]]) -> None:
        """Begin: make the request, then ask the engine."""
        self.task = asyncio.create_task(self._run(engine, request))

    def cancel(self) -> None:
        """End the generation; who waits for it gets no outcome."""
        if self.task is not None:
            self.task.cancel()

    async def _run(self, engine: Engine, request: Callable[[], Awaitable[Request]]) -> Outcome:
        """What the model wrote; None where it is not what was typed meanwhile."""
        try:
            stream: Any = engine.generate(await request())
            async with aclosing(stream):
                async for event in stream:
                    if isinstance(event, Delta) and self._ends_with(event):
                        return self._judged()
                    if isinstance(event, Finished):
                        return self._finished(event)
        except DeadlineExceeded:
            return Nothing(NoSuggestion.TOO_SLOW)
        except EngineError as error:
            return Nothing(NoSuggestion.ENGINE_FAILED, str(error))
        return Nothing(NoSuggestion.ENGINE_FAILED)

    def _ends_with(self, delta: Delta) -> bool:
        """Take the next text; whether nothing useful can follow."""
        self._received += delta.text
        written = self._indentation.applied(_with_line_feeds(self._received))
        self._text = _continued(written, self._around.before)
        self._confidence.feed(delta.tokens)
        return (
            not _agree(self._text, self.expected)
            or self._is_unsure()
            or self._trimmed(complete=False) is not None
        )

    def _is_unsure(self) -> bool:
        return self._confidence.decided and self._confidence.first < self.least

    def _judged(self) -> Outcome:
        """The outcome of a generation that was ended before the model ended it."""
        if not _agree(self._text, self.expected):
            return None
        if self._is_unsure():
            return Nothing(NoSuggestion.UNSURE, f"({self._confidence.first:.0%} sure)")
        trimmed = self._trimmed(complete=False)
        return self._completed(trimmed or Cut(self._text, ""))

    def _finished(self, event: Finished) -> Outcome:
        text = self._text
        if event.reason == "length" and "\n" in text.strip("\n"):
            self._text = text[: text.rindex("\n")]  # the last line may be cut inside a word
        if not _agree(self._text, self.expected):
            return None
        return self._completed(self._trimmed(complete=True) or Cut(self._text, ""))

    def _trimmed(self, *, complete: bool) -> Cut | None:
        """Where the text must end before its end; None: it may go on, or stay as it is."""
        text = intact(self._text, self.document_text)
        broken = len(text) < len(self._text)
        final = complete or broken
        found = cut(text, self._around, complete=final)
        if found is not None:
            return found
        end = completion_end(self._open, self.cursor, text, final=final)
        if end is not None:
            return Cut(text[:end], "block")
        return Cut(text, "broken") if broken else None

    def _completed(self, kept: Cut) -> Completed:
        text = kept.text
        weak = self._confidence.weak_line(self.least)
        if weak is not None:
            text = "\n".join(text.split("\n")[:weak])
        text = text.rstrip()
        reason = None if text.strip() else _CAUSES.get(kept.cause, NoSuggestion.NOTHING_TO_ADD)
        return Completed(text, self._confidence.first, reason)


def _without_closers(
    snapshot: DocumentSnapshot, cursor: int, around: Surroundings
) -> DocumentSnapshot:
    """The document as if the editor had closed no brackets right of the cursor.

    The suggestion may bring them itself, and then replaces them: they do not end it.
    """
    if not around.ends_line or not around.after.strip():
        return snapshot
    text = snapshot.text[:cursor] + snapshot.text[cursor + len(around.after) :]
    return snapshot_of(snapshot.uri, text, language_id=snapshot.language_id, path=snapshot.path)


def _agree(one: str, other: str) -> bool:
    """Whether one text goes on where the other ends."""
    return one.startswith(other) or other.startswith(one)


def _continued(text: str, before: str) -> str:
    """The text without blanks at its start that stand left of the cursor already.

    Where a line begins with its indentation, a model may begin with it once more.
    """
    if not before[-1:].isspace() and before[-1:] not in ("(", "[", "{"):
        return text
    if before.strip():
        return text.lstrip(" \t")
    # As long as the text may still become the indentation, it says nothing.
    if before.startswith(text) and text:
        return ""
    return text.removeprefix(before)


def _with_line_feeds(received: str) -> str:
    # A carriage return at the end may be half of a line end: the next piece tells.
    return received.removesuffix("\r").replace("\r\n", "\n").replace("\r", "\n")
