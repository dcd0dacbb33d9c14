"""Inline completion: one suggestion for the text at a cursor, or the reason why there is none.

For each document at most one generation runs, and the newest query owns it: an older one is
answered at once. A newer query takes a running generation over where it only typed what the model
writes; everything else cancels it. Finished suggestions are kept, so that typing on into one asks
the model nothing. The embedded model is asked only where the user's own files say nothing.
"""

import asyncio
from functools import partial
from typing import Any

import msgspec

from quillon.assist.echo import echo
from quillon.assist.inline_cache import Completed, SuggestionCache
from quillon.assist.inline_flight import Flight
from quillon.assist.inline_place import Place, Query, place_of
from quillon.assist.inline_reason import NoSuggestion, Nothing
from quillon.assist.suggestion import Suggestion, fit
from quillon.assist.suggestion_trim import cut, intact
from quillon.context.gather import Gatherer, InlineBudget, InlineContext
from quillon.context.neighbours import is_private
from quillon.context.syntax import wants_lines
from quillon.context.tree import ANEW_BYTES
from quillon.engine.base import Engine, EngineInfo, Priority, Prompt, Request
from quillon.prompt.fim import FIM_STOP_TOKENS, ContextFile, fim_prompt
from quillon.settings import InlineSettings
from quillon.text import Span

MAX_CHARACTERS = 2_000_000
_LINE_TOKENS = 48  # the longest rest of a line
# Characters. A text of four times as many bytes may have a tree that is not settled.
_PARSED_AT_ONCE = ANEW_BYTES // 4
_DEADLINE = 10.0  # seconds; a suggestion that comes later is not looked at
_PATIENT_DEADLINE = 30.0  # where the user asked for it
# What suits the embedded model: it learnt code in rows of 256 tokens, and of what it is less sure
# of next to nothing is right.
_EMBEDDED = {"min_confidence": 0.95, "prefix_tokens": 140, "suffix_tokens": 60}
# Of what files say again four of five are right from 0.6 on, and half of all from 0.2 on.
_ECHO_CONFIDENCE, _ASKED_ECHO = 0.6, 0.2
_CHARACTERS = 4  # of a token, about


class _Bar(msgspec.Struct, frozen=True):
    """How sure what the model writes, and what the user's files say, must be to be shown."""

    model: float
    files: float

    def passes(self, completed: Completed) -> bool:
        """Whether a suggestion may be shown; what the user types into is wanted."""
        least = self.files if completed.echoed else self.model
        return completed.shown or completed.confidence >= least


class Suggester:
    """Answers queries; keeps what runs and what was suggested, for all documents.

    `echoes`: beside the embedded model, the user's own files are asked first.
    """

    def __init__(self, *, echoes: bool = True) -> None:
        self._echoes = echoes
        self._cache = SuggestionCache()
        self._flights: dict[str, Flight] = {}
        # What the newest query of a document waits beside its generation: a newer one.
        self._turns: dict[str, asyncio.Future[None]] = {}
        self._waking: asyncio.Task[EngineInfo] | None = None
        # What gathers for the engine that was asked last; it remembers token counts.
        self._gatherer: tuple[Engine, str, Gatherer] | None = None

    async def suggest(
        self, query: Query, engine: Engine, settings: InlineSettings
    ) -> Suggestion | Nothing:
        """A suggestion, or why there is none; raises nothing unless it is cancelled."""
        turn = self._take_turn(query.snapshot.uri)
        suited = _suited(settings, engine)
        try:
            return await self._answer(query, engine, suited, turn, _bar(query, settings, suited))
        finally:
            if self._turns.get(query.snapshot.uri) is turn:
                del self._turns[query.snapshot.uri]

    async def _answer(
        self,
        query: Query,
        engine: Engine,
        settings: InlineSettings,
        turn: "asyncio.Future[None]",
        bar: _Bar,
    ) -> Suggestion | Nothing:
        uri = query.snapshot.uri
        place = place_of(query)
        refused = self._refused(query, place, engine, settings)
        if refused is not None:
            self._stop(uri)
            return refused
        scope = (uri, engine.state().model)
        found = self._cache.find(scope, place.text, place.cursor)
        if found is None or (found.echoed and not bar.passes(found)):
            says = self._echoes and engine.state().embedded
            found = _echoed(query, place, settings, bar) if says else None
        if found is not None:
            self._stop(uri)
            return self._presented(scope, query, place, found, bar)

        while True:
            flight = self._board(scope, place, bar.model)
            if flight.task is None:
                gatherer = self._gatherer_for(engine)
                flight.start(
                    engine,
                    partial(_request, query, place, engine.state(), gatherer, settings),
                )
            outcome = await self._wait(flight, turn)
            if isinstance(outcome, Nothing):
                return outcome
            typed = place.text[flight.cursor : place.cursor]
            if outcome is not None and (typed == "" or _left(outcome.text, typed)):
                self._cache.put(scope, flight.document_text, flight.cursor, outcome)
                left = msgspec.structs.replace(outcome, text=outcome.text[len(typed) :])
                return self._presented(scope, query, place, left, bar)
            # Something else was typed than the model wrote, or all of it: it is asked again.

    def _presented(
        self, scope: tuple[str, str], query: Query, place: Place, completed: Completed, bar: _Bar
    ) -> Suggestion | Nothing:
        """What was written as the editor is to show it at this cursor."""
        if completed.reason is not None:
            return Nothing(completed.reason)
        if not bar.passes(completed):
            return Nothing(NoSuggestion.UNSURE, f"({completed.confidence:.0%} sure)")
        fitted = fit(completed.text, place.around)
        if not fitted.text.strip() or fitted.text == place.around.after[: fitted.covers]:
            return Nothing(NoSuggestion.ALREADY_THERE)
        if not completed.shown:  # else what is typed into is kept where it began
            seen = msgspec.structs.replace(completed, shown=True)
            self._cache.put(scope, place.text, place.cursor, seen)
        span, text = Span(query.cursor, query.cursor + fitted.covers), fitted.text
        if (selected := query.selected) is not None:
            span = Span(selected.span.start, selected.span.end + fitted.covers)
            text = selected.text + text
        return Suggestion(span, text, echoed=completed.echoed)

    def _take_turn(self, uri: str) -> "asyncio.Future[None]":
        """Make this query the newest; the one before is answered at once."""
        before = self._turns.get(uri)
        if before is not None and not before.done():
            before.set_result(None)
        turn = self._turns[uri] = asyncio.get_running_loop().create_future()
        return turn

    def _board(self, scope: tuple[str, str], place: Place, least: float) -> Flight:
        """The generation that runs for the document if it serves this place, else a new one."""
        uri = place.snapshot.uri
        flight = self._flights.get(uri)
        if flight is not None and flight.carries(scope, place.text, place.cursor):
            flight.least = min(flight.least, least)
            flight.expected = place.text[flight.cursor : place.cursor]
            return flight
        self._stop(uri)
        flight = Flight(scope, place.snapshot, place.cursor, place.around, least=least)
        self._flights[uri] = flight
        return flight

    async def _wait(
        self, flight: Flight, turn: "asyncio.Future[None]"
    ) -> Completed | Nothing | None:
        """The outcome of a generation, unless a newer query takes the turn first."""
        uri = flight.scope[0]
        assert flight.task is not None  # noqa: S101 - started by the caller
        try:
            first: set[asyncio.Future[Any]] = {flight.task, turn}
            await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            if self._turns.get(uri) is turn:
                self._stop(uri)
            raise
        if turn.done() or flight.task.cancelled():
            return Nothing(NoSuggestion.SUPERSEDED)
        if self._flights.get(uri) is flight and flight.task.done():
            del self._flights[uri]
        return flight.task.result()

    def _stop(self, uri: str) -> None:
        flight = self._flights.pop(uri, None)
        if flight is not None:
            flight.cancel()

    def _gatherer_for(self, engine: Engine) -> Gatherer:
        model = engine.state().model
        if self._gatherer is None or self._gatherer[:2] != (engine, model):
            self._gatherer = (engine, model, Gatherer(engine))
        return self._gatherer[2]

    def _refused(
        self, query: Query, place: Place, engine: Engine, settings: InlineSettings
    ) -> Nothing | None:
        """Why no suggestion is even tried."""
        if not settings.enabled:
            return Nothing(NoSuggestion.OFF)
        if query.snapshot.language_id in settings.disabled_languages:
            return Nothing(NoSuggestion.LANGUAGE_OFF, f"({query.snapshot.language_id})")
        if len(place.text) > MAX_CHARACTERS:
            return Nothing(NoSuggestion.TOO_LARGE)
        if not query.invoked and place.around.inside_word:
            return Nothing(NoSuggestion.INSIDE_WORD)
        if not query.invoked and is_private(query.snapshot.path):
            return Nothing(NoSuggestion.PRIVATE)
        return self._engine_refuses(engine)

    def _engine_refuses(self, engine: Engine) -> Nothing | None:
        info = engine.state()
        if info.state == "failed":
            return Nothing(NoSuggestion.NO_MODEL, info.message)
        if info.state == "absent":
            self._wake(engine)
            return Nothing(NoSuggestion.NO_MODEL, "It is being started.")
        if info.state in ("loading", "downloading"):
            return Nothing(NoSuggestion.LOADING)
        return None if info.fim else Nothing(NoSuggestion.NO_FIM, f"({info.model})")

    def _wake(self, engine: Engine) -> None:
        """Start an engine that does not run; nobody waits for it here."""
        if self._waking is None:
            self._waking = asyncio.ensure_future(engine.info())
            self._waking.add_done_callback(self._woken)

    def _woken(self, task: "asyncio.Task[EngineInfo]") -> None:
        self._waking = None
        if not task.cancelled():
            task.exception()  # the engine's state tells what failed


async def _request(
    query: Query, place: Place, info: EngineInfo, gatherer: Gatherer, settings: InlineSettings
) -> Request:
    """The request for a place, its prompt gathered within the model's context."""
    if len(place.text) > _PARSED_AT_ONCE and not place.snapshot.is_parsed:
        await asyncio.to_thread(place.snapshot.settled)  # too long for the event loop
    several = wants_lines(place.snapshot, place.cursor)
    most = settings.max_tokens if several else min(settings.max_tokens, _LINE_TOKENS)
    budget = InlineBudget.within(info.context, most, settings.prefix_tokens, settings.suffix_tokens)
    found = await gatherer.inline(
        place.snapshot,
        place.cursor,
        budget,
        neighbours=query.neighbours,
        roots=query.roots,
    )
    return Request(
        prompt=_prompt(found),
        max_tokens=most,
        stop=() if several else ("\n",),
        stop_tokens=FIM_STOP_TOKENS,
        priority=Priority.INLINE,
        logprobs=True,
        deadline=_PATIENT_DEADLINE if query.invoked else _DEADLINE,
        cache_key=f"inline:{place.snapshot.uri}",
    )


def _prompt(found: InlineContext) -> Prompt:
    files = [ContextFile(snippet.path, snippet.text) for snippet in found.files]
    # Without a repository the short form is enough; it costs fewer tokens.
    path = found.path if found.repository is not None or files else None
    return fim_prompt(
        found.prefix, found.suffix, path=path, repository=found.repository, files=files
    )


def _echoed(query: Query, place: Place, settings: InlineSettings, bar: _Bar) -> Completed | None:
    """What the file and the other open ones say behind the same words, if that is sure enough.

    Never more than a line: what follows it is less likely to be meant.
    """
    others = [each.snapshot.text for each in query.neighbours if not is_private(each.snapshot.path)]
    text, around = place.text, place.around
    closed = len(around.after) if around.ends_line else 0
    said = echo(text[: place.cursor], text[place.cursor + closed :], others)
    if said is None or len(said.text) > settings.max_tokens * _CHARACTERS:
        return None
    whole = intact(said.text, text)
    kept = cut(whole, around, complete=True)
    left = whole if kept is None else kept.text
    found = Completed(left, said.confidence, echoed=True)
    return found if left.strip() and bar.passes(found) else None


def _bar(query: Query, chosen: InlineSettings, suited: InlineSettings) -> _Bar:
    """What a suggestion must pass: less where the user asked, else what the settings say."""
    if query.invoked:
        return _Bar(0.0, _ASKED_ECHO)
    usual = chosen.min_confidence == InlineSettings().min_confidence
    return _Bar(suited.min_confidence, _ECHO_CONFIDENCE if usual else chosen.min_confidence)


def _left(text: str, typed: str) -> bool:
    """Whether something of `text` is left when `typed` was typed of it."""
    return len(text) > len(typed) and text.startswith(typed)


def _suited(settings: InlineSettings, engine: Engine) -> InlineSettings:
    """The settings, with what suits the embedded model where nobody chose something else."""
    if not engine.state().embedded:
        return settings
    usual = InlineSettings()
    unchosen = {
        name: value
        for name, value in _EMBEDDED.items()
        if getattr(settings, name) == getattr(usual, name)
    }
    return msgspec.structs.replace(settings, **unchosen)
