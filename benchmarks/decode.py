"""Tokens per second: our engine against llama.cpp itself, at the same depth, in one run.

    python benchmarks/random_gguf.py 0.6b /tmp/random-0.6b.gguf
    python benchmarks/decode.py /tmp/random-0.6b.gguf --depth 512

Two sides take turns in one process, token by token, so that what else the machine does slows both
alike; the median of the pairs' ratios is the result (1.00 is as fast; 0.95 is wanted). Ours is the
whole engine: scheduler, cache, sampler, text, events. The peer does what llama-bench does for its
`tg` figure, with the same threads: `llama_decode` of one token after the other, no sampling.
(The Python package of llama.cpp carries no llama-bench.)
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import llama_cpp.llama_cpp as lib

from quillon.engine.base import Request, Segment
from quillon.engine.llama import Model, start_backend
from quillon.engine.llama_context import Context, ContextSize
from quillon.engine.scheduler import Job, Pace, Scheduler

PROMPT_TOKEN = 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("--depth", type=int, default=512, help="tokens before the first timed one")
    parser.add_argument("--tokens", type=int, default=96, help="timed tokens of each side")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    start_backend()
    model = Model(options.model)
    ours = OurDecode(model, options.depth, options.tokens, options.threads)
    bare = BareDecode(model, options.depth, options.tokens, options.threads)
    report(*take_turns(ours.step, bare.step, options.tokens), options)


def take_turns(
    ours: Callable[[], None], bare: Callable[[], None], tokens: int
) -> tuple[list[float], list[float]]:
    """Seconds of each step of either side."""
    times: tuple[list[float], list[float]] = ([], [])
    sides = list(zip(times, (ours, bare), strict=True))
    for _ in range(tokens):
        for side, step in sides:
            begin = time.perf_counter()
            step()
            side.append(time.perf_counter() - begin)
        sides.reverse()  # neither side always comes after the other
    return times


def report(ours: list[float], bare: list[float], options: argparse.Namespace) -> None:
    print(f"{options.model.name}, depth {options.depth}, {options.threads} threads")
    for name, times in (("ours", ours), ("llama.cpp", bare)):
        print(f"{name:>10}: {1 / median(times):7.2f} tokens/s ({1000 * median(times):.2f} ms)")
    ratio = median(peer / own for own, peer in zip(ours, bare, strict=True))
    print(f"     ratio: {ratio:.3f} (median of {len(ours)} pairs), wanted: 0.95 or more")


class EndlessContext(Context):
    """Random weights end an answer at random; here no token does."""

    def ends(self, _token: int) -> bool:
        return False


class OurDecode:
    """The engine without its process: one step is one token of an answer."""

    def __init__(self, model: Model, depth: int, tokens: int, threads: int) -> None:
        size = ContextSize(
            cells=depth + tokens + 256,
            context=depth + tokens + 256,
            sequences=8,
            threads=threads,
            batch_threads=threads,
        )
        self._context = EndlessContext(model, size)
        self._scheduler = Scheduler(self._context, Pace(least=512, most=512))
        request = Request(prompt=(Segment(""),), max_tokens=depth + tokens + 256)
        self._job = Job(request, lambda _: None, time.monotonic())
        self._job.tokens = [PROMPT_TOKEN] * depth
        self._scheduler.submit(self._job)
        while self._job.drawn == 0:
            self._scheduler.step()

    def step(self) -> None:
        drawn = self._job.drawn
        self._context.rearm()
        self._scheduler.step()
        assert self._job.drawn == drawn + 1


class BareDecode:
    """Nothing but llama.cpp: what llama-bench measures as `tg` at a depth."""

    def __init__(self, model: Model, depth: int, tokens: int, threads: int) -> None:
        params = lib.llama_context_default_params()
        params.n_ctx = depth + tokens + 256
        params.n_threads = params.n_threads_batch = threads
        params.no_perf = True
        self._context = lib.llama_init_from_model(model.handle, params)
        self._tokens = (lib.llama_token * 512)()
        self._count = model.vocab_size
        self._at = 0
        self._depth = depth
        for start in range(0, depth, 512):
            count = min(512, depth - start)
            self._tokens[:count] = [PROMPT_TOKEN] * count
            self._decode(count)

    def step(self) -> None:
        self._at += 1
        self._tokens[0] = self._at * 7919 % self._count
        self._decode(1)

    def rewind(self) -> None:
        """Forget what the steps added."""
        lib.llama_memory_seq_rm(lib.llama_get_memory(self._context), 0, self._depth, -1)

    def close(self) -> None:
        lib.llama_free(self._context)

    def _decode(self, count: int) -> None:
        batch = lib.llama_batch_get_one(self._tokens, count)
        assert lib.llama_decode(self._context, batch) == 0
        lib.llama_synchronize(self._context)


if __name__ == "__main__":
    main()
