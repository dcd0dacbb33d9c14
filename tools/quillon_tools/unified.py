"""The unified diff of edits whose places are known; linear in the size of the file."""

from quillon_tools.calls import Edit, FileEdit

_CONTEXT = 3


def unified_diff(name: str, file: FileEdit) -> str:
    """The change of one file, with three lines around each hunk."""
    before = file.before.split("\n")
    starts = [0]
    for line in before:
        starts.append(starts[-1] + len(line) + 1)
    rows = [f"--- {'/dev/null' if file.create else f'a/{name}'}", f"+++ b/{name}"]
    shift = 0
    for first, last, edits in _groups(file.edits, starts):
        old = before[first : last + 1] if file.before or not file.create else []
        new = _applied(file.before, starts[first], starts[last + 1] - 1, edits).split("\n")
        rows += _hunk(before, first, old, new, shift)
        shift += len(new) - len(old)
    return "\n".join(rows) + "\n"


def _groups(edits: tuple[Edit, ...], starts: list[int]) -> list[tuple[int, int, list[Edit]]]:
    """Edits with the lines that they touch, those put together whose context would overlap."""
    groups: list[tuple[int, int, list[Edit]]] = []
    line = 0
    for edit in edits:
        while line + 2 < len(starts) and starts[line + 1] <= edit.start:
            line += 1
        first = line
        while line + 2 < len(starts) and starts[line + 1] <= max(edit.start, edit.end - 1):
            line += 1
        if groups and first - groups[-1][1] <= 2 * _CONTEXT:
            groups[-1] = (groups[-1][0], line, [*groups[-1][2], edit])
        else:
            groups.append((first, line, [edit]))
    return groups


def _applied(text: str, start: int, end: int, edits: list[Edit]) -> str:
    end = max(end, *(edit.end for edit in edits))
    parts: list[str] = []
    at = start
    for edit in edits:
        parts += (text[at : edit.start], edit.text)
        at = edit.end
    parts.append(text[at:end])
    return "".join(parts)


def _hunk(before: list[str], first: int, old: list[str], new: list[str], shift: int) -> list[str]:
    same = 0
    while same < min(len(old), len(new)) and old[same] == new[same]:
        same += 1
    tail = 0
    while tail < min(len(old), len(new)) - same and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    removed = old[same : len(old) - tail]
    added = new[same : len(new) - tail]
    start, end = first + same, first + len(old) - tail
    above = before[max(0, start - _CONTEXT) : start] if old else []
    below = before[end : end + _CONTEXT] if old else []
    size, top = len(above) + len(below), start - len(above)
    rows = [
        f"@@ -{top + 1 if old else 0},{size + len(removed)} "
        f"+{top + 1 + shift},{size + len(added)} @@"
    ]
    rows += [f" {line}" for line in above]
    rows += [f"-{line}" for line in removed]
    rows += [f"+{line}" for line in added]
    return rows + [f" {line}" for line in below]
