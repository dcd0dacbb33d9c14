"""The chat template of a model, rendered into segments in which only the template is trusted.

The template's own text may spell special tokens; what users, files, tools and the model itself
wrote may not. So every content is rendered as a placeholder that nobody can guess, and the
placeholders are replaced by untrusted segments afterwards. A placeholder holds a control
character, which shows whether the template wrote it as it stands or through `tojson`.
"""

import json
import logging
import re
import secrets
from collections.abc import Iterator, Sequence
from typing import Any, Self

from quillon.engine.base import EngineInfo, Prompt, Segment
from quillon.prompt.messages import Message
from quillon.prompt.plain import CHATML, supports_tools, without_tool_roles
from quillon.prompt.sandbox import SafeTemplate, TemplateError

_log = logging.getLogger(__name__)

# Text of tool definitions that cannot spell a special token, in any vocabulary known to us,
# stays in the template's sight, so that it can be compared, sorted and tokenised as one run.
_HARMLESS = re.compile(r"[^<>\[\]{}|\uff5c\u2581\x00-\x08\x0b-\x1f]*")
# What may be a special token in some vocabulary. The names that Qwen's instructions hold in
# angle brackets are none, and must not cut the text around them.
_MAY_BE_SPECIAL = re.compile(
    r"<(?!/?tools>|function-name>|args-json-object>)[^<>\n]{1,60}>|\[/?[A-Za-z_]{2,40}\]"
)


class ChatTemplate:
    """Turns messages into a prompt, by the model's own template or by ours.

    `problem` says why the last prompt was not made by the model's own template, or is None.
    """

    def __init__(self, source: str | None, *, bos: str = "", eos: str = "") -> None:
        self.problem: str | None = None
        self._tokens = {"bos_token": bos, "eos_token": eos}
        self._native_tools = source is not None and supports_tools(source)
        self._fallback = SafeTemplate(CHATML)
        self._own: SafeTemplate | None = None
        if source is not None:
            try:
                self._own = SafeTemplate(source)
            except TemplateError as error:
                self._give_up(error)

    @classmethod
    def from_info(cls, info: EngineInfo) -> Self:
        """The template of the model that an engine runs."""
        return cls(info.template, bos=info.bos, eos=info.eos)

    def render(
        self,
        messages: Sequence[Message],
        tools: Sequence[dict[str, Any]] = (),
        *,
        generation: bool = True,
    ) -> Prompt:
        """The prompt for the next message of the assistant.

        `tools` are definitions in OpenAI's function form. With `generation` false the prompt
        ends with the last message. A template without a notion of tools gets them, calls and
        results as text of ordinary messages.
        """
        uses_tools = bool(tools) or any(m.role == "tool" or m.tool_calls for m in messages)
        if uses_tools and not self._native_tools:
            messages, tools = without_tool_roles(messages, tools), ()
        if self._own is not None:
            try:
                prompt = _Rendering(self._tokens).run(self._own, messages, tools, generation)
            except TemplateError as error:
                self._give_up(error)
            else:
                self.problem = None
                return prompt
        return _Rendering(self._tokens).run(self._fallback, messages, tools, generation)

    def _give_up(self, error: TemplateError) -> None:
        if error.runaway:
            self._own = None  # it costs seconds each time
        problem = f"{error}; plain ChatML is used instead"
        if problem != self.problem:
            _log.warning("%s", problem)
        self.problem = problem


def opens_thinking(prompt: Prompt) -> bool:
    """Whether the answer to `prompt` begins inside a `<think>` block that the template opened."""
    for segment in reversed(prompt):
        if segment.text.strip():
            return segment.trusted and segment.text.rstrip().endswith("<think>")
    return False


class _Rendering:
    """One rendering: what its placeholders stand for."""

    def __init__(self, tokens: dict[str, str]) -> None:
        self._tokens = tokens
        self._nonce = secrets.token_hex(12)
        self._contents: list[str] = []
        # JSON escapes the control character: that is how a `tojson` is noticed.
        self._mark = re.compile(rf"(\x02|\\u0002){self._nonce}(\d+)(\x03|\\u0003)")

    def run(
        self,
        template: SafeTemplate,
        messages: Sequence[Message],
        tools: Sequence[dict[str, Any]],
        generation: bool,  # noqa: FBT001 - private, named by the only caller
    ) -> Prompt:
        text = template.render(
            {
                "messages": [self._message(message) for message in messages],
                "tools": [self._guarded(tool) for tool in tools] or None,
                "add_generation_prompt": generation,
                "enable_thinking": False,
                **self._tokens,
            }
        )
        rest = self._mark.sub("", text)
        if self._nonce in rest or "\x02" in rest or "\x03" in rest:
            raise TemplateError("the chat template takes contents to pieces")
        return tuple(_joined(self._segments(text)))

    def _message(self, message: Message) -> dict[str, Any]:
        fields: dict[str, Any] = {"role": message.role, "content": self._hidden(message.content)}
        if message.tool_calls:
            fields["tool_calls"] = [
                {
                    "type": "function",
                    "id": self._guarded(call.id),
                    "function": {
                        "name": self._guarded(call.name),
                        "arguments": self._arguments(call.arguments),
                    },
                }
                for call in message.tool_calls
            ]
        if message.tool_call_id is not None:
            fields["tool_call_id"] = self._guarded(message.tool_call_id)
        return fields

    def _hidden(self, content: str) -> str:
        """A placeholder; the white space around stays visible, for templates trim contents."""
        core = content.strip()
        if not core:
            return content
        start = content.index(core[0])
        self._contents.append(core)
        mark = f"\x02{self._nonce}{len(self._contents) - 1}\x03"
        return f"{content[:start]}{mark}{content[start + len(core) :]}"

    def _guarded(self, value: Any) -> Any:
        """A definition or an argument with every string hidden that could spell a token."""
        if isinstance(value, str):
            return value if _HARMLESS.fullmatch(value) else self._hidden(value)
        if isinstance(value, dict):
            return {self._guarded(key): self._guarded(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self._guarded(item) for item in value]
        return value

    def _arguments(self, arguments: dict[str, Any]) -> dict[str, Any]:
        guarded = self._guarded(arguments)
        return guarded if isinstance(guarded, dict) else {}

    def _segments(self, text: str) -> Iterator[Segment]:
        at = 0
        for match in self._mark.finditer(text):
            yield Segment(text[at : match.start()], trusted=True)
            opening, number, _ = match.groups()
            content = _wellformed(self._contents[int(number)])
            if opening != "\x02":
                content = json.dumps(content, ensure_ascii=False)[1:-1]
            yield Segment(content)
            at = match.end()
        yield Segment(text[at:], trusted=True)


def _joined(segments: Iterator[Segment]) -> Iterator[Segment]:
    """The same text with as few borders as can be, for tokens do not cross them.

    Trusted text before the first and after the last thing in it that may be a special token is
    as good untrusted, and is joined with the content beside it.
    """
    plain = ""
    for segment in segments:
        if not segment.trusted:
            plain += segment.text
            continue
        tags = list(_MAY_BE_SPECIAL.finditer(segment.text))
        if not tags:
            plain += segment.text
            continue
        start, end = tags[0].start(), tags[-1].end()
        plain += segment.text[:start]
        if plain:
            yield Segment(plain)
        yield Segment(segment.text[start:end], trusted=True)
        plain = segment.text[end:]
    if plain:
        yield Segment(plain)


def _wellformed(text: str) -> str:
    """The text without lone surrogates, which no tokenizer and no wire takes."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()
