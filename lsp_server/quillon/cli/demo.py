"""`quillon demo`: the main job on real code, through the language server, as editors see it.

The sample project is copied to a temporary folder. A client starts `quillon lsp` on it and asks for
ghost text, has a mistake explained, and chats with a model that calls tools; the user sees what an
editor would show. Nothing is canned: a model that does badly is seen to do badly.
"""

import shutil
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import resources
from pathlib import Path
from typing import Any

from pygls.exceptions import JsonRpcException
from rich.console import Group
from rich.panel import Panel
from rich.rule import Rule
from rich.syntax import Syntax
from rich.text import Text

from quillon import protocol
from quillon.cli.editor import Editor, ServerEndedError
from quillon.cli.markdown import ReadableMarkdown
from quillon.cli.output import Output, fail
from quillon.cli.user_settings import of_model
from quillon_tools.visible import harmless

_TYPED = (
    # file, what is typed at its end
    ("tests/test_cart.py", "\n    def test_empty(self):\n        cart = "),
    ("shop/cart.py", "\n    def articles(self):\n        for article, quantity in "),
    ("shop/prices.py", "\n\ndef half_price_of(prices, article):\n    price = "),
)
_PROBLEM = ("shop/prices.py", "    file = open(path)", "unclosed file")
_QUESTIONS = (
    "where is price_of defined?",
    "what does format_price do?",
    "run the tests in tests/test_cart.py",
)


_SHOWN = 5  # lines of a tool's result


async def run_demo(model: Path | None, output: Output) -> int:
    """Run the demonstration; 1 where something that should work did not."""
    started = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="quillon-demo-"))
    try:
        root = folder / "shop"
        with resources.as_file(resources.files("quillon") / "sample") as sample:
            shutil.copytree(sample, root, ignore=shutil.ignore_patterns("__pycache__"))
        settings: dict[str, Any] = {"chat": {"temperature": 0}}
        if model is not None:
            settings |= of_model(model)
        async with _editor(root, settings, folder / "server.log", output) as editor:
            await _introduce(editor, output)
            await _show_ghost_text(editor, output)
            await _show_explanation(editor, output)
            for question in _QUESTIONS:
                await _show_chat(editor, protocol.ChatParams(text=question), output)
        output.show(Rule(style="dim"))
        output.line(f"All of it ran on this machine, in {time.monotonic() - started:.0f} seconds.")
        output.line("Next: README.md, section “First use”, for VS Code, Neovim and other editors.")
    except JsonRpcException as error:
        fail(f"The language server answered with an error: {error.message}")
    except ServerEndedError as error:
        fail(str(error))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


@asynccontextmanager
async def _editor(
    root: Path, settings: dict[str, Any], log: Path, output: Output
) -> AsyncIterator[Editor]:
    editor = Editor(root, lambda asked: _approve(asked, output))
    try:
        with output.working("starting the language server"):
            await editor.start(settings, log)
        yield editor
    finally:
        await editor.stop()


def _approve(asked: protocol.ApproveParams, output: Output) -> protocol.ApproveResult:
    output.line(f"  ? may it run {asked.tool}? {asked.preview or ''}", style="yellow")
    output.line("  ✓ once (an editor asks you here; the demonstration says yes)", style="yellow")
    return protocol.ApproveResult(decision="once")


async def _introduce(editor: Editor, output: Output) -> None:
    with output.working("loading the model"):
        status = await editor.wait_until_ready()
    if status.state == "failed":
        fail(status.message)
    note = (
        "This is the embedded model: small enough to ship, good enough to show how everything "
        "works. For real work choose a Qwen model, see README.md."
        if status.embedded
        else "Your own model."
    )
    text = Text.assemble(("Quillon", "bold"), f" with {status.model}\n", (note, "dim"))
    output.show(Panel(text, expand=False))


async def _show_ghost_text(editor: Editor, output: Output) -> None:
    output.show(Rule("ghost text", align="left"))
    for name, typed in _TYPED:
        source = (editor.root / name).read_text("utf-8") + typed
        uri = editor.open(name, source)
        lines = source.split("\n")
        place = (uri, len(lines) - 1, len(lines[-1].encode()))
        unsure = None
        began = time.monotonic()
        ghost = await editor.ghost_text(*place, asked=False)
        if ghost is None:
            said = (await editor.status()).no_suggestion
            began = time.monotonic()  # of the request whose answer is shown
            ghost = await editor.ghost_text(*place, asked=True)
            unsure = f"by its key · while typing: {said}" if ghost else said
        if ghost and (await editor.status()).echoed:
            by_key = f" · {unsure}" if unsure else ""
            unsure = f"what your own files say behind the same words{by_key}"
        took = (time.monotonic() - began) * 1000
        shown = Text("\n".join(lines[-3:]))
        shown.append(harmless(ghost or ""), "bright_black italic")
        output.show(titled(shown, f"{name} · {took:.0f} ms", unsure))


def titled(shown: Text, title: str, below: str | None) -> Panel:
    """Text in a frame with a title, and a line below it; brackets in them are no markup."""
    return Panel(
        shown,
        title=Text(title),
        subtitle=Text(below) if below else None,
        title_align="left",
        subtitle_align="left",
    )


async def _show_explanation(editor: Editor, output: Output) -> None:
    name, place, problem = _PROBLEM
    output.show(Rule("explain a problem", align="left"))
    source = (editor.root / name).read_text("utf-8")
    line = source[: source.index(place)].count("\n")
    uri = editor.open(name)
    actions = await editor.actions(uri, line, problem)
    output.line("  " + " · ".join(action.title for action in actions), style="dim")
    chosen = next((a for a in actions if a.command and "problem" in a.title.lower()), None)
    if chosen is None or chosen.command is None:
        fail("The server offered no “Explain this problem”. This is a defect.")
    excerpt = "\n".join(source.split("\n")[line - 2 : line + 2])
    output.show(Syntax(excerpt, "python", background_color="default"))
    await editor.execute(chosen.command)
    asked = await editor.explanation()
    await _show_chat(
        editor, protocol.ChatParams(text=asked.text, references=asked.references), output
    )


async def _show_chat(editor: Editor, params: protocol.ChatParams, output: Output) -> None:
    """Show a turn. What each conversation says once is shown once for all of them."""
    question = params.text.strip().split("\n")[0]
    output.show(Rule(f"chat: {question}", align="left"))
    began = time.monotonic()

    def watch(value: dict[str, Any]) -> None:
        kind = value.get("kind")
        if kind == "toolCall" and value["state"] == "proposed":
            arguments = ", ".join(f"{k}={v!r}" for k, v in value.get("arguments", {}).items())
            output.line(f"  → {value['name']}({arguments})", style="cyan")
        elif kind == "toolResult":
            lines = value["preview"].strip().split("\n")
            shown = [*lines[:_SHOWN], *(["…"] if len(lines) > _SHOWN else [])]
            output.line("    " + "\n    ".join(shown), style="dim")
        elif kind == "notice" and value["text"] not in editor.told:
            editor.told.add(value["text"])
            output.line(f"  {value['text']}", style="dim italic")

    result = await editor.chat(params, watch)
    usage = result.usage
    foot = Text(
        f"{time.monotonic() - began:.1f} s · {usage.prompt_tokens} tokens read, "
        f"{usage.cached_tokens} of them cached · {usage.completion_tokens} written at "
        f"{usage.tokens_per_second:.0f} tokens/s",
        style="dim",
    )
    output.show(Panel(Group(ReadableMarkdown(result.text or "*(no answer)*"), foot)))
