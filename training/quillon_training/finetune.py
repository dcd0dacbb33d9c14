"""Supervised training on dialogues: all weights of our own model, or an adapter of a Qwen model.

A run has a folder: `latest.pt` and `previous.pt` (what is trained, optimisers, step), `loss.jsonl`
and `record.json` (seed, data, versions). What a run trains is its `Trainee`: `own.py`, `lora.py`.
"""

import logging
import signal
import time
from pathlib import Path
from types import FrameType
from typing import Any, Protocol

import msgspec
import torch
from tokenizers import Tokenizer
from transformers import Qwen2ForCausalLM, Qwen3ForCausalLM

from quillon_training.checkpoint import LATEST, load_state, save_state
from quillon_training.errors import CheckpointError
from quillon_training.loss import weighted_cross_entropy
from quillon_training.memory import out_of_memory_said, require_finite
from quillon_training.optim import learning_rate
from quillon_training.record import Data, write_record
from quillon_training.rendering import CALL_WEIGHT
from quillon_training.supervised import (
    DialogueBatch,
    DialogueMixture,
    DialogueRows,
    hidden_states,
)

log = logging.getLogger(__name__)

_CLIP = 1.0
_DECAY = 0.4  # of the steps, at the end


class FinetuneSettings(msgspec.Struct, frozen=True):
    """All that decides a run's numbers; `tokens` are those of a batch behind the system prompt."""

    steps: int = 400
    tokens: int = 4096
    batches_per_step: int = 1
    lr: float = 1e-3
    weight_decay: float = 0.0
    warmup: int = 20
    call_weight: float = CALL_WEIGHT
    checkpointing: bool = False
    seed: int = 1


class TuneRecord(msgspec.Struct, frozen=True):
    """One line of `loss.jsonl`: mean loss per learnt token in nats since the record before."""

    step: int
    loss: float
    lr: float
    tokens_per_second: float
    minutes_left: float
    seconds: float


class Trainee(Protocol):
    """What is trained, and how it is kept."""

    name: str
    model: Qwen2ForCausalLM | Qwen3ForCausalLM
    tokenizer: Tokenizer

    def optimizers(self, settings: FinetuneSettings) -> list[torch.optim.Optimizer]:
        """Optimisers of what is trained."""

    def state(self) -> dict[str, torch.Tensor]:
        """What is trained, by name."""

    def load(self, state: dict[str, torch.Tensor]) -> None:
        """Take up a `state`."""

    def finish(self, folder: Path, settings: FinetuneSettings, step: int) -> Path:
        """Write what the next step of the pipeline reads."""


class Finetuning:
    """A run of supervised training; the same arguments go on where it stopped."""

    def __init__(
        self, folder: Path, trainee: Trainee, dialogues: Path, settings: FinetuneSettings
    ) -> None:
        self._folder, self._trainee, self._settings = folder, trainee, settings
        self._device = next(trainee.model.parameters()).device
        self._rows = DialogueRows(
            dialogues,
            trainee.tokenizer,
            tokens=settings.tokens,
            seed=settings.seed,
            mixture=DialogueMixture(call_weight=settings.call_weight),
        )
        self._optimizers = trainee.optimizers(settings)
        self._data = [Data.of("dialogues", dialogues)]
        self.step = 0
        self._stop = False
        if (folder / LATEST).exists():
            self._resume()

    def train(
        self, *, minutes: float | None = None, save_every: float = 10, log_every: int = 10
    ) -> None:
        """Train to the last step, for `minutes`, or until interrupted; save at the end."""
        self._folder.mkdir(parents=True, exist_ok=True)
        write_record(self._folder, self._trainee.name, self._settings, self._data)
        handlers = {
            number: signal.signal(number, self._interrupt)
            for number in (signal.SIGINT, signal.SIGTERM)
        }
        started = saved = time.monotonic()
        self._pending: list[float] = []
        self._seen, self._logged, self._logged_step = 0, started, self.step
        self._trainee.model.train()
        try:
            while not self._stop and self.step < self._settings.steps:
                if minutes is not None and time.monotonic() - started > minutes * 60:
                    break
                with out_of_memory_said():
                    self._advance(log_every)
                if time.monotonic() - saved > save_every * 60:
                    self.save()
                    saved = time.monotonic()
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)
        self.save()

    @property
    def done(self) -> bool:
        """Whether all steps are taken."""
        return self.step >= self._settings.steps

    def save(self) -> Path:
        """Write a checkpoint."""
        path = save_state(
            self._folder,
            {
                "trainee": self._trainee.name,
                "step": self.step,
                "settings": msgspec.to_builtins(self._settings),
                "state": self._trainee.state(),
                "optimizers": [optimizer.state_dict() for optimizer in self._optimizers],
            },
        )
        log.info("step %d: saved %s", self.step, path)
        return path

    def finish(self) -> Path:
        """Write the trained model or adapter."""
        return self._trainee.finish(self._folder, self._settings, self.step)

    def _resume(self) -> None:
        saved: dict[str, Any] = load_state(self._folder)
        if saved.get("trainee") != self._trainee.name:
            raise CheckpointError(
                f"{self._folder} holds a run of {saved.get('trainee', 'another kind')}, "
                f"not of {self._trainee.name}",
                "Name another folder, or the model that this run began with.",
            )
        try:
            self._trainee.load(saved["state"])
            for optimizer, state in zip(self._optimizers, saved["optimizers"], strict=True):
                optimizer.load_state_dict(state)
        except (KeyError, ValueError, RuntimeError) as error:
            raise CheckpointError(
                f"The checkpoint in {self._folder} does not fit: {error}",
                "Go on with the --rank that the run began with, or name another folder.",
            ) from error
        self.step = saved["step"]
        log.info("going on at step %d", self.step)

    def _advance(self, log_every: int) -> None:
        """One optimiser step."""
        settings = self._settings
        decay_steps = max(1, int(settings.steps * _DECAY))
        lr = learning_rate(
            self.step,
            peak=settings.lr,
            warmup=settings.warmup,
            decay_from=settings.steps - decay_steps,
            decay_steps=decay_steps,
        )
        first = self.step * settings.batches_per_step
        losses = [self._backward(first + number) for number in range(settings.batches_per_step)]
        loss = sum(losses) / len(losses)
        require_finite(loss, self.step + 1)
        torch.nn.utils.clip_grad_norm_(
            [value for value in self._trainee.model.parameters() if value.requires_grad], _CLIP
        )
        for optimizer in self._optimizers:
            for group in optimizer.param_groups:
                group["lr"] = lr
            optimizer.step()
            optimizer.zero_grad()
        self.step += 1
        self._pending.append(loss)
        if self.step % log_every == 0 or self.step == settings.steps:
            self._log(lr)

    def _backward(self, number: int) -> float:
        """Gradients of one batch; the mean loss of its learnt tokens."""
        batch = self._rows.batch(number).to(self._device)
        model = self._trainee.model
        hidden = self._hidden(batch)[:, :-1]
        weights = batch.weights[:, 1:].reshape(-1)
        total = float(weights.sum())
        loss = weighted_cross_entropy(
            hidden.reshape(-1, hidden.shape[-1]),
            model.lm_head.weight,
            batch.ids[:, 1:].reshape(-1),
            weights,
        )
        share = 1 / (total * self._settings.batches_per_step)
        (loss * share).backward()  # type: ignore[no-untyped-call]
        self._seen += batch.tokens
        return loss.item() / total

    def _hidden(self, batch: DialogueBatch) -> torch.Tensor:
        """Last hidden states of the rows, `[rows, length, d]`."""
        model = self._trainee.model
        if not self._settings.checkpointing:
            return hidden_states(model, batch)
        # A checkpointed layer is run again for its gradients and keeps no keys and values, so
        # every row carries the system prompt itself.
        whole = torch.cat([batch.prefix.expand(len(batch.ids), -1), batch.ids], dim=1)
        hidden: torch.Tensor = model.model(input_ids=whole, use_cache=False).last_hidden_state
        return hidden[:, len(batch.prefix) :]

    def _log(self, lr: float) -> None:
        now = time.monotonic()
        seconds, steps = now - self._logged, self.step - self._logged_step
        record = TuneRecord(
            step=self.step,
            loss=round(sum(self._pending) / len(self._pending), 4),
            lr=lr,
            tokens_per_second=round(self._seen / seconds, 1),
            minutes_left=round((self._settings.steps - self.step) * seconds / steps / 60, 1),
            seconds=round(time.time(), 1),
        )
        with (self._folder / "loss.jsonl").open("ab") as file:
            file.write(msgspec.json.encode(record) + b"\n")
        log.info(
            "step %d of %d  loss %.3f  %.0f tokens/s  %.1f minutes left",
            record.step,
            self._settings.steps,
            record.loss,
            record.tokens_per_second,
            record.minutes_left,
        )
        self._pending, self._seen, self._logged, self._logged_step = [], 0, now, self.step

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        log.warning("Interrupted: this step is finished, then saved.")
        self._stop = True
