"""A model whose cache is plain lists, and a scheduler on it whose clock a test moves.

It draws each token from all tokens before it, so that a cache that holds anything else than it
should shows in the answer.
"""

from dataclasses import dataclass, field
from zlib import crc32

from quillon.engine.base import (
    ConstraintError,
    Delta,
    Finished,
    Request,
    Started,
    Token,
)
from quillon.engine.scheduler import Job, Pace, Scheduler

END = 0


def next_token(tokens):
    """Never `END` before the eighth token, and then at times."""
    drawn = crc32(bytes(token % 256 for token in tokens)) % 30
    return drawn if len(tokens) > 8 else drawn + 1


@dataclass
class ListModel:
    """A backend whose cache is a list of tokens for each sequence."""

    context: int = 200
    cells: int = 400
    sequences: int = 4
    batch: int = 64
    trims_partly: bool = True
    held: dict[int, list[int]] = field(default_factory=dict)
    log: list[tuple[int, int]] = field(default_factory=list)  # (sequence, tokens) of each decode
    last: list[int] = field(default_factory=list)
    interrupts: int = 0
    open_samplers: int = 0

    def copy(self, source, target, length):
        assert not self.held.get(target)
        self.held[target] = self.held[source][:length]

    def trim(self, sequence, length):
        if 0 < length < len(self.held.get(sequence, [])) and not self.trims_partly:
            return False
        del self.held.setdefault(sequence, [])[length:]
        return True

    def decode(self, pieces):
        assert sum(len(piece.tokens) for piece in pieces) <= self.batch
        if self.interrupts:
            self.interrupts -= 1
            for piece in pieces:
                self.held.setdefault(piece.sequence, []).extend(piece.tokens[::2])
            return False
        for piece in pieces:
            held = self.held.setdefault(piece.sequence, [])
            assert len(held) == piece.start
            held += piece.tokens
            self.log.append((piece.sequence, len(piece.tokens)))
            self.last = list(held) if piece.logits else []
        return True

    def sampler(self, request):
        if request.constraint is not None:
            raise ConstraintError("refused")
        self.open_samplers += 1
        return self

    def draw(self, output):
        assert output == 0
        assert self.last, "no logits were asked for"
        return next_token(self.last), None

    def close(self):
        self.open_samplers -= 1

    def token(self, token, logprob):
        return Token(token, b"%d " % token, logprob)

    def ends(self, token):
        return token == END

    def is_control(self, token):
        return False

    def token_ids(self, spellings):
        return frozenset(int(spelling) for spelling in spellings if spelling.isdigit())


class Desk:
    """A scheduler on the list model, with a clock that a test moves."""

    def __init__(self, *, chunk=16, **facts):
        self.now = 0.0
        self.model = ListModel(**facts)
        self.scheduler = Scheduler(self.model, Pace(least=chunk, most=chunk), lambda: self.now)
        self.order = []

    def submit(self, prompt, name="", **request):
        events = []
        job = Job(
            Request(prompt=(), **request), lambda event: self._on(events, name, event), self.now
        )
        job.tokens = list(prompt)
        job.events = events
        self.scheduler.submit(job)
        return job

    def _on(self, events, name, event):
        events.append(event)
        if name:
            self.order.append((name, type(event).__name__))

    def finish(self):
        for _ in range(10_000):
            if self.scheduler.idle:
                return
            assert self.scheduler.step()
        raise AssertionError("the scheduler does not come to an end")


def reference(prompt, max_tokens, context=200):
    """(tokens, reason) of the answer, drawn without a scheduler."""
    tokens = list(prompt)
    while True:
        token = next_token(tokens)
        tokens.append(token)
        if token == END:
            return tokens[len(prompt) :], "stop"
        if len(tokens) - len(prompt) >= max_tokens or len(tokens) >= context:
            return tokens[len(prompt) :], "length"


def check_run(job, prompt, *, context=200):
    """One start, deltas, one end, and exactly the tokens of the reference."""
    tokens, reason = reference(prompt, job.request.max_tokens, context)
    assert isinstance(job.events[0], Started)
    assert all(isinstance(event, Delta) for event in job.events[1:-1])
    assert isinstance(job.events[-1], Finished)
    shown = [token.id for event in job.events[1:-1] for token in event.tokens]
    assert shown == [token for token in tokens if token != END]
    assert (job.events[-1].reason, job.events[-1].usage.completion_tokens) == (reason, len(tokens))
