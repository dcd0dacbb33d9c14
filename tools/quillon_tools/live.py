"""What exists in a workspace: values that a decoding grammar may name for a tool's arguments."""

from collections.abc import Iterable, Sequence
from itertools import islice

from quillon_tools.tool import Tool
from quillon_tools.workers import Stop
from quillon_tools.workspace import ConfinedPath, Workspace

# Beyond these a grammar takes too long to build, and a list that is cut would hide the rest.
MAX_PATHS = 2000
MAX_SYMBOLS = 1000
_MAX_FOLDERS = 2000
_INDEX_SECONDS = 0.4  # for the symbols of files that nobody has looked for yet

# The values that a string parameter can have, by tool and parameter.
Live = dict[tuple[str, str], tuple[str, ...]]

_SYMBOLS = (("search_symbols", "query"), ("read_symbol", "name"), ("find_references", "name"))


def live_values(workspace: Workspace, tools: Sequence[Tool], stop: Stop) -> Live:
    """The paths that can be read, and the symbols that the index knows or soon finds. Blocks.

    Where there are too many paths, the index is not asked to look at them.
    Parameters of tools that only read are named; what a tool makes need not exist. A kind of
    value of which there are too many is left out.

    Raises:
        Failed: The call was stopped.
    """
    found: Live = {}
    paths = _paths(workspace, stop)
    symbols = _few(workspace.index.known_names(stop, _INDEX_SECONDS if paths else 0), MAX_SYMBOLS)
    for tool in tools:
        if tool.effect == "read" and paths:
            found |= {(tool.name, name): paths for name in tool.path_parameters}
    if symbols:
        offered = {tool.name for tool in tools}
        found |= {place: symbols for place in _SYMBOLS if place[0] in offered}
    return found


def _paths(workspace: Workspace, stop: Stop) -> tuple[str, ...]:
    walked = workspace.walk(stop=stop, folders=_MAX_FOLDERS)
    files = list(islice(walked, MAX_PATHS + 1))
    names = dict.fromkeys(name for file in files for name in (str(file), *_folders(file)))
    return _few(names, MAX_PATHS)


def _folders(file: ConfinedPath) -> list[str]:
    """The folders that hold a file, as a model would write them."""
    parts = str(file).split("/")[:-1]
    return ["/".join(parts[:size]) for size in range(1, len(parts) + 1)]


def _few(names: Iterable[str], most: int) -> tuple[str, ...]:
    found = tuple(islice(names, most + 1))
    return found if len(found) <= most else ()
