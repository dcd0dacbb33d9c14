"""The answer to `initialize`, given before the protocol library is loaded.

lsprotocol builds some 700 classes when it is imported, 0.2 to 0.5 seconds in which an editor would
wait for its server. What the server can do does not depend on the client, the position encoding
apart, so the answer stands in `capabilities.json` and is sent at once; the message is then handed
on, and handled as if nothing had been answered. A test compares the file with what pygls derives
from the registered features. Nothing but the standard library may be imported here.
"""

import io
import json
import os
from importlib import resources
from typing import Any, BinaryIO

from quillon import __version__

_ENCODINGS = ("utf-8", "utf-16", "utf-32")
_HEADER_LIMIT = 16 * 1024  # bytes; no client's header comes near
_BODY_LIMIT = 64 * 1024 * 1024
_MOST_DIGITS = 20


class Handshake:
    """What was read from the client before the server proper took over.

    `answered` is the id of the `initialize` request that has its answer already, or None;
    `pending` holds every byte that was read, for the server to read again.
    """

    def __init__(self) -> None:
        self.answered: int | str | None = None
        self.pending = b""


def shake_hands(stdin_fd: int, stdout: BinaryIO) -> Handshake:
    """Read the first message and answer it if it is a well-formed `initialize`.

    Anything else is left to the server, which knows how to refuse it.
    """
    hands = Handshake()
    body = _read_frame(stdin_fd, hands)
    if body is None:
        return hands
    try:
        message = json.loads(body)
        answer = initialize_result(message["params"])
        id_ = message["id"]
        wanted = message["method"] == "initialize" and message["jsonrpc"] == "2.0"
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return hands
    if not wanted or isinstance(id_, bool) or not isinstance(id_, int | str):
        return hands
    payload = json.dumps({"jsonrpc": "2.0", "id": id_, "result": answer}).encode()
    stdout.write(b"Content-Length: %d\r\n\r\n" % len(payload) + payload)
    stdout.flush()
    hands.answered = id_
    return hands


def initialize_result(params: dict[str, Any]) -> dict[str, Any]:
    """The result of `initialize` for a client with these parameters."""
    general = params["capabilities"].get("general") or {}
    wanted = general.get("positionEncodings") or ()
    capabilities = json.loads(resources.files("quillon").joinpath("capabilities.json").read_text())
    capabilities["positionEncoding"] = next((e for e in wanted if e in _ENCODINGS), "utf-16")
    return {
        "capabilities": capabilities,
        "serverInfo": {"name": "quillon", "version": __version__},
    }


def understood(params: dict[str, Any]) -> dict[str, Any]:
    """What counts of the parameters of an `initialize` that are wrong somewhere.

    They were answered already, so the session goes on, with a client that can do nothing.
    """
    encoding = initialize_result(params)["capabilities"]["positionEncoding"]
    folders = params.get("workspaceFolders")
    process, root = params.get("processId"), params.get("rootUri")
    return {
        "processId": process if type(process) is int else None,
        "rootUri": root if isinstance(root, str) else None,
        "workspaceFolders": [
            {"uri": folder["uri"], "name": str(folder.get("name"))}
            for folder in (folders if isinstance(folders, list) else ())
            if isinstance(folder, dict) and isinstance(folder.get("uri"), str)
        ],
        "capabilities": {"general": {"positionEncodings": [encoding]}},
        "initializationOptions": params.get("initializationOptions"),
    }


class Replayed(io.RawIOBase):
    """A file descriptor whose first bytes were read already and are served again."""

    def __init__(self, pending: bytes, fd: int) -> None:
        super().__init__()
        self._pending = pending
        self._fd = fd

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill as much of the buffer as is there; 0 at the end."""
        chunk = self._pending[: len(buffer)] or os.read(self._fd, len(buffer))
        self._pending = self._pending[len(chunk) :]
        buffer[: len(chunk)] = chunk
        return len(chunk)


def _read_frame(fd: int, hands: Handshake) -> bytes | None:
    """The body of the first frame, or None where the input is no frame or ends."""
    while (end := hands.pending.find(b"\r\n\r\n")) < 0:
        if len(hands.pending) > _HEADER_LIMIT or not _read_more(fd, hands):
            return None
    length = _content_length(hands.pending[:end])
    if length is None or length > _BODY_LIMIT:
        return None
    start = end + 4
    while len(hands.pending) < start + length:
        if not _read_more(fd, hands):
            return None
    return hands.pending[start : start + length]


def _read_more(fd: int, hands: Handshake) -> bool:
    try:
        chunk = os.read(fd, 1 << 16)
    except OSError:
        return False
    hands.pending += chunk
    return bool(chunk)


def _content_length(header: bytes) -> int | None:
    for line in header.split(b"\r\n"):
        name, _, value = line.partition(b":")
        number = value.strip()
        if name.strip().lower() == b"content-length" and number.isdigit():
            # Of very many digits Python makes no number.
            return int(number) if len(number) <= _MOST_DIGITS else None
    return None
