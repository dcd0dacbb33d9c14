"""Tables that stay readable in a narrow window: where words would break, a row becomes a record."""

from collections.abc import Iterator
from typing import Any

from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from quillon_tools.visible import harmless

_LONGEST = 24  # columns; longer words, such as paths and JSON, are folded in a table, too
_GAP = 3  # columns between two of a table, with its border


class PlainTable(Table):
    """A table whose cells are anybody's: neither markup nor escapes in them count."""

    def add_row(self, *cells: Any, **options: Any) -> None:
        """Add a row of texts."""
        super().add_row(*(Text(harmless(str(cell))) for cell in cells), **options)


class Rows:
    """A table, or one record after another where the window has no room for whole words."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """What rich draws."""
        if _least_width(self._table, console) <= options.max_width:
            yield self._table
        else:
            yield Text("\n").join(_records(self._table, console))


def _least_width(table: Table, console: Console) -> int:
    """The columns that a table takes where no word of it is broken, but for very long ones."""
    widths = (
        max(
            (min(len(word), _LONGEST) for cell in cells for word in cell.plain.split()),
            default=0,
        )
        for cells in _columns(table, console)
    )
    return sum(width + _GAP for width in widths)


def _columns(table: Table, console: Console) -> Iterator[list[Text]]:
    """Each column: its header, and its cells."""
    for column in table.columns:
        yield [
            cell if isinstance(cell, Text) else console.render_str(str(cell))
            for cell in (column.header, *column.cells)
        ]


def _records(table: Table, console: Console) -> Iterator[Text]:
    """Each row as lines of `header: cell`; what stands under no header leads the next line."""
    columns = list(_columns(table, console))
    for row in range(1, table.row_count + 1):
        record, lead = Text(), Text()
        for cells in columns:
            if not cells[0].plain:
                lead = cells[row] + " " if cells[row].plain else lead
            elif cells[row].plain:
                record += lead + cells[0] + ": " + cells[row] + "\n"
                lead = Text()
        yield record
