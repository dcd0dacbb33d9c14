"""What the scripted engine plays: steps, the model it claims to be, and its tokens.

A script file is a `Script` as JSON with camelCase names:

    {"steps": [{"match": "add two", "reply": "return a + b", "gates": {"1": "held"}}]}
"""

import re
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from quillon.engine import base
from quillon.engine.base import (
    EngineError,
    FinishReason,
    ModelError,
    Priority,
    Prompt,
    Request,
    Token,
)

SPECIAL_TOKENS = (
    "<tool_call>",
    "</tool_call>",
    "<tool_response>",
    "</tool_response>",
    "<|im_start|>",
    "<|im_end|>",
    "<|endoftext|>",
    "<|fim_prefix|>",
    "<|fim_middle|>",
    "<|fim_suffix|>",
    "<|fim_pad|>",
    "<|repo_name|>",
    "<|file_sep|>",
)

END_TOKENS = ("<|im_end|>", "<|endoftext|>")

CHAT_TEMPLATE = """\
{%- if tools %}{{ '<|im_start|>system\\n' }}
{%- if messages[0].role == 'system' %}{{ messages[0].content + '\\n\\n' }}{% endif %}
{{- '# Tools\\n\\nYou may call functions. Their signatures are within <tools></tools>:\\n<tools>' }}
{%- for tool in tools %}{{ '\\n' }}{{ tool | tojson }}{% endfor %}
{{- '\\n</tools>\\n\\nFor each call, return a JSON object within <tool_call></tool_call>:\\n' }}
{{- '<tool_call>\\n{"name": <name>, "arguments": <object>}\\n</tool_call><|im_end|>\\n' }}
{%- elif messages[0].role == 'system' %}
{{- '<|im_start|>system\\n' + messages[0].content + '<|im_end|>\\n' }}{% endif %}
{%- for message in messages %}
{%- if message.role == 'user' or (message.role == 'system' and not loop.first) %}
{{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}
{%- elif message.role == 'assistant' %}
{{- '<|im_start|>assistant\\n' + (message.content or '') }}
{%- for call in message.tool_calls or [] %}{% set function = call.function or call %}
{%- if not loop.first or message.content %}{{ '\\n' }}{% endif %}
{{- '<tool_call>\\n{"name": "' + function.name + '", "arguments": ' }}
{%- if function.arguments is string %}{{ function.arguments }}
{%- else %}{{ function.arguments | tojson }}{% endif %}{{ '}\\n</tool_call>' }}
{%- endfor %}{{ '<|im_end|>\\n' }}
{%- elif message.role == 'tool' %}
{%- if loop.first or messages[loop.index0 - 1].role != 'tool' %}{{ '<|im_start|>user' }}{% endif %}
{{- '\\n<tool_response>\\n' + message.content + '\\n</tool_response>' }}
{%- if loop.last or messages[loop.index0 + 1].role != 'tool' %}{{ '<|im_end|>\\n' }}{% endif %}
{%- endif %}{% endfor %}
{%- if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"""

_SPECIAL = re.compile("(" + "|".join(map(re.escape, SPECIAL_TOKENS)) + ")")
ERRORS: dict[str, type[EngineError]] = {
    name: value
    for name, value in vars(base).items()
    if isinstance(value, type) and issubclass(value, EngineError)
}
_CONTROL = re.compile("|".join(re.escape(t) for t in SPECIAL_TOKENS if t.startswith("<|")))
_FIRST_SPECIAL_ID = 1_000_000


class Step(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """The answer to one request, or to `times` requests (0: any number).

    It fits a prompt that contains `match`, in which `pattern` is found and that comes with
    `priority`, as far as these are given; the prompt is the concatenated text of its segments.
    `reply` is cut into one piece per special token and per `chunk` characters; a tuple gives the
    pieces themselves. Each piece is one `Delta`. `gates` maps a piece's index to the gate that it
    waits for; the index one past the last piece holds the end. `opens` names the gates that open
    when the step is taken. With `error`, the name of an `EngineError` class, the step ends in it:
    before `Started` where the reply is empty, else after the reply. `logprob` is that of each
    token, or of the first tokens in turn, the last one repeating.
    """

    match: str | None = None
    pattern: str | None = None
    priority: Priority | None = None
    reply: str | tuple[str, ...] = ""
    chunk: Annotated[int, Meta(ge=1)] = 8
    finish: FinishReason = "stop"
    cached_tokens: Annotated[int, Meta(ge=0)] = 0
    logprob: float | tuple[float, ...] = -0.05
    gates: dict[int, str] = msgspec.field(default_factory=dict)
    opens: tuple[str, ...] = ()
    error: str | None = None
    message: str = "the script says so"
    times: Annotated[int, Meta(ge=0)] = 1

    def fits(self, text: str, priority: Priority) -> bool:
        """Whether the step answers this prompt."""
        return (
            (self.match is None or self.match in text)
            and (self.pattern is None or re.search(self.pattern, text) is not None)
            and (self.priority is None or self.priority == priority)
        )


class Script(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Steps, and the model that the engine claims to run.

    `load_gate` holds `info` and every request in state `loading`; `load_error` then ends them.
    `gate_folder`: a gate opens, too, once a file of its name exists there. `record`: a file to
    which each request is appended as a line of JSON. Both serve tests of another process.
    """

    steps: tuple[Step, ...] = ()
    model: str = "scripted"
    template: str | None = CHAT_TEMPLATE
    fim: bool = True
    tool_call_token: bool = True
    embedded: bool = False
    context: Annotated[int, Meta(ge=1)] = 4096
    architecture: str = "qwen3"
    parameters: int = 0
    load_gate: str | None = None
    load_error: str | None = None
    gate_folder: str | None = None
    record: str | None = None


def prompt_text(prompt: Prompt) -> str:
    """The prompt as one text."""
    return "".join(segment.text for segment in prompt)


def count_tokens(text: str) -> int:
    """One token for every four bytes of UTF-8, rounded up: the scripted model's tokenizer."""
    return (len(text.encode("utf-8", "surrogatepass")) + 3) // 4


def load_script(path: Path) -> Script:
    """The script in a JSON file.

    Raises:
        ModelError: The file cannot be read or is no script; the message says what is wrong.
    """
    try:
        script = msgspec.json.decode(path.read_bytes(), type=Script)
    except OSError as error:
        raise ModelError(f"cannot read the engine script {path}: {error.strerror}") from error
    except msgspec.DecodeError as error:
        raise ModelError(f"{path} is not an engine script: {error}") from error
    try:
        for step in script.steps:
            re.compile(step.pattern or "")
            if step.error is not None and step.error not in ERRORS:
                raise ModelError(f"{path}: {step.error} is not the name of an engine error")
    except re.error as error:
        raise ModelError(f"{path}: wrong pattern in a step: {error}") from error
    return script


def pieces_for(step: Step, request: Request) -> tuple[list[str], bool]:
    """The reply's pieces up to the request's first stop, and whether there was one."""
    whole = step.reply if isinstance(step.reply, str) else "".join(step.reply)
    stops = (*request.stop, *request.stop_tokens, *END_TOKENS)
    ends = [whole.find(stop) for stop in stops if stop in whole]
    end = min(ends, default=len(whole))
    pieces: list[str] = []
    for piece in step.reply if not isinstance(step.reply, str) else _cut(step.reply, step.chunk):
        part = piece[: max(0, end)]
        end -= len(piece)
        if part:
            pieces.append(part)
    return pieces, bool(ends)


def _cut(text: str, size: int) -> list[str]:
    return [
        part[at : at + (len(part) if part in SPECIAL_TOKENS else size)]
        for part in _SPECIAL.split(text)
        for at in range(0, len(part), len(part) if part in SPECIAL_TOKENS else size)
    ]


def visible(piece: str) -> str:
    """The piece as an answer shows it: control tokens, such as `<|im_start|>`, have no text."""
    return _CONTROL.sub("", piece)


def tokens_for(piece: str, step: Step, made: int) -> tuple[Token, ...]:
    """One token per special spelling, one per text between two."""
    values = (step.logprob,) if isinstance(step.logprob, float) else step.logprob or (0.0,)
    parts = [part for part in _SPECIAL.split(piece) if part]
    return tuple(
        Token(
            id=_token_id(part),
            bytes=part.encode("utf-8", "surrogatepass"),
            logprob=values[min(made + index, len(values) - 1)],
            special=part in SPECIAL_TOKENS,
        )
        for index, part in enumerate(parts)
    )


def _token_id(part: str) -> int:
    if part in SPECIAL_TOKENS:
        return _FIRST_SPECIAL_ID + SPECIAL_TOKENS.index(part)
    return sum(part.encode("utf-8", "surrogatepass")) % _FIRST_SPECIAL_ID


def with_logprobs(tokens: tuple[Token, ...], request: Request) -> tuple[Token, ...]:
    """The tokens, log-probabilities removed where the request does not ask for them."""
    if request.logprobs:
        return tokens
    return tuple(msgspec.structs.replace(token, logprob=None) for token in tokens)
