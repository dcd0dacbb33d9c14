"""Pre-training: packed rows of code and holes, Muon and AdamW, resumable to the step.

A run has a folder: `settings.json`, `latest.pt`, `previous.pt`, `loss.jsonl` (one record per
`log_every` steps) and `loss.png`. Interrupting it (SIGINT, SIGTERM) saves before it ends.
"""

import logging
import signal
import time
from pathlib import Path
from types import FrameType

import msgspec
import numpy as np
import torch
from transformers import Qwen3ForCausalLM

from quillon_training.checkpoint import (
    LATEST,
    Checkpoint,
    load_checkpoint,
    save_checkpoint,
)
from quillon_training.compute import Compute
from quillon_training.cores import ThreadCount
from quillon_training.corpus import Corpus
from quillon_training.errors import CheckpointError, TrainingError
from quillon_training.examples import ExampleMaker, Mixture
from quillon_training.loss import weighted_cross_entropy
from quillon_training.model import ModelShape, build_model, grow, parameter_count
from quillon_training.optim import learning_rate, optimizers
from quillon_training.rows import Rows, StreamState
from quillon_training.supervised import DialogueMixture, DialogueRows, hidden_states
from quillon_training.tokenizer import load_tokenizer

log = logging.getLogger(__name__)

_AVERAGE = 0.995
_CLIP = 1.0


class PretrainSettings(msgspec.Struct, frozen=True):
    """All that decides a run's numbers; kept in its checkpoints."""

    length: int = 256
    rows_per_batch: int = 16
    batches_per_step: int = 2
    lr: float = 4e-3
    weight_decay: float = 0.1
    warmup: int = 100
    decay_from: int | None = None
    decay_steps: int = 0
    seed: int = 1
    mixture: Mixture = Mixture()
    characters_per_token: float = 2.6
    dialogue_batches: int = 0
    """Batches of dialogues in every step, besides those of code; for the decay."""
    dialogue_tokens: int = 0
    """Tokens of a batch of dialogues; 0: as many as one of code has."""
    dialogue_mixture: DialogueMixture = DialogueMixture()
    code_weight: float = 1.0
    """How much the mean loss of code counts beside that of dialogues."""

    @property
    def tokens_per_step(self) -> int:
        """Tokens that one optimiser step sees."""
        return self.length * self.rows_per_batch * self.batches_per_step


class LossRecord(msgspec.Struct, frozen=True):
    """One line of `loss.jsonl`: mean loss per token in nats since the record before."""

    step: int
    tokens: int
    loss: float
    lr: float
    gradient_norm: float
    tokens_per_second: float
    seconds: float
    dialogue_loss: float | None = None


class Run:
    """A model in training."""

    def __init__(
        self,
        folder: Path,
        corpus: Path,
        tokenizer: Path,
        dialogues: Path | None = None,
        *,
        compute: Compute = Compute(),  # noqa: B008 - it is frozen
    ) -> None:
        self._folder, self._compute, self._device = folder, compute, compute.torch_device()
        self._corpus = Corpus(corpus)
        self._tokenizer = load_tokenizer(tokenizer)
        self._dialogue_file = dialogues
        self._dialogues: DialogueRows | None = None
        self._stop = False

    def start(self, shape: ModelShape, settings: PretrainSettings) -> None:
        """Begin with fresh weights."""
        if (self._folder / LATEST).exists():
            raise TrainingError(
                f"{self._folder} already holds a run",
                "`pretrain` on it goes on; name another folder for a new one.",
            )
        model = build_model(shape, settings.seed)
        self._adopt(model, shape, settings, StreamState(), step=0, tokens=0)
        self._average = {name: value.clone() for name, value in model.state_dict().items()}

    def resume(self, settings: PretrainSettings | None = None) -> None:
        """Go on from the newest checkpoint; other settings begin another phase of the schedule."""
        saved = load_checkpoint(self._folder)
        before = msgspec.convert(saved.settings, PretrainSettings)
        settings = settings or before
        stream = saved.stream
        if (settings.length, settings.characters_per_token) != (
            before.length,
            before.characters_per_token,
        ):
            stream = StreamState(epoch=stream.epoch + 1)
        self._adopt(
            saved.build_model(), saved.shape, settings, stream, step=saved.step, tokens=saved.tokens
        )
        self._average = {name: each.to(self._device) for name, each in saved.average.items()}
        for optimizer, state in zip(self._optimizers, saved.optimizers, strict=True):
            optimizer.load_state_dict(state)
        torch.set_rng_state(saved.torch_rng)

    def train(
        self,
        *,
        threads: int,
        steps: int | None,
        minutes: float | None,
        save_every: float = 10,
        log_every: int = 10,
    ) -> None:
        """Train until step `steps`, for `minutes`, or until interrupted; save at the end."""
        self._folder.mkdir(parents=True, exist_ok=True)
        handlers = {
            number: signal.signal(number, self._interrupt)
            for number in (signal.SIGINT, signal.SIGTERM)
        }
        started = saved = time.monotonic()
        cores = ThreadCount(threads)
        try:
            while not self._stop and (steps is None or self.step < steps):
                if minutes is not None and time.monotonic() - started > minutes * 60:
                    break
                cores.adapt()
                self._advance(log_every)
                if time.monotonic() - saved > save_every * 60:
                    self.save()
                    saved = time.monotonic()
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)
        self.save()

    def save(self) -> Path:
        """Write a checkpoint and the loss curve."""
        path = save_checkpoint(
            self._folder,
            Checkpoint(
                step=self.step,
                tokens=self.tokens,
                shape=self.shape,
                settings=msgspec.to_builtins(self.settings),
                model=self.model.state_dict(),
                average=self._average,
                optimizers=[optimizer.state_dict() for optimizer in self._optimizers],
                stream=self._rows.state,
                torch_rng=torch.get_rng_state(),
            ),
        )
        log.info("step %d: saved %s", self.step, path)
        return path

    def _adopt(
        self,
        model: Qwen3ForCausalLM,
        shape: ModelShape,
        settings: PretrainSettings,
        stream: StreamState,
        *,
        step: int,
        tokens: int,
    ) -> None:
        if self._tokenizer.get_vocab_size() > shape.vocabulary:
            raise CheckpointError(
                f"The tokenizer does not match the model: {self._tokenizer.get_vocab_size()} "
                f"tokens for {shape.vocabulary}",
                "Name the tokenizer that the run began with, or a --shape of its size.",
            )
        self.model, self.shape, self.settings = model.train().to(self._device), shape, settings
        self._forward = self._compute.forward(self.model.model)
        self.step, self.tokens = step, tokens
        self._optimizers = optimizers(model, lr=settings.lr, weight_decay=settings.weight_decay)
        self._rows = Rows(
            self._corpus,
            ExampleMaker(self._tokenizer, settings.mixture, settings.length),
            length=settings.length,
            characters=int(settings.length * settings.characters_per_token),
            seed=settings.seed,
            state=stream,
        )
        self._dialogue_losses: list[float] = []
        if self._dialogue_file is not None:
            self._dialogues = DialogueRows(
                self._dialogue_file,
                self._tokenizer,
                tokens=settings.dialogue_tokens or settings.length * settings.rows_per_batch,
                seed=settings.seed,
                mixture=settings.dialogue_mixture,
            )
        self._pending: list[tuple[float, float]] = []
        self._logged, self._logged_tokens = time.monotonic(), self.tokens
        log.info(
            "%.2fM parameters, %d tokens per step, %d blocks per epoch",
            parameter_count(model) / 1e6,
            settings.tokens_per_step,
            self._rows.blocks,
        )

    def _advance(self, log_every: int) -> None:
        """One optimiser step."""
        settings = self.settings
        lr = learning_rate(
            self.step,
            peak=settings.lr,
            warmup=settings.warmup,
            decay_from=settings.decay_from,
            decay_steps=settings.decay_steps,
        )
        batches = [self._batch() for _ in range(settings.batches_per_step)]
        total_weight = float(sum(weights.sum() for _, weights in batches))
        loss = sum(self._backward(ids, weights, total_weight) for ids, weights in batches)
        for number in range(settings.dialogue_batches):
            self._backward_dialogues(self.step * settings.dialogue_batches + number)
        norm = float(torch.nn.utils.clip_grad_norm_(self.model.parameters(), _CLIP))
        for optimizer in self._optimizers:
            for group in optimizer.param_groups:
                group["lr"] = lr
            optimizer.step()
            optimizer.zero_grad()
        self._follow_average()
        self.step += 1
        self.tokens += settings.tokens_per_step
        self._pending.append((loss, norm))
        if self.step % log_every == 0:
            self._log(lr)

    def _batch(self) -> tuple[torch.Tensor, torch.Tensor]:
        rows = [self._rows.next_row() for _ in range(self.settings.rows_per_batch)]
        ids = torch.from_numpy(np.stack([row for row, _ in rows]))
        weights = torch.from_numpy(np.stack([weights for _, weights in rows]))[:, 1:]
        return ids.to(self._device), weights.to(self._device)

    def _backward(self, ids: torch.Tensor, weights: torch.Tensor, total_weight: float) -> float:
        with self._compute.autocast():
            hidden = self._forward(input_ids=ids[:, :-1]).last_hidden_state
            loss = self._loss(hidden, ids[:, 1:], weights.reshape(-1)) / total_weight
        (loss * self.settings.code_weight).backward()  # type: ignore[no-untyped-call]
        return loss.item()

    def _backward_dialogues(self, number: int) -> None:
        """Gradients of one batch of dialogues; the mean loss of all of a step's counts once."""
        if self._dialogues is None:
            raise TrainingError("The settings ask for dialogues", "Name them with --dialogues.")
        batch = self._dialogues.batch(number).to(self._device)
        self.tokens += batch.tokens
        weights = batch.weights[:, 1:].reshape(-1)
        with self._compute.autocast():
            loss = self._loss(hidden_states(self.model, batch)[:, :-1], batch.ids[:, 1:], weights)
        share = 1 / (float(weights.sum()) * self.settings.dialogue_batches)
        (loss * share).backward()  # type: ignore[no-untyped-call]
        self._dialogue_losses.append(loss.item() / float(weights.sum()))

    def _loss(
        self, hidden: torch.Tensor, targets: torch.Tensor, weights: torch.Tensor
    ) -> torch.Tensor:
        return weighted_cross_entropy(
            hidden.reshape(-1, hidden.shape[-1]),
            self.model.lm_head.weight,
            targets.reshape(-1),
            weights,
        )

    @torch.no_grad()
    def _follow_average(self) -> None:
        """An average of the weights: much of what the decay will bring, at any time."""
        share = 1 - min(_AVERAGE, (self.step + 1) / (self.step + 10))
        for name, value in self.model.state_dict().items():
            self._average[name].lerp_(value, share)

    def _log(self, lr: float) -> None:
        now = time.monotonic()
        losses, norms = zip(*self._pending, strict=True)
        record = LossRecord(
            step=self.step,
            tokens=self.tokens,
            loss=round(sum(losses) / len(losses), 4),
            dialogue_loss=_mean(self._dialogue_losses),
            lr=lr,
            gradient_norm=round(sum(norms) / len(norms), 3),
            tokens_per_second=round((self.tokens - self._logged_tokens) / (now - self._logged), 1),
            seconds=round(time.time(), 1),
        )
        with (self._folder / "loss.jsonl").open("ab") as file:
            file.write(msgspec.json.encode(record) + b"\n")
        log.info(
            "step %d  loss %.3f  %.0f tokens/s", record.step, record.loss, record.tokens_per_second
        )
        self._pending, self._dialogue_losses = [], []
        self._logged, self._logged_tokens = now, self.tokens

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        log.warning("Interrupted: this step is finished, then saved.")
        self._stop = True


def _mean(values: list[float]) -> float | None:
    return round(sum(values) / len(values), 4) if values else None


def grow_run(source: Path, target: Path, factor: int) -> None:
    """Write a checkpoint of a model `factor` times as deep; its optimisers start anew."""
    saved = load_checkpoint(source)
    settings = msgspec.convert(saved.settings, PretrainSettings)
    model, shape = grow(saved.build_model(), saved.shape, factor)
    average, _ = grow(saved.build_model(averaged=True), saved.shape, factor)
    fresh = optimizers(model, lr=settings.lr, weight_decay=settings.weight_decay)
    save_checkpoint(
        target,
        msgspec.structs.replace(
            saved,
            shape=shape,
            model=model.state_dict(),
            average=average.state_dict(),
            optimizers=[optimizer.state_dict() for optimizer in fresh],
        ),
    )
