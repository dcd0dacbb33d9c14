"""An engine that answers from a script: the one test double, also run by `engine.kind: scripted`.

A request takes the first step that fits its prompt and has uses left. Nothing waits on a clock: a
step may stop at named gates, which a test sees reached and opens.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Literal

import msgspec

from quillon.engine.base import (
    CLOSED,
    DeadlineExceeded,
    Delta,
    EngineError,
    EngineInfo,
    EngineLost,
    EngineUnavailable,
    Event,
    Finished,
    ModelError,
    Prompt,
    PromptTooLong,
    Request,
    Started,
    Timings,
    Usage,
)
from quillon.engine.listeners import Listener, Listeners
from quillon.engine.script import (
    ERRORS,
    Script,
    Step,
    count_tokens,
    pieces_for,
    prompt_text,
    tokens_for,
    visible,
    with_logprobs,
)

__all__ = ["Call", "Gate", "Script", "ScriptedEngine", "Step"]

_POLL = 0.02  # seconds between looks for a gate's file


class Gate:
    """A place where a script waits: `reached` is set when it does, `opened` lets it go on."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self.opened = asyncio.Event()

    def open(self) -> None:
        """Let everything that waits here, now or later, pass."""
        self.opened.set()


class Call:
    """A request that the engine got, what became of it and the text it sent."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.prompt = prompt_text(request.prompt)
        self.deadline: float | None = None
        if request.deadline is not None:
            self.deadline = asyncio.get_running_loop().time() + request.deadline
        self.text = ""
        self.outcome: Literal["running", "finished", "cancelled", "failed"] = "running"
        self.ended = asyncio.Event()

    def end(self, outcome: Literal["finished", "cancelled", "failed"]) -> None:
        """Note the outcome and wake those who wait for it."""
        self.outcome = outcome
        self.ended.set()


class ScriptedEngine:
    """Implements `Engine` from a script; `calls` and `warmed` hold what it was asked."""

    def __init__(self, script: Script | Sequence[Step] = ()) -> None:
        self.script = script if isinstance(script, Script) else Script(steps=tuple(script))
        self.calls: list[Call] = []
        self.warmed: list[Prompt] = []
        self._left = [step.times for step in self.script.steps]
        self._gates: dict[str, Gate] = {}
        self._listeners = Listeners()
        self._loaded = self.script.load_gate is None and self.script.load_error is None
        self._closed = False

    @property
    def requests(self) -> list[Request]:
        """The requests so far, in order."""
        return [call.request for call in self.calls]

    def gate(self, name: str) -> Gate:
        """The gate of that name."""
        return self._gates.setdefault(name, Gate())

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` with each change of the state; the result ends that."""
        return self._listeners.subscribe(listener)

    async def generate(self, request: Request) -> AsyncIterator[Event]:
        """The events of the step that fits the request."""
        call = Call(request)
        self.calls.append(call)
        self._record(request)
        self._tell()
        try:
            async with aclosing(self._play(call)) as events:
                async for event in events:
                    yield event
        except EngineError:
            call.end("failed")
            raise
        finally:
            if call.outcome == "running":
                call.end("cancelled")
            self._tell()

    async def count(self, texts: Sequence[str]) -> list[int]:
        """The tokens of each text by `count_tokens`."""
        await self._load()
        return [count_tokens(text) for text in texts]

    async def warm(self, prompt: Prompt, cache_key: str | None = None) -> None:  # noqa: ARG002
        """Remember the prompt in `warmed`."""
        await self._load()
        self.warmed.append(prompt)

    async def info(self) -> EngineInfo:
        """What the script claims, once `load_gate` is open."""
        await self._load()
        return self.state()

    def state(self) -> EngineInfo:
        """What the script claims, now."""
        script = self.script
        if not self._loaded:
            return EngineInfo(state="loading", model=script.model)
        if script.load_error is not None:
            return EngineInfo(state="failed", model=script.model, message=script.load_error)
        running = any(call.outcome == "running" for call in self.calls)
        return EngineInfo(
            state="busy" if running else "ready",
            model=script.model,
            architecture=script.architecture,
            parameters=script.parameters,
            context=script.context,
            trained_context=script.context,
            template=script.template,
            eos="<|im_end|>",
            bos="<|endoftext|>",
            fim=script.fim,
            tool_call_token=script.tool_call_token,
            embedded=script.embedded,
            clients=1,
        )

    async def aclose(self) -> None:
        """End running requests in `EngineLost`."""
        self._closed = True
        for gate in self._gates.values():
            gate.open()

    async def _load(self) -> None:
        if not self._loaded:
            self._tell()
            if self.script.load_gate is not None:
                await self._pass(self.script.load_gate)
            self._loaded = True
            self._tell()
        if self.script.load_error is not None:
            raise ModelError(self.script.load_error)
        self._check_open()

    async def _play(self, call: Call) -> AsyncGenerator[Event, None]:
        request = call.request
        await self._before(call, self._load())
        step = self._take(call)
        if step.error is not None and not step.reply:
            raise ERRORS[step.error](step.message)
        prompt_tokens = count_tokens(call.prompt)
        if prompt_tokens >= self.script.context:
            raise PromptTooLong(
                f"the prompt has {prompt_tokens} tokens, the context {self.script.context}"
            )
        cached = min(step.cached_tokens, prompt_tokens)
        yield Started(prompt_tokens=prompt_tokens, cached_tokens=cached)
        reason, made = step.finish, 0
        pieces, stopped = pieces_for(step, request)
        for index, piece in enumerate(pieces):
            await self._before(call, self._pause(step, index))
            tokens = tokens_for(piece, step, made)
            if made + len(tokens) > request.max_tokens:
                reason, stopped = "length", False
                break
            made += len(tokens)
            text = visible(piece)
            call.text += text
            yield Delta(text=text, tokens=with_logprobs(tokens, request))
        else:
            await self._before(call, self._pause(step, len(pieces)))
            if step.error is not None:
                raise ERRORS[step.error](step.message)
        call.end("finished")
        yield Finished(
            reason="stop" if stopped else reason,
            usage=Usage(prompt_tokens, cached, made),
            timings=Timings(0.0, 0.0, 0.0, 0.0),
        )

    async def _before(self, call: Call, work: Awaitable[None]) -> None:
        """Wait for `work` until the request's deadline.

        The limit lies around each wait, not around the whole answer: between two events the
        reader's own task runs, and a timeout would cancel whatever that does.
        """
        try:
            async with asyncio.timeout_at(call.deadline):
                await work
        except TimeoutError as error:
            raise DeadlineExceeded(
                f"the answer was not finished in {call.request.deadline} seconds"
            ) from error

    def _take(self, call: Call) -> Step:
        for index, step in enumerate(self.script.steps):
            fresh = step.times == 0 or self._left[index] > 0
            if fresh and step.fits(call.prompt, call.request.priority):
                self._left[index] -= 1
                for name in step.opens:
                    self.gate(name).open()
                return step
        raise EngineUnavailable(
            f"the script has no step left for the prompt that ends in {call.prompt[-200:]!r}"
        )

    async def _pause(self, step: Step, index: int) -> None:
        # Even without a gate the loop gets a turn: a real engine never answers in one go.
        await asyncio.sleep(0)
        if index in step.gates:
            await self._pass(step.gates[index])
        self._check_open()

    async def _pass(self, name: str) -> None:
        self._check_open()
        gate = self.gate(name)
        gate.reached.set()
        if self.script.gate_folder is None:
            await gate.opened.wait()
            return
        file = Path(self.script.gate_folder, name)
        # Another process makes the file, so there is nothing to wait on but the clock.
        while not gate.opened.is_set() and not file.exists():  # noqa: ASYNC110, ASYNC240
            await asyncio.sleep(_POLL)

    def _check_open(self) -> None:
        if self._closed:
            raise EngineLost(CLOSED)

    def _tell(self) -> None:
        self._listeners.tell(self.state())

    def _record(self, request: Request) -> None:
        if self.script.record is not None:
            with Path(self.script.record).open("ab") as file:
                # The standard encoder escapes lone surrogates, which msgspec refuses.
                file.write(json.dumps(msgspec.to_builtins(request)).encode() + b"\n")
