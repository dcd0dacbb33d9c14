"""The options of `quillon eval`."""

from pathlib import Path
from typing import Annotated

import typer

Model = Annotated[
    Path | None,
    typer.Argument(metavar="MODEL", help="GGUF file or a model's name; else the one in use."),
]
Url = Annotated[str | None, typer.Option(help="Base URL of a remote engine to measure.")]
RemoteModel = Annotated[str | None, typer.Option(help="The model's name there.")]
Tasks = Annotated[
    str, typer.Option(metavar="NAME,...", help="Of calls, requests, bugs, fim, tests, speed, bfcl.")
]
Count = Annotated[
    int | None, typer.Option(min=1, metavar="N", help="At most so many questions of a task.")
]
Compare = Annotated[
    tuple[str, str] | None,
    typer.Option(metavar="A B", help="Two models, or reports saved by --json, side by side."),
]
Dialogues = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Dialogues to ask in place of ours.")
]
Packages = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="Installed packages; the held-out ones give the holes."),
]
Bfcl = Annotated[
    Path | None, typer.Option(metavar="DIR", help="A copy of BFCL's data, for the task bfcl.")
]
Json = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Keep everything here; resumes from it.")
]
Markdown = Annotated[Path | None, typer.Option(metavar="FILE", help="Write the table here, too.")]
Seed = Annotated[int, typer.Option(help="Which questions are drawn.")]
