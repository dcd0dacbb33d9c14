"""Dialogues as token ids: what the chat template renders, with a loss weight for every token.

Only what the assistant says is learnt. Content is tokenised apart from the template's tokens, so
that text which looks like one is plain text, as in the product.
"""

import json
import re
from typing import Any

import msgspec
from tokenizers import Tokenizer

from quillon_training.errors import CheckpointError

CALL_WEIGHT = 3.0
_DECISION = 3  # tokens of an answer, which decide that no tool is called
_MARKS = (
    "<|im_start|>",
    "<|im_end|>",
    "<tool_call>",
    "</tool_call>",
    "<tool_response>",
    "</tool_response>",
)


class Rendered(msgspec.Struct, frozen=True):
    """Token ids behind the system prompt, and the weight of predicting each."""

    ids: list[int]
    weights: list[float]


class Renderer:
    """Renders messages of the OpenAI form as the chat template does.

    The tokenizer may be ours or that of a Qwen model. Tokens of tool calls weigh `call_weight`, as
    do an answer's first ones; what users and tools say weighs `context_weight`.

    Raises:
        CheckpointError: The tokenizer lacks a token that the template needs.
    """

    def __init__(
        self, tokenizer: Tokenizer, call_weight: float = CALL_WEIGHT, context_weight: float = 0.0
    ) -> None:
        self._tokenizer, self._call_weight = tokenizer, call_weight
        self._context_weight = context_weight
        numbers = [tokenizer.token_to_id(mark) for mark in _MARKS]
        known = [number for number in numbers if number is not None]
        if len(known) < len(_MARKS):
            missing = [mark for mark in _MARKS if tokenizer.token_to_id(mark) is None]
            raise CheckpointError(
                f"The tokenizer has no {', '.join(missing)}",
                "Tool calls need them: use a Qwen2.5, Qwen3 or Quillon tokenizer.",
            )
        self._start, self._end, *tags = known
        self._call, self._call_end, self._response, self._response_end = tags
        # Qwen's tags are no special tokens, so they are found in any text. Text of this shape is
        # cut behind its first character, so that it stays text, as the product does it.
        plain = [
            re.escape(token.content[1:])
            for token in tokenizer.get_added_tokens_decoder().values()
            if not token.special and token.content.startswith("<")
        ]
        self._cut = re.compile(f"(?<=<)(?={'|'.join(plain)})") if plain else None

    def system(self, text: str, tools: list[dict[str, Any]]) -> list[int]:
        """The system message, with the definitions of `tools` where there are any."""
        if not tools:
            return [self._start, *self._encode(f"system\n{text}"), self._end, *self._encode("\n")]
        listed = "".join("\n" + json.dumps(tool, ensure_ascii=False) for tool in tools)
        head = (
            f"system\n{text}\n\n# Tools\n\n"
            "You may call one or more functions to assist with the user query.\n\n"
            "You are provided with function signatures within <tools></tools> XML tags:\n"
            f"<tools>{listed}\n</tools>\n\n"
            "For each function call, return a json object with function name and arguments within "
        )
        pieces = [
            self._start,
            *self._encode(head),
            self._call,
            self._call_end,
            *self._encode(" XML tags:\n"),
        ]
        form = '\n{"name": <function-name>, "arguments": <args-json-object>}\n'
        return [
            *pieces,
            self._call,
            *self._encode(form),
            self._call_end,
            self._end,
            *self._encode("\n"),
        ]

    def dialogue(self, messages: list[dict[str, Any]]) -> Rendered:
        """All messages but the system's."""
        rendered = Rendered([], [])
        for index, message in enumerate(messages):
            role = message["role"]
            if role == "user":
                ids = [self._start, *self._encode("user\n" + message["content"])]
                ids += [self._end, *self._encode("\n")]
                self._add(rendered, ids, self._context_weight)
            elif role == "assistant":
                self._assistant(rendered, message)
            elif role == "tool":
                first = messages[index - 1]["role"] != "tool"
                last = index + 1 == len(messages) or messages[index + 1]["role"] != "tool"
                self._tool(rendered, message["content"], first=first, last=last)
        return rendered

    def beginning(self, messages: list[dict[str, Any]], longest: int) -> Rendered | None:
        """As much of a dialogue as fits `longest` tokens, up to an assistant's message.

        What a long file's lines are read for is decided before they are there.
        """
        for count in range(len(messages), 0, -1):
            if messages[count - 1]["role"] == "assistant":
                rendered = self.dialogue(messages[:count])
                if len(rendered.ids) <= longest:
                    return rendered
        return None

    def _assistant(self, rendered: Rendered, message: dict[str, Any]) -> None:
        learnt = message.get("weight", 1)
        self._add(rendered, [self._start, *self._encode("assistant\n")], 0)
        if message["content"]:
            ids = self._encode(message["content"])
            self._add(rendered, ids[:_DECISION], learnt * self._call_weight)
            self._add(rendered, ids[_DECISION:], learnt)
        for number, call in enumerate(message.get("tool_calls", [])):
            if number or message["content"]:
                self._add(rendered, self._encode("\n"), learnt)
            function = call["function"]
            text = f'\n{{"name": "{function["name"]}", "arguments": {function["arguments"]}}}\n'
            ids = [self._call, *self._encode(text), self._call_end]
            self._add(rendered, ids, learnt * self._call_weight)
        self._add(rendered, [self._end], learnt)
        self._add(rendered, self._encode("\n"), 0)

    def _tool(self, rendered: Rendered, content: str, *, first: bool, last: bool) -> None:
        ids = [self._start, *self._encode("user")] if first else []
        ids += [
            *self._encode("\n"),
            self._response,
            *self._encode(f"\n{content}\n"),
            self._response_end,
        ]
        ids += [self._end, *self._encode("\n")] if last else []
        self._add(rendered, ids, self._context_weight)

    def _add(self, rendered: Rendered, ids: list[int], weight: float) -> None:
        rendered.ids.extend(ids)
        rendered.weights.extend([float(weight)] * len(ids))

    def _encode(self, text: str) -> list[int]:
        ids: list[int] = []
        for part in self._cut.split(text) if self._cut else [text]:
            ids += self._tokenizer.encode(part, add_special_tokens=False).ids
        return ids
