"""The unified diff of edits whose places are known: only the lines around them are compared."""

from collections.abc import Iterator
from difflib import SequenceMatcher

from quillon_tools.calls import Edit, FileEdit

_CONTEXT = 3
# Larger changes are shown as a whole: what is compared must stay small.
_MAX_COMPARED = 2000
_NO_END = "\\ No newline at end of file"


def unified_diff(name: str, file: FileEdit) -> str:
    """The change of one file, with three lines around each hunk."""
    before = _lines(file.before)
    starts = [0]
    for line in before:
        starts.append(starts[-1] + len(line))
    rows = [f"--- {'/dev/null' if file.create else f'a/{name}'}", f"+++ b/{name}"]
    shift = 0
    for first, last, edits in _groups(file.edits, starts):
        top, bottom = max(0, first - _CONTEXT), min(len(before), last + 1 + _CONTEXT)
        above, old, below = before[top:first], before[first : last + 1], before[last + 1 : bottom]
        new = _lines(
            _applied(file.before, starts[first], starts[min(last + 1, len(before))], edits)
        )
        if old == new:
            continue
        around = len(above) + len(below)
        rows.append(
            f"@@ -{_range(top, around + len(old))} +{_range(top + shift, around + len(new))} @@"
        )
        rows += (*_rows(" ", above), *_compared(old, new), *_rows(" ", below))
        shift += len(new) - len(old)
    return "\n".join(rows) + "\n"


def _lines(text: str) -> list[str]:
    """The lines with their ends; only a line feed ends one, as in `diff`."""
    parts = text.split("\n")
    lines = [f"{part}\n" for part in parts[:-1]]
    return [*lines, parts[-1]] if parts[-1] else lines


def _range(start: int, count: int) -> str:
    return f"{start + 1 if count else start},{count}"


def _groups(edits: tuple[Edit, ...], starts: list[int]) -> Iterator[tuple[int, int, list[Edit]]]:
    """Edits with the first and the last line that they touch, put together where hunks meet."""
    line, last_line = 0, max(0, len(starts) - 2)
    group: tuple[int, int, list[Edit]] | None = None
    for edit in edits:
        while line < last_line and starts[line + 1] <= edit.start:
            line += 1
        first = line
        while line < last_line and starts[line + 1] <= edit.end:
            line += 1  # where the edit ends at the start of a line, that line may change too
        if group is not None and first - group[1] <= 2 * _CONTEXT:
            group = (group[0], line, [*group[2], edit])
            continue
        if group is not None:
            yield group
        group = (first, line, [edit])
    if group is not None:
        yield group


def _applied(text: str, start: int, end: int, edits: list[Edit]) -> str:
    parts: list[str] = []
    at = start
    for edit in edits:
        parts += (text[at : edit.start], edit.text)
        at = edit.end
    parts.append(text[at:end])
    return "".join(parts)


def _compared(old: list[str], new: list[str]) -> Iterator[str]:
    if len(old) + len(new) > _MAX_COMPARED:
        opcodes = [("replace", 0, len(old), 0, len(new))]
    else:
        opcodes = list(SequenceMatcher(None, old, new, autojunk=False).get_opcodes())
    for tag, old_start, old_end, new_start, new_end in opcodes:
        if tag == "equal":
            yield from _rows(" ", old[old_start:old_end])
        else:
            yield from _rows("-", old[old_start:old_end])
            yield from _rows("+", new[new_start:new_end])


def _rows(mark: str, lines: list[str]) -> Iterator[str]:
    for line in lines:
        yield mark + line.removesuffix("\n")
        if not line.endswith("\n"):
            yield _NO_END
