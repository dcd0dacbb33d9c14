"""The command line's second part: what happens to a model behind its pre-training."""

# ruff: noqa: PLC0415 - as in `cli`: libraries of the extra are imported by the command

import json
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from quillon_training.errors import TrainingError
from quillon_training.machine import require_memory, require_modules

tuning = typer.Typer()

_MEMORY_GIB = 2.5
_OWN_RATE, _ADAPTER_RATE = 1e-3, 2e-4
_COMPARED_TEXTS, _COMPARED_TOKENS = 6, 120

Folder = Annotated[Path, typer.Argument(help="Folder of the fine-tuning.")]
Dialogues = Annotated[Path, typer.Option(help="JSON Lines that `dialogues` wrote.")]
Checkpoint = Annotated[
    Path | None, typer.Option("--model", help="Folder of a Qwen checkpoint, to train an adapter.")
]
Rank = Annotated[int, typer.Option(help="Rank of the adapter.")]
Alpha = Annotated[int, typer.Option(help="The adapter is scaled by alpha / rank.")]
Licence = Annotated[
    str | None, typer.Option(help="Licence of the checkpoint, where its card names none.")
]


@tuning.command()
def finetune(
    folder: Folder,
    dialogues: Dialogues,
    *,
    run: Annotated[Path | None, typer.Option(help="A run of pre-training, to train whole.")] = None,
    tokenizer: Annotated[Path | None, typer.Option(help="The run's tokenizer.")] = None,
    model: Checkpoint = None,
    rank: Rank = 16,
    alpha: Alpha = 32,
    licence: Licence = None,
    steps: int = 400,
    tokens: Annotated[int, typer.Option(help="Of a batch, behind the system prompt.")] = 4096,
    batches: Annotated[int, typer.Option(help="Batches of one step.")] = 1,
    lr: Annotated[float | None, typer.Option(help="Highest learning rate.")] = None,
    call_weight: Annotated[float, typer.Option(help="Weight of a tool call's tokens.")] = 3.0,
    checkpointing: Annotated[
        bool, typer.Option(help="Less memory, more time: layers are computed twice.")
    ] = False,
    minutes: Annotated[float | None, typer.Option(help="Stop after so long.")] = None,
    threads: int = 2,
    seed: int = 1,
) -> None:
    """Train on dialogues, or go on: our own model whole, a Qwen checkpoint by an adapter."""
    require_modules("torch", "transformers", "tokenizers")
    import torch

    from quillon_training.finetune import FinetuneSettings, Finetuning, Trainee

    torch.set_num_threads(threads)
    settings = FinetuneSettings(
        steps=steps,
        tokens=tokens,
        batches_per_step=batches,
        lr=lr or (_ADAPTER_RATE if model else _OWN_RATE),
        call_weight=call_weight,
        checkpointing=checkpointing,
        seed=seed,
    )
    trainee: Trainee
    if model is not None and run is None:
        adapted = _adapted(model, rank, alpha, licence, seed)
        adapted.prepare(settings, dialogues)
        trainee = adapted
    else:
        trainee = _own(run if model is None else None, tokenizer)
    _train(Finetuning(folder, trainee, dialogues, settings), minutes)


@tuning.command("verify-adapter")
def verify_adapter(
    folder: Folder,
    gguf: Annotated[Path, typer.Argument(help="GGUF (F16 or F32) of the adapter's base model.")],
    dialogues: Dialogues,
    model: Annotated[Path, typer.Option(help="Folder of the Qwen checkpoint.")],
    rank: Rank = 16,
    alpha: Alpha = 32,
    licence: Licence = None,
    tolerance: Annotated[float, typer.Option(help="Largest difference of a logit.")] = 0.1,
) -> None:
    """Compare base and adapter in the engine with PyTorch, logit by logit."""
    adapted = _adapted(model, rank, alpha, licence, seed=1)
    from quillon_training.checkpoint import load_state
    from quillon_training.rendering import Renderer
    from quillon_training.supervised import read_records
    from quillon_training.verify import verify_adapter as compare

    adapted.load(load_state(folder)["state"])
    adapted.model.train(mode=False)
    renderer = Renderer(adapted.tokenizer)
    texts = [
        renderer.dialogue(record["messages"][1:]).ids[:_COMPARED_TOKENS]
        for record, _ in zip(read_records(dialogues), range(_COMPARED_TEXTS), strict=False)
    ]
    result = compare(gguf, folder / "adapter.gguf", adapted.model, texts, tolerance=tolerance)
    _answer(msgspec.to_builtins(result))


@tuning.command()
def share(
    dialogues: Annotated[Path, typer.Argument(help="JSON Lines that `dialogues` wrote.")],
    output: Annotated[Path, typer.Argument(help="Folder to write.")],
) -> None:
    """Write dialogues as LLaMA-Factory and Unsloth read them, to train elsewhere."""
    require_modules("torch", "tokenizers")
    from quillon_training.sharing import write_shared

    _answer(write_shared(dialogues, output))


def _train(training: Any, minutes: float | None) -> None:
    training.train(minutes=minutes)
    if training.done:
        _answer({"steps": training.step, "written": str(training.finish())})
    else:
        _answer({"steps": training.step, "go on": "with the same command"})


def _own(run: Path | None, tokenizer: Path | None) -> Any:
    if run is None or tokenizer is None:
        raise TrainingError(
            "What to train is not clear",
            "Name --run and --tokenizer for our own model, or --model for a Qwen checkpoint.",
        )
    require_memory(_MEMORY_GIB)
    from quillon_training.own import OwnModel
    from quillon_training.tokenizer import load_tokenizer

    return OwnModel(run, load_tokenizer(tokenizer))


def _adapted(model: Path, rank: int, alpha: int, licence: str | None, seed: int) -> Any:
    require_modules("torch", "transformers", "tokenizers", "peft", "gguf")
    from quillon_training.lora import Adapted, LoraSettings

    return Adapted(model, LoraSettings(rank=rank, alpha=alpha, seed=seed), licence=licence)


def _answer(value: Any) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, indent=1))
