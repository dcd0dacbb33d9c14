"""The classes that pygls reads and writes messages with, for the methods that are ours.

Parameters of methods that lsprotocol does not know would arrive as namedtuples with mangled keys;
with these classes they are the msgspec structs of `protocol`.
"""

from typing import Any, Union

import attrs
import msgspec
from cattrs import Converter
from lsprotocol import types as lsp
from pygls.protocol import default_converter

from quillon import protocol

MsgId = str | int
_MSG_ID_TYPE: Any = MsgId  # attrs' stubs know no unions

# method -> (type of params, type of result where the server is the one who asks)
METHODS: dict[str, tuple[type[msgspec.Struct] | None, type[msgspec.Struct] | None]] = {
    protocol.CHAT: (protocol.ChatParams, None),
    protocol.EDIT_CHECK: (protocol.EditCheckParams, None),
    protocol.SYMBOLS: (protocol.SymbolsParams, None),
    protocol.APPROVE: (protocol.ApproveParams, protocol.ApproveResult),
    protocol.STATUS: (protocol.StatusParams, None),
    protocol.STATUS_GET: (None, None),
    protocol.CONVERSATIONS_LIST: (protocol.ConversationsParams, None),
    protocol.CONVERSATIONS_GET: (protocol.ConversationId, None),
    protocol.CONVERSATIONS_RENAME: (protocol.ConversationRename, None),
    protocol.CONVERSATIONS_DELETE: (protocol.ConversationId, None),
    protocol.CONVERSATIONS_EXPORT: (protocol.ConversationId, None),
    protocol.EXPLAIN: (protocol.ExplainParams, None),
    protocol.DIAGNOSTICS: (protocol.DiagnosticsParams, None),
}
WITHOUT_PARAMS = {protocol.STATUS_GET, protocol.CONVERSATIONS_LIST}
NOTIFICATIONS = {protocol.STATUS, protocol.EXPLAIN, protocol.DIAGNOSTICS}


def _make_message(method: str, params: type[Any] | None) -> type[Any]:
    optional: Any = params | None if params is not None and method in WITHOUT_PARAMS else params
    fields: dict[str, Any] = {
        # No defaults: the converter leaves out what equals its default.
        "method": attrs.field(type=str),
        "jsonrpc": attrs.field(type=str),
        "params": attrs.field(
            type=optional or Any, default=None if method in WITHOUT_PARAMS else attrs.NOTHING
        ),
    }
    if method not in NOTIFICATIONS:
        fields = {"id": attrs.field(type=_MSG_ID_TYPE), **fields}
    return attrs.make_class("QuillonMessage", fields)


def result_type(result: type[Any]) -> type[Any]:
    """The class of a response whose result is of a type."""
    return attrs.make_class(
        "QuillonResponse",
        {
            "id": attrs.field(type=_MSG_ID_TYPE),
            "result": attrs.field(type=result),
            "jsonrpc": attrs.field(type=str, default="2.0"),
        },
    )


_MESSAGE_TYPES = {method: _make_message(method, params) for method, (params, _) in METHODS.items()}
_RESULT_TYPES = {
    method: result_type(result) for method, (_, result) in METHODS.items() if result is not None
}


def message_type(method: str) -> type[Any] | None:
    """The class of a request or notification `quillon/*`; None for other methods."""
    return _MESSAGE_TYPES.get(method)


def awaited_type(method: str) -> type[Any] | None:
    """The class of the response to a request that the server sends; None for other methods."""
    return _RESULT_TYPES.get(method)


def make_converter() -> Converter:
    """The converter of pygls, which also knows our structs."""
    converter: Converter = default_converter()  # type: ignore[no-untyped-call]  # of pygls

    def is_struct(kind: object) -> bool:
        return isinstance(kind, type) and issubclass(kind, msgspec.Struct)

    converter.register_structure_hook_func(is_struct, msgspec.convert)
    converter.register_unstructure_hook_func(is_struct, msgspec.to_builtins)

    def command_or_action(raw: Any, _kind: object) -> lsp.Command | lsp.CodeAction:
        # lsprotocol takes every action that has a command for the command itself.
        if isinstance(raw.get("command"), str):
            return converter.structure(raw, lsp.Command)
        return converter.structure(raw, lsp.CodeAction)

    # The key has to be the form in which lsprotocol writes the type.
    converter.register_structure_hook(Union[lsp.Command, lsp.CodeAction], command_or_action)  # noqa: UP007
    return converter
