"""What a dialogue is, and its JSON Lines form: OpenAI messages with tools, one dialogue per line.

`sharing.py` makes of it what other trainers read.
"""

import json
from typing import Any, Literal

import msgspec

from quillon_tools.live import Live

Language = Literal["en", "zh"]
Split = Literal["train", "wording", "heldout"]
SYSTEM_PROMPT = "You are a coding assistant working in the user's repository."


class Call(msgspec.Struct, frozen=True):
    """A tool call of the assistant."""

    name: str
    arguments: dict[str, Any]


class Message(msgspec.Struct, frozen=True):
    """One message; `calls` only of the assistant, role `tool` answers the calls in their order.

    What is not `trained` is there to be answered, such as a wrong call, and never learnt.
    """

    role: Literal["user", "assistant", "tool"]
    content: str = ""
    calls: tuple[Call, ...] = ()
    trained: bool = True


class Dialogue(msgspec.Struct, frozen=True):
    """A conversation, and what a right last answer must contain.

    `split`: `train`; `wording` has a wording seen nowhere else; `heldout` a held-out repository.
    """

    kind: str
    language: Language
    split: Split
    repository: str
    messages: tuple[Message, ...]
    facts: tuple[str, ...] = ()
    tools: bool = True
    """Whether the tools are offered; an editor's code actions offer none."""
    live: Live = msgspec.field(default_factory=dict)
    """For evaluation: what the workspace has, by tool and parameter."""

    @property
    def calls(self) -> list[Call]:
        """All calls, in order."""
        return [call for message in self.messages for call in message.calls]


def openai_form(dialogue: Dialogue, tools: list[dict[str, Any]]) -> dict[str, Any]:
    """The dialogue as a JSON object of `messages` and `tools`."""
    messages: list[dict[str, Any]] = [{"role": "system", "content": SYSTEM_PROMPT}]
    waiting: list[str] = []
    number = 0
    for message in dialogue.messages:
        made: dict[str, Any] = {"role": message.role, "content": message.content}
        if not message.trained:
            made["weight"] = 0  # as fine-tuning services mark what is not to be learnt
        if message.calls:
            made["tool_calls"] = []
            for call in message.calls:
                number += 1
                waiting.append(f"call_{number}")
                function = {
                    "name": call.name,
                    "arguments": json.dumps(call.arguments, ensure_ascii=False),
                }
                made["tool_calls"].append(
                    {"id": waiting[-1], "type": "function", "function": function}
                )
        if message.role == "tool":
            made["tool_call_id"] = waiting.pop(0)
        messages.append(made)
    live = {".".join(place): values for place, values in dialogue.live.items()}
    return {
        "messages": messages,
        "tools": tools if dialogue.tools else [],
        "kind": dialogue.kind,
        "language": dialogue.language,
        "split": dialogue.split,
        "repository": dialogue.repository,
        "facts": list(dialogue.facts),
        **({"live": live} if live else {}),
    }
