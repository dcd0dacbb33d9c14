"""A whole turn of the chat against a known dialogue: tools answer as they did there.

The turn is the product's: its prompts, its grammar, its loop. Only the tools are played: a call
that the dialogue has gets the answer that it has; any other call ends the turn, for nobody knows
what the tool would say.
"""

from collections.abc import Callable
from contextlib import aclosing
from typing import Any

import msgspec

from quillon.assist.chat import ResultEvent, Turn, TurnResult
from quillon.assist.conversations import new_conversation
from quillon.eval.asking import Asker
from quillon.eval.dialogues import Dialogue
from quillon.eval.grading import same_call
from quillon.settings import ChatSettings
from quillon_tools.calls import ToolCall, ToolResult
from quillon_tools.live import Live
from quillon_tools.tool import Detail

_GREEDY = ChatSettings(temperature=0.0, max_tokens=512)


class Played(msgspec.Struct, frozen=True):
    """How a turn went: whether it made the dialogue's calls and no others, and its answer."""

    chain: bool
    answer: str


class Replay:
    """The tools of a dialogue, as the chat's turn sees tools."""

    def __init__(self, dialogue: Dialogue, definitions: list[dict[str, Any]]) -> None:
        self._definitions = definitions
        self._live = dialogue.live
        self._steps = _steps(dialogue)
        self.astray = False

    @property
    def exhausted(self) -> bool:
        """Whether a call was made that the dialogue has not."""
        return self.astray

    @property
    def done(self) -> bool:
        """Whether every call of the dialogue was made, and no other."""
        return not self.astray and not self._steps

    @property
    def agreement(self) -> int:
        """One answer decides: what is measured is the model alone."""
        return 1

    async def live(self) -> Live:
        """What the dialogue says that its workspace has."""
        return self._live

    def weight(self, call: ToolCall) -> str | None:  # noqa: ARG002 - nothing is voted on
        """Nothing is run."""
        return None

    def withhold(self, call: ToolCall, why: str) -> ToolResult:
        """The result of a call that is not run."""
        return ToolResult(call.id, ok=False, text=f"Error: {why}", outcome="retry")

    def definitions(self, detail: Detail = "full") -> list[dict[str, Any]]:  # noqa: ARG002
        """What the model may call; the caller chose how much is said of it."""
        return self._definitions

    async def execute(
        self,
        call: ToolCall,
        *,
        on_run: Callable[[ToolCall], None] | None = None,  # noqa: ARG002 - nothing is approved
        doubt: str = "",  # noqa: ARG002 - nobody is asked
    ) -> ToolResult:
        """What the tool said in the dialogue."""
        waiting = self._steps[0] if self._steps else []
        for index, (expected, answer) in enumerate(waiting):
            if same_call(call, expected):
                del waiting[index]
                if not waiting:
                    self._steps.pop(0)
                ok = not answer.startswith("Error")
                return ToolResult(call.id, ok=ok, text=answer, outcome="ok" if ok else "failed")
        self.astray = True
        return ToolResult(call.id, ok=False, text="Error: not in the dialogue", outcome="failed")


async def play(asker: Asker, dialogue: Dialogue) -> Played:
    """Let the model go through a dialogue's first question by itself.

    Raises:
        EngineError: The model could not answer.
    """
    tools = Replay(dialogue, asker.definitions(dialogue.tools))
    turn = Turn(asker.engine, tools, _GREEDY, new_conversation())
    answer = ""
    async with aclosing(turn.run(dialogue.messages[0].content)) as events:
        async for event in events:
            if isinstance(event, ResultEvent) and tools.astray:
                return Played(chain=False, answer="")
            if isinstance(event, TurnResult):
                answer = event.text
    return Played(tools.done, answer)


def _steps(dialogue: Dialogue) -> list[list[tuple[ToolCall, str]]]:
    """The calls of each assistant message with what the tools answered; mistakes are left out."""
    answers = {m.tool_call_id: m.content for m in dialogue.messages if m.role == "tool"}
    return [
        [(call, answers.get(call.id, "")) for call in message.tool_calls]
        for index, message in enumerate(dialogue.messages)
        if message.tool_calls and index not in dialogue.given
    ]
