"""The pieces of one answer on their way out, with the rules about blanks between them."""

import secrets

from quillon.prompt.pieces import BrokenCallPiece, CallPiece, Piece, ReasoningPiece, TextPiece
from quillon.prompt.reading import Reading
from quillon_tools.calls import ToolCall

_TAIL = 40  # characters of the last text that questions about it may need


class Outlet:
    """Collects pieces.

    Text is kept as it stands, except that a run of nothing but blanks between calls, or after
    the reasoning, is no text. Reasoning is kept without the blanks around it.
    """

    def __init__(self) -> None:
        self.reasoned = False
        self.tail = ""  # the end of the text since the last call or reasoning
        self.in_fence = False  # whether the text stands in a fenced block of code
        self._line = ""  # the beginning of its last line
        self._pieces: list[Piece] = []
        self._texts: list[str] = []
        self._blanks: list[str] = []
        self._in_run = False
        self._after_reasoning = False

    def take(self) -> list[Piece]:
        """The pieces since the last time."""
        self._flush()
        pieces, self._pieces = self._pieces, []
        return pieces

    @property
    def at_line_start(self) -> bool:
        """Whether only blanks stand between the last line end and here."""
        line = self.tail.rpartition("\n")[2]
        return not line.strip() and ("\n" in self.tail or len(self.tail) < _TAIL)

    def text(self, text: str) -> None:
        """Text of the answer."""
        if not text:
            return
        self.tail = (self.tail + text)[-_TAIL:]
        self._follow_fences(text)
        if not self._in_run:
            bare = text.lstrip()
            self._blanks.append(text[: len(text) - len(bare)])
            if not bare:
                return
            self._in_run = True
            if not self._after_reasoning:
                self._texts += self._blanks
            self._after_reasoning = False
            self._blanks.clear()
            text = bare
        self._texts.append(text)

    def _follow_fences(self, text: str) -> None:
        *lines, last = text.split("\n")
        for line in lines:
            self.in_fence ^= (self._line + line[:_TAIL]).lstrip().startswith("```")
            self._line = ""
        self._line = (self._line + last[:_TAIL])[:_TAIL]

    def reasoning(self, text: str) -> None:
        """Text inside `<think>`."""
        if not text:
            return
        bare = text.strip()
        start = text.index(bare[0]) if bare else len(text)
        if self._in_run:
            self._blanks.append(text[:start])
        if not bare:
            return
        self._flush_reasoning(bare)
        self._blanks = [text[start + len(bare) :]]
        self._in_run = True

    def begin_reasoning(self) -> None:
        """A `<think>` block begins."""
        self._mark()
        self.reasoned = True

    def end_reasoning(self) -> None:
        """The `<think>` block is over."""
        self._mark()
        self._after_reasoning = True

    def calls(self, readings: list[Reading], raw: str, repair: str | None = None) -> None:
        """What was read from one piece of text, in its order."""
        self._mark()
        for reading in readings:
            if reading.problem is not None or reading.name is None:
                problem = reading.problem or "the call has no name"
                self._pieces.append(BrokenCallPiece(reading.name, raw, problem))
            else:
                call = ToolCall(f"call_{secrets.token_hex(6)}", reading.name, reading.arguments)
                self._pieces.append(CallPiece(call, repair))

    def broken(self, name: str | None, raw: str, problem: str) -> None:
        """A call that cannot be read."""
        self._mark()
        self._pieces.append(BrokenCallPiece(name, raw, problem))

    def _mark(self) -> None:
        self._flush()
        self._blanks.clear()
        self._in_run = self._after_reasoning = False
        self.tail = ""

    def _flush(self) -> None:
        if self._texts:
            self._pieces.append(TextPiece("".join(self._texts)))
            self._texts.clear()

    def _flush_reasoning(self, text: str) -> None:
        self._pieces.append(ReasoningPiece("".join((*self._blanks, text))))
