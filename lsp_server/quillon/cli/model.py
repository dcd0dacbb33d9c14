"""`quillon model`: which models there are."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from quillon.cli.output import Output, complain
from quillon.engine.catalogue import RECOMMENDED, Recommended
from quillon.engine.machine import machine_facts
from quillon.engine.models import ModelSummary, list_models, models_folder
from quillon.engine.planning import plan_recommended
from quillon.settings import Settings


class Fitting(msgspec.Struct, frozen=True, kw_only=True):
    """What this machine has to say about a recommended model, beside its own fields in `--json`.

    `fits` is said of the memory that is free now, without a GPU.
    """

    path: Path
    pulled: bool
    fits: bool


def show_models(settings: Settings, environ: Mapping[str, str], output: Output) -> int:
    """Print a table of the models; the first is the one in use."""
    found = list_models(settings, environ)
    table = output.table("", "model", "parameters", "size", "context", "chat", "ghost text", "file")
    for index, model in enumerate(found):
        output.value(model)
        if model.problem:
            output.line(f"✗ {model.name}: {model.problem}", "bold red")
        else:
            table.add_row("→" if index == 0 else "", *_cells(model))
    output.show(table)
    if not output.json:
        output.line("\nRecommended; `quillon model pull NAME` downloads one:", "bold")
        show_recommended(output)
    output.notice(f"Put GGUF files into {models_folder()}, or set model.path or QUILLON_MODEL.")
    return 1 if found[0].problem else 0


def show_recommended(output: Output) -> int:
    """Print a table of the models that are worth downloading."""
    table = output.table("name", "for", "download", "fits here", "licence", "is here")
    table.columns[0].no_wrap = True  # it is what one copies
    for model, here in fittings():
        output.value({**_fields(model), **msgspec.structs.asdict(here)})
        fits, pulled = ("yes" if value else "no" for value in (here.fits, here.pulled))
        table.add_row(model.name, model.purpose, size(model.size), fits, model.licence, pulled)
    output.show(table)
    return 0


def fittings() -> list[tuple[Recommended, Fitting]]:
    """The recommended models, and what this machine has to say about each."""
    folder, machine = models_folder(), machine_facts()
    return [
        (
            model,
            Fitting(
                path=model.path(folder),
                pulled=model.path(folder).is_file(),
                fits=plan_recommended(model, machine) is not None,
            ),
        )
        for model in RECOMMENDED
    ]


def _fields(model: Recommended) -> dict[str, Any]:
    """What a script wants to know of a model; its `shape` is for planning."""
    return {name: value for name, value in msgspec.structs.asdict(model).items() if name != "shape"}


def _cells(model: ModelSummary) -> tuple[str, ...]:
    return (
        f"{model.name} ({model.quantisation})",
        count(model.parameters),
        size(model.size),
        str(model.context),
        "yes" if model.chat_template else "no",
        "yes" if model.fim else "no",
        "embedded" if model.source == "embedded" else str(model.path),
    )


def show_path(settings: Settings, environ: Mapping[str, str], output: Output) -> int:
    """Print the path of the model in use; 1 where it cannot be used."""
    used = list_models(settings, environ)[0]
    output.line(str(used.path))
    if used.problem:
        complain(used.problem)
    return 1 if used.problem else 0


def count(number: int) -> str:
    """A number of weights, such as `4.0B` or `11.5M`."""
    for limit, unit in ((1e9, "B"), (1e6, "M"), (1e3, "K")):
        if number >= limit:
            return f"{number / limit:.1f}{unit}"
    return str(number)


def size(number: int) -> str:
    """A number of bytes, such as `2.5 GB` or `12.5 MB`."""
    for limit, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if number >= limit:
            return f"{number / limit:.1f} {unit}"
    return f"{number} bytes"
