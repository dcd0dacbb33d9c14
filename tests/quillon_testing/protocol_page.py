"""docs/protocol.md: what authors of editor plugins read, made from the code by `make docs`."""

import types
import typing
from pathlib import Path
from typing import Any, Literal, Union

import msgspec

from quillon import protocol
from quillon.message_types import METHODS, NOTIFICATIONS, WITHOUT_PARAMS
from quillon.rpc import QuillonServer
from quillon.server import create_server

PAGE = Path(__file__).parent.parent.parent / "docs" / "protocol.md"

# What each is for; the rest of its row is read from the code.
_PURPOSES = {
    protocol.CHAT: "Ask, and get the answer when the turn is over. What happens on the way comes "
    "as [progress](#progress-of-a-turn). `$/cancelRequest` ends the turn, which then has a result.",
    protocol.EDIT_CHECK: "Just before a proposed edit is applied: do its files still have the text "
    "that it was made for? Else the request fails with -32801 and a sentence.",
    protocol.SYMBOLS: "What can be attached to a question by its name.",
    protocol.APPROVE: "May this tool call run? Sent where the client has `approve`.",
    protocol.STATUS: "The status is another one. Sent where the client has `chat` or `approve`.",
    protocol.STATUS_GET: "The status as of now.",
    protocol.CONVERSATIONS_LIST: "The stored conversations of the workspace, the latest first.",
    protocol.CONVERSATIONS_GET: "One of them with its messages.",
    protocol.CONVERSATIONS_RENAME: "Give one another title.",
    protocol.CONVERSATIONS_DELETE: "Forget one.",
    protocol.CONVERSATIONS_EXPORT: "One as Markdown.",
    protocol.EXPLAIN: "Open the chat and ask this: an action chose it. Sent where the client has "
    "`chat`.",
    protocol.DIAGNOSTICS: "All problems of a document, whoever found them; the last ones count.",
}

_MARK = "<!-- generated from here on -->"


def page() -> str:
    """The whole page: its introduction as it stands, and the rest as the code has it."""
    parts = [
        PAGE.read_text("utf-8").partition(_MARK)[0] + _MARK,
        "## Methods",
        _methods(),
        "## Progress of a turn",
        "With `partialResultToken` in its parameters, a turn sends `$/progress` notifications with "
        "that token.\nEach `value` is one of these, told apart by `kind`:",
        *(_struct(kind) for kind in typing.get_args(protocol.ChatProgress)),
        "## Types",
        *(_struct(kind) for kind in _named()),
    ]
    return "\n\n".join(parts) + "\n"


def _methods() -> str:
    server = create_server()
    head = ["| method | from | kind | params | result | |", "|---|---|---|---|---|---|"]
    return "\n".join([*head, *(_row(server, method) for method in METHODS)])


def _row(server: QuillonServer, method: str) -> str:
    params, result = METHODS[method]
    handler = server.protocol.fm.features.get(method)
    kind = "notification" if method in NOTIFICATIONS else "request"
    if handler is not None and method not in NOTIFICATIONS:
        result = _returned(handler)
    given = "" if params is None else _shown(params)
    if params is not None and method in WITHOUT_PARAMS:
        given += " or nothing"
    gives = "" if method in NOTIFICATIONS else _shown(result)
    sender = "server" if handler is None else "client"
    return f"| `{method}` | {sender} | {kind} | {given} | {gives} | {_PURPOSES[method]} |"


def _returned(handler: Any) -> Any:
    """What a handler says that it returns, within what pygls puts around it."""
    return typing.get_type_hints(getattr(handler, "func", handler))["return"]


def _named() -> list[type[msgspec.Struct]]:
    """Every type that a message holds and that is no kind of progress, in the module's order."""
    progress = typing.get_args(protocol.ChatProgress)
    found = [kind for kind in vars(protocol).values() if isinstance(kind, type)]
    return [
        kind
        for kind in found
        if issubclass(kind, protocol.Struct) and kind is not protocol.Struct
        if kind not in progress
    ]


def _struct(kind: type[msgspec.Struct]) -> str:
    about = "\n".join(line.strip() for line in (kind.__doc__ or "").strip().split("\n"))
    fields = [f"- {_field(field)}" for field in msgspec.structs.fields(kind)]
    if (tag := kind.__struct_config__.tag) is not None:
        fields.insert(0, f'- `kind`: `"{tag}"`')
    return f"### {kind.__name__}\n\n{about}\n\n" + "\n".join(fields)


def _field(field: Any) -> str:
    name, shown = f"`{field.encode_name}`", _shown(field.type)
    if field.required:
        return f"{name}: {shown}"
    default = field.default
    if default is msgspec.NODEFAULT:
        default = field.default_factory()
    plain = msgspec.json.encode(default).decode()
    return f"{name}?: {shown}" + ("" if plain == "null" else f" = `{plain}`")


_PLAIN = {
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
    None: "null",
    type(None): "null",
}


def _shown(kind: Any) -> str:
    """A type as the page has it: names of our own are links."""
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin in (Union, types.UnionType):
        return " or ".join(map(_shown, inner))
    if origin is Literal:
        return " or ".join(f'`"{value}"`' for value in inner)
    if origin in (list, tuple):
        return f"array of {_shown(inner[0])}"
    if origin is dict:
        return "object"
    return _PLAIN.get(kind) or f"[{kind.__name__}](#{kind.__name__.lower()})"
