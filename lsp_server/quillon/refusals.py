"""Which messages are none that can be served, and the errors that say so.

pygls takes what a client sends for what the specification allows: an id that is no id cannot be
looked up, and a message without a method is nobody's. Both are found here, before it sees them.
"""

from typing import Any

import attrs
from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException

from quillon.message_types import MsgId

_INVALID_REQUEST = -32600
_INVALID_PARAMS = -32602

_NOT_INITIALIZED = JsonRpcException("The server is not initialized yet", -32002)
_INITIALIZED_ALREADY = JsonRpcException("The server is initialized already", _INVALID_REQUEST)
_SHUT_DOWN = JsonRpcException("The server was shut down", _INVALID_REQUEST)
NOT_VERSION_2 = JsonRpcException("The message is not JSON-RPC 2.0", _INVALID_REQUEST)
PARSE_ERROR = JsonRpcException("The message is not valid JSON", -32700)
_ODD_ID = JsonRpcException("The id of a request is a string or an integer", _INVALID_REQUEST)
_ODD_METHOD = JsonRpcException("The method of a message is a string", _INVALID_REQUEST)
_EMPTY = JsonRpcException("The message has no method, no result and no error", _INVALID_REQUEST)


@attrs.frozen
class Malformed:
    """A message that cannot be served.

    A request is answered, if need be without its `id`; anything else is passed over, because an
    answer to an answer could go on for ever.
    """

    id: MsgId | None
    error: JsonRpcException
    answered: bool = True
    jsonrpc: str = "2.0"


def malformed(data: dict[str, Any], *, awaited: bool) -> Malformed | None:
    """What is wrong with a message whatever its method asks; None: nothing.

    `awaited`: its id is that of a request of ours, so it is the answer, though an empty one: there
    are clients that leave out a result that is null.
    """
    known = usable_id(data.get("id"))
    if "method" in data:
        if not isinstance(data["method"], str):
            return Malformed(known, _ODD_METHOD)
        return Malformed(None, _ODD_ID) if "id" in data and known is None else None
    if "result" in data or "error" in data:
        return Malformed(None, _ODD_ID, answered=False) if known is None else None
    return None if awaited else Malformed(known, _EMPTY)


def untimely(method: str, *, initialized: bool, shut_down: bool) -> JsonRpcException | None:
    """Why a request cannot be served at this point of the session; None: it can."""
    if shut_down:
        return _SHUT_DOWN
    if method == lsp.INITIALIZE:
        return _INITIALIZED_ALREADY if initialized else None
    return None if initialized else _NOT_INITIALIZED


def usable_id(value: object) -> MsgId | None:
    """The value where it may be an id, else None; Python takes true for a number."""
    return value if isinstance(value, str | int) and not isinstance(value, bool) else None


def invalid_params(data: dict[str, Any], error: JsonRpcException) -> JsonRpcException:
    """What is wrong with the parameters of a message, in words: the innermost cause."""
    cause = error.__cause__
    detail = ""
    while cause is not None:
        nested = getattr(cause, "exceptions", None)
        if not nested:
            detail = f": {cause}"
            break
        cause = nested[0]
    return JsonRpcException(f"Wrong parameters for {data.get('method')}{detail}", _INVALID_PARAMS)
