"""Quillon's own protocol: the methods `quillon/*` and their types, mirrored by the clients.

Every struct is JSON with camelCase names. Positions and ranges are those of the Language Server
Protocol, in the negotiated encoding.
"""

from typing import Any, Literal

import msgspec

CHAT = "quillon/chat"
EDIT_CHECK = "quillon/edit/check"
SYMBOLS = "quillon/symbols"
APPROVE = "quillon/approve"
STATUS = "quillon/status"
STATUS_GET = "quillon/status/get"
CONVERSATIONS_LIST = "quillon/conversations/list"
CONVERSATIONS_GET = "quillon/conversations/get"
CONVERSATIONS_RENAME = "quillon/conversations/rename"
CONVERSATIONS_DELETE = "quillon/conversations/delete"
CONVERSATIONS_EXPORT = "quillon/conversations/export"
EXPLAIN = "quillon/explain"
DIAGNOSTICS = "quillon/diagnostics"


class Struct(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """Base of the protocol's types."""


class Position(Struct, frozen=True, omit_defaults=False):
    """Line and character, from 0."""

    line: int
    character: int


class Range(Struct, frozen=True, omit_defaults=False):
    """Half-open range of positions."""

    start: Position
    end: Position


class Reference(Struct, frozen=True):
    """A file, or a part of one, that the user attached to a question."""

    uri: str
    range: Range | None = None


class ChatParams(Struct, frozen=True):
    """One turn. Without `conversationId` a new conversation starts.

    `partialResultToken` receives `ChatProgress` values through `$/progress`. With `keepTurns` the
    question replaces everything after so many turns of the conversation.
    """

    text: str
    conversation_id: str | None = None
    references: tuple[Reference, ...] = ()
    partial_result_token: str | int | None = None
    keep_turns: int | None = None


class ChatUsage(Struct, frozen=True, omit_defaults=False):
    """Tokens of a turn, summed over its generations, and the speed of the last."""

    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    tokens_per_second: float = 0.0


class ChatResult(Struct, frozen=True, omit_defaults=False):
    """How a turn ended. `text` is the whole answer without tool calls.

    A turn that was cancelled after it began has a result, too: what was said up to there is kept.
    """

    conversation_id: str
    turn_id: str
    finish_reason: Literal["stop", "length", "toolLimit", "cancelled"]
    usage: ChatUsage
    text: str


class ConversationProgress(
    Struct, frozen=True, tag_field="kind", tag="conversation", omit_defaults=False
):
    """Which conversation the turn belongs to: the first value, before anything is said."""

    conversation_id: str


class TextProgress(Struct, frozen=True, tag_field="kind", tag="text"):
    """The next piece of the answer."""

    text: str


class ToolCallProgress(Struct, frozen=True, tag_field="kind", tag="toolCall"):
    """A tool call changed its state."""

    id: str
    name: str
    arguments: dict[str, Any]
    state: Literal["proposed", "running", "done", "failed", "denied"]


class ToolResultProgress(
    Struct, frozen=True, tag_field="kind", tag="toolResult", omit_defaults=False
):
    """What a tool call gave, cut to a preview."""

    id: str
    ok: bool
    preview: str


class EditedFile(Struct, frozen=True, omit_defaults=False):
    """A file that an edit changes, and the digest of the text it was made for.

    Null, or nothing: the edit makes the file, which must not exist yet.
    """

    uri: str
    digest: str | None = None


class EditProgress(Struct, frozen=True, tag_field="kind", tag="edit"):
    """A proposed edit: an LSP `WorkspaceEdit` that the client may preview and apply.

    Just before it does, it sends `files` in a `quillon/edit/check`.
    """

    id: str
    label: str
    edit: dict[str, Any]
    files: tuple[EditedFile, ...] = ()


class NoticeProgress(Struct, frozen=True, tag_field="kind", tag="notice"):
    """Something the user should know, such as what was left out of the prompt."""

    text: str


ChatProgress = (
    ConversationProgress
    | TextProgress
    | ToolCallProgress
    | ToolResultProgress
    | EditProgress
    | NoticeProgress
)


class EditCheckParams(Struct, frozen=True):
    """Are these files still what a proposed edit was made for?

    The result is null; where one has changed, the request fails with a sentence for the user.
    """

    files: tuple[EditedFile, ...]


class SymbolsParams(Struct, frozen=True):
    """What is named like `query`? The likeliest comes first.

    A request of our own, not `workspace/symbol`: an editor that asks every server for its symbols
    would show those of a language's own server twice.
    """

    query: str


class SymbolInformation(Struct, frozen=True):
    """A definition, with its whole lines."""

    name: str
    uri: str
    range: Range


class ApproveParams(Struct, frozen=True):
    """Server to client: may this call run? `preview` shows the argument vector or the diff."""

    call_id: str
    tool: str
    arguments: dict[str, Any]
    reason: str
    preview: str | None = None


class ApproveResult(Struct, frozen=True):
    """The user's decision; `reason` is told to the model."""

    decision: Literal["once", "session", "deny"]
    reason: str | None = None


class StatusParams(Struct, frozen=True, omit_defaults=False):
    """The engine's state and the last reason for no suggestion (null after a suggestion).

    `echoed`: the user's own files say what was suggested, and no model wrote it.
    """

    state: Literal["absent", "downloading", "loading", "ready", "busy", "failed"]
    model: str = ""
    message: str = ""
    embedded: bool = False
    context: int = 0
    tokens_per_second: float = 0.0
    progress: float | None = None
    no_suggestion: str | None = None
    echoed: bool = False


class ConversationId(Struct, frozen=True):
    """Names one conversation."""

    conversation_id: str


class ConversationRename(Struct, frozen=True):
    """Another title for a conversation."""

    conversation_id: str
    title: str


class ConversationsParams(Struct, frozen=True):
    """Which conversations to list: those whose text contains `query`."""

    query: str = ""


class ConversationSummary(Struct, frozen=True, omit_defaults=False):
    """One row of the list; times are ISO 8601 in UTC."""

    conversation_id: str
    title: str
    updated: str
    turns: int


class ConversationMessage(Struct, frozen=True):
    """One message. `toolCalls` belong to assistants, `toolCallId` and `ok` to tool results.

    `attached` names what was attached to a question, whose `text` is without it.
    """

    role: Literal["user", "assistant", "tool"]
    text: str = ""
    attached: tuple[str, ...] = ()
    tool_calls: tuple[ToolCallProgress, ...] = ()
    tool_call_id: str | None = None
    ok: bool | None = None


class Conversation(Struct, frozen=True, omit_defaults=False):
    """A conversation with its messages."""

    conversation_id: str
    title: str
    updated: str
    messages: tuple[ConversationMessage, ...]


class ConversationExport(Struct, frozen=True, omit_defaults=False):
    """A conversation as Markdown."""

    markdown: str


class ExplainParams(Struct, frozen=True):
    """Server to client, notification: open the chat and ask this (an action chose "Explain")."""

    text: str
    references: tuple[Reference, ...] = ()


class Diagnostic(Struct, frozen=True):
    """A problem that another tool reported; `severity` is 1 (error) to 4 (hint)."""

    range: Range
    message: str
    severity: int = 1
    source: str | None = None
    code: str | int | None = None


class DiagnosticsParams(Struct, frozen=True):
    """Client to server, notification: the problems of a document, whoever found them.

    A language server sees only its own diagnostics, so the clients tell what others found; it
    feeds the tool `get_diagnostics`.
    """

    uri: str
    diagnostics: tuple[Diagnostic, ...] = ()
