"""The answers of a remote server, piece by piece: server-sent events and lines of JSON."""

from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

import msgspec

from quillon.engine.base import EngineLost, FinishReason, Token

_MAX_LINE = 16 * 1024 * 1024  # bytes


class Piece(msgspec.Struct, frozen=True):
    """A part of an answer: text with its tokens, the end's reason, or the counts of tokens."""

    text: str = ""
    tokens: tuple[Token, ...] = ()
    reason: FinishReason | None = None
    prompt_tokens: int | None = None
    cached_tokens: int = 0
    completion_tokens: int = 0


async def read_pieces(chunks: AsyncIterator[bytes]) -> AsyncGenerator[Piece, None]:
    """The pieces of a stream; it is over at `[DONE]`, or where the server says `done`.

    Raises:
        EngineLost: The stream broke off or holds something else.
    """
    async for line in _lines(chunks):
        data = line.removeprefix(b"data:").strip() if line.startswith(b"data:") else line.strip()
        if data == b"[DONE]":
            return
        if not data.startswith(b"{"):  # an empty line, a comment or the name of an event
            continue
        try:
            value: dict[str, Any] = msgspec.json.decode(data)
            piece = _piece(value)
        except (msgspec.DecodeError, TypeError, AttributeError, ValueError, KeyError) as error:
            raise EngineLost(f"the remote server sent something unknown: {error}") from error
        yield piece
        if value.get("done"):
            return
    raise EngineLost("the remote server ended the answer before its end")


async def _lines(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    # Split at newlines only: JSON may hold other characters that `splitlines` splits at.
    rest = b""
    async for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield line
        if len(rest) > _MAX_LINE:
            raise EngineLost("the remote server sent a line without end")
    yield rest


def _piece(value: dict[str, Any]) -> Piece:
    if value.get("error"):
        raise EngineLost(f"the remote server failed: {value['error']}")
    if "response" in value or "done" in value:
        return _ollama_piece(value)
    usage = value.get("usage") or {}
    choice = (value.get("choices") or [{}])[0]
    text = choice.get("text") or (choice.get("delta") or {}).get("content") or ""
    return Piece(
        text=text,
        tokens=_tokens(text, choice.get("logprobs")),
        reason=_reason(choice.get("finish_reason")),
        prompt_tokens=usage.get("prompt_tokens"),
        cached_tokens=(usage.get("prompt_tokens_details") or {}).get("cached_tokens") or 0,
        completion_tokens=usage.get("completion_tokens") or 0,
    )


def _ollama_piece(value: dict[str, Any]) -> Piece:
    text = value.get("response") or ""
    return Piece(
        text=text,
        tokens=_tokens(text, None),
        reason=_reason(value.get("done_reason") or "stop") if value.get("done") else None,
        # Ollama leaves the count out where the whole prompt was cached.
        prompt_tokens=value.get("prompt_eval_count"),
        completion_tokens=value.get("eval_count") or 0,
    )


def _reason(said: object) -> FinishReason | None:
    if said is None:
        return None
    return "length" if said == "length" else "stop"


def _tokens(text: str, logprobs: Any) -> tuple[Token, ...]:
    """The tokens that the server tells, else one for the piece. It does not tell their ids."""
    if isinstance(logprobs, dict) and logprobs.get("tokens"):
        pairs = list(zip(logprobs["tokens"], logprobs.get("token_logprobs") or (), strict=False))
    elif isinstance(logprobs, dict) and logprobs.get("content"):
        pairs = [(entry["token"], entry.get("logprob")) for entry in logprobs["content"]]
    else:
        pairs = [(text, None)] if text else []
    return tuple(Token(-1, str(token).encode("utf-8", "replace"), value) for token, value in pairs)
