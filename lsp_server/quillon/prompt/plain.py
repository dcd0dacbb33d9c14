"""Our own chat template, and tools as plain text for models that were never shown any."""

import json
import re
from collections.abc import Sequence
from typing import Any

from quillon.prompt.messages import Message

# ChatML with Hermes tool calls, as Qwen2.5 and Qwen3 were trained on them: for a model whose own
# template is missing or broken.
CHATML = r"""{%- set first = messages[0] if messages else none %}
{%- set system = first.content if first and first.role == 'system' else '' %}
{%- if tools %}
    {{- '<|im_start|>system\n' }}
    {%- if system %}
        {{- system + '\n\n' }}
    {%- endif %}
    {{- '# Tools\n\nYou may call one or more functions to assist with the user query.\n\n' }}
    {{- 'You are provided with function signatures within <tools></tools> XML tags:\n<tools>' }}
    {%- for tool in tools %}
        {{- '\n' + tool | tojson }}
    {%- endfor %}
    {{- '\n</tools>\n\nFor each function call, return a json object with function name and ' }}
    {{- 'arguments within <tool_call></tool_call> XML tags:\n<tool_call>\n{"name": ' }}
    {{- '<function-name>, "arguments": <args-json-object>}\n</tool_call><|im_end|>\n' }}
{%- elif system %}
    {{- '<|im_start|>system\n' + system + '<|im_end|>\n' }}
{%- endif %}
{%- for message in messages %}
    {%- if message.role == 'user' or (message.role == 'system' and not loop.first) %}
        {{- '<|im_start|>' + message.role + '\n' + message.content + '<|im_end|>\n' }}
    {%- elif message.role == 'assistant' %}
        {{- '<|im_start|>assistant\n' + message.content }}
        {%- for call in message.tool_calls or [] %}
            {%- if message.content or not loop.first %}
                {{- '\n' }}
            {%- endif %}
            {{- '<tool_call>\n{"name": "' + call.function.name + '", "arguments": ' }}
            {{- call.function.arguments | tojson }}
            {{- '}\n</tool_call>' }}
        {%- endfor %}
        {{- '<|im_end|>\n' }}
    {%- elif message.role == 'tool' %}
        {%- if loop.first or messages[loop.index0 - 1].role != 'tool' %}
            {{- '<|im_start|>user' }}
        {%- endif %}
        {{- '\n<tool_response>\n' + message.content + '\n</tool_response>' }}
        {%- if loop.last or messages[loop.index0 + 1].role != 'tool' %}
            {{- '<|im_end|>\n' }}
        {%- endif %}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\n' }}
{%- endif %}"""

_INSTRUCTION = """# Tools

You may use these tools; each is described by a JSON object:
{tools}

To use one, answer with nothing but a JSON object of this form:
{{"tool_call": {{"name": "<name of the tool>", "arguments": {{<its arguments>}}}}}}
The result comes with the next message. If no tool is needed, answer in plain text."""


def supports_tools(template: str) -> bool:
    """Whether a chat template has a place for tool definitions."""
    return re.search(r"\btools\b", template) is not None


def without_tool_roles(
    messages: Sequence[Message], tools: Sequence[dict[str, Any]]
) -> list[Message]:
    """The conversation with definitions, calls and results as text of ordinary messages."""
    changed: list[Message] = []
    names: dict[str, str] = {}
    for message in messages:
        names |= {call.id: call.name for call in message.tool_calls}
        changed.append(_plain(message, names))
    if tools:
        described = "\n".join(json.dumps(_described(t), ensure_ascii=False) for t in tools)
        instruction = _INSTRUCTION.format(tools=described)
        if changed and changed[0].role == "system":
            first = changed.pop(0)
            instruction = f"{first.content}\n\n{instruction}".lstrip()
        changed.insert(0, Message("system", instruction))
    return changed


def _plain(message: Message, names: dict[str, str]) -> Message:
    if message.role == "tool":
        name = names.get(message.tool_call_id or "", "the tool")
        return Message("user", f"Result of {name}:\n{message.content}")
    if not message.tool_calls:
        return message
    calls = [
        json.dumps(
            {"tool_call": {"name": call.name, "arguments": call.arguments}}, ensure_ascii=False
        )
        for call in message.tool_calls
    ]
    return Message(message.role, "\n".join([*filter(None, [message.content]), *calls]))


def _described(tool: dict[str, Any]) -> Any:
    return tool.get("function", tool)
