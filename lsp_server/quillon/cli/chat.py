"""`quillon chat`: the chat in a terminal, with the same turn loop and the same guard."""

import asyncio
import sys
from contextlib import aclosing
from pathlib import Path
from typing import Any, Literal

import msgspec
from rich.prompt import Prompt

from quillon.assist.chat import CallEvent, NoticeEvent, ResultEvent, TextEvent, Turn, TurnResult
from quillon.assist.conversations import Conversation, new_conversation
from quillon.assist.toolbox import make_toolset, make_workspace
from quillon.cli.output import Output
from quillon.engine.base import Engine, EngineError
from quillon.engine.choose import open_engine
from quillon.session import Session
from quillon.settings import Settings
from quillon_tools.policy import ApprovalRequest, Decision
from quillon_tools.toolset import Toolset

_SHOWN = 6  # lines of a tool's result


class Line(msgspec.Struct, frozen=True, tag_field="kind"):
    """A line of `--json`."""


class TextLine(Line, frozen=True, tag="text"):
    """The next piece of the answer."""

    text: str


class CallLine(Line, frozen=True, tag="toolCall"):
    """A call changed its state."""

    id: str
    name: str
    arguments: dict[str, Any]
    state: str


class ResultLine(Line, frozen=True, tag="toolResult"):
    """A call ended."""

    id: str
    ok: bool
    text: str


class NoticeLine(Line, frozen=True, tag="notice"):
    """Something to know."""

    text: str


class EndLine(Line, frozen=True, tag="end"):
    """The turn ended."""

    reason: str
    text: str
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int


async def run_chat(settings: Settings, folder: Path, prompt: str | None, output: Output) -> int:
    """Answer one prompt, or question by question until the input ends."""
    engine = open_engine(settings)
    session = Session(settings, roots=(folder,))
    try:
        with output.working("loading the model"):
            info = await engine.info()
        workspace = make_workspace(session)
        tools = await make_toolset(
            session, lambda request: _approve(request, output), info, workspace
        )
        if prompt is not None:
            await _turn(engine, tools, settings, new_conversation(), prompt, output)
            return 0
        output.notice(f"{info.model} in {folder}. An empty line or Ctrl-D ends the chat.")
        await _converse(engine, tools, settings, output)
    finally:
        await engine.aclose()
    return 0


async def _converse(engine: Engine, tools: Toolset, settings: Settings, output: Output) -> None:
    conversation = new_conversation()
    while question := await asyncio.to_thread(_read_question, output):
        try:
            conversation = await _turn(engine, tools, settings, conversation, question, output)
        except EngineError as error:
            # One failed answer does not end the conversation; the next may work.
            output.notice(f"quillon: {error}")


def _read_question(output: Output) -> str:
    if output.interactive:
        sys.stderr.write("\n> ")
        sys.stderr.flush()
    return sys.stdin.readline().strip()


async def _turn(
    engine: Engine,
    tools: Toolset,
    settings: Settings,
    conversation: Conversation,
    question: str,
    output: Output,
) -> Conversation:
    turn = Turn(engine, tools.turn(), settings.chat, conversation)
    async with aclosing(turn.run(question)) as events:
        async for event in events:
            _show(event, output)
    return turn.conversation


def _show(event: object, output: Output) -> None:
    if isinstance(event, TextEvent):
        output.value(TextLine(event.text))
        output.text(event.text)
    elif isinstance(event, CallEvent):
        call = event.call
        output.value(CallLine(call.id, call.name, call.arguments, event.state))
        if event.state == "proposed":
            given = ", ".join(f"{name}={value!r}" for name, value in call.arguments.items())
            output.line(f"→ {call.name}({given})", "cyan")
    elif isinstance(event, ResultEvent):
        result = event.result
        output.value(ResultLine(result.call_id, result.ok, result.text))
        lines = result.text.strip().split("\n")
        shown = [
            *lines[:_SHOWN],
            *([f"… {len(lines) - _SHOWN} more"] if len(lines) > _SHOWN else []),
        ]
        output.line("\n".join(f"  {line}" for line in shown), "dim")
    elif isinstance(event, NoticeEvent):
        output.value(NoticeLine(event.text))
        output.line(event.text, "dim italic")
    elif isinstance(event, TurnResult):
        usage = event.usage
        output.value(
            EndLine(
                event.reason,
                event.text,
                usage.prompt_tokens,
                usage.cached_tokens,
                usage.completion_tokens,
            )
        )
        output.line()


async def _approve(request: ApprovalRequest, output: Output) -> Decision:
    if output.json or not output.interactive:
        return Decision("deny", "nobody is at the terminal to approve it")
    output.notice(f"The model wants to run {request.tool}:\n{request.preview}")
    choices: dict[str, Literal["once", "session", "deny"]] = {
        "y": "once",
        "a": "session",
        "n": "deny",
    }
    asked = await asyncio.to_thread(
        Prompt.ask, "Run it? (y)es, (a)lways in this chat, (n)o", choices=list(choices), default="n"
    )
    return Decision(choices[asked])
