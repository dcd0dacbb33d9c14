"""How long the engine goes on after a cancel: at most one token, or 50 ms of a prompt.

    python benchmarks/cancel.py /tmp/random-0.6b.gguf

The decode thread is the engine's own. Cancels come at random moments while a prompt is read and
while an answer is generated; what is timed is the way to the generation's last event. The ratio
is that time over what is allowed; 1.0 or less is wanted.
"""

import argparse
import random
import threading
import time
from pathlib import Path
from statistics import median

from quillon.engine.base import Delta, EngineError, Event, Finished, Request, Segment, Started
from quillon.engine.worker import Worker
from quillon.settings import ModelSettings

PROMPT_SECONDS = 0.05
# The answer must not end by itself: random weights may draw an end token at any time.
PROMPT = "".join(f"value_{number} = {number}\n" for number in range(100))


class Watch:
    """Waits for the events of one generation."""

    def __init__(self) -> None:
        self.started = threading.Event()
        self.drawing = threading.Event()
        self.ended = threading.Event()
        self.error: EngineError | None = None

    def __call__(self, event: Event | EngineError) -> None:
        if isinstance(event, Started):
            self.started.set()
        elif isinstance(event, Delta):
            self.drawing.set()
        else:
            self.error = None if isinstance(event, Finished) else event
            for waited in (self.started, self.drawing, self.ended):
                waited.set()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("--rounds", type=int, default=20)
    options = parser.parse_args()
    ready = threading.Event()
    worker = Worker(
        options.model,
        ModelSettings(context_size=2048),
        lambda info, _: ready.set() if info.state in {"ready", "failed"} else None,
    )
    worker.start()
    ready.wait()
    if worker.info.state == "failed":
        raise SystemExit(worker.info.message)
    chance = random.Random(0)  # noqa: S311 - moments, no secrets
    reading = [time_cancel(worker, chance, reading=True) for _ in range(options.rounds)]
    drawing = [time_cancel(worker, chance, reading=False) for _ in range(options.rounds)]
    token = 1 / worker.info.tokens_per_second
    report("while reading a prompt", reading, max(PROMPT_SECONDS, token))
    report("while generating", drawing, max(PROMPT_SECONDS, token))
    worker.stop(10)


def time_cancel(worker: Worker, chance: random.Random, *, reading: bool) -> float:
    """Seconds from a cancel to the end of the generation."""
    watch = Watch()
    # A new first line, so that nothing of the prompt is cached.
    text = f"{chance.random()}\n{PROMPT if reading else ''}"
    job = worker.submit(Request(prompt=(Segment(text),), max_tokens=500), watch)
    (watch.started if reading else watch.drawing).wait()
    time.sleep(chance.random() * 0.2)
    begin = time.perf_counter()
    worker.cancel(job)
    watch.ended.wait()
    if watch.error is not None:
        raise SystemExit(str(watch.error))
    return time.perf_counter() - begin


def report(when: str, seconds: list[float], allowed: float) -> None:
    print(
        f"{when:>24}: median {1000 * median(seconds):6.1f} ms, longest {1000 * max(seconds):6.1f} "
        f"ms, allowed {1000 * allowed:.0f} ms, ratio of the longest {max(seconds) / allowed:.2f}"
    )


if __name__ == "__main__":
    main()
