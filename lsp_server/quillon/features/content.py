"""`quillon.explain` and the documents that explanations are shown in.

Where it is shown depends on the client: its chat asks; else a document of the scheme `quillon:`
opens; else a file; else a message has to do. Commands cannot be cancelled by their request, so
the command only starts the work, which is cancelled by its progress.
"""

import asyncio
import logging
import re
from collections import OrderedDict
from typing import Any

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException, JsonRpcRequestCancelled

from quillon import protocol
from quillon.action_data import EXPLAIN_COMMAND, offer_of, protocol_range, surroundings
from quillon.assist.actions import Offer
from quillon.assist.actions_run import Tell
from quillon.assist.explain import Explanation, chat_question, explain
from quillon.assist.explain_files import (
    ExplanationNotWritten,
    folder_of_explanations,
    write_explanation,
)
from quillon.chinese import reads_chinese
from quillon.context.document import DocumentSnapshot
from quillon.rpc import QuillonServer, readable
from quillon.uri import uri_of_path
from quillon.work import with_progress

logger = logging.getLogger(__name__)

SCHEME = "quillon"

_GONE = "This explanation is no longer there. Ask for it again."

_KEPT = 50  # explanations that are served
_NAME = re.compile(r"[^\w.]+")
_MESSAGE_LENGTH = 2000  # characters that a message may have


def register(server: QuillonServer) -> None:
    """Register the command, and the documents for clients that show them."""
    pages = _Pages()
    running: set[asyncio.Task[None]] = set()

    @server.command(EXPLAIN_COMMAND)
    def explain_command(ls: QuillonServer, *arguments: Any) -> None:
        snapshot, offer = offer_of(ls.session, arguments[0] if arguments else None)
        if ls.session.client.quillon_chat:
            ls.protocol.notify(protocol.EXPLAIN, _asked(ls, snapshot, offer))
            return
        task = asyncio.ensure_future(_explain(ls, snapshot, offer, pages))
        running.add(task)  # the loop itself keeps no task alive
        task.add_done_callback(running.discard)

    @server.feature(lsp.WORKSPACE_TEXT_DOCUMENT_CONTENT)
    def text_document_content(
        ls: QuillonServer, params: lsp.TextDocumentContentParams
    ) -> lsp.TextDocumentContentResult:
        return lsp.TextDocumentContentResult(pages.text(params.uri) or ls.for_user(_GONE) + "\n")

    def announce() -> None:
        if server.session.client.text_document_content:
            options = lsp.TextDocumentContentRegistrationOptions(schemes=[SCHEME])
            method = lsp.WORKSPACE_TEXT_DOCUMENT_CONTENT
            server.client_register_capability(
                lsp.RegistrationParams([lsp.Registration(f"quillon-{SCHEME}", method, options)])
            )

    server.when_ready.append(announce)


class _Pages:
    """The latest explanations by their addresses."""

    def __init__(self) -> None:
        self._texts: OrderedDict[str, str] = OrderedDict()
        self._count = 0

    def add(self, explanation: Explanation) -> str:
        """Keep a page; its address."""
        self._count += 1
        name = _NAME.sub("-", explanation.title).strip("-")
        uri = f"{SCHEME}:/explanation-{self._count}/{name}.md"
        self._texts[uri] = explanation.markdown
        while len(self._texts) > _KEPT:
            self._texts.popitem(last=False)
        return uri

    def text(self, uri: str) -> str | None:
        """The page at an address; None where it is gone."""
        return self._texts.get(uri)


def _asked(ls: QuillonServer, snapshot: DocumentSnapshot, offer: Offer) -> protocol.ExplainParams:
    """What the client's chat is to ask."""
    range_ = protocol_range(snapshot, offer.span, ls.session.client.encoding)
    text = chat_question(offer, chinese=reads_chinese(ls.session.client.locale))
    return protocol.ExplainParams(
        text=text, references=(protocol.Reference(uri=snapshot.uri, range=range_),)
    )


async def _explain(
    ls: QuillonServer, snapshot: DocumentSnapshot, offer: Offer, pages: _Pages
) -> None:
    """Explain and show; nobody waits for the end, so errors become messages."""
    around = surroundings(ls.session, snapshot)

    async def work(tell: Tell) -> Explanation:
        return await explain(ls.engine, snapshot, offer, around, tell)

    try:
        await _show(ls, await with_progress(ls, "Explaining", work), pages)
    except JsonRpcRequestCancelled:
        return  # the user knows
    except Exception as error:  # noqa: BLE001 - as for a handler: the task ends here
        message = str(readable(error, "quillon.explain"))
        ls.tell_user(lsp.MessageType.Error, message)


async def _show(ls: QuillonServer, explanation: Explanation, pages: _Pages) -> None:
    """Show a page where this client can."""
    client = ls.session.client
    if client.show_document and client.text_document_content:
        if await _is_shown(ls, pages.add(explanation)):
            return
    elif client.show_document:
        try:
            folder = folder_of_explanations()
            path = await asyncio.to_thread(write_explanation, explanation, folder)
            if await _is_shown(ls, uri_of_path(path)):
                return
        except ExplanationNotWritten as error:
            logger.warning("%s", error)
    text = explanation.markdown
    if len(text) > _MESSAGE_LENGTH:
        text = f"{text[:_MESSAGE_LENGTH]} …"
    ls.window_show_message(lsp.ShowMessageParams(lsp.MessageType.Info, text))


async def _is_shown(ls: QuillonServer, uri: str) -> bool:
    """Ask the client to show a document; whether it did."""
    try:
        result = await ls.window_show_document_async(lsp.ShowDocumentParams(uri, take_focus=True))
    except JsonRpcException as error:
        logger.warning("The client did not show %s: %s", uri, error)
        return False
    return result is not None and result.success
