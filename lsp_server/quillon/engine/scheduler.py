"""Whose work comes next: one step is one chunk of a prompt or one token of an answer.

Pure Python over a `Backend`. The waiting job of the best class takes each step, jobs of one class
take turns. A job that is passed over keeps its sequence and goes on where it stood; if a better
one needed its cells, what it lost is evaluated again first. So every job is described by its
tokens alone, and a step is: evaluate what the sequence lacks, and when nothing is missing, draw.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol

import msgspec

from quillon.engine.base import (
    DeadlineExceeded,
    EngineError,
    Event,
    Finished,
    FinishReason,
    PromptTooLong,
    Request,
    Started,
    Timings,
    Token,
    Usage,
)
from quillon.engine.sampling import Answer
from quillon.engine.sequences import Memory, Rank, SequencePool, Slot


class Piece(msgspec.Struct, frozen=True):
    """Tokens to evaluate at the end of one sequence; `logits` asks for those of the last."""

    sequence: int
    start: int
    tokens: Sequence[int]
    logits: bool


class Sampler(Protocol):
    """Draws the tokens of one answer."""

    def draw(self, output: int) -> tuple[int, float | None]:
        """The next token and its log-probability (None if not asked for).

        They come from the logits that the last `decode` made for its `output`-th piece with
        logits.

        Raises:
            ConstraintError: The grammar allows nothing.
        """
        ...

    def close(self) -> None:
        """Free what it holds."""
        ...


class Backend(Memory, Protocol):
    """The model, as the scheduler sees it.

    `context` is the number of tokens that one request may use, `cells` what all sequences may use
    together, `batch` the most tokens of one `decode`.
    """

    context: int
    cells: int
    sequences: int
    batch: int

    def decode(self, pieces: Sequence[Piece]) -> bool:
        """Evaluate the pieces; False if it was interrupted.

        After that, and after an error, the sequences may hold a part of the pieces.
        """
        ...

    def sampler(self, request: Request) -> Sampler:
        """A sampler for the request.

        Raises:
            ConstraintError: The grammar cannot be used.
        """
        ...

    def token(self, token: int, logprob: float | None) -> Token:
        """The token with its bytes."""
        ...

    def ends(self, token: int) -> bool:
        """Whether the model ends its turn with this token."""
        ...

    def is_control(self, token: int) -> bool:
        """Whether the token has no text in an answer."""
        ...

    def token_ids(self, spellings: Iterable[str]) -> frozenset[int]:
        """The ids of special tokens; spellings that the vocabulary lacks are left out."""
        ...


class Job:
    """One generation. Its `tokens` are the prompt, set before it is submitted, and what was drawn.

    `cancelled` may be set from any thread; everything else belongs to the scheduler's.
    """

    def __init__(
        self, request: Request, emit: Callable[[Event | EngineError], None], accepted: float
    ) -> None:
        self.request = request
        self.tokens: list[int] = []
        self.emit = emit
        self.accepted = accepted
        self.cancelled = False
        self.prompt_tokens = 0
        self.cached_tokens = 0
        self.rank: Rank = (request.priority, 0)
        self.slot: Slot | None = None
        self.turn = 0
        self.answer = Answer(request.stop)
        self.sampler: Sampler | None = None
        self.stop_tokens: frozenset[int] = frozenset()
        self.started: float | None = None
        self.evaluated: float | None = None
        self.first_token: float | None = None

    @property
    def is_warming(self) -> bool:
        """Whether it only fills the cache."""
        return self.request.max_tokens <= 0

    @property
    def drawn(self) -> int:
        """Tokens that were generated."""
        return len(self.tokens) - self.prompt_tokens


class Pace:
    """How long a step takes, measured: the size of a prompt's chunks follows from it.

    A chunk should take `target` seconds, so that better work waits no longer. On a processor small
    chunks are no slower than large ones; on a GPU they are, but there the large are fast enough.
    """

    def __init__(self, *, least: int, most: int, target: float = 0.05) -> None:
        self.chunk = min(4 * least, most)  # tokens of a prompt's next chunk
        self.decode = 0.0  # tokens per second
        self._least = least
        self._most = most
        self._target = target

    def note(self, tokens: int, seconds: float) -> None:
        """Learn from one step."""
        seconds = max(seconds, 1e-6)
        if tokens == 1:
            rate = 1 / seconds
            self.decode = 0.8 * self.decode + 0.2 * rate if self.decode else rate
        elif tokens >= self.chunk or seconds > self._target:
            # By steps of two at most: one hiccup of the machine says little.
            factor = min(2.0, max(0.5, self._target / seconds))
            self.chunk = max(self._least, min(int(tokens * factor), self._most))


class Scheduler:
    """Runs jobs on a backend, one step at a time; not thread-safe."""

    def __init__(
        self, backend: Backend, pace: Pace, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.pace = pace
        self.running: Job | None = None
        self._backend = backend
        self._context = min(backend.context, backend.cells)
        self._clock = clock
        self._pool = SequencePool(backend, sequences=backend.sequences, cells=backend.cells)
        self._jobs: list[Job] = []
        self._arrivals = 0
        self._turns = 0

    @property
    def idle(self) -> bool:
        """Whether there is nothing to do."""
        return not self._jobs

    def submit(self, job: Job) -> None:
        """Take a job in; what it reports goes to its `emit`."""
        self._arrivals += 1
        job.rank = (job.request.priority, self._arrivals)
        job.prompt_tokens = len(job.tokens)
        if not job.tokens:
            job.emit(EngineError("the prompt is empty"))
        elif job.prompt_tokens >= self._context:
            job.emit(prompt_too_long(f"{job.prompt_tokens}", self._context))
        else:
            self._admit(job)

    def _admit(self, job: Job) -> None:
        try:
            if not job.is_warming:
                # Before the prompt is evaluated: a bad grammar is known at once.
                job.sampler = self._backend.sampler(job.request)
        except EngineError as error:
            job.emit(error)
            return
        job.stop_tokens = self._backend.token_ids(job.request.stop_tokens)
        for other in self._jobs:
            key = other.request.cache_key
            if key is not None and key == job.request.cache_key and other.is_warming:
                # What it was to be warm for is here, and goes on with what it has evaluated.
                other.cancelled = True
        self._jobs.append(job)

    def step(self) -> bool:
        """One chunk or one token of the job whose turn it is; False if nothing could be done."""
        ended = self._sweep()
        for job in self._order():
            self.running = job
            try:
                # Whoever cancels sets the flag and then looks at `running`; here it is the other
                # way round, so that one of the two sees the other.
                if job.cancelled:
                    self._finish(job, "cancelled")
                elif not self._advance(job):
                    continue
            except EngineError as error:
                self._end(job, error)
            finally:
                self.running = None
            return True
        return ended

    def fail(self, error: EngineError) -> None:
        """End every job with an error."""
        for job in list(self._jobs):
            self._end(job, error)

    def _sweep(self) -> bool:
        """End what was cancelled or took too long; whether there was such a job."""
        now = self._clock()
        before = len(self._jobs)
        for job in list(self._jobs):
            deadline = job.request.deadline
            if job.cancelled:
                self._finish(job, "cancelled")
            elif deadline is not None and now > job.accepted + deadline:
                message = f"the answer was not complete after {deadline:g} seconds"
                self._end(job, DeadlineExceeded(message))
        return len(self._jobs) < before

    def _order(self) -> Iterator[Job]:
        # Within a class whoever had its turn longest ago is next.
        return iter(sorted(self._jobs, key=lambda job: (job.rank[0], job.turn, job.rank[1])))

    def _advance(self, job: Job) -> bool:
        """Take one step for the job; False where it has to wait for room."""
        slot = job.slot or self._place(job)
        if slot is None:
            return False
        at = len(slot.tokens)
        missing = len(job.tokens) - at
        chunk = job.tokens[at : at + min(self.pace.chunk, self._backend.batch)]
        if not self._pool.make_room(slot, len(chunk), job.rank):
            return False
        self._turns += 1
        job.turn = self._turns
        last = len(chunk) == missing and not job.is_warming
        begin = self._clock()
        if not self._decode(slot, Piece(slot.id, at, chunk, last)):
            return True
        if last and job.sampler is not None:
            self._draw(job, job.sampler)
        elif len(chunk) == missing:
            self._finish(job, "length")
        self.pace.note(len(chunk), self._clock() - begin)
        return True

    def _decode(self, slot: Slot, piece: Piece) -> bool:
        done = False
        try:
            done = self._backend.decode((piece,))
        finally:
            if done:
                self._pool.append(slot, piece.tokens)
            else:
                self._pool.restore(slot)
        return done

    def _place(self, job: Job) -> Slot | None:
        request = job.request
        slot = self._pool.claim(job, job.tokens, request.cache_key, request.priority)
        if slot is not None and job.started is None:
            job.started = self._clock()
            job.cached_tokens = len(slot.tokens)
            job.emit(Started(job.prompt_tokens, job.cached_tokens))
        return slot

    def _draw(self, job: Job, sampler: Sampler) -> None:
        if job.evaluated is None:
            job.evaluated = self._clock()
        token, logprob = sampler.draw(0)
        if job.first_token is None:
            job.first_token = self._clock()
        job.tokens.append(token)
        if self._backend.ends(token) or token in job.stop_tokens:
            self._finish(job, "stop")
            return
        control = self._backend.is_control(token)
        delta = job.answer.add(self._backend.token(token, logprob), control=control)
        if delta is not None:
            job.emit(delta)
        if job.answer.stopped:
            self._finish(job, "stop")
        elif job.drawn >= job.request.max_tokens or len(job.tokens) >= self._context:
            self._finish(job, "length")

    def _finish(self, job: Job, reason: FinishReason) -> None:
        rest = None if reason == "cancelled" else job.answer.finish()
        if rest is not None:
            job.emit(rest)
        self._end(job, Finished(reason, _usage(job), self._timings(job)))

    def _end(self, job: Job, event: Finished | EngineError) -> None:
        self._jobs.remove(job)
        if job.slot is not None:
            self._pool.release(job.slot)
            job.slot = None
        if job.sampler is not None:
            job.sampler.close()
            job.sampler = None
        job.emit(event)

    def _timings(self, job: Job) -> Timings:
        now = self._clock()
        started = job.started or now
        evaluated = job.evaluated or now
        return Timings(
            queued=started - job.accepted,
            prefill=max(0.0, evaluated - started),
            decode=max(0.0, now - evaluated),
            first_token=(job.first_token or now) - job.accepted,
        )


def prompt_too_long(tokens: str, context: int) -> PromptTooLong:
    """The error of a prompt with so many tokens."""
    return PromptTooLong(
        f"the prompt has {tokens} tokens and the context {context}: "
        "shorten the prompt, or raise the setting model.contextSize"
    )


def _usage(job: Job) -> Usage:
    return Usage(job.prompt_tokens, job.cached_tokens, job.drawn)
