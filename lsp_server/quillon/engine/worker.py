"""The decode thread: it loads the model and then runs the scheduler, and nothing else.

It alone calls llama.cpp, except for tokenising, which only reads the vocabulary and runs in a
small pool beside it. What it has to say goes to callbacks, on its own thread.
"""

import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from quillon.engine.base import (
    EngineError,
    EngineInfo,
    EngineUnavailable,
    Event,
    ModelError,
    Prompt,
    Request,
)
from quillon.engine.gguf import FIM_TOKENS
from quillon.engine.models import EMBEDDED, verify_adapter
from quillon.engine.planning import plan_for
from quillon.engine.scheduler import Job, Pace, Scheduler, prompt_too_long
from quillon.settings import ModelSettings

if TYPE_CHECKING:
    from quillon.engine.llama import Model
    from quillon.engine.llama_context import Context
    from quillon.engine.machine import Plan

logger = logging.getLogger(__name__)

_LEAST_CHUNK = 8  # tokens
_PROGRESS_STEP = 0.05
_PATIENCE = 0.05  # seconds until jobs that wait for room are looked at again


class Worker:
    """A model on a thread of its own.

    `changed(info, fraction)` hears of every change of the engine's state and of the loading.
    """

    def __init__(
        self,
        path: Path,
        settings: ModelSettings,
        changed: Callable[[EngineInfo, float | None], None],
    ) -> None:
        self.info = EngineInfo(
            state="loading", model=path.stem, path=str(path), embedded=path == EMBEDDED
        )
        self._path = path
        self._settings = settings
        self._changed = changed
        self._inbox: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._loaded = threading.Event()
        self._stopping = False
        self._told = 0.0
        self._step_since: float | None = None
        self._failure: EngineError | None = None
        self._model: Model | None = None
        self._context: Context | None = None
        self._scheduler: Scheduler | None = None
        self._tokenisers = ThreadPoolExecutor(2, thread_name_prefix="tokenise")
        # A daemon: a native call that never returns must not keep the process alive.
        self._thread = threading.Thread(target=self._run, name="decode", daemon=True)

    def start(self) -> None:
        """Begin to load."""
        self._thread.start()

    def submit(self, request: Request, emit: Callable[[Event | EngineError], None]) -> Job:
        """Run a request; it waits until the model is loaded."""
        job = Job(request, emit, time.monotonic())
        self._tokenisers.submit(self._prepare, job)
        return job

    def cancel(self, job: Job) -> None:
        """Stop a generation at once; it ends in `Finished`, unless it has ended."""
        job.cancelled = True
        scheduler, context = self._scheduler, self._context
        if scheduler is not None and context is not None and scheduler.running is job:
            context.interrupt()

    def count(self, texts: Sequence[str]) -> "Future[tuple[int, ...]]":
        """The number of tokens of each text, once the model is loaded; else an `EngineError`."""
        return self._tokenisers.submit(self._count, texts)

    def stop(self, timeout: float) -> bool:
        """End the thread and free the model; False if it did not end in time."""
        self._stopping = True
        self._inbox.put(None)
        context = self._context
        if context is not None:
            context.interrupt()
        self._thread.join(timeout)
        # Nothing is joined where the thread hangs: whoever waits for the model would wait on.
        self._tokenisers.shutdown(wait=not self._thread.is_alive(), cancel_futures=True)
        return not self._thread.is_alive()

    def busy_for(self) -> float:
        """Seconds since the running step began; 0 between steps."""
        since = self._step_since
        return 0.0 if since is None else time.monotonic() - since

    def _wait(self) -> "Model":
        self._loaded.wait()
        if self._model is None or self._stopping:
            raise self._failure or EngineUnavailable("the engine is shutting down")
        return self._model

    def _count(self, texts: Sequence[str]) -> tuple[int, ...]:
        model = self._wait()
        return tuple(model.count(text) for text in texts)

    def _prepare(self, job: Job) -> None:
        """Tokenise a request's prompt and hand it to the decode thread."""
        try:
            job.tokens = self._tokens(job.request.prompt)
        except EngineError as error:
            job.emit(error)
        except Exception:  # a defect of ours must not leave the client without an answer
            logger.exception("a prompt could not be tokenised")
            job.emit(EngineError("the prompt could not be tokenised; the engine's log says more"))
        else:
            self._inbox.put(job)

    def _tokens(self, prompt: Prompt) -> list[int]:
        model = self._wait()
        least = model.least_tokens(prompt)
        if least >= self.info.context:
            # To count a hundred megabytes takes half a minute, and the answer is known.
            raise prompt_too_long(f"at least {least}", self.info.context)
        return model.tokenize(prompt)

    def _run(self) -> None:
        try:
            self._load()
        except ModelError as error:
            self._fail(error)
        except Exception as error:  # whatever it is, clients must hear of it
            logger.exception("the model could not be loaded")
            self._fail(ModelError(f"The model {self._path} could not be loaded: {error!r}"))
        else:
            self._publish("ready")
        finally:
            self._loaded.set()
        while not self._stopping:
            self._turn()
        self._close()

    def _load(self) -> None:
        # llama.cpp is loaded here and not at the top: it takes a quarter of a second, in which
        # clients can already connect.
        from quillon.engine import llama, llama_context  # noqa: PLC0415

        llama.start_backend()
        plan = plan_for(self._path, self._settings, llama.graphics_devices())
        logger.info("%s", plan.reason)
        adapter = Path(self._settings.adapter) if self._settings.adapter else None
        if adapter is not None:
            verify_adapter(adapter)
        self._model = llama.Model(
            self._path, gpu_layers=plan.gpu_layers, adapter=adapter, progress=self._progress
        )
        self._context = llama_context.Context(
            self._model,
            llama_context.ContextSize(
                cells=plan.cells,
                context=plan.context,
                sequences=plan.sequences,
                batch=plan.batch,
                threads=plan.threads,
                batch_threads=plan.batch_threads,
                most_threads=plan.most_threads,
            ),
        )
        pace = Pace(least=_LEAST_CHUNK, most=plan.batch)
        self._scheduler = Scheduler(self._context, pace)
        self.info = self._describe(self._model, plan)

    def _describe(self, model: "Model", plan: "Plan") -> EngineInfo:
        return msgspec.structs.replace(
            self.info,
            model=model.meta("general.name") or self._path.stem,
            message=plan.reason,
            architecture=model.meta("general.architecture"),
            parameters=model.parameters,
            context=plan.context,
            trained_context=model.trained_context,
            template=model.template,
            bos=model.spelling("bos"),
            eos=model.spelling("eos"),
            fim=all(token in model.special for token in FIM_TOKENS),
            tool_call_token="<tool_call>" in model.special,
            gpu_layers=plan.gpu_layers,
            threads=plan.threads,
            batch_threads=plan.batch_threads,
        )

    def _progress(self, fraction: float) -> bool:
        if fraction >= self._told + _PROGRESS_STEP:
            self._told = fraction
            self._changed(self.info, fraction)
        return not self._stopping

    def _turn(self) -> None:
        """Take in what arrived, then do one step; wait where there is nothing to do."""
        scheduler, context = self._scheduler, self._context
        if scheduler is None or context is None or scheduler.idle:
            if self.info.state == "busy":
                self._publish("ready")
            self._take(self._inbox.get())
            return
        if self.info.state == "ready":
            self._publish("busy")
        context.rearm()
        self._step_since = time.monotonic()
        try:
            while not self._inbox.empty():
                self._take(self._inbox.get())
            progressed = scheduler.step()
        except Exception:  # a defect of ours must not end the thread that serves everybody
            logger.exception("a step of the engine failed")
            scheduler.fail(EngineError("the engine failed; its log says more"))
            return
        finally:
            self._step_since = None
        if not progressed and not scheduler.idle:
            try:
                self._take(self._inbox.get(timeout=_PATIENCE))
            except queue.Empty:
                return

    def _take(self, job: Job | None) -> None:
        if job is None:
            return
        if self._scheduler is None:
            job.emit(self._failure or EngineUnavailable("the engine has no model"))
        else:
            self._scheduler.submit(job)

    def _publish(self, state: str) -> None:
        self.info = msgspec.structs.replace(self.info, state=state)
        if self._scheduler is not None and self._context is not None:
            self.info = msgspec.structs.replace(
                self.info,
                tokens_per_second=self._scheduler.pace.decode,
                threads=self._context.threads,
            )
        self._changed(self.info, None)

    def _fail(self, error: ModelError) -> None:
        if self._stopping:
            return
        logger.error("%s", error)
        self._failure = error
        self.info = msgspec.structs.replace(self.info, state="failed", message=str(error))
        self._changed(self.info, None)

    def _close(self) -> None:
        if self._scheduler is not None:
            self._scheduler.fail(EngineUnavailable("the engine is shutting down"))
        # A tokeniser may still read the vocabulary.
        self._tokenisers.shutdown(wait=True, cancel_futures=True)
        if self._context is not None:
            self._context.close()
        if self._model is not None:
            self._model.close()
