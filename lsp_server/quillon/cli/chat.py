"""`quillon chat`: the chat in a terminal, with the same turn loop and the same guard."""

import asyncio
import logging
import sys
import threading
from contextlib import aclosing, nullcontext, suppress
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
from quillon.signals import until_interrupted
from quillon_tools.mcp.hub import ServerHub
from quillon_tools.mcp.servers import told
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
    # What becomes of the tool servers is told between the answers, and not in the midst of one.
    told.setLevel(logging.CRITICAL)
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
        talk = _Talk(engine, tools, hub, settings, conversation, output)
        if prompt is not None:
            await talk.answer(prompt)
            return 0
        talk.tell_news()
        keys = "Ctrl-C stops an answer; an empty line or Ctrl-D ends the chat."
        output.notice(f"{info.model} in {folder}. {keys}")
        failed = await _converse(talk, typed, output)
    finally:
        hub.close()
        await engine.aclose()
    return 1 if failed and not output.interactive else 0


class Typed:
    """Lines of the standard input, awaited where Ctrl-C need not wait for the next one.

    A thread of the loop's pool would be joined at the end, and `sys.stdin` be locked by it.
    """

    def __init__(self) -> None:
        self._file: TextIO | None = None
        self._coming: asyncio.Future[str] | None = None

    async def line(self) -> str:
        """The next line without the space around it; empty at the end of the input, too."""
        if self._coming is None:
            self._coming = self._begun()
        # A line that nobody waits for any more, as the answer to a question that was withdrawn,
        # is read all the same: it is for who asks next.
        text = await asyncio.shield(self._coming)
        self._coming = None
        return text

    def _begun(self) -> "asyncio.Future[str]":
        """The next line, which a thread reads."""
        loop = asyncio.get_running_loop()
        found: asyncio.Future[str] = loop.create_future()
        file = self._opened()

        def read() -> None:
            try:
                text = file.readline() if file is not None else ""
            except OSError:  # a terminal that went away
                text = ""
            with suppress(RuntimeError):  # the loop was closed meanwhile
                loop.call_soon_threadsafe(found.set_result, text.strip())

        threading.Thread(target=read, name="quillon-typed", daemon=True).start()
        return found

    def _opened(self) -> TextIO | None:
        if self._file is None and sys.stdin is not None:  # None: it was closed before we started
            self._file = open(  # noqa: SIM115 - as long as the process lives
                sys.stdin.fileno(), encoding=sys.stdin.encoding, errors="replace", closefd=False
            )
        return self._file


class _Talk:
    """The conversation as it goes on, and what answers in it."""

    def __init__(
        self,
        engine: Engine,
        tools: Toolset,
        hub: ServerHub,
        settings: Settings,
        conversation: Conversation,
        output: Output,
    ) -> None:
        self._engine = engine
        self._tools = tools
        self._hub = hub
        self._settings = settings
        self._conversation = conversation
        self._output = output

    def tell_news(self) -> None:
        """Say what has become of the tool servers since this was last said."""
        for sentence in self._hub.news():
            self._output.end_line()
            self._output.notice(sentence)

    async def answer(self, question: str, *, stoppable: bool = False) -> None:
        """Answer a question; Ctrl-C ends the answer alone where it is `stoppable`.

        Raises:
            EngineError: The model could not answer.
        """
        self.tell_news()
        turn = Turn(self._engine, self._tools.turn(), self._settings.chat, self._conversation)
        showing = self._show_turn(turn, question)
        try:
            if not stoppable:
                await showing
            elif not await until_interrupted(showing):
                _show(turn.cancelled(), self._output)
                self._output.notice("The answer was stopped. Ctrl-C once more ends the chat.")
        finally:
            # Stopped or failed, what was said so far belongs to the conversation.
            self._conversation = turn.conversation
        self.tell_news()

    async def _show_turn(self, turn: Turn, question: str) -> bool:
        """Show a turn to its end."""
        async with aclosing(turn.run(question)) as events:
            waits_for = "thinking"
            while True:
                # Neither between two pieces of text nor where the user is asked for approval.
                waiting = self._output.working(waits_for) if waits_for else nullcontext()
                with waiting:
                    event = await anext(events, None)
                if event is None:
                    return True
                waits_for = _awaited(event, waits_for)
                _show(event, self._output)


def _awaited(event: object, before: str) -> str:
    """What takes a while after an event; empty where nothing is to be said of it."""
    if isinstance(event, CallEvent):
        return f"running {event.call.name}" if event.state == "running" else ""
    if isinstance(event, ResultEvent):
        return "thinking"
    return "" if isinstance(event, TextEvent) else before


async def _converse(talk: _Talk, typed: Typed, output: Output) -> bool:
    """Answer until nothing more is asked; whether an answer failed."""
    failed = False
    while question := await _ask("\n> ", typed, output):
        try:
            await talk.answer(question, stoppable=output.interactive)
        except EngineError as error:
            # One failed answer does not end the conversation; the next may work.
            failed = True
            output.end_line()
            output.value({"error": str(error)})
            output.notice(f"quillon: {error}")
    return failed


async def _ask(prompt: str, typed: Typed, output: Output) -> str:
    if output.interactive:
        sys.stderr.write(prompt)
        sys.stderr.flush()
    return await typed.line()


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
    try:
        answer = await _ask("Run it? (y)es, (a)lways in this chat, (N)o: ", typed, output)
    except asyncio.CancelledError:
        output.notice("")  # Ctrl-C leaves the question's line without an end
        raise
    # Running things takes a clear word: whatever else was typed is a no.
    return Decision(_CHOICES.get(answer.lower(), "deny"))
