"""`quillon/symbols`: what a question may refer to by its name."""

from quillon import protocol
from quillon.uri import uri_of_path
from quillon_tools.calls import Failed, Retry
from quillon_tools.index import Defined
from quillon_tools.symbol_tools import plain_name, ranked
from quillon_tools.workers import Stop
from quillon_tools.workspace import Workspace

_MOST = 50
_SECONDS = 20.0  # until a workspace that is too large has shown what it could


async def symbols_named(workspace: Workspace, query: str) -> list[protocol.SymbolInformation]:
    """The definitions that a name, or the beginning of one, means; none where it is no name."""
    try:
        name = plain_name(query)
    except Retry:
        return []
    stop = Stop()

    def look() -> list[Defined]:
        return ranked(name, workspace.index.definitions(stop)[0])[:_MOST]

    try:
        found = await workspace.workers.run(look, stop, _SECONDS)
    except Failed:
        return []  # what was read until then is kept for the next time
    return [_information(each) for each in found]


def _information(found: Defined) -> protocol.SymbolInformation:
    symbol = found.symbol
    return protocol.SymbolInformation(
        name=symbol.full_name,
        uri=uri_of_path(found.path.real),
        range=protocol.Range(
            start=protocol.Position(line=symbol.start_line - 1, character=0),
            end=protocol.Position(line=symbol.end_line, character=0),
        ),
    )
