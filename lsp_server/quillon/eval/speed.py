"""How fast a model loads, reads and writes, as its engine measures it."""

import time
from functools import partial

from quillon.engine.base import Engine, EngineInfo, Finished, Request, Segment, Started
from quillon.eval.asking import stream_of
from quillon.eval.outcomes import Outcome, Question

_WRITTEN = 200  # tokens
_READ = 1000  # tokens of a prompt, about
_LINE = "    value_{0} = table[{0}] + offset_{0}  # the {0}th of them\n"


def speed_questions(engine: Engine, info: EngineInfo, runs: int) -> list[Question]:
    """`runs` measurements, each with a prompt that no cache holds."""
    return [
        Question("speed", str(number), partial(_run, engine, info, number))
        for number in range(runs)
    ]


async def load_seconds(engine: Engine) -> Outcome | None:
    """How long it takes until the model can be asked; None where it was loaded before."""
    if engine.state().state not in ("absent", "loading"):
        return None
    started = time.perf_counter()
    info = await engine.info()
    seconds = time.perf_counter() - started
    if info.clients > 1:
        return None
    return Outcome("speed", "load", values={"start and load, s": seconds})


async def _run(engine: Engine, info: EngineInfo, number: int) -> Outcome:
    tokens = min(_READ, info.context // 2)
    lines = [f"def part_{number}(table):\n"]
    used = 0
    while used < tokens:
        lines += [_LINE.format(1000 * number + len(lines) + n) for n in range(10)]
        [used] = await engine.count(["".join(lines)])
    request = Request(
        prompt=(Segment("".join(lines)),),
        max_tokens=min(_WRITTEN, info.context - used - 8),
        cache_key="eval:speed",
    )
    values: dict[str, float] = {}
    started = time.perf_counter()
    read = 0
    async for event in stream_of(engine, request):
        if isinstance(event, Started):
            read = event.prompt_tokens - event.cached_tokens
        elif isinstance(event, Finished):
            times = event.timings
            if times.prefill > 0:
                values["reading, tokens/s"] = read / times.prefill
            if times.decode > 0:
                values["writing, tokens/s"] = event.usage.completion_tokens / times.decode
            values["first token after 1,000 tokens, s"] = times.first_token
    values["whole answer, s"] = time.perf_counter() - started
    return Outcome("speed", str(number), values=values)
