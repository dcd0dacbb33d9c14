"""The life of a session: initialize, settings, folders, shutdown."""

import asyncio
import logging
from typing import Any

from lsprotocol import types as lsp

from quillon import convert
from quillon.engine.base import EngineError
from quillon.rpc import QuillonServer
from quillon.settings import parse_settings
from quillon.uri import path_of_uri

logger = logging.getLogger(__name__)

_SECTION = "quillon"


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
        if ls.session.client.configuration:
            problems.extend(await _pull(ls))
        _complain(ls, problems)
        for ready in ls.when_ready:
            ready()
        await _start_engine(ls)

    @server.feature(lsp.WORKSPACE_DID_CHANGE_CONFIGURATION)
    async def changed(ls: QuillonServer, params: lsp.DidChangeConfigurationParams) -> None:
        before = ls.session.settings
        if ls.session.client.configuration:
            found = await _pull(ls)
        else:
            sent = params.settings
            section = sent.get(_SECTION, sent) if isinstance(sent, dict) else sent
            found = _apply(ls, section)
        _complain(ls, found)
        after = ls.session.settings
        if (before.model, before.engine) != (after.model, after.engine):
            await ls.replace_engine()
            await _start_engine(ls)

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
        await ls.replace_engine()


def _apply(ls: QuillonServer, raw: object) -> list[str]:
    """Take settings over; a sentence for each value that was ignored."""
    merged = _merge(raw, ls.overrides) if isinstance(raw, dict) else (raw or ls.overrides)
    settings, problems = parse_settings(merged)
    ls.session.settings = settings
    return problems


def _merge(raw: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    merged = dict(raw)
    for name, value in over.items():
        below = merged.get(name)
        both = isinstance(below, dict) and isinstance(value, dict)
        merged[name] = _merge(below, value) if both else value  # type: ignore[arg-type]
    return merged


async def _pull(ls: QuillonServer) -> list[str]:
    wanted = lsp.ConfigurationParams([lsp.ConfigurationItem(section=_SECTION)])
    try:
        answer = await ls.workspace_configuration_async(wanted)
    except Exception as error:  # noqa: BLE001 - whatever a client answers, the defaults serve
        logger.warning("The client did not answer workspace/configuration: %s", error)
        return []
    section = answer[0] if answer else None
    return _apply(ls, section) if section is not None else []


def _complain(ls: QuillonServer, problems: list[str]) -> None:
    if problems:
        text = "Quillon settings: " + "; ".join(problems)
        problems.clear()
        ls.window_show_message(lsp.ShowMessageParams(lsp.MessageType.Warning, text))


async def _start_engine(ls: QuillonServer) -> None:
    """Load the model while the user reads, so that the first suggestion need not wait."""
    try:
        await ls.engine.info()
    except EngineError as error:
        ls.window_show_message(lsp.ShowMessageParams(lsp.MessageType.Error, str(error)))
    except asyncio.CancelledError:  # shutdown came first
        return
