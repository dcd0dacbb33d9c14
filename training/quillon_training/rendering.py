"""Dialogues as token ids: what the chat template renders, with a loss weight for every token.

Only what the assistant says is learnt. Content is tokenised apart from the template's tokens, so
that text which looks like one is plain text, as in the product.
"""

import json
from typing import Any

import msgspec
from tokenizers import Tokenizer

from quillon_training.tokenizer import IM_END, IM_START, SPECIAL_TOKENS

CALL_WEIGHT = 3.0
_CALL, _CALL_END, _RESPONSE, _RESPONSE_END = (
    SPECIAL_TOKENS.index(token)
    for token in ("<tool_call>", "</tool_call>", "<tool_response>", "</tool_response>")
)


class Rendered(msgspec.Struct, frozen=True):
    """Token ids behind the system prompt, and the weight of predicting each."""

    ids: list[int]
    weights: list[float]


class Renderer:
    """Renders messages of the OpenAI form as the chat template does."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer

    def system(self, text: str, tools: list[dict[str, Any]]) -> list[int]:
        """The system message, with the definitions of `tools` where there are any."""
        if not tools:
            return [IM_START, *self._encode(f"system\n{text}"), IM_END, *self._encode("\n")]
        listed = "".join("\n" + json.dumps(tool, ensure_ascii=False) for tool in tools)
        head = (
            f"system\n{text}\n\n# Tools\n\n"
            "You may call one or more functions to assist with the user query.\n\n"
            "You are provided with function signatures within <tools></tools> XML tags:\n"
            f"<tools>{listed}\n</tools>\n\n"
            "For each function call, return a json object with function name and arguments within "
        )
        pieces = [IM_START, *self._encode(head), _CALL, _CALL_END, *self._encode(" XML tags:\n")]
        form = '\n{"name": <function-name>, "arguments": <args-json-object>}\n'
        return [*pieces, _CALL, *self._encode(form), _CALL_END, IM_END, *self._encode("\n")]

    def dialogue(self, messages: list[dict[str, Any]]) -> Rendered:
        """All messages but the system's."""
        rendered = Rendered([], [])
        for index, message in enumerate(messages):
            role = message["role"]
            if role == "user":
                self._add(rendered, [IM_START, *self._encode("user\n" + message["content"])], 0)
                self._add(rendered, [IM_END, *self._encode("\n")], 0)
            elif role == "assistant":
                self._assistant(rendered, message)
            elif role == "tool":
                first = messages[index - 1]["role"] != "tool"
                last = index + 1 == len(messages) or messages[index + 1]["role"] != "tool"
                self._tool(rendered, message["content"], first=first, last=last)
        return rendered

    def _assistant(self, rendered: Rendered, message: dict[str, Any]) -> None:
        learnt = message.get("weight", 1)
        self._add(rendered, [IM_START, *self._encode("assistant\n")], 0)
        if message["content"]:
            self._add(rendered, self._encode(message["content"]), learnt)
        for number, call in enumerate(message.get("tool_calls", [])):
            if number or message["content"]:
                self._add(rendered, self._encode("\n"), learnt)
            function = call["function"]
            text = f'\n{{"name": "{function["name"]}", "arguments": {function["arguments"]}}}\n'
            self._add(rendered, [_CALL, *self._encode(text), _CALL_END], learnt * CALL_WEIGHT)
        self._add(rendered, [IM_END], learnt)
        self._add(rendered, self._encode("\n"), 0)

    def _tool(self, rendered: Rendered, content: str, *, first: bool, last: bool) -> None:
        ids = [IM_START, *self._encode("user")] if first else []
        ids += [*self._encode("\n"), _RESPONSE, *self._encode(f"\n{content}\n"), _RESPONSE_END]
        self._add(rendered, [*ids, *([IM_END, *self._encode("\n")] if last else [])], 0)

    def _add(self, rendered: Rendered, ids: list[int], weight: float) -> None:
        rendered.ids.extend(ids)
        rendered.weights.extend([float(weight)] * len(ids))

    def _encode(self, text: str) -> list[int]:
        ids: list[int] = self._tokenizer.encode(text, add_special_tokens=False).ids
        return ids
