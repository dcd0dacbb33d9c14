"""`quillon doctor`: what is right, what is wrong, and what to do about it."""

import asyncio
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Literal

import msgspec

from quillon import __version__
from quillon.cli.model import count, size
from quillon.cli.output import Output
from quillon.engine.base import (
    Delta,
    Engine,
    EngineError,
    EngineInfo,
    Finished,
    Priority,
    Request,
    Segment,
)
from quillon.engine.catalogue import RECOMMENDED, Recommended
from quillon.engine.choose import open_engine
from quillon.engine.machine import Gpu, MachineFacts, machine_facts
from quillon.engine.models import resolve_model, summarise
from quillon.engine.planning import plan_recommended
from quillon.settings import Settings
from quillon_tools.languages import LANGUAGES
from quillon_tools.symbols import symbols_in

Verdict = Literal["right", "advice", "wrong"]

_TIGHT = 1_000_000_000  # bytes
_EDITORS = (
    # command, name, oldest version that works, what an older one means
    ("nvim", "Neovim", (0, 11), "Neovim 0.11 or newer is needed, and 0.12 for ghost text."),
    ("code", "VS Code", (1, 91), "VS Code 1.91 or newer is needed."),
)
_RUNNERS = ("git", "pytest", "npm", "cargo", "go")
_SNIPPETS = {
    "python": "def probe():\n    pass\n",
    "javascript": "function probe() {}\n",
    "typescript": "function probe(): void {}\n",
    "typescriptreact": "function probe() { return <div/>; }\n",
    "go": "package p\n\nfunc probe() {}\n",
    "rust": "fn probe() {}\n",
    "java": "class Probe { void probe() {} }\n",
    "c": "int probe(void) { return 0; }\n",
    "cpp": "int probe() { return 0; }\n",
}


class Finding(msgspec.Struct, frozen=True):
    """One check: what was looked at, the verdict, what was found and what to do."""

    what: str
    verdict: Verdict
    found: str
    advice: str = ""


async def run_doctor(settings: Settings, output: Output) -> int:
    """Print every finding; 1 where something is wrong."""
    wrong = False
    with output.working("looking at the machine"):
        facts = machine_facts(await asyncio.to_thread(_graphics_devices))
    for finding in (*_machine(facts), _fitting(facts)):
        wrong |= _print(finding, output)
    with output.working("loading the model"):
        async for finding in _model_and_engine(settings):
            wrong |= _print(finding, output)
    for finding in (*_grammars(), *_editors(), *_programs()):
        wrong |= _print(finding, output)
    return int(wrong)


def _print(finding: Finding, output: Output) -> bool:
    output.value(finding)
    output.line(
        f"{_PLAIN[finding.verdict]} {finding.what}: {finding.found}", _STYLE[finding.verdict]
    )
    if finding.advice:
        output.line(f"    {finding.advice}", "dim")
    return finding.verdict == "wrong"


_PLAIN = {"right": "✓", "advice": "!", "wrong": "✗"}
_STYLE = {"right": None, "advice": "yellow", "wrong": "bold red"}


def _machine(facts: MachineFacts) -> Iterator[Finding]:
    yield Finding("Quillon", "right", f"{__version__} in {sys.prefix}")
    yield Finding("Python", "right", f"{platform.python_version()} on {platform.platform()}")
    found = f"{facts.cores} cores, {size(facts.free_memory)} of {size(facts.memory)} free"
    found += "".join(f", {size(gpu.free)} free on {gpu.name}" for gpu in facts.gpus)
    tight = facts.free_memory < _TIGHT
    yield Finding(
        "Machine",
        "advice" if tight else "right",
        found,
        "Less than 1 GB is free: close programs before a larger model is loaded." if tight else "",
    )


def _graphics_devices() -> tuple[Gpu, ...]:
    """What llama.cpp can use; asked in a process of its own, which a broken driver may end."""
    script = (
        "import sys, msgspec; from quillon.engine.llama import graphics_devices, start_backend; "
        "start_backend(); sys.stdout.buffer.write(msgspec.json.encode(graphics_devices()))"
    )
    command = [sys.executable, "-I", "-c", script]
    try:
        said = subprocess.run(command, capture_output=True, timeout=60, check=False).stdout
        return msgspec.json.decode(said, type=tuple[Gpu, ...])
    except (OSError, subprocess.TimeoutExpired, msgspec.DecodeError):
        return ()


def _fitting(facts: MachineFacts) -> Finding:
    """Which recommended models would run in the memory that is free now."""
    found, tight = [], []
    for model in RECOMMENDED:
        plan = plan_recommended(model, facts)
        if plan is None:
            tight.append(model)
            continue
        layers = model.shape.layers + 1
        where = "on the processor" if plan.gpu_layers == 0 else "on the GPU"
        if plan.gpu_layers > 0:
            where = f"{plan.gpu_layers} of {layers} layers on the GPU"
        found.append(f"{model.name} ({model.purpose}; {where})")
    if not found:
        least = min(RECOMMENDED, key=_size)
        advice = f"The smallest, {least.name}, takes {size(least.size)} and room for its context."
        return Finding("Models that fit", "advice", "none of the recommended ones", advice)
    said = "; ".join(found)
    if tight:
        said += f". Too large for what is free: {', '.join(model.name for model in tight)}"
    return Finding("Models that fit", "right", said, "`quillon model pull NAME` downloads one.")


def _size(model: Recommended) -> int:
    return model.size


async def _model_and_engine(settings: Settings) -> AsyncIterator[Finding]:
    model = resolve_model(settings, os.environ)
    summary = await asyncio.to_thread(summarise, model)
    if summary.problem:
        yield Finding("Model", "wrong", summary.problem)
        return
    found = f"{summary.name}, {count(summary.parameters)} weights, {size(summary.size)}"
    yield Finding(
        "Model",
        "advice" if model.embedded else "right",
        found,
        "The embedded model shows how everything works; for real work pull one that fits."
        if model.embedded
        else "",
    )
    engine = open_engine(settings)
    try:
        yield await _engine(engine)
        for finding in _abilities(engine.state()):
            yield finding
    except EngineError as error:
        yield Finding("Engine", "wrong", str(error))
    finally:
        await engine.aclose()


async def _engine(engine: Engine) -> Finding:
    info = await engine.info()
    request = Request(
        prompt=(Segment("def add(a, b):\n    return"),), max_tokens=32, priority=Priority.CHAT
    )
    speed = tokens = 0.0
    async for event in engine.generate(request):
        if isinstance(event, Finished) and event.timings.decode > 0:
            speed = event.usage.completion_tokens / event.timings.decode
        elif isinstance(event, Delta):
            tokens += 1
    where = "on the GPU" if info.gpu_layers else "on the processor"
    threads = "1 thread" if info.threads == 1 else f"{info.threads} threads"
    found = (
        f"process {info.pid}, {where}, context of {info.context} tokens, {threads}, "
        f"{speed:.0f} tokens/s"
    )
    if not tokens:
        return Finding("Engine", "wrong", f"{found}: it generated nothing", "Try another model.")
    return Finding("Engine", "right", found)


def _abilities(info: EngineInfo) -> Iterator[Finding]:
    if info.fim:
        yield Finding("Ghost text", "right", "the model can fill in the middle")
    else:
        yield Finding(
            "Ghost text",
            "advice",
            "this model cannot fill in the middle, so there is none",
            "Qwen2.5-Coder models can.",
        )
    if info.template:
        yield Finding("Chat", "right", "the model brings a chat template")
    else:
        yield Finding(
            "Chat", "advice", "the model brings no chat template; ChatML is assumed", "Prefer one."
        )


def _grammars() -> Iterator[Finding]:
    broken = []
    for language in LANGUAGES:
        source = _SNIPPETS.get(language.id)
        names = [] if source is None else symbols_in(source.encode(), language)
        if "probe" not in {symbol.name for symbol in names}:
            broken.append(language.id)
    languages = ", ".join(language.id for language in LANGUAGES)
    if broken:
        advice = "Install Quillon again: a tree-sitter package is missing or of another version."
        yield Finding("Grammars", "wrong", f"do not work: {', '.join(broken)}", advice)
    else:
        yield Finding("Grammars", "right", languages)


def _editors() -> Iterator[Finding]:
    seen = False
    for command, name, oldest, advice in _EDITORS:
        path = shutil.which(command)
        if path is None:
            continue
        seen = True
        version = _version_of(path)
        if version is None:
            yield Finding(name, "advice", f"{path} does not tell its version")
        else:
            good = version >= oldest
            found = f"{'.'.join(map(str, version))} ({path})"
            yield Finding(name, "right" if good else "advice", found, "" if good else advice)
    if not seen:
        yield Finding(
            "Editors",
            "advice",
            "neither Neovim nor VS Code is on the PATH",
            "Any editor with a language client can start `quillon lsp`.",
        )


def _version_of(path: str) -> tuple[int, ...] | None:
    try:
        said = subprocess.run(  # the editor's own flag, and nothing of the workspace
            [path, "--version"], capture_output=True, text=True, timeout=20, check=False
        ).stdout
    except (OSError, subprocess.TimeoutExpired, UnicodeDecodeError):
        return None
    match = re.search(r"(\d+)\.(\d+)(?:\.(\d+))?", said)
    return None if match is None else tuple(int(part) for part in match.groups() if part)


def _programs() -> Iterator[Finding]:
    which: Callable[[str], str | None] = shutil.which
    there = [name for name in _RUNNERS if which(name)]
    missing = [name for name in _RUNNERS if not which(name)]
    found = f"{', '.join(there) or 'none'} on the PATH"
    if missing:
        found += f"; not there: {', '.join(missing)}"
    yield Finding("Programs for tools", "right", found)
