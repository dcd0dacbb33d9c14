"""The life of a session: initialize, settings, folders, shutdown."""

import asyncio
import logging
from typing import Any

from lsprotocol import types as lsp

from quillon import convert
from quillon.engine.base import EngineError
from quillon.rpc import QuillonServer
from quillon.settings import layered, parse_settings, settled
from quillon.uri import path_of_uri

logger = logging.getLogger(__name__)

_SECTION = "quillon"
_LOGGERS = ("quillon", "quillon_tools")
_PATIENCE = 3.0  # seconds for the client to tell its settings


def register(server: QuillonServer) -> None:
    """Register the lifecycle and the settings."""
    problems: list[str] = []

    @server.feature(lsp.INITIALIZE)
    def initialize(ls: QuillonServer, params: lsp.InitializeParams) -> None:
        ls.session.client = convert.client_capabilities(params)
        ls.session.roots = convert.workspace_roots(params)
        problems.extend(_apply(ls, params.initialization_options))

    @server.feature(lsp.INITIALIZED)
    async def initialized(ls: QuillonServer, _params: lsp.InitializedParams) -> None:
        pulling = asyncio.ensure_future(_pull(ls))
        # A client that answers late, or never, is served all the same.
        answered, _ = await asyncio.wait({pulling}, timeout=_PATIENCE)
        if answered:
            problems.extend(_apply_section(ls, pulling.result()))
        _complain(ls, problems)
        for ready in ls.when_ready:
            ready()
        await ls.settle_engine()
        await _start_engine(ls)
        if not answered:
            await _take_over(ls, await pulling)

    @server.feature(lsp.WORKSPACE_DID_CHANGE_CONFIGURATION)
    async def changed(ls: QuillonServer, params: lsp.DidChangeConfigurationParams) -> None:
        if ls.session.client.configuration:
            section = await _pull(ls)
        else:
            sent = params.settings
            section = sent.get(_SECTION, sent) if isinstance(sent, dict) else sent
        await _take_over(ls, section)

    @server.feature(lsp.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS)
    def folders_changed(ls: QuillonServer, params: lsp.DidChangeWorkspaceFoldersParams) -> None:
        roots = list(ls.session.roots)
        removed = {path_of_uri(folder.uri) for folder in params.event.removed}
        added = (path_of_uri(folder.uri) for folder in params.event.added)
        roots = [root for root in roots if root not in removed]
        roots += [path for path in added if path is not None and path not in roots]
        ls.session.roots = tuple(roots)

    @server.feature(lsp.SHUTDOWN)
    async def shutdown(ls: QuillonServer, _params: Any) -> None:
        await ls.close()


def _apply(ls: QuillonServer, raw: object) -> list[str]:
    """Take settings over; a sentence for each value that was ignored."""
    told = settled(raw)
    settings, found = parse_settings(layered(told.raw, ls.overrides))
    ls.session.settings = settings
    if told.trusted is not None:
        ls.session.trusted = told.trusted
    for name in _LOGGERS:
        logging.getLogger(name).setLevel(settings.log_level.upper())
    return [*told.problems, *found]


def _apply_section(ls: QuillonServer, section: object) -> list[str]:
    return _apply(ls, section) if section is not None else []


async def _take_over(ls: QuillonServer, section: object) -> None:
    """Apply settings that changed. Of many that say the same only the first does anything."""
    before = ls.session.settings
    _complain(ls, _apply_section(ls, section))
    after = ls.session.settings
    if (before.model, before.engine) != (after.model, after.engine):
        await ls.settle_engine()
        await _start_engine(ls)


async def _pull(ls: QuillonServer) -> object:
    """The client's settings; None where it has none or cannot be asked."""
    if not ls.session.client.configuration:
        return None
    wanted = lsp.ConfigurationParams([lsp.ConfigurationItem(section=_SECTION)])
    try:
        answer = await ls.workspace_configuration_async(wanted)
    except Exception as error:  # noqa: BLE001 - whatever a client answers, the defaults serve
        logger.warning("The client did not answer workspace/configuration: %s", error)
        return None
    return answer[0] if answer else None


def _complain(ls: QuillonServer, problems: list[str]) -> None:
    if problems:
        told = "; ".join(map(ls.for_user, problems))
        problems.clear()
        ls.tell_user(lsp.MessageType.Warning, f"Quillon settings: {told}")


async def _start_engine(ls: QuillonServer) -> None:
    """Load the model while the user reads, so that the first suggestion need not wait."""
    engine = None
    try:
        engine = ls.engine
        await engine.info()
    except EngineError as error:
        if engine is not None and not ls.holds(engine):
            return  # let go of while it loaded: other settings came, or the end
        ls.report_status()  # an engine that could not be opened has told nobody
        ls.tell_user(lsp.MessageType.Error, str(error))
    except asyncio.CancelledError:  # shutdown came first
        return
