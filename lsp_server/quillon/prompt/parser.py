"""Reading an answer while it streams: text, reasoning and calls in every known dialect.

One reader understands all dialects, for models mix them: tags round JSON, tags round function
XML, either without its tags, bare JSON, JSON in a code fence. What it finds does not depend on
how the answer was cut into chunks, and it looks at no character more than a few times. The rules:

- A call runs when it is complete: its JSON is balanced, its function closed. What the answer's
  end cut off does not run; where a limit ended the answer, neither does a call whose closing tag
  is missing.
- A tagged call that cannot be read is a `BrokenCallPiece`, and what follows its closing tag is
  read afresh. Untagged text that is no call is text.
- In the dialect that is JSON alone, a call that lacks nothing but its last braces is mended where
  the model itself ended the answer.
- JSON without a tag is a call only where a line or a code fence begins with it (or anywhere,
  where the dialect is JSON), and only with the name of an offered tool.
- Nothing is a call inside `<think>`.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

from quillon.engine.base import Delta, FinishReason
from quillon.prompt.outlet import Outlet
from quillon.prompt.pieces import Piece
from quillon.prompt.states import State
from quillon.prompt.stream import Tag, TagStream
from quillon.prompt.textstates import Closers, Reasoning, Text

_CHUNK = 1024  # states copy what they hand on: short texts keep that linear


class CallParser:
    """Reads one answer.

    `tools` are the definitions that the model was given, in OpenAI's function form, or None
    where they are not known. `tag_tokens`: the vocabulary has tokens for the call tags.
    `anywhere`: bare JSON may begin anywhere. `reasoning`: the prompt opened a `<think>` block.
    """

    def __init__(
        self,
        *,
        tools: Sequence[Mapping[str, Any]] | None = None,
        tag_tokens: bool = False,
        anywhere: bool = False,
        reasoning: bool = False,
    ) -> None:
        self.outlet = Outlet()
        self.tools: Mapping[str, Mapping[str, Any]] | None = (
            None if tools is None else parameter_schemas(tools)
        )
        self.anywhere = anywhere
        self._stream = TagStream(by_token=tag_tokens)
        self._queue: deque[str | Tag] = deque()
        self._state: State = Reasoning(self) if reasoning else Text(self)

    @property
    def tags_are_text(self) -> bool:
        """Whether tags are spelled in text, and are not tokens."""
        return not self._stream.by_token

    def feed(self, delta: Delta) -> list[Piece]:
        """The pieces that a delta completes."""
        return self._read(self._stream.feed(delta))

    def finish(self, reason: FinishReason = "stop") -> list[Piece]:
        """The last pieces. After `length` and `cancelled`, what is not closed does not run."""
        pieces = self._read(self._stream.finish())
        while step := self._state.finish(complete=reason == "stop"):
            self._state = step.state
            pieces += self._read([step.rest] if step.rest else [])
        # Behind the end there is nothing; a second `finish` finds nothing.
        self._state = Text(self)
        return pieces + self.outlet.take()

    def to_text(self) -> State:
        """The state between calls."""
        return Text(self)

    def to_closers(self, closers: tuple[str, ...]) -> State:
        """The state behind a call, where these belong to it."""
        return Closers(self, closers)

    def _read(self, items: list[str | Tag]) -> list[Piece]:
        self._queue.extend(items)
        while self._queue:
            item = self._queue.popleft()
            if isinstance(item, str) and len(item) > _CHUNK:
                self._queue.appendleft(item[_CHUNK:])
                item = item[:_CHUNK]
            step = self._state.feed(item)
            self._state = step.state
            if step.rest:
                self._queue.appendleft(step.rest)
        return self.outlet.take()


def parameter_schemas(tools: Sequence[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """The parameter schema of each tool by its name."""
    functions = [tool.get("function", tool) for tool in tools]
    return {
        str(function["name"]): function.get("parameters") or {}
        for function in functions
        if isinstance(function, Mapping) and "name" in function
    }
