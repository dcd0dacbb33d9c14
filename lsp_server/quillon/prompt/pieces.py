"""What the reader of an answer hands out, in the order of the text."""

import msgspec

from quillon_tools.calls import ToolCall


class TextPiece(msgspec.Struct, frozen=True):
    """Text for the user; follows the text before it."""

    text: str


class ReasoningPiece(msgspec.Struct, frozen=True):
    """Text of a `<think>` block: no part of the answer, and never a source of calls."""

    text: str


class CallPiece(msgspec.Struct, frozen=True):
    """A complete call. `repair` says what was mended in its text, or is None."""

    call: ToolCall
    repair: str | None = None


class BrokenCallPiece(msgspec.Struct, frozen=True):
    """Something that was meant as a call and cannot be read as one.

    `raw` is its text as it stood, tags included; `problem` is a sentence for the model.
    """

    name: str | None
    raw: str
    problem: str


Piece = TextPiece | ReasoningPiece | CallPiece | BrokenCallPiece
