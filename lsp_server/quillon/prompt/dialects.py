"""The forms in which models write tool calls, and which one a model was trained on."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from quillon.engine.base import EngineInfo, Prompt, ToolDialect
from quillon.prompt.parser import CallParser
from quillon.prompt.plain import supports_tools
from quillon.prompt.template import opens_thinking

CALL_TAGS = ("<tool_call>", "<function=")


class Dialect(msgspec.Struct, frozen=True):
    """One form of calls.

    `hermes`: `<tool_call>{"name", "arguments"}</tool_call>`; `function_xml`: `<function=name>`
    with `<parameter=key>` in the same tags; `json`: `{"tool_call": {"name", "arguments"}}`.
    `trigger` is the text with which a call begins. `tag_tokens`: the vocabulary has tokens for
    the tags, and a tag is such a token, never text that reads the same.
    """

    kind: ToolDialect
    trigger: str = "<tool_call>"
    tag_tokens: bool = False

    def parser(
        self, tools: Sequence[Mapping[str, Any]] | None = None, prompt: Prompt = ()
    ) -> CallParser:
        """A reader for one answer.

        `tools` are the definitions that were offered (they type the values of function XML and
        tell bare JSON that is a call from JSON that is an answer); `prompt` is the prompt, which
        may have opened a `<think>` block.
        """
        return CallParser(
            tools=tools,
            tag_tokens=self.tag_tokens,
            anywhere=self.kind == "json",
            reasoning=opens_thinking(prompt),
        )


def begins_call(text: str) -> bool:
    """Whether a call could begin in a text, if it were told as it is."""
    return any(tag in text for tag in CALL_TAGS)


def dialect_for(info: EngineInfo) -> Dialect:
    """The dialect that a model's chat template teaches."""
    template = info.template or ""
    if "<function=" in template and "<tool_call>" in template:
        return Dialect("function_xml", tag_tokens=info.tool_call_token)
    if "<tool_call>" in template:
        return Dialect("hermes", tag_tokens=info.tool_call_token)
    if supports_tools(template):
        # A format of its own that we do not know: the reader tries, the grammar never wakes.
        return Dialect("hermes", tag_tokens=info.tool_call_token)
    return Dialect("json", trigger='{"tool_call": ')
