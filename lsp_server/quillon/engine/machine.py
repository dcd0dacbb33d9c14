"""How much of the machine a model gets: layers on the GPU, context, threads.

`plan` is pure: facts in, a `Plan` or a `ModelError` out, with the reasons in one sentence. The
rule is that weights, cache and working memory fit into what is free now, less a reserve, so that
the machine never swaps because of us.
"""

import os
from pathlib import Path

import msgspec
import psutil

from quillon.engine.base import ModelError
from quillon.settings import ModelSettings

GIB = 1024**3
_MIB = 1024**2
SEQUENCES = 8
BATCH = 512
_SMALL_MODEL = 100_000_000  # parameters; below, threads cost more than they give
# More is only used when asked for: llama.cpp takes and clears all of the cache at once.
_MOST_CONTEXT = 16_384
_GOOD_CONTEXT = 8192  # layers go to the GPU together with so much of the cache
_LEAST_CONTEXT = 4096
_MOST_EXTRA = 8192
_CACHE_SHARE = 0.4  # of the memory that is left beside the weights
_MOST_THREADS = 8  # generating is bound by the memory's speed


class Gpu(msgspec.Struct, frozen=True):
    """A graphics device; sizes in bytes. `unified`: its memory is the machine's."""

    name: str
    free: int
    total: int
    unified: bool = False


class MachineFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The machine as it is now; sizes in bytes. `cores` are those this process may use."""

    cores: int
    memory: int
    free_memory: int
    gpus: tuple[Gpu, ...] = ()


class ModelFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a GGUF file says about its needs. `weights` in bytes, `cache` in bytes per token."""

    name: str
    weights: int
    parameters: int
    layers: int
    cache: int
    width: int
    vocabulary: int
    trained_context: int


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What was chosen; `gpu_layers` -1 means all. `reason` is a sentence for the log.

    The number of `threads` to generate is chosen again while running, up to `most_threads`; 0
    there means that it is fixed.
    """

    gpu_layers: int
    context: int
    cells: int
    sequences: int
    batch: int
    threads: int
    batch_threads: int
    most_threads: int
    reason: str


def plan(machine: MachineFacts, model: ModelFacts, settings: ModelSettings) -> Plan:
    """The best use of the machine for this model; settings decide where they are set.

    Raises:
        ModelError: The model does not fit the memory; the message has the numbers.
    """
    wished = settings.context_size
    if wished and 0 < model.trained_context < wished:
        # Beyond what it was trained for a model only writes nonsense.
        settings = msgspec.structs.replace(settings, context_size=model.trained_context)
    limit = model.trained_context or _MOST_CONTEXT
    least = settings.context_size or min(limit, _LEAST_CONTEXT)
    layers = _gpu_layers(machine, model, settings)
    room = _cache_room(machine, model, layers)
    asked = least * model.cache
    # Who asks for a context may have the reserve, too.
    most = room + _reserve(machine) if settings.context_size else room
    if room < 0 or most < asked:
        raise ModelError(_does_not_fit(machine, model, least))
    # Beside layers on a small GPU, all of its room was left for the cache.
    share = 1.0 if 0 < layers <= model.layers else _CACHE_SHARE
    context, cells = _context(settings, limit, room // max(1, model.cache), share)
    threads, batch_threads, most_threads = _threads(machine, model, settings)
    chosen = Plan(
        gpu_layers=layers,
        context=context,
        cells=cells,
        sequences=SEQUENCES,
        batch=BATCH,
        threads=threads,
        batch_threads=batch_threads,
        most_threads=0 if layers < 0 else most_threads,
        reason="",
    )
    reason = _reason(machine, model, chosen)
    if wished and wished > context:
        reason += f"; model.contextSize asks for {wished}, and the model was trained for {context}"
    return msgspec.structs.replace(chosen, reason=reason)


def machine_facts(gpus: tuple[Gpu, ...] = ()) -> MachineFacts:
    """The machine now, as far as this process may use it (affinity and control groups count)."""
    memory = psutil.virtual_memory()
    limit = _group_limit()
    total, free = memory.total, memory.available
    if limit is not None:
        total, free = min(total, limit[0]), min(free, limit[1])
    return MachineFacts(cores=_cores(), memory=total, free_memory=free, gpus=gpus)


def _context(settings: ModelSettings, limit: int, room: int, share: float) -> tuple[int, int]:
    """(tokens of one request, cells in all), of the `room` cells that there is memory for."""
    if settings.context_size:
        context = settings.context_size
    else:
        room = int(room * share)
        # A third stays for what typing and other chats have cached.
        context = min(room * 2 // 3, _MOST_CONTEXT) // 256 * 256
        context = min(max(context, _LEAST_CONTEXT), limit)
    return context, max(context, min(context + _extra(context), room) // 256 * 256)


def _extra(context: int) -> int:
    """Cells beyond one full request, for what typing and other chats have cached."""
    return min(3 * context, _MOST_EXTRA)


def _reserve(machine: MachineFacts) -> int:
    """Memory that stays free for everything else."""
    return min(max(GIB, machine.memory // 10), machine.memory // 4)


def _working(model: ModelFacts, cells: int) -> int:
    """Working memory of one batch: activations, attention mask, logits; a generous estimate."""
    activations = BATCH * model.width * 4 * 16
    return 64 * _MIB + activations + BATCH * cells * 2 + SEQUENCES * model.vocabulary * 4


def _gpu_layers(machine: MachineFacts, model: ModelFacts, settings: ModelSettings) -> int:
    if settings.gpu_layers is not None:
        return settings.gpu_layers
    context = settings.context_size or min(model.trained_context or _GOOD_CONTEXT, _GOOD_CONTEXT)
    free = sum(_gpu_free(gpu) for gpu in machine.gpus) - _working(model, context)
    layer = model.weights // (model.layers + 1) + context * model.cache // max(1, model.layers)
    count = max(0, free) // max(1, layer)
    return -1 if count > model.layers else int(count)


def _gpu_free(gpu: Gpu) -> int:
    return max(0, gpu.free - max(gpu.total // 12, 512 * _MIB))


def _cache_room(machine: MachineFacts, model: ModelFacts, gpu_layers: int) -> int:
    """Bytes that the cache may take; negative where not even the weights fit."""
    on_gpu = 1.0 if gpu_layers < 0 else min(1.0, gpu_layers / (model.layers + 1))
    working = _working(model, _LEAST_CONTEXT)
    ram = machine.free_memory - _reserve(machine) - working
    own = sum(_gpu_free(gpu) for gpu in machine.gpus if not gpu.unified) - working
    if on_gpu == 0 or all(gpu.unified for gpu in machine.gpus):
        return ram - model.weights
    ram -= int(model.weights * (1 - on_gpu))
    own -= int(model.weights * on_gpu)
    own = max(own, 0)
    if on_gpu >= 1:
        return own if ram >= 0 else ram
    return min(ram, int(ram / (1 - on_gpu)), int(own / on_gpu))


def _threads(
    machine: MachineFacts, model: ModelFacts, settings: ModelSettings
) -> tuple[int, int, int]:
    """Threads to generate, to read prompts, and to generate at most (0: the number is fixed)."""
    if model.parameters < _SMALL_MODEL:
        threads, batch, most = 1, min(machine.cores, 4), 0
    else:
        # One core stays free for the editor: a thread that has to wait holds up all others.
        threads, batch = max(1, min(machine.cores - 1, _MOST_THREADS)), machine.cores
        most = min(machine.cores, _MOST_THREADS)
    if settings.threads is not None:
        threads, most = settings.threads, 0
    return threads, settings.batch_threads or batch, most


def _reason(machine: MachineFacts, model: ModelFacts, chosen: Plan) -> str:
    if chosen.gpu_layers == 0:
        where = "on the processor"
    elif chosen.gpu_layers < 0:
        where = "on the GPU"
    else:
        where = f"with {chosen.gpu_layers} of {model.layers} layers on the GPU"
    gpus = "".join(f", {size(gpu.free)} free on {gpu.name}" for gpu in machine.gpus)
    return (
        f"{model.name} ({size(model.weights)}) runs {where} with a context of {chosen.context} "
        f"tokens, {chosen.cells} in all ({size(chosen.cells * model.cache)}), "
        f"{chosen.threads} {_threads_word(chosen.threads)} to generate and "
        f"{chosen.batch_threads} to read, because "
        f"{size(machine.free_memory)} of {size(machine.memory)} memory are free{gpus}"
    )


def _threads_word(count: int) -> str:
    return "thread" if count == 1 else "threads"


def _does_not_fit(machine: MachineFacts, model: ModelFacts, context: int) -> str:
    cache = context * model.cache
    needed = model.weights + cache + _working(model, context)
    gpus = "".join(f" and {size(gpu.free)} on {gpu.name}" for gpu in machine.gpus)
    return (
        f"The model {model.name} does not fit into memory: it needs about {size(needed)} "
        f"({size(model.weights)} of weights, {size(cache)} for a context of {context} tokens), and "
        f"{size(machine.free_memory)} of {size(machine.memory)} are free{gpus}, of which "
        f"{size(_reserve(machine))} are kept for other programs. Close programs, choose a smaller "
        "model or a stronger quantisation, or set a smaller model.contextSize."
    )


def size(count: int) -> str:
    """Bytes as people write them."""
    if count >= GIB:
        return f"{count / GIB:.1f} GiB"
    return f"{count / _MIB:.0f} MiB"


def _cores() -> int:
    """Physical cores that this process may use, at least one."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    cores = min(psutil.cpu_count(logical=False) or 1, usable or 1)
    quota = _group_quota()
    return max(1, cores if quota is None else min(cores, int(quota)))


def _group_limit() -> tuple[int, int] | None:
    """(limit, free) of the control group's memory in bytes, or None where there is no limit.

    https://docs.kernel.org/admin-guide/cgroup-v2.html and its predecessor.
    """
    for limit, current, stat, cached in (
        ("memory.max", "memory.current", "memory.stat", "inactive_file"),
        (
            "memory/memory.limit_in_bytes",
            "memory/memory.usage_in_bytes",
            "memory/memory.stat",
            "total_inactive_file",
        ),
    ):
        most, used = _group_value(limit), _group_value(current)
        if most is not None and used is not None and most < 1 << 60:
            fields = dict(
                line.split(" ", 1) for line in _group_text(stat).splitlines() if " " in line
            )
            reclaimable = int(fields.get(cached, "0"))
            return most, max(0, most - used + reclaimable)
    return None


def _group_quota() -> float | None:
    """Processors that the control group may use, or None where there is no limit."""
    parts = _group_text("cpu.max").split()
    if len(parts) == 2 and parts[0].isdigit():  # noqa: PLR2004 - quota and period
        return int(parts[0]) / int(parts[1])
    quota, period = _group_value("cpu/cpu.cfs_quota_us"), _group_value("cpu/cpu.cfs_period_us")
    return quota / period if quota and period and quota > 0 else None


def _group_value(name: str) -> int | None:
    text = _group_text(name).strip()
    return int(text) if text.lstrip("-").isdigit() else None


def _group_text(name: str) -> str:
    try:
        return (Path("/sys/fs/cgroup") / name).read_text()
    except OSError:
        return ""
