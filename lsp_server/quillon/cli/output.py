"""What the commands print: text for people, or JSON for scripts, never both.

Results go to stdout, everything else (progress, notices, errors) to stderr.
"""

import io
import json
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePath
from typing import Any, NoReturn

import msgspec
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from quillon.chinese import in_chinese, reads_chinese
from quillon.cli.tables import PlainTable, Rows
from quillon_tools.visible import harmless

_LANGUAGE = "QUILLON_LANGUAGE"
"""The variable in which an editor names its language, such as `zh-cn`: it shows our sentences."""

_SENTENCES = ("error", "problem", "message", "purpose", "licence")
"""The fields that hold what people read; what else is in JSON is for programs."""


class _Console(Console):
    """A console that leaves a reader who left to `cli.ending`; rich would end us with status 1."""

    def on_broken_pipe(self) -> None:
        """Go on raising."""
        raise BrokenPipeError


class Output:
    """The two streams of a command. With `json`, `value` prints JSON Lines and text is dropped.

    With `record`, what is shown is kept for `save_svg`, in a window of 96 columns.
    """

    def __init__(self, *, json: bool = False, record: bool = False) -> None:
        self._soft = not record  # a terminal wraps by itself, a picture does not
        self._unfinished = False  # whether the last line that was shown has no end yet
        self._held = ""  # a carriage return; what it means shows in what follows
        self.json = json
        width = 96 if record else None
        self._out = _Console(highlight=False, emoji=False, record=record, width=width)
        self._err = Console(stderr=True, highlight=False, emoji=False)

    @property
    def interactive(self) -> bool:
        """Whether a person can answer questions here."""
        # None: the input was closed before we started.
        return sys.stdin is not None and sys.stdin.isatty() and self._err.is_terminal

    @property
    def watched(self) -> bool:
        """Whether a person sees what is shown beside the result."""
        return not self.json and self._err.is_terminal

    @property
    def beside(self) -> Console:
        """The console of what is not the result."""
        return self._err

    def value(self, value: object) -> None:
        """Print a value as one line of JSON, if JSON was asked for."""
        if self.json:
            sys.stdout.write(_json(value) + "\n")
            sys.stdout.flush()

    def text(self, text: str) -> None:
        """Print text as it is, without a line end."""
        if self.json or not text:
            return
        text = self._held + text
        self._held = "\r" if text.endswith("\r") else ""
        if text := text.removesuffix("\r"):
            self._write(text, end="")
            self._unfinished = not text.endswith("\n")

    def end_line(self) -> None:
        """End a line that `text` began."""
        self._held = ""
        if self._unfinished:
            self._unfinished = False
            self._out.print()

    def line(self, text: str = "", style: str | None = None) -> None:
        """Print a line of text, whatever brackets it holds."""
        if not self.json:
            self.end_line()
            self._write(text, style=style)

    def _write(self, text: str, *, end: str = "\n", style: str | None = None) -> None:
        if self._soft and style is None:  # rich would make blanks of tabs, which code may hold
            self._out.file.write(harmless(text) + end)
            self._out.file.flush()
        else:
            self._out.print(_shown(text), end=end, style=style, soft_wrap=self._soft)

    def show(self, renderable: Any) -> None:
        """Print something of rich's."""
        if not self.json:
            self._out.print(Rows(renderable) if isinstance(renderable, Table) else renderable)

    def table(self, *columns: str) -> Table:
        """An empty table in the house style, for `show`."""
        table = PlainTable(box=None, pad_edge=False, header_style="bold")
        for column in columns:
            table.add_column(column, overflow="fold")
        return table

    def notice(self, text: str) -> None:
        """Say something beside the result."""
        self._err.print(_shown(text), style="dim", soft_wrap=True)

    def save_svg(self, path: Path, title: str) -> None:
        """Save what was shown as a picture of a terminal."""
        svg = self._out.export_svg(title=title)
        # rich asks for a font from the network; any fixed-width font of the reader's will do.
        path.write_text(re.sub(r"\s*@font-face \{.*?\}", "", svg, flags=re.DOTALL), "utf-8")

    @contextmanager
    def working(self, what: str) -> Iterator[None]:
        """Show that something takes a while; nothing where nobody watches."""
        if not self.watched:
            yield
            return
        with self._err.status(escape(what)):
            yield


def accept_any_text() -> None:
    """Let the standard streams escape what their encoding lacks; to fail there helps nobody.

    File names and arguments may be bytes that are no text, and a terminal's encoding may be ASCII.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # None where it was closed before we started
            stream.reconfigure(errors="backslashreplace")


def fail(message: str, *, json: bool = False, status: int = 1) -> NoReturn:
    """End the command with a status (2: it was called wrongly) and one sentence."""
    if json:
        sys.stdout.write(_json({"error": message}) + "\n")
    complain(message)
    raise typer.Exit(status)


def complain(message: str) -> None:
    """Say what went wrong."""
    Console(stderr=True, highlight=False, emoji=False, soft_wrap=True).print(
        f"[bold red]quillon:[/] {_shown(message)}"
    )


def chosen_folder(folder: Path, *, json: bool = False) -> Path:
    """The folder that an option names, without links; a command that has none ends."""
    path = folder.absolute()
    if not path.is_dir():
        advice = "Name the folder of a project, or leave --folder out."
        fail(f"{folder} is no folder. {advice}", json=json)
    return path.resolve()


def check_writable(file: Path | None) -> None:
    """Leave now where a file could not be written when the work is done."""
    if file is None or file.is_fifo() or file.is_char_device():
        return  # whoever reads a pipe may not be there yet
    # A link stays, whether what it leads to is there yet or not.
    place = Path(os.path.realpath(file))
    is_new = not place.exists()
    try:
        with place.open("ab"):
            pass
        if is_new:
            place.unlink()
    except OSError as error:
        fail(f"{file} cannot be written: {error.strerror}. Name another file.")


def _shown(text: str) -> str:
    """The text as rich prints it as it is: models and files write neither markup nor escapes."""
    return escape(harmless(text))


def _json(value: object) -> str:
    if reads_chinese(os.environ.get(_LANGUAGE, "")):
        value = _translated(msgspec.to_builtins(value, enc_hook=_plain))
    try:
        return msgspec.json.encode(value, enc_hook=_plain).decode()
    except UnicodeEncodeError:  # a file name of bytes that are no text; escaped, it is valid JSON
        return json.dumps(msgspec.to_builtins(value, enc_hook=_plain))


def _translated(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    said = {key: value[key] for key in _SENTENCES if isinstance(value.get(key), str)}
    return {**value, **{key: in_chinese(text) for key, text in said.items()}}


def _plain(value: object) -> str:
    """Paths are text in JSON."""
    if isinstance(value, PurePath):
        return str(value)
    raise NotImplementedError
