"""One answer of the model in a chat: its text, its calls, and whether it goes round in circles."""

from collections.abc import Callable, Sequence

from quillon.assist.agreement import Asked
from quillon.engine.base import Delta, Finished
from quillon.prompt.parser import CallParser
from quillon.prompt.pieces import BrokenCallPiece, CallPiece, Piece, TextPiece
from quillon_tools.calls import ToolCall

_LOOP_LENGTH, _LOOP_TIMES = 50, 10


class Answer:
    """What one generation said: its text, its calls and the calls that could not be read."""

    def __init__(self) -> None:
        self.parser: CallParser | None = None
        self.asked: Asked | None = None
        self.calls: list[ToolCall] = []
        self.broken: list[BrokenCallPiece] = []
        self.finished: Finished | None = None
        self.started = False
        self.new_parser: Callable[[], CallParser] = CallParser
        self._text: list[str] = []

    def read_by(self, new_parser: Callable[[], CallParser]) -> None:
        """Read what comes with a new parser."""
        self.new_parser = new_parser
        self.parser = new_parser()

    @property
    def text(self) -> str:
        """What was said so far."""
        return "".join(self._text).strip()

    def take(self, event: object) -> list[str]:
        """The text that an event adds to the answer."""
        if self.parser is None:
            return []
        if isinstance(event, Delta):
            self.started = True
            return self._sort(self.parser.feed(event))
        if isinstance(event, Finished):
            self.finished = event
            return self._sort(self.parser.finish(event.reason))
        return []

    def _sort(self, pieces: Sequence[Piece]) -> list[str]:
        texts = []
        for piece in pieces:
            if isinstance(piece, TextPiece):
                texts.append(piece.text)
            elif isinstance(piece, CallPiece):
                self._call(piece.call)
            elif isinstance(piece, BrokenCallPiece):
                self.broken.append(piece)
        self._text += texts
        return texts

    def _call(self, call: ToolCall) -> None:
        """Take a call; one that was made in this answer already says nothing more."""
        made = ((each.name, each.arguments) for each in self.calls)
        if (call.name, call.arguments) not in made:
            self.calls.append(call)


def repeats(text: str) -> bool:
    """Whether the end of a text is one piece of at most 50 characters, ten times over."""
    tail = text[-_LOOP_LENGTH * _LOOP_TIMES :]
    for length in range(1, min(_LOOP_LENGTH, len(tail) // _LOOP_TIMES) + 1):
        piece = tail[-length:]
        if piece.strip(" \n\t|:-=#*_.~") and tail.endswith(piece * _LOOP_TIMES):
            return True
    return False
