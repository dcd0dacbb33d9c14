"""Dialogues with the calls and facts that are right, in OpenAI's form as JSON Lines.

`python -m quillon_training dialogues` writes such files, and fine-tuning tools read them.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from quillon.eval.outcomes import EvalError
from quillon.prompt.messages import Message
from quillon_tools.calls import ToolCall
from quillon_tools.live import Live


class Dialogue(msgspec.Struct, frozen=True):
    """One conversation as it should go.

    `messages` begin with the user's and end with the assistant's answer, which must contain
    `facts`. `tools` are definitions in OpenAI's function form; empty: none are offered. What is
    `given` (indices of messages) is a mistake made on purpose, which the next message mends.
    """

    id: str
    kind: str
    messages: tuple[Message, ...]
    tools: tuple[dict[str, Any], ...] = ()
    facts: tuple[str, ...] = ()
    given: frozenset[int] = frozenset()
    accepted: tuple[str, ...] = ()
    """Regular expressions of which a right answer matches one, in place of `facts`."""
    live: Live = msgspec.field(default_factory=dict)
    """What the workspace has, by tool and parameter, as the product knows it."""

    @property
    def decisions(self) -> list[int]:
        """Where the assistant speaks, but for mistakes made on purpose."""
        return [
            index
            for index, message in enumerate(self.messages)
            if message.role == "assistant" and index not in self.given
        ]


def read_dialogues(path: Path) -> list[Dialogue]:
    """All dialogues of a file.

    Raises:
        EvalError: The file cannot be read, or a line is no dialogue.
    """
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise EvalError(f"The dialogues {path} cannot be read: {error}.") from error
    return list(_dialogues(path, lines))


def _dialogues(path: Path, lines: Sequence[str]) -> Iterator[Dialogue]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            yield _dialogue(json.loads(line), f"{path.name}:{number}")
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise EvalError(
                f"{path}:{number} is no dialogue ({error!r}). Expected is an object with `messages`"
                " and `tools`, as `python -m quillon_training dialogues` writes them."
            ) from error


def _dialogue(row: Mapping[str, Any], name: str) -> Dialogue:
    rows = [message for message in row["messages"] if message["role"] != "system"]
    messages = tuple(_message(message) for message in rows)
    if not messages or messages[0].role != "user" or messages[-1].role != "assistant":
        raise ValueError("the messages do not begin with the user and end with the assistant")
    return Dialogue(
        id=name,
        kind=str(row.get("kind", "dialogue")),
        messages=messages,
        tools=tuple(row.get("tools") or ()),
        facts=tuple(map(str, row.get("facts") or ())),
        live={_place(name): tuple(map(str, has)) for name, has in row.get("live", {}).items()},
        given=frozenset(index for index, message in enumerate(rows) if message.get("weight") == 0),
    )


def _place(name: str) -> tuple[str, str]:
    """The tool and the parameter of `tool.parameter`."""
    tool, _, parameter = name.partition(".")
    return tool, parameter


def _message(row: Mapping[str, Any]) -> Message:
    calls = tuple(_call(call) for call in row.get("tool_calls") or ())
    content = row.get("content") or ""
    return Message(row["role"], str(content), calls, row.get("tool_call_id"))


def _call(row: Mapping[str, Any]) -> ToolCall:
    arguments = row["function"]["arguments"]
    if isinstance(arguments, str):
        arguments = json.loads(arguments or "{}")
    if not isinstance(arguments, dict):
        raise TypeError("the arguments of a call are no object")
    return ToolCall(str(row.get("id", "")), row["function"]["name"], arguments)
