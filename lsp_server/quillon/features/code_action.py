"""`textDocument/codeAction` and `codeAction/resolve`.

The list comes from the syntax tree and the diagnostics in the request, within milliseconds; the
model runs when an action is resolved, under progress that can be cancelled.
"""

from collections.abc import Sequence
from typing import Any

from lsprotocol import types as lsp

from quillon import convert
from quillon.action_data import EXPLAIN_COMMAND, data_of, documents_of, offer_of, surroundings
from quillon.assist.actions import ActionKind, Offer, offers
from quillon.assist.actions_run import Tell, propose
from quillon.assist.actions_tests import needs_new_file
from quillon.assist.edits import Proposal
from quillon.capabilities import ClientCapabilities
from quillon.chinese import reads_chinese
from quillon.context.document import DocumentSnapshot
from quillon.engine.base import EngineError
from quillon.rpc import QuillonServer
from quillon.work import with_progress

_EXPLAIN = "quillon.explain"
_KINDS: dict[ActionKind, str] = {
    ActionKind.EXPLAIN: _EXPLAIN,
    ActionKind.EXPLAIN_PROBLEM: lsp.CodeActionKind.QuickFix.value,
    ActionKind.FIX: lsp.CodeActionKind.QuickFix.value,
    ActionKind.DOCSTRING: lsp.CodeActionKind.RefactorRewrite.value,
    ActionKind.IMPLEMENT: lsp.CodeActionKind.RefactorRewrite.value,
    ActionKind.TEST: lsp.CodeActionKind.Refactor.value,
}


def register(server: QuillonServer) -> None:
    """Register the list and its resolution."""
    options = lsp.CodeActionOptions(
        code_action_kinds=sorted(set(_KINDS.values())), resolve_provider=True
    )

    @server.feature(lsp.TEXT_DOCUMENT_CODE_ACTION, options)
    def code_action(ls: QuillonServer, params: lsp.CodeActionParams) -> list[lsp.CodeAction]:
        snapshot = ls.session.snapshot(params.text_document.uri)
        client = ls.session.client
        if snapshot is None or not client.code_action_literals:
            return []
        selection = convert.span_from_lsp(snapshot.lines, params.range, client.encoding)
        reported = params.context.diagnostics
        problems = convert.diagnostics_from_lsp(snapshot.lines, reported, client.encoding)
        if problems:  # a server hears of problems here only, and a tool may ask for them
            ls.session.note_diagnostics(snapshot, problems)
        found = [
            offer
            for offer in offers(snapshot, selection, problems, chinese=reads_chinese(client.locale))
            if _is_wanted(_KINDS[offer.kind], params.context.only)
        ]
        no_model = _without_model(ls)
        actions = [
            _action(
                client, snapshot, offer, ls.for_user(no_model or _no_place(ls, snapshot, offer))
            )
            for offer in found
        ]
        by_problem = dict(zip(problems, reported, strict=True))
        return [
            _about(action, by_problem.get(offer.problem) if offer.problem else None)
            for action, offer in zip(actions, found, strict=True)
            if action is not None
        ]

    @server.feature(lsp.CODE_ACTION_RESOLVE)
    async def resolve(ls: QuillonServer, action: lsp.CodeAction) -> lsp.CodeAction:
        if action.edit is not None or action.command is not None:
            return action  # an explanation: its command does the work
        snapshot, offer = offer_of(ls.session, action.data)
        around = surroundings(ls.session, snapshot)

        async def work(tell: Tell) -> Proposal:
            return await propose(ls.engine, snapshot, offer, around, tell)

        proposal = await with_progress(ls, action.title, work)
        documents = await documents_of(ls.session, proposal)
        action.edit = convert.workspace_edit_to_lsp(documents, ls.session.client)
        return action


def _is_wanted(kind: str, only: Sequence[Any] | None) -> bool:
    """Whether a kind is one of those asked for, or below one; kinds are names with dots."""
    if not only:
        return True
    asked = [str(getattr(one, "value", one)) for one in only]
    return any(one in ("", kind) or kind.startswith(f"{one}.") for one in asked)


def _without_model(ls: QuillonServer) -> str:
    """Why no action can run now; empty: nothing speaks against it."""
    try:
        info = ls.engine.state()
    except EngineError as error:  # the settings name no engine that could be opened
        return str(error)
    return (info.message or "No model runs.") if info.state == "failed" else ""


def _no_place(ls: QuillonServer, snapshot: DocumentSnapshot, offer: Offer) -> str:
    """Why there is no place for what the action would write."""
    if offer.kind is not ActionKind.TEST or offer.impossible:
        return offer.impossible
    path, language, client = snapshot.path, snapshot.language, ls.session.client
    if (client.create_files and client.document_changes) or path is None or language is None:
        return ""
    if needs_new_file(path, language.id, ls.session.roots):
        return "There is no test file for it, and this editor cannot create files by an edit."
    return ""


def _action(
    client: ClientCapabilities, snapshot: DocumentSnapshot, offer: Offer, reason: str
) -> lsp.CodeAction | None:
    """The action of an offer; None where the client could do nothing with it."""
    if reason and not client.code_action_disabled:
        return None
    if offer.kind.edits and not (client.code_action_resolve_edit and client.code_action_data):
        return None  # the edit comes with resolve, which this client cannot ask for
    data = data_of(snapshot, offer, client.encoding)
    action = lsp.CodeAction(title=offer.title, kind=_KINDS[offer.kind])
    if reason:
        action.disabled = lsp.CodeActionDisabled(reason)
    elif offer.kind.edits:
        action.data = data
    else:
        action.command = lsp.Command(offer.title, EXPLAIN_COMMAND, arguments=[data])
    if client.llm_generated_tag:
        action.tags = [lsp.CodeActionTag.LlmGenerated]
    return action


def _about(action: lsp.CodeAction, diagnostic: lsp.Diagnostic | None) -> lsp.CodeAction:
    if diagnostic is not None:
        action.diagnostics = [diagnostic]
    return action
