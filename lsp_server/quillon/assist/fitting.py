"""Making a conversation fit the context: what is left out first, and the sentence that says so.

Tokens are counted by the model's own tokenizer, one count for each piece of the rendered prompt.
Whole turns go first, the oldest before the newer; then the longest tool results and attachments
of the last turn are cut in their middle. The last question itself is never touched.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec

from quillon.engine.base import Engine, Prompt, PromptTooLong
from quillon.prompt.messages import Message
from quillon.prompt.template import ChatTemplate

_MARGIN = 8  # tokens that the template's own special tokens may take beyond their text
_LEAST = 200  # characters; a tool result is not cut below this


class Fitted(msgspec.Struct, frozen=True):
    """A prompt that fits, the messages in it, and what had to go (empty: nothing)."""

    prompt: Prompt
    messages: tuple[Message, ...]
    tokens: int
    left_out: str


async def fit_messages(
    engine: Engine,
    template: ChatTemplate,
    messages: Sequence[Message],
    definitions: Sequence[dict[str, Any]],
    budget: int,
) -> Fitted:
    """The prompt of a conversation in at most `budget` tokens. The first message is the system's.

    Raises:
        PromptTooLong: Even the last question alone does not fit.
    """
    kept = list(messages)
    prompt, tokens = await _render(engine, template, kept, definitions)
    whole = tokens
    users = [i for i, message in enumerate(messages) if message.role == "user"]
    turns = cuts = 0
    # The fewest turns that have to go, in few steps however many there are.
    least, most = 0, len(users) - 1 if tokens > budget else 0
    while least < most:
        turns = (least + most) // 2
        kept = [*messages[: users[0]], *messages[users[turns] :]]
        prompt, tokens = await _render(engine, template, kept, definitions)
        least, most = (turns + 1, most) if tokens > budget else (least, turns)
    if turns != most and users:
        turns = most
        kept = [*messages[: users[0]], *messages[users[turns] :]]
        prompt, tokens = await _render(engine, template, kept, definitions)
    while tokens > budget:
        if not _cut_longest(kept, tokens - budget):
            raise PromptTooLong(
                f"The question takes {tokens} tokens and the model has room for {budget}. "
                "Ask a shorter question, attach less, or choose a larger context "
                "(setting quillon.model.contextSize)."
            )
        cuts += 1
        prompt, tokens = await _render(engine, template, kept, definitions)
    return Fitted(prompt, tuple(kept), tokens, _sentence(turns, cuts, whole - tokens))


async def prompt_tokens(
    engine: Engine,
    template: ChatTemplate,
    messages: Sequence[Message],
    definitions: Sequence[dict[str, Any]],
) -> int:
    """The tokens of the prompt that messages make."""
    return (await _render(engine, template, messages, definitions))[1]


def _sentence(turns: int, cuts: int, tokens: int) -> str:
    plural = "s" if turns > 1 else ""
    if turns and cuts:
        return (
            f"{turns} earlier turn{plural} left out, long texts cut in their middle: "
            f"{tokens} tokens"
        )
    if turns:
        return f"{turns} earlier turn{plural} left out: {tokens} tokens"
    return f"Long texts cut in their middle: {tokens} tokens" if cuts else ""


async def _render(
    engine: Engine,
    template: ChatTemplate,
    messages: Sequence[Message],
    definitions: Sequence[dict[str, Any]],
) -> tuple[Prompt, int]:
    # In a thread: of a thousand messages it takes some time.
    prompt = await asyncio.to_thread(template.render, messages, definitions)
    counts = await engine.count([segment.text for segment in prompt])
    return prompt, sum(counts) + _MARGIN


def _cut_longest(messages: list[Message], excess: int) -> bool:
    """Shorten the longest tool result by about `excess` tokens; False where none is long."""
    index = max(
        (i for i, message in enumerate(messages) if message.role == "tool"),
        key=lambda i: len(messages[i].content),
        default=None,
    )
    if index is None or len(messages[index].content) <= _LEAST:
        return False
    text = messages[index].content
    keep = max(_LEAST // 2, len(text) - 3 * excess - 40)
    keep = min(keep, len(text) * 3 // 4)
    head, tail = text[: keep * 2 // 3], text[len(text) - keep // 3 :]
    cut = f"{head}\n… {len(text) - len(head) - len(tail)} characters left out …\n{tail}"
    messages[index] = msgspec.structs.replace(messages[index], content=cut)
    return True
