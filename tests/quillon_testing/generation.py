"""Generations on the real embedded model, without a process around it."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from quillon.engine.base import Delta, EngineError, Event, Finished, Request, Segment
from quillon.engine.llama import Model, start_backend
from quillon.engine.llama_context import Context, ContextSize
from quillon.engine.models import EMBEDDED
from quillon.engine.scheduler import Job, Pace, Scheduler


def chat(text: str) -> tuple[Segment, ...]:
    """The prompt of a question."""
    return (
        Segment("<|im_start|>user\n", trusted=True),
        Segment(text),
        Segment("<|im_end|>\n<|im_start|>assistant\n", trusted=True),
    )


QUESTION = chat("Where is the function parse_config defined?")
LONG = (Segment("".join(f"value_{n} = {n}\n" for n in range(60))),)
CODE = (
    Segment("<|fim_prefix|>", trusted=True),
    Segment("def add(a, b):\n    "),
    Segment("<|fim_suffix|>", trusted=True),
    Segment("\n\n\ndef main():\n    print(add(1, 2))\n"),
    Segment("<|fim_middle|>", trusted=True),
)


@contextmanager
def embedded_model() -> Iterator[Model]:
    """The embedded model, loaded."""
    start_backend()
    loaded = Model(EMBEDDED)
    try:
        yield loaded
    finally:
        loaded.close()


class Run:
    """One generation and what it reported so far."""

    def __init__(self, request: Request) -> None:
        self.events: list[Event | EngineError] = []
        self.job = Job(request, self.events.append, time.monotonic())

    @property
    def text(self) -> str:
        return "".join(event.text for event in self.events if isinstance(event, Delta))

    @property
    def tokens(self) -> list[int]:
        """The generated ids, the token that ended the answer included."""
        return self.job.tokens[self.job.prompt_tokens :]

    @property
    def end(self) -> Finished | EngineError:
        event = self.events[-1]
        assert isinstance(event, Finished | EngineError)
        return event

    @property
    def ended(self) -> bool:
        return bool(self.events) and isinstance(self.events[-1], Finished | EngineError)


class Desk:
    """A context of the model with its scheduler, driven step by step."""

    def __init__(self, model: Model, **size: int) -> None:
        facts = {"cells": 4096, "context": 2048, "sequences": 4, **size}
        self.model = model
        self.context = Context(model, ContextSize(**facts))
        self.scheduler = Scheduler(self.context, Pace(least=32, most=32))

    def submit(self, request: Request) -> Run:
        run = Run(request)
        run.job.tokens = self.model.tokenize(request.prompt)
        self.scheduler.submit(run.job)
        return run

    def run(self, request: Request) -> Run:
        run = self.submit(request)
        self.until(lambda: run.ended)
        return run

    def until(self, done: Callable[[], bool]) -> None:
        for _ in range(5000):
            if done():
                return
            self.context.rearm()
            self.scheduler.step()
        raise AssertionError("the generation does not come to an end")

    def close(self) -> None:
        self.context.close()
