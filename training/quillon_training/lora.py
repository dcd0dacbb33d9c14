"""Adapters (LoRA) of Qwen checkpoints: low-rank additions to the matrices of every layer.

LoRA: Hu et al. 2021, arXiv:2106.09685. A checkpoint is a folder as Hugging Face has it, already on
this machine: nothing is downloaded. Tried on tiny random Qwen2 and Qwen3 checkpoints on a CPU; on
a GPU (bf16, checkpointed layers) the same code has not been run yet.
"""

import json
import logging
import re
from pathlib import Path
from typing import Any, cast

import msgspec
import torch
from jinja2 import TemplateError
from peft import (
    LoraConfig,
    PeftModel,
    get_peft_model,
    get_peft_model_state_dict,
    set_peft_model_state_dict,
)
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM, AutoTokenizer, Qwen2ForCausalLM, Qwen3ForCausalLM

from quillon_training.adapter import AdapterCard, write_adapter
from quillon_training.errors import CheckpointError, TrainingError
from quillon_training.finetune import FinetuneSettings
from quillon_training.machine import require_memory
from quillon_training.rendering import Renderer
from quillon_training.supervised import read_records
from quillon_training.tokenizer import load_tokenizer

log = logging.getLogger(__name__)

ARCHITECTURES = {"Qwen2ForCausalLM": "qwen2", "Qwen3ForCausalLM": "qwen3"}
MODELS = "Qwen3-4B-Instruct-2507, Qwen2.5-Coder-1.5B-Instruct or Qwen2.5-Coder-7B-Instruct"
_TARGETS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
_LICENCE = re.compile(r"^license:\s*(\S+)\s*$", re.MULTILINE)
_GIB = 1 << 30
_WORKING_GIB = 0.5  # activations, adapter and its optimiser, at the least
_COMPARED = 20  # dialogues whose text is compared with the checkpoint's own template


class LoraSettings(msgspec.Struct, frozen=True):
    """`rank` of the additions, which are scaled by `alpha / rank`."""

    rank: int = 16
    alpha: int = 32
    seed: int = 1


class Adapted:
    """A Qwen checkpoint whose matrices are frozen and whose adapter is trained."""

    def __init__(self, folder: Path, settings: LoraSettings, *, licence: str | None = None) -> None:
        self.architecture = _architecture(folder)
        self.licence = licence or _licence(folder)
        self.name = f"an adapter of rank {settings.rank} for {folder.name}"
        self._folder, self._settings = folder, settings
        self.tokenizer: Tokenizer = load_tokenizer(folder / "tokenizer.json")
        base = load_base(folder)
        if self.tokenizer.get_vocab_size() > base.config.vocab_size:
            raise CheckpointError(
                f"The tokenizer does not match the model: {self.tokenizer.get_vocab_size()} "
                f"tokens for {base.config.vocab_size}",
                "Take all files of the checkpoint from one place.",
            )
        torch.manual_seed(settings.seed)
        self._peft: PeftModel = get_peft_model(
            base,
            LoraConfig(
                r=settings.rank,
                lora_alpha=settings.alpha,
                target_modules=list(_TARGETS),
                task_type="CAUSAL_LM",
            ),
        )
        self.model: Qwen2ForCausalLM | Qwen3ForCausalLM = base  # peft changed it in place

    def prepare(self, settings: FinetuneSettings, dialogues: Path) -> None:
        """Check that the checkpoint's chat template is ours, and set up checkpointed layers.

        Raises:
            TrainingError: The template writes dialogues in another form.
        """
        self._compare_template(dialogues)
        if settings.checkpointing:
            self.model.gradient_checkpointing_enable(  # type: ignore[no-untyped-call]
                {"use_reentrant": False}
            )

    def optimizers(self, settings: FinetuneSettings) -> list[torch.optim.Optimizer]:
        """AdamW on the adapter."""
        adapter = [value for value in self.model.parameters() if value.requires_grad]
        return [torch.optim.AdamW(adapter, lr=settings.lr, weight_decay=settings.weight_decay)]

    def state(self) -> dict[str, torch.Tensor]:
        """The adapter's matrices."""
        found: dict[str, torch.Tensor] = get_peft_model_state_dict(self._peft)
        return found

    def load(self, state: dict[str, torch.Tensor]) -> None:
        """Take up an adapter's matrices."""
        unknown = set(state) ^ set(self.state())
        if unknown:
            raise KeyError(sorted(unknown)[0])
        set_peft_model_state_dict(self._peft, state)

    def finish(self, folder: Path, settings: FinetuneSettings, step: int) -> Path:
        """Write the adapter as `adapter.gguf`, and in peft's form below `peft/`."""
        self._peft.save_pretrained(str(folder / "peft"))
        return write_adapter(
            folder / "adapter.gguf",
            self.state(),
            AdapterCard(
                name=f"Quillon tools for {self._folder.name}",
                architecture=self.architecture,
                alpha=self._settings.alpha,
                licence=self.licence,
                base=self._folder.name,
                description=f"LoRA of rank {self._settings.rank}, {step} steps, "
                f"seed {settings.seed}.",
            ),
        )

    def _compare_template(self, dialogues: Path) -> None:
        theirs = AutoTokenizer.from_pretrained(str(self._folder), local_files_only=True)
        renderer = Renderer(self.tokenizer)
        for record, _ in zip(read_records(dialogues), range(_COMPARED), strict=False):
            system, *messages = record["messages"]
            ids = renderer.system(system["content"], record["tools"])
            ids += renderer.dialogue(messages).ids
            ours = self.tokenizer.decode(ids, skip_special_tokens=False)
            try:
                expected = theirs.apply_chat_template(
                    [_parsed(message) for message in record["messages"]],
                    tools=record["tools"] or None,
                    tokenize=False,
                )
            except (TemplateError, ValueError) as error:
                raise _other_template(self._folder) from error
            if ours != expected:
                raise _other_template(self._folder)


def load_base(folder: Path) -> Qwen2ForCausalLM | Qwen3ForCausalLM:
    """The checkpoint in a folder, frozen: bf16 on a GPU where there is one, else fp32.

    Raises:
        TrainingError: It is missing or damaged, of another architecture, or too large for the
            memory.
    """
    _architecture(folder)
    on_gpu = torch.cuda.is_available()
    size = sum(file.stat().st_size for file in folder.glob("*.safetensors"))
    if not on_gpu:
        # Checkpoints are stored in 2 bytes a weight and computed in 4.
        require_memory(2 * size / _GIB + _WORKING_GIB)
    try:
        loaded: Any = AutoModelForCausalLM.from_pretrained(
            str(folder),
            local_files_only=True,
            dtype=torch.bfloat16 if on_gpu else torch.float32,
            attn_implementation="sdpa",
            output_loading_info=True,
        )
    except Exception as error:
        # transformers and safetensors raise many kinds for damaged files.
        raise CheckpointError(
            f"The checkpoint {folder} cannot be read: {error}",
            "Download it again, whole; compare the sizes of its files.",
        ) from error
    model, found = loaded
    # Weights that a file lacks or has in another shape would be random ones.
    wrong = sorted([*found["missing_keys"], *(str(key) for key in found["mismatched_keys"])])
    if wrong:
        raise CheckpointError(
            f"The checkpoint {folder} lacks weights that fit its config.json, such as {wrong[0]}",
            "Download it again, whole, all files from one place.",
        )
    model.requires_grad_(requires_grad=False)
    model.config.use_cache = False
    if on_gpu:
        model.to("cuda")
    return cast("Qwen2ForCausalLM | Qwen3ForCausalLM", model)


def _architecture(folder: Path) -> str:
    """The GGUF name of the architecture that a checkpoint's configuration names."""
    try:
        names = json.loads((folder / "config.json").read_text("utf-8")).get("architectures") or []
    except (OSError, ValueError, AttributeError) as error:
        raise CheckpointError(
            f"{folder} is no checkpoint: {error}",
            f"Name the folder of one that you downloaded: {MODELS}.",
        ) from error
    for name in names:
        if name in ARCHITECTURES:
            return ARCHITECTURES[name]
    raise CheckpointError(
        f"{folder} is a {', '.join(names) or 'model of an unnamed architecture'}",
        f"Adapters are made for Qwen2 and Qwen3: {MODELS}.",
    )


def _licence(folder: Path) -> str:
    """The licence that the checkpoint's card names."""
    card = folder / "README.md"
    found = _LICENCE.search(card.read_text("utf-8", "replace")) if card.exists() else None
    if found is None:
        raise TrainingError(
            f"{card} names no licence",
            "An adapter carries its base model's licence: name it, such as --licence apache-2.0.",
        )
    return found[1]


def _parsed(message: dict[str, Any]) -> dict[str, Any]:
    """The message with its calls' arguments as objects, as every template reads them."""
    calls = message.get("tool_calls")
    if not calls:
        return message
    made = [
        {
            "type": "function",
            "function": {
                "name": call["function"]["name"],
                "arguments": json.loads(call["function"]["arguments"]),
            },
        }
        for call in calls
    ]
    return message | {"tool_calls": made}


def _other_template(folder: Path) -> TrainingError:
    return TrainingError(
        f"The chat template of {folder} writes tool calls in another form than ours",
        f"Use an instruct checkpoint with its own tokenizer_config.json: {MODELS}.",
    )
