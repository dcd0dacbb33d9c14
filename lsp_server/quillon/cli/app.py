"""The commands, wired: what each does lies in its own module."""

import os
import shutil
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from quillon import __version__
from quillon.cli import eval_options
from quillon.cli.ending import guarded, guarded_loop
from quillon.cli.output import Output, check_writable, chosen_folder, fail
from quillon.cli.user_settings import chosen_settings, of_model
from quillon.settings import Settings

if os.environ.get("COLUMNS") == "0":  # it means that nobody knows; rich would show nothing at all
    del os.environ["COLUMNS"]
_COLUMNS = shutil.get_terminal_size().columns
_IS_NARROW = _COLUMNS < 80  # noqa: PLR2004 - from there on rich shows all options in full


class _Group(TyperGroup):
    """Commands whose help names every option in full; rich's columns would cut the names."""

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """A command, which explains itself without columns where the window is narrow."""
        command = super().get_command(ctx, cmd_name)
        if _IS_NARROW and isinstance(command, TyperCommand):
            command.rich_markup_mode = None
        return command


app = typer.Typer(
    cls=_Group,
    name="quillon",
    help="A coding assistant whose model runs on your own machine.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={
        "help_option_names": ["-h", "--help"],
        "terminal_width": _COLUMNS if _IS_NARROW else None,
    },
)
models = typer.Typer(cls=_Group, help="The models on this machine.", no_args_is_help=True)
engines = typer.Typer(cls=_Group, help="The engine processes of this user.", no_args_is_help=True)
app.add_typer(models, name="model")
app.add_typer(engines, name="engine")

ModelOption = Annotated[
    Path | None,
    typer.Option("--model", "-m", metavar="GGUF", help="Model for this command: a file or a name."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]
FolderOption = Annotated[
    Path, typer.Option("--folder", "-C", metavar="DIR", help="Workspace folder.")
]


def settings_for(model: Path | None, *, json: bool = False) -> Settings:
    """The settings of a command: its options, the user's file, the defaults."""
    return chosen_settings(of_model(model) if model else {}, json=json)


def _version(value: bool) -> None:  # noqa: FBT001 - typer calls it so
    if value:
        Output().line(f"quillon {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[  # noqa: FBT002 - handled by its callback
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """A coding assistant whose model runs on your own machine."""


@app.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
    add_help_option=False,
)
def lsp(context: typer.Context) -> None:
    """Serve an editor over the standard streams (what editors start)."""
    from quillon.cli.lsp import run  # noqa: PLC0415 - `main` imports it without typer

    sys.exit(run(context.args))


@app.command()
def chat(
    prompt: Annotated[
        str | None, typer.Option("--prompt", "-p", metavar="TEXT", help="Ask this and leave.")
    ] = None,
    json: JsonOption = False,  # noqa: FBT002 - a flag
    model: ModelOption = None,
    folder: FolderOption = Path(),
) -> None:
    """Ask about the code of a folder; without -p, question by question."""
    from quillon.cli.chat import run_chat  # noqa: PLC0415 - commands load what they need

    if prompt is not None and not prompt.strip():
        fail("The question is empty. Write one after -p.", json=json, status=2)
    root = chosen_folder(folder, json=json)
    guarded_loop(
        run_chat(settings_for(model, json=json), root, prompt, Output(json=json)), json=json
    )


@app.command()
def complete(
    place: Annotated[str, typer.Argument(metavar="FILE:LINE:COL", help="Cursor, counted from 1.")],
    json: JsonOption = False,  # noqa: FBT002 - a flag
    model: ModelOption = None,
    folder: FolderOption = Path(),
) -> None:
    """Complete the code at a place, as ghost text would."""
    from quillon.cli.code import run_complete  # noqa: PLC0415 - commands load what they need

    root = chosen_folder(folder, json=json)
    guarded_loop(
        run_complete(settings_for(model, json=json), root, place, Output(json=json)), json=json
    )


@app.command()
def explain(
    place: Annotated[str, typer.Argument(metavar="FILE:LINE", help="Line, counted from 1.")],
    json: JsonOption = False,  # noqa: FBT002 - a flag
    model: ModelOption = None,
    folder: FolderOption = Path(),
) -> None:
    """Explain the definition at a line."""
    from quillon.cli.code import run_explain  # noqa: PLC0415 - commands load what they need

    root = chosen_folder(folder, json=json)
    guarded_loop(
        run_explain(settings_for(model, json=json), root, place, Output(json=json)), json=json
    )


@app.command()
def mcp(
    folder: Annotated[
        list[Path] | None,
        typer.Option("--folder", "-C", metavar="DIR", help="Workspace folder; may be repeated."),
    ] = None,
    allow: Annotated[
        list[str] | None,
        typer.Option("--allow", metavar="TOOL", help="Let a tool run unasked; may be repeated."),
    ] = None,
) -> None:
    """Offer the workspace's tools to another program, by the Model Context Protocol."""
    from quillon.cli.mcp import run  # noqa: PLC0415 - commands load what they need

    guarded(lambda: run(folder or (), allow or ()), json=False)


@app.command()
def audit(
    conversation: Annotated[
        str | None, typer.Argument(metavar="CONVERSATION", help="Its id; the latest without one.")
    ] = None,
    json: JsonOption = False,  # noqa: FBT002 - a flag
) -> None:
    """Show which tools a model called, who allowed it, and how it ended."""
    from quillon.cli.audit import show_audit  # noqa: PLC0415 - commands load what they need

    guarded(lambda: show_audit(conversation, Output(json=json)), json=json)


@app.command()
def doctor(
    json: JsonOption = False,  # noqa: FBT002 - a flag
    model: ModelOption = None,
) -> None:
    """Check the machine, the model, the engine, the grammars and the editors."""
    from quillon.cli.doctor import run_doctor  # noqa: PLC0415 - commands load what they need

    settings = settings_for(model, json=json)
    guarded_loop(run_doctor(settings, Output(json=json)), json=json)


@app.command("eval")
def evaluate(
    model: eval_options.Model = None,
    url: eval_options.Url = None,
    remote_model: eval_options.RemoteModel = None,
    tasks: eval_options.Tasks = "",
    count: eval_options.Count = None,
    compare: eval_options.Compare = None,
    dialogues: eval_options.Dialogues = None,
    packages: eval_options.Packages = None,
    bfcl: eval_options.Bfcl = None,
    json: eval_options.Json = None,
    markdown: eval_options.Markdown = None,
    seed: eval_options.Seed = 7,
) -> None:
    """Measure how good a model is at calls, code, mistakes and speed.

    The task `tests` runs what the model writes, in a temporary copy of a small project.
    """
    from quillon.cli.eval import Wish, run_eval  # noqa: PLC0415 - commands load what they need
    from quillon.eval.run import Plan, chosen  # noqa: PLC0415 - the same

    plan = Plan(
        tasks=chosen(tasks, bfcl=bfcl is not None),
        count=count,
        seed=seed,
        dialogues=dialogues,
        packages=packages,
        bfcl=bfcl,
    )
    wish = Wish(
        model=str(model) if model else None,
        url=url,
        remote_model=remote_model,
        compare=compare,
        json=json,
        markdown=markdown,
    )
    guarded(lambda: run_eval(wish, plan), json=False)


@app.command()
def demo(
    model: ModelOption = None,
    svg: Annotated[
        Path | None, typer.Option("--svg", metavar="FILE", help="Save what is shown as a picture.")
    ] = None,
) -> None:
    """Show the main job on real code, through the language server."""
    from quillon.cli.demo import run_demo  # noqa: PLC0415 - commands load what they need

    check_writable(svg)
    output = Output(record=svg is not None)
    try:
        guarded_loop(run_demo(model, output), json=False)
    finally:
        if svg is not None:
            output.save_svg(svg, "make run")


@models.command("list")
def model_list(
    json: JsonOption = False,  # noqa: FBT002 - a flag
    model: ModelOption = None,
    recommended: Annotated[  # noqa: FBT002 - a flag
        bool, typer.Option("--recommended", help="Only the models that are worth downloading.")
    ] = False,
) -> None:
    """List the models that Quillon finds, the chosen one first, and those it recommends."""
    from quillon.cli import model as listing  # noqa: PLC0415 - commands load what they need

    output = Output(json=json)
    if recommended:
        guarded(lambda: listing.show_recommended(output), json=json)
    guarded(
        lambda: listing.show_models(settings_for(model, json=json), os.environ, output), json=json
    )


@models.command("path")
def model_path(model: ModelOption = None) -> None:
    """Print the path of the model in use."""
    from quillon.cli.model import show_path  # noqa: PLC0415 - commands load what they need

    guarded(lambda: show_path(settings_for(model), os.environ, Output()), json=False)


@models.command("pull")
def model_pull(
    what: Annotated[
        str,
        typer.Argument(
            metavar="NAME|REPO:FILE|URL",
            help="A recommended name, owner/repository:file of the Hugging Face Hub, an address.",
        ),
    ],
    sha256: Annotated[
        str | None, typer.Option("--sha256", metavar="HEX", help="The checksum that you expect.")
    ] = None,
    json: JsonOption = False,  # noqa: FBT002 - a flag
) -> None:
    """Download a model. Stopped, it goes on from there the next time."""
    from quillon.cli.model_pull import pull_model  # noqa: PLC0415 - commands load what they need

    guarded(lambda: pull_model(what, sha256, Output(json=json)), json=json)


@engines.command("status")
def engine_status(json: JsonOption = False) -> None:  # noqa: FBT002 - a flag
    """List the engine processes that run."""
    from quillon.cli.engine import show_engines  # noqa: PLC0415 - commands load what they need

    guarded_loop(show_engines(Output(json=json)), json=json)


@engines.command("stop")
def engine_stop() -> None:
    """Stop every engine process of this user; editors start a new one when they need it."""
    from quillon.cli.engine import stop_engines  # noqa: PLC0415 - commands load what they need

    guarded_loop(stop_engines(Output()), json=False)


@engines.command("run")
def engine_run(model: ModelOption = None) -> None:
    """Run the engine of a model in the foreground, for a look at its log."""
    from quillon.cli.engine import run_engine  # noqa: PLC0415 - commands load what they need

    guarded(lambda: run_engine(settings_for(model)), json=False)
