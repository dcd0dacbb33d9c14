"""Markdown in a terminal; apart, because its parser is slow to import and few commands need it."""

from rich.console import Console, ConsoleOptions, RenderResult
from rich.markdown import Markdown, TableElement
from rich.table import Table

from quillon.cli.tables import Rows
from quillon_tools.visible import harmless


class ReadableMarkdown(Markdown):
    """Markdown of anybody's: its tables are `Rows`, and it steers no terminal."""

    def __init__(self, text: str) -> None:
        super().__init__(harmless(text))

    class _Table(TableElement):
        def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
            for drawn in super().__rich_console__(console, options):
                yield Rows(drawn) if isinstance(drawn, Table) else drawn

    elements = {**Markdown.elements, "table_open": _Table}  # noqa: RUF012 - as rich has it
