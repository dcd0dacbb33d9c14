"""Our own model as what `finetune` trains: all weights, from a run of pre-training."""

from pathlib import Path

import torch
from tokenizers import Tokenizer
from transformers import Qwen2ForCausalLM, Qwen3ForCausalLM

from quillon_training.checkpoint import load_checkpoint, save_checkpoint
from quillon_training.errors import CheckpointError
from quillon_training.finetune import FinetuneSettings
from quillon_training.optim import optimizers

FINISHED = "model"  # a folder inside the run: a run of its own, for `export` and `verify`


class OwnModel:
    """All weights of a run's newest checkpoint.

    Raises:
        CheckpointError: The run cannot be read, or the tokenizer is not its own.
    """

    def __init__(self, run: Path, tokenizer: Tokenizer) -> None:
        self._saved = load_checkpoint(run)
        vocabulary = self._saved.shape.vocabulary
        if tokenizer.get_vocab_size() != vocabulary:
            raise CheckpointError(
                f"The tokenizer does not match the model: {tokenizer.get_vocab_size()} tokens "
                f"for {vocabulary}",
                "Name the tokenizer that the run was trained with (--tokenizer).",
            )
        self.name = f"our own model after {self._saved.step} steps of pre-training"
        self.model: Qwen2ForCausalLM | Qwen3ForCausalLM = self._saved.build_model(averaged=True)
        self.tokenizer = tokenizer

    def optimizers(self, settings: FinetuneSettings) -> list[torch.optim.Optimizer]:
        """Those of pre-training, anew."""
        return optimizers(self.model, lr=settings.lr, weight_decay=settings.weight_decay)

    def state(self) -> dict[str, torch.Tensor]:
        """All weights."""
        return self.model.state_dict()

    def load(self, state: dict[str, torch.Tensor]) -> None:
        """Take up all weights."""
        self.model.load_state_dict(state)

    def finish(self, folder: Path, settings: FinetuneSettings, step: int) -> Path:
        """A run that `export` reads; its step goes on from that of the pre-training."""
        del settings
        weights = self.model.state_dict()
        checkpoint = self._saved
        checkpoint.step += step
        checkpoint.model = checkpoint.average = weights
        return save_checkpoint(folder / FINISHED, checkpoint).parent
