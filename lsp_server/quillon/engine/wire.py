"""The local engine protocol: length-prefixed msgpack frames over a local stream socket.

A frame is a 4-byte big-endian length and one msgpack value, a tagged struct of this module. The
client speaks first (`Hello`); the host answers `Welcome` or closes. Request ids are the client's
and unique within its connection. Every `Generate` is answered by events and ends in `Finished`
(as an event) or `Failed`; every other request by exactly one reply with its id.
"""

import asyncio
import struct

import msgspec

from quillon.engine.base import (
    Delta,
    EngineInfo,
    Finished,
    Prompt,
    Request,
    Started,
)

PROTOCOL_VERSION = 1
MAX_FRAME = 64 * 1024 * 1024  # bytes; a prompt of 16 million characters is a mistake
_HEADER = struct.Struct(">I")


class Hello(msgspec.Struct, frozen=True, tag="hello"):
    """The first frame. `token` is the secret that the host's state file holds."""

    version: int
    token: str


class Generate(msgspec.Struct, frozen=True, tag="generate"):
    """Start a generation."""

    id: int
    request: Request


class Cancel(msgspec.Struct, frozen=True, tag="cancel"):
    """Stop a generation; it still ends in `Finished`, with reason `cancelled`."""

    id: int


class Count(msgspec.Struct, frozen=True, tag="count"):
    """Count the tokens of each text."""

    id: int
    texts: tuple[str, ...]


class Warm(msgspec.Struct, frozen=True, tag="warm"):
    """Evaluate a prompt ahead of time."""

    id: int
    prompt: Prompt
    cache_key: str | None = None


class Info(msgspec.Struct, frozen=True, tag="info"):
    """Ask for `EngineInfo`; answered at once, whatever the state."""

    id: int


class Ping(msgspec.Struct, frozen=True, tag="ping"):
    """Answered at once by `Pong`: the sign of life."""

    id: int


class Shutdown(msgspec.Struct, frozen=True, tag="shutdown"):
    """End the engine process, whoever else uses it (`quillon engine stop`)."""

    id: int


ToHost = Hello | Generate | Cancel | Count | Warm | Info | Ping | Shutdown


class Welcome(msgspec.Struct, frozen=True, tag="welcome"):
    """The host's answer to `Hello`."""

    version: int
    info: EngineInfo


class Progress(msgspec.Struct, frozen=True, tag="progress"):
    """Pushed, unasked, whenever the engine's state or the loading progress (0..1) changes."""

    info: EngineInfo
    fraction: float | None = None


class EventFrame(msgspec.Struct, frozen=True, tag="event"):
    """One event of generation `id`."""

    id: int
    event: Started | Delta | Finished


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """Request `id` ended in an error; `kind` is the name of an `EngineError` class."""

    id: int
    kind: str
    message: str


class Counted(msgspec.Struct, frozen=True, tag="counted"):
    """The token counts of a `Count`, in its order."""

    id: int
    counts: tuple[int, ...]


class InfoReply(msgspec.Struct, frozen=True, tag="info_reply"):
    """The answer to `Info`."""

    id: int
    info: EngineInfo


class Done(msgspec.Struct, frozen=True, tag="done"):
    """The answer to `Warm`, `Ping` and `Shutdown`."""

    id: int


ToClient = Welcome | Progress | EventFrame | Failed | Counted | InfoReply | Done

_encoder = msgspec.msgpack.Encoder()
_host_decoder: msgspec.msgpack.Decoder[ToHost] = msgspec.msgpack.Decoder(ToHost)
_client_decoder: msgspec.msgpack.Decoder[ToClient] = msgspec.msgpack.Decoder(ToClient)


class WireError(Exception):
    """The peer sent a frame that is too long, cut off or not of this protocol."""


def encode(message: ToHost | ToClient) -> bytes:
    """One frame, header included."""
    payload = _encoder.encode(message)
    return _HEADER.pack(len(payload)) + payload


async def read_frame(reader: asyncio.StreamReader) -> bytes | None:
    """The payload of the next frame, or None where the stream ended between frames.

    Raises:
        WireError: The frame is longer than `MAX_FRAME` or was cut off.
    """
    try:
        header = await reader.readexactly(_HEADER.size)
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise WireError("the stream ended inside a frame") from error
        return None
    (length,) = _HEADER.unpack(header)
    if length > MAX_FRAME:
        raise WireError(f"a frame of {length} bytes is over the limit of {MAX_FRAME}")
    try:
        return await reader.readexactly(length)
    except asyncio.IncompleteReadError as error:
        raise WireError("the stream ended inside a frame") from error


def decode_for_host(payload: bytes) -> ToHost:
    """A client's message.

    Raises:
        WireError: It is not one.
    """
    try:
        return _host_decoder.decode(payload)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise WireError(str(error)) from error


def decode_for_client(payload: bytes) -> ToClient:
    """A host's message.

    Raises:
        WireError: It is not one.
    """
    try:
        return _client_decoder.decode(payload)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise WireError(str(error)) from error
