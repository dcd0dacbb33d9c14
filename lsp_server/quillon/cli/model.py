"""`quillon model`: which models there are."""

from collections.abc import Mapping

from quillon.cli.output import Output
from quillon.engine.models import ModelSummary, list_models, models_folder, resolve_model
from quillon.settings import Settings


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
    output.notice(f"Put GGUF files into {models_folder()}, or set model.path or QUILLON_MODEL.")
    return 1 if found[0].problem else 0


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
    """Print the path of the model in use."""
    output.line(str(resolve_model(settings, environ).path))
    return 0


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
