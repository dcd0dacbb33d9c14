"""Ghost text over the wire, as Neovim and VS Code ask for it."""

import asyncio

import pytest
from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException

from quillon.assist.inline_reason import NoSuggestion
from quillon_testing.clients import EDITORS, Editor, editor_session, script
from quillon_testing.markers import marked
from quillon_testing.seen import begin
from quillon_testing.stdio_server import raw_server, script_file


async def check_inline(editor: Editor, folder, source: str, language: str = "python", **how) -> str:
    """The text with the suggestion in it, in «»."""
    place = marked(source)
    uri = editor.open(folder / "a.py", place.text, language)
    (item,) = await editor.inline(uri, place, **how)
    span = editor.span(place.text, item.range)
    text = place.text
    return f"{text[: span.start]}«{item.insert_text}»{text[span.end :]}"


@pytest.mark.parametrize("name", EDITORS)
async def test_a_suggestion_behind_astral_characters(folder, name):
    async with editor_session(name, folder, script("t, 1)\nmore")) as editor:
        assert editor.encoding == ("utf-8" if name == "neovim" else "utf-16")
        shown = await check_inline(editor, folder, "t = '🗡é🗡'; f(▮)\r\nu = 1\r\n")
        assert shown == "t = '🗡é🗡'; f(«t, 1)»\r\nu = 1\r\n"
        assert await editor.no_suggestion() is None


@pytest.mark.parametrize("name", EDITORS)
async def test_a_block_between_braces_that_the_editor_closed(folder, name):
    reply = "\n  return 1;\n}\n\nfunction g() {}"
    async with editor_session(name, folder, script(reply)) as editor:
        shown = await check_inline(editor, folder, "function f() {▮}\n", "javascript")
        assert shown == "function f() {«\n  return 1;\n}»\n"


async def test_the_selected_completion(folder):
    async with editor_session("vscode", folder, script("(1)")) as editor:
        place = marked("x.ap▮\n")
        uri = editor.open(folder / "a.py", place.text)
        range_ = lsp.Range(lsp.Position(0, 2), lsp.Position(0, 4))
        selected = lsp.SelectedCompletionInfo(range_, "append")
        (item,) = await editor.inline(uri, place, selected=selected)
        assert item == lsp.InlineCompletionItem(insert_text="append(1)", range=range_)


async def test_the_older_request_is_answered_with_nothing(folder):
    # The first answer waits at a gate that nobody opens.
    held = {"match": "x = ", "reply": "1", "gates": {"0": "never"}}
    async with editor_session("neovim", folder, script(held, "2")) as editor:
        first, second = marked("x = ▮\n"), marked("yy = ▮\n")
        uri = editor.open(folder / "a.py", first.text)
        older = asyncio.create_task(editor.inline(uri, first))
        await asyncio.sleep(0)
        editor.replace(uri, second.text)
        (item,) = await editor.inline(uri, second)
        assert item.insert_text == "2"
        assert await older == []


INVOKED = {"context": {"triggerKind": 1}}


@pytest.mark.parametrize(
    ("method", "more"),
    [("textDocument/inlineCompletion", INVOKED), ("textDocument/completion", {})],
)
async def test_a_change_right_behind_a_request_ends_it(folder, tmp_path, method, more):
    steps = script_file(tmp_path, {"reply": "f(1)", "times": 0})
    engine = {"kind": "scripted", "script": str(steps)}
    settings = {"engine": engine, "inline": {"asCompletion": True}}
    async with raw_server(folder, settings=settings) as server:
        uri = await begin(server, folder)
        document = {"uri": uri, "version": 2}
        server.notify(
            "textDocument/didChange",
            {"textDocument": document, "contentChanges": [{"text": "x = \n"}]},
        )
        place = {"line": 0, "character": 4}
        asked = {"textDocument": {"uri": uri}, "position": place, **more}
        assert (await server.call(method, asked))["result"]["items"]
        # The server reads both at once: when it comes to answer, the text is another one.
        older = {"jsonrpc": "2.0", "id": "older", "method": method, "params": asked}
        change = {"textDocument": {**document, "version": 3}, "contentChanges": [{"text": "y\n"}]}
        newer = {"jsonrpc": "2.0", "method": "textDocument/didChange", "params": change}
        server.send(older, newer)
        assert (await server.response("older"))["result"]["items"] == []
        status = (await server.call("quillon/status/get"))["result"]
        assert status["noSuggestion"] == NoSuggestion.CHANGED.value


async def test_a_cancelled_request(folder):
    held = {"match": "x = ", "reply": "1", "gates": {"0": "never"}}
    async with editor_session("vscode", folder, script(held, "2")) as editor:
        uri = editor.open(folder / "a.py", "x = \ny = \n")
        context = lsp.InlineCompletionContext(lsp.InlineCompletionTriggerKind.Automatic)
        document, place = lsp.TextDocumentIdentifier(uri), lsp.Position(0, 4)
        params = lsp.InlineCompletionParams(context, document, place)
        request, answer = editor.start(lsp.TEXT_DOCUMENT_INLINE_COMPLETION, params)
        editor.cancel(request)
        with pytest.raises(JsonRpcException) as caught:
            await answer
        assert caught.value.code == lsp.LSPErrorCodes.RequestCancelled
        editor.replace(uri, "y = \n")
        (item,) = await editor.inline(uri, marked("y = ▮\n"))
        assert item.insert_text == "2"


async def test_typing_on_asks_the_model_nothing(folder):
    async with editor_session("neovim", folder, script("foo(1)")) as editor:
        first, second = marked("x = ▮\n"), marked("x = fo▮\n")
        uri = editor.open(folder / "a.py", first.text)
        await editor.inline(uri, first)
        editor.replace(uri, second.text)
        (item,) = await editor.inline(uri, second)  # the script has no second step
        assert item.insert_text == "o(1)"


NOTHINGS = (
    ({"error": "EngineLost", "message": "it was killed"}, "it was killed"),
    ({"error": "DeadlineExceeded"}, "did not answer in time"),
    ({"reply": "a(b)", "logprob": -4.0}, "not sure enough"),
    ("", "nothing to add"),
)


async def test_nothing_of_the_model_is_an_empty_list_and_a_reason(folder):
    played = script(*(step for step, _ in NOTHINGS))
    async with editor_session("neovim", folder, played) as editor:
        for number, (_, reason) in enumerate(NOTHINGS):
            place = marked(f"x{number} = ▮\n")
            uri = editor.open(folder / f"a{number}.py", place.text)
            assert await editor.inline(uri, place) == []
            assert reason in await editor.no_suggestion()


@pytest.mark.parametrize(
    ("played", "language", "reason"),
    [
        (script("x", fim=False), "python", "cannot fill in code"),
        (script("x", loadGate="never"), "python", "still loading"),
        (script("x"), "markdown", "turned off for this language"),
    ],
    ids=["no fim", "loading", "language"],
)
async def test_nothing_without_the_model_is_an_empty_list_and_a_reason(
    folder, played, language, reason
):
    async with editor_session("neovim", folder, played) as editor:
        place = marked("x = ▮\n")
        uri = editor.open(folder / "a.py", place.text, language)
        assert await editor.inline(uri, place) == []
        assert reason in await editor.no_suggestion()


async def test_nothing_for_a_document_that_is_not_open_or_has_changed(folder, tmp_path):
    gates = tmp_path / "gates"
    gates.mkdir()
    held = script({"reply": "1", "gates": {"0": "held"}}, gateFolder=str(gates))
    settings = {"inline": {"asCompletion": True}}
    async with editor_session("neovim", folder, held, settings=settings) as editor:
        place = marked("x = ▮\n")
        closed = (folder / "closed.py").as_uri()
        assert await editor.inline(closed, place) == []
        assert await editor.no_suggestion() == "The document is not open."
        uri = editor.open(folder / "a.py", place.text)
        asked = asyncio.create_task(editor.inline(uri, place))
        while (await editor.status()).state != "busy":
            pass
        editor.replace(uri, "y = 2\n")
        (gates / "held").touch()
        assert await asked == []
        assert "has changed since" in await editor.no_suggestion()
        assert await ask_list(editor, closed, lsp.Position(0, 0)) is None
        assert await editor.no_suggestion() == "The document is not open."


async def test_nothing_for_a_file_of_secrets_unless_it_is_asked_for(folder):
    async with editor_session("neovim", folder, script("x")) as editor:
        place = marked("TOKEN = ▮\n")
        uri = editor.open(folder / ".env", place.text, "python")
        assert await editor.inline(uri, place) == []
        assert "may hold secrets" in await editor.no_suggestion()
        (item,) = await editor.inline(uri, place, lsp.InlineCompletionTriggerKind.Invoked)
        assert item.insert_text == "x"


async def test_a_model_that_cannot_be_loaded(folder):
    async with editor_session("vscode", folder, script(loadError="it is cut off")) as editor:
        await editor.wait_for(lambda: editor.client.messages)
        place = marked("x = ▮\n")
        assert await editor.inline(editor.open(folder / "a.py", place.text), place) == []
        assert await editor.no_suggestion() == "No model runs. it is cut off"


async def test_the_user_asked_for_it(folder):
    unsure = {"reply": "a(b)", "logprob": -4.0}
    async with editor_session("vscode", folder, script(unsure)) as editor:
        invoked = lsp.InlineCompletionTriggerKind.Invoked
        assert await check_inline(editor, folder, "x = ▮\n", kind=invoked) == "x = «a(b)»\n"


async def test_a_document_that_is_not_open(folder):
    async with editor_session("neovim", folder, script("x")) as editor:
        assert await editor.inline("file:///nowhere.py", marked("x = ▮")) == []
        assert "not open" in await editor.no_suggestion()


async def test_a_place_outside_the_document(folder):
    async with editor_session("neovim", folder, script("f(1)")) as editor:
        uri = editor.open(folder / "a.py", "x = ")
        context = lsp.InlineCompletionContext(lsp.InlineCompletionTriggerKind.Automatic)
        document, place = lsp.TextDocumentIdentifier(uri), lsp.Position(7, 99)
        params = lsp.InlineCompletionParams(context, document, place)
        answer = await editor.client.text_document_inline_completion_async(params)
        end = lsp.Position(0, 4)
        assert [item.range for item in answer.items] == [lsp.Range(end, end)]


async def ask_list(editor: Editor, uri: str, position: lsp.Position):
    document = lsp.TextDocumentIdentifier(uri)
    return await editor.client.text_document_completion_async(
        lsp.CompletionParams(document, position)
    )


async def test_the_completion_list_is_off_unless_wanted(folder):
    async with editor_session("neovim", folder, script("x")) as editor:
        uri = editor.open(folder / "a.py", "x = ")
        assert await ask_list(editor, uri, lsp.Position(0, 4)) is None


@pytest.mark.parametrize("name", EDITORS)
async def test_the_completion_list(folder, name):
    settings = {"inline": {"asCompletion": True}}
    played = script("der(\n    1)\n")
    async with editor_session(name, folder, played, settings=settings) as editor:
        place = marked("'🗡'; or▮\n")
        uri = editor.open(folder / "a.py", place.text)
        answer = await ask_list(editor, uri, editor.position(place.text, place.cursor))
        (item,) = answer.items
        assert answer.is_incomplete
        assert (item.label, item.filter_text) == ("order(", "order(")
        assert editor.applied(place.text, [item.text_edit]) == "'🗡'; order(\n"
