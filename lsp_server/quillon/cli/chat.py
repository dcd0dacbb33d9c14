"""`quillon chat`: the chat in a terminal, with the same turn loop and the same guard."""

import asyncio
import sys
import threading
from contextlib import aclosing, suppress
from pathlib import Path
from typing import Any, Literal, TextIO

import msgspec

from quillon.assist.chat import CallEvent, NoticeEvent, ResultEvent, TextEvent, Turn, TurnResult
from quillon.assist.conversations import Conversation, new_conversation
from quillon.assist.toolbox import make_toolset, make_workspace, servers_of
from quillon.cli.output import Output
from quillon.engine.base import Engine, EngineError
from quillon.engine.choose import open_engine
from quillon.session import Session
from quillon.settings import Settings
from quillon_tools.mcp.hub import ServerHub
from quillon_tools.policy import ApprovalRequest, Decision
from quillon_tools.toolset import Toolset

_SHOWN = 6  # lines of a tool's result
_PATIENCE = 60.0  # seconds; servers that show nothing are given up sooner, each by itself
_CHOICES: dict[str, Literal["once", "session", "deny"]] = {
    "y": "once",
    "yes": "once",
    "a": "session",
    "always": "session",
}


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
    typed, hub = Typed(), ServerHub()
    try:
        with output.working("loading the model"):
            info = await engine.info()
        conversation = new_conversation()
        tools = await make_toolset(
            session,
            lambda request: _approve(request, typed, output),
            info,
            make_workspace(session),
            conversation.id,
            foreign=lambda: hub.tools,
        )
        hub.configure(servers_of(settings))
        with output.working("starting the tool servers"):
            await hub.settle(_PATIENCE)
        for sentence in hub.news():
            output.notice(sentence)
        if prompt is not None:
            await _turn(engine, tools, settings, conversation, prompt, output)
            return 0
        output.notice(f"{info.model} in {folder}. An empty line or Ctrl-D ends the chat.")
        await _converse(engine, tools, settings, conversation, typed, output)
    finally:
        hub.close()
        await engine.aclose()
    return 0


class Typed:
    """Lines of the standard input, awaited where Ctrl-C need not wait for the next one.

    A thread of the loop's pool would be joined at the end, and `sys.stdin` be locked by it.
    """

    def __init__(self) -> None:
        self._file: TextIO | None = None

    async def line(self) -> str:
        """The next line without the space around it; empty at the end of the input, too."""
        loop = asyncio.get_running_loop()
        found: asyncio.Future[str] = loop.create_future()
        file = self._opened()

        def read() -> None:
            try:
                text = file.readline() if file is not None else ""
            except OSError:  # a terminal that went away
                text = ""
            with suppress(RuntimeError):  # the loop was closed meanwhile
                loop.call_soon_threadsafe(answer, text)

        def answer(text: str) -> None:
            if not found.done():
                found.set_result(text.strip())

        threading.Thread(target=read, name="quillon-typed", daemon=True).start()
        return await found

    def _opened(self) -> TextIO | None:
        if self._file is None and sys.stdin is not None:  # None: it was closed before we started
            self._file = open(  # noqa: SIM115 - as long as the process lives
                sys.stdin.fileno(), encoding=sys.stdin.encoding, errors="replace", closefd=False
            )
        return self._file


async def _converse(
    engine: Engine,
    tools: Toolset,
    settings: Settings,
    conversation: Conversation,
    typed: Typed,
    output: Output,
) -> None:
    while question := await _ask("\n> ", typed, output):
        try:
            conversation = await _turn(engine, tools, settings, conversation, question, output)
        except EngineError as error:
            # One failed answer does not end the conversation; the next may work.
            output.end_line()
            output.notice(f"quillon: {error}")


async def _ask(prompt: str, typed: Typed, output: Output) -> str:
    if output.interactive:
        sys.stderr.write(prompt)
        sys.stderr.flush()
    return await typed.line()


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
        output.end_line()


async def _approve(request: ApprovalRequest, typed: Typed, output: Output) -> Decision:
    if output.json or not output.interactive:
        return Decision("deny", "nobody is at the terminal to approve it")
    output.notice(f"The model wants to run {request.tool}:\n{request.preview}")
    answer = await _ask("Run it? (y)es, (a)lways in this chat, (N)o: ", typed, output)
    # Running things takes a clear word: whatever else was typed is a no.
    return Decision(_CHOICES.get(answer.lower(), "deny"))
