"""The command line: one command per step of the pipeline, each resumable."""

# Libraries of the extra are imported by the command that needs them: `--help` answers at once, and
# a missing one is named.
# ruff: noqa: PLC0415

import json
import logging
import sys
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.logging import RichHandler

from quillon_training.errors import TrainingError
from quillon_training.machine import require_memory, require_modules
from quillon_training.tuning_cli import tuning

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
app.add_typer(tuning)
console = Console(stderr=True)

RunFolder = Annotated[Path, typer.Argument(help="Folder of the run.")]
CorpusFolder = Annotated[Path, typer.Option("--corpus", help="Folder that `corpus` wrote.")]
TokenizerFile = Annotated[Path, typer.Option("--tokenizer", help="File that `tokenizer` wrote.")]
DeviceName = Annotated[
    str, typer.Option("--device", help="cpu, cuda, or auto: a GPU where torch finds one.")
]
Bf16 = Annotated[bool | None, typer.Option(help="bf16; else where the machine is fast at it.")]
Compiled = Annotated[bool | None, typer.Option(help="torch.compile; else only on a GPU.")]
_MEMORY_GIB = 2.5


def main() -> None:
    """Run a command; a step that cannot go on ends with what to do, not with a traceback."""
    handler = RichHandler(console=console, show_path=False)
    logging.basicConfig(level=logging.INFO, format="%(message)s", handlers=[handler])
    try:
        app()
    except TrainingError as error:
        # No markup: messages have brackets of their own, such as quillon[training].
        console.print(str(error), style="red", highlight=False, markup=False)
        console.print(error.hint, highlight=False, markup=False)
        sys.exit(1)


@app.command()
def fetch(
    output: Annotated[Path, typer.Argument(help="Folder for `python/` and `npm/`.")],
    *,
    npm: Annotated[bool, typer.Option(help="Fetch npm packages, too.")] = True,
) -> None:
    """Install the packages whose code is read, without running any of it."""
    from quillon_training.fetch import fetch_npm, fetch_python

    failed = fetch_python(output / "python")
    if npm:
        fetch_npm(output / "npm")
    _answer({"failed": failed})


@app.command()
def corpus(
    output: Annotated[Path, typer.Argument(help="Folder to write.")],
    packages: Annotated[
        list[Path], typer.Option(help="Folders with installed Python packages, or of such.")
    ],
    npm: Annotated[list[Path] | None, typer.Option(help="node_modules folders.")] = None,
    limit: Annotated[int, typer.Option(help="Most characters from one package.")] = 4_000_000,
    seed: int = 1,
) -> None:
    """Collect code of permissive licences from installed packages."""
    require_modules("datasketch")
    from quillon_training.corpus import build
    from quillon_training.sources import (
        npm_sources,
        package_folders,
        python_sources,
        standard_library,
    )

    sources = [
        standard_library(),
        *python_sources(package_folders(packages)),
        *npm_sources(npm or []),
    ]
    counts = build(sources, output, per_package=limit, seed=seed)
    _answer(dict(counts))


@app.command()
def tokenizer(
    output: Annotated[Path, typer.Argument(help="File to write.")],
    corpus: CorpusFolder,
    vocabulary: int = 4096,
    files: Annotated[int, typer.Option(help="How many files to learn from.")] = 4500,
    seed: int = 1,
) -> None:
    """Train the vocabulary on a sample of the corpus and on our Chinese sentences."""
    require_modules("tokenizers")
    from quillon_training.corpus import Corpus
    from quillon_training.tokenizer import sample_texts, train_tokenizer

    trained = train_tokenizer(sample_texts(Corpus(corpus / "train"), files, seed), vocabulary)
    trained.save(str(output))
    _answer({"tokens": trained.get_vocab_size()})


@app.command()
def pretrain(
    run: RunFolder,
    corpus: CorpusFolder,
    tokenizer: TokenizerFile,
    shape: Annotated[str, typer.Option(help="miniature, cpu, cpu-deep or gpu.")] = "cpu",
    dialogues: Annotated[
        Path | None, typer.Option(help="JSON Lines that `dialogues` wrote, for the decay.")
    ] = None,
    settings: Annotated[
        Path | None, typer.Option(help="JSON of PretrainSettings; else as saved, or the defaults.")
    ] = None,
    steps: Annotated[int | None, typer.Option(help="Stop at this step.")] = None,
    minutes: Annotated[float | None, typer.Option(help="Stop after so long.")] = None,
    threads: Annotated[int, typer.Option(help="At most; fewer while other programs run.")] = 2,
    device: DeviceName = "auto",
    bf16: Bf16 = None,
    compiled: Compiled = None,
) -> None:
    """Train, or go on training where the newest checkpoint of the run stands."""
    require_modules("torch", "transformers", "tokenizers")
    require_memory(_MEMORY_GIB)
    from quillon_training.checkpoint import LATEST
    from quillon_training.model import SHAPES
    from quillon_training.pretrain import PretrainSettings, Run

    chosen = msgspec.json.decode(settings.read_bytes(), type=PretrainSettings) if settings else None
    compute = _compute(device, bf16=bf16, compiled=compiled)
    training = Run(run, corpus / "train", tokenizer, dialogues, compute=compute)
    if (run / LATEST).exists():
        training.resume(chosen)
    else:
        training.start(SHAPES[shape], chosen or PretrainSettings())
    training.train(threads=threads, steps=steps, minutes=minutes)


@app.command()
def follow(
    run: RunFolder,
    corpus: CorpusFolder,
    tokenizer: TokenizerFile,
    dialogues: Annotated[Path, typer.Option(help="JSON Lines that `dialogues` wrote.")],
    recipe: Annotated[str, typer.Option(help="miniature, cpu or gpu.")] = "cpu",
    minutes: Annotated[float | None, typer.Option(help="Stop each phase after so long.")] = None,
    steps: Annotated[int | None, typer.Option(help="Stop at this step, to try it out.")] = None,
    threads: Annotated[int, typer.Option(help="At most; fewer while other programs run.")] = 2,
    device: DeviceName = "auto",
    bf16: Bf16 = None,
    compiled: Compiled = None,
) -> None:
    """Train through all phases of a recipe, or go on with them."""
    require_modules("torch", "transformers", "tokenizers")
    require_memory(_MEMORY_GIB)
    from quillon_training.pretrain import Run
    from quillon_training.recipes import RECIPES
    from quillon_training.recipes import follow as follow_recipe

    if recipe not in RECIPES:
        raise TrainingError(f"There is no recipe {recipe}", f"Choose from {', '.join(RECIPES)}.")
    compute = _compute(device, bf16=bf16, compiled=compiled)
    training = Run(run, corpus / "train", tokenizer, dialogues, compute=compute)
    follow_recipe(RECIPES[recipe], run, training, threads=threads, minutes=minutes, at_most=steps)


@app.command()
def grow(
    run: RunFolder,
    output: Annotated[Path, typer.Argument(help="Folder of the deeper run.")],
    factor: int = 2,
) -> None:
    """Begin a deeper run from a trained one by repeating its stack of layers."""
    require_modules("torch", "transformers")
    from quillon_training.pretrain import grow_run

    grow_run(run, output, factor)


@app.command()
def adopt(
    model: Annotated[Path, typer.Argument(help="GGUF that `export` wrote.")],
    run: Annotated[Path, typer.Argument(help="Folder of the run to begin.")],
    tokenizer: Annotated[Path, typer.Option(help="File for the model's vocabulary.")],
    seed: int = 1,
) -> None:
    """Begin a run from a model file, such as the one that ships."""
    require_modules("torch", "transformers", "tokenizers", "gguf")
    from quillon_training.adopt import adopt as adopt_model

    _answer({"run": str(run), "tokens_seen": adopt_model(model, run, tokenizer, seed=seed)})


@app.command()
def curve(run: RunFolder) -> None:
    """Draw the run's loss over tokens as `loss.png`."""
    require_modules("matplotlib")
    from quillon_training.curve import draw_loss, read_losses

    _answer({"picture": str(draw_loss(read_losses(run / "loss.jsonl"), run / "loss.png"))})


@app.command()
def export(
    run: RunFolder,
    output: Annotated[Path, typer.Argument(help="GGUF file to write.")],
    tokenizer: TokenizerFile,
    *,
    kind: Annotated[
        str, typer.Option(help="f32, f16, q8_0; through llama.cpp q4_k_m, q5_k_m, q6_k, iq4_nl.")
    ] = "q8_0",
    corpus: Annotated[
        Path | None, typer.Option(help="Folder that `corpus` wrote: its licences go along.")
    ] = None,
    averaged: Annotated[bool, typer.Option(help="The averaged weights, not the last.")] = True,
    licence: Annotated[str, typer.Option(help="Licence of the model file.")] = "apache-2.0",
    context: Annotated[
        int | None, typer.Option(help="Tokens of context it is good for; else the shape's.")
    ] = None,
    name: str = "Quillon Tiny",
    version: str = "1",
) -> None:
    """Write the newest checkpoint as GGUF, and beside it what went into it."""
    require_modules("torch", "transformers", "gguf")
    from quillon_training.checkpoint import load_checkpoint
    from quillon_training.export import ModelCard, write_model

    saved = load_checkpoint(run)
    if context:
        saved.shape = msgspec.structs.replace(saved.shape, context=context)
    description = f"Trained on {saved.tokens / 1e6:.1f}M tokens of code."
    card = ModelCard(name=name, version=version, description=description, licence=licence)
    path = write_model(
        output, saved, tokenizer, kind=kind, card=card, corpus=corpus, averaged=averaged
    )
    _answer({"file": str(path), "bytes": path.stat().st_size, "step": saved.step})


@app.command()
def verify(
    run: RunFolder,
    model: Annotated[Path, typer.Argument(help="GGUF that `export` wrote from this run.")],
    corpus: CorpusFolder,
    tokenizer: TokenizerFile,
    *,
    kind: str = "q8_0",
    averaged: Annotated[bool, typer.Option(help="The averaged weights, not the last.")] = True,
    snippets: int = 1000,
) -> None:
    """Compare a GGUF with the checkpoint: tokens of 1,000 snippets, and logits."""
    require_modules("torch", "transformers", "llama_cpp")
    from quillon_training.checkpoint import load_checkpoint
    from quillon_training.corpus import Corpus
    from quillon_training.tokenizer import load_tokenizer
    from quillon_training.verify import verify_gguf

    source = load_checkpoint(run).build_model(averaged=averaged)
    source.train(mode=False)
    parsing = load_tokenizer(tokenizer, parse_special=True)
    result = verify_gguf(
        model, source, parsing, Corpus(corpus / "heldout"), kind=kind, snippets=snippets
    )
    _answer(msgspec.to_builtins(result))


@app.command()
def evaluate(
    model: Annotated[Path, typer.Argument(help="A GGUF file.")],
    corpus: CorpusFolder,
    tokenizer: TokenizerFile,
    holes: int = 200,
    samples: Annotated[Path | None, typer.Option(help="Where to write every hole, JSON.")] = None,
) -> None:
    """Fill single-line holes of held-out packages, in both orders."""
    require_modules("llama_cpp", "tokenizers")
    from quillon_training.corpus import Corpus
    from quillon_training.evaluate import evaluate_fim
    from quillon_training.tokenizer import load_tokenizer

    loaded = load_tokenizer(tokenizer)
    reports, results = evaluate_fim(model, loaded, Corpus(corpus / "heldout"), holes=holes)
    if samples:
        samples.write_bytes(msgspec.json.format(msgspec.json.encode(results), indent=1))
    _answer([msgspec.to_builtins(item) for item in reports])


@app.command()
def compression(
    run: RunFolder,
    corpus: CorpusFolder,
    tokenizer: TokenizerFile,
    *,
    files: int = 100,
    length: Annotated[int, typer.Option(help="Tokens of each window.")] = 512,
    averaged: Annotated[bool, typer.Option(help="The averaged weights, not the last.")] = True,
) -> None:
    """How well the newest checkpoint predicts held-out code, in bits per byte."""
    require_modules("torch", "transformers", "tokenizers")
    import torch

    from quillon_training.checkpoint import load_checkpoint
    from quillon_training.compression import measure
    from quillon_training.corpus import Corpus
    from quillon_training.tokenizer import load_tokenizer

    torch.set_num_threads(1)
    saved = load_checkpoint(run)
    result = measure(
        saved.build_model(averaged=averaged),
        load_tokenizer(tokenizer),
        Corpus(corpus / "heldout"),
        files=files,
        length=length,
    )
    _answer({"step": saved.step, "tokens_seen": saved.tokens, **msgspec.to_builtins(result)})


@app.command()
def dialogues(
    output: Annotated[Path, typer.Argument(help="JSON Lines file to write.")],
    packages: Annotated[list[Path], typer.Option(help="Folders with installed Python packages.")],
    split: Annotated[str, typer.Option(help="train, wording or heldout.")] = "train",
    repositories: int = 100,
    each: Annotated[int, typer.Option(help="Dialogues about each repository.")] = 60,
    seed: int = 1,
) -> None:
    """Make dialogues by running the product's tools on parts of installed packages."""
    require_modules("quillon_tools")
    from quillon_training.dialogues.generate import Plan, generate, write_dialogues
    from quillon_training.sources import package_folders

    plan = msgspec.convert(
        {"split": split, "per_repository": each, "repositories": repositories, "seed": seed}, Plan
    )
    _answer(dict(write_dialogues(generate(package_folders(packages), plan), output)))


def _compute(device: str, *, bf16: bool | None, compiled: bool | None) -> Any:
    from quillon_training.compute import Compute

    backend = None if compiled is None else "inductor" if compiled else ""
    try:
        return msgspec.convert({"device": device, "bf16": bf16, "compiled": backend}, Compute)
    except msgspec.ValidationError as error:
        raise TrainingError(f"There is no device {device}", "Choose auto, cpu or cuda.") from error


def _answer(value: Any) -> None:
    """What a command found, as JSON on standard output."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=1))
