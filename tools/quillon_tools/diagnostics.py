"""The tool that shows what the editor's other tools complain about."""

# ruff: noqa: D417 - injected parameters are not the model's, so docstrings leave them out

from quillon_tools.files import limited
from quillon_tools.tool import tool
from quillon_tools.workspace import ConfinedPath, Problem, Workspace

MAX_ROWS = 50
_ORDER = {"error": 0, "warning": 1, "information": 2, "hint": 3}


@tool(effect="read")
def get_diagnostics(workspace: Workspace, path: ConfinedPath | None = None) -> str:
    """Show errors and warnings.

    Args:
        path: File or folder.
    """
    rows = []
    problems = workspace.diagnostics.problems(None)
    places = {each: workspace.locate(each) for each in {problem.path for problem in problems}}
    for problem in problems:
        place = places[problem.path]
        if place is None or (path is not None and not _holds(path, place)):
            continue
        rows.append((str(place), problem))
    rows.sort(key=lambda row: (row[0], row[1].line, _ORDER[row[1].severity]))
    shown = [_row(name, problem) for name, problem in rows]
    return "\n".join(limited(shown, MAX_ROWS, "problems")) or "No problems found."


def _holds(path: ConfinedPath, place: ConfinedPath) -> bool:
    if path.top:
        return True
    return path.root is place.root and place.parts[: len(path.parts)] == path.parts


def _row(name: str, problem: Problem) -> str:
    message = " ".join(problem.message.split())[:500]
    source = f" [{problem.source}]" if problem.source else ""
    return f"{name}:{problem.line}:{problem.column} {problem.severity}: {message}{source}"
