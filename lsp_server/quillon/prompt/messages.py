"""The messages of a conversation, as a chat template is given them."""

from typing import Literal

import msgspec

from quillon_tools.calls import Outcome, ToolCall

Role = Literal["system", "user", "assistant", "tool"]


class Message(msgspec.Struct, frozen=True):
    """One message.

    `tool_calls` are the calls that an assistant message made, after its `content`; a message of
    role `tool` carries the result of the call that `tool_call_id` names, and its `outcome`.
    What the user `asked` and what was `attached` are told apart where the content holds both.
    """

    role: Role
    content: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None
    outcome: Outcome = "ok"
    asked: str | None = None
    attached: tuple[str, ...] = ()

    @property
    def said(self) -> str:
        """The message as its author wrote it, without what is attached to it."""
        return self.content if self.asked is None else self.asked
