"""Each feature once on the embedded model, as VS Code and Neovim ask for it.

What the model writes is its own affair; what holds for any answer is asserted.
"""

import shutil
from pathlib import Path

import pytest
from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException

from quillon_testing.chat_turns import QUILLON
from quillon_testing.clients import EDITORS, Editor, editor_session, when_ready
from quillon_testing.engines import engines
from quillon_testing.markers import marked
from quillon_testing.stdio_server import raw_server

SAMPLE = Path(__file__).parents[2] / "lsp_server" / "quillon" / "sample"
REAL = {"model": {"idleMinutes": 0.05}}
HOLE = marked("def total(prices):\n    s = 0\n    for price in prices:\n        ▮\n    return s\n")
LOOP = marked("class Order:\n    def articles(self):\n        for article, quantity in ▮\n")
SUBTRACTS = marked("def add(a, b):▮\n    return a - b\n")


@pytest.fixture
def folder(tmp_path):
    return Path(shutil.copytree(SAMPLE, tmp_path / "shop-project"))


@pytest.fixture
async def runtime():
    """A runtime directory whose engines end with the test."""
    async with engines() as made:
        yield {"QUILLON_RUNTIME_DIR": str(made.directory)}


def session(name, folder, runtime):
    told = {"quillon": {"approve": True}}  # so that the server tells its status
    return editor_session(name, folder, None, settings=REAL, experimental=told, **runtime)


@pytest.mark.parametrize("name", EDITORS)
async def test_ghost_text_by_the_model(folder, runtime, name):
    async with session(name, folder, runtime) as editor:
        uri = editor.open(folder / "shop" / "new.py", HOLE.text)
        await when_ready(editor)
        (item,) = await editor.inline(uri, HOLE, lsp.InlineCompletionTriggerKind.Invoked)
        status = await editor.status()
        assert status.noSuggestion is None
        assert not status.echoed
        assert editor.span(HOLE.text, item.range).contains(HOLE.cursor)
        assert str(item.insert_text).strip()


@pytest.mark.parametrize("name", EDITORS)
async def test_ghost_text_from_the_users_own_files(folder, runtime, name):
    async with session(name, folder, runtime) as editor:
        editor.open(folder / "shop" / "cart.py", (folder / "shop" / "cart.py").read_text())
        uri = editor.open(folder / "shop" / "new.py", LOOP.text)
        await when_ready(editor)
        (item,) = await editor.inline(uri, LOOP, lsp.InlineCompletionTriggerKind.Automatic)
        assert item.insert_text == "self.lines:"
        assert (await editor.status()).echoed


async def check_edit_or_sentence(editor: Editor, action: lsp.CodeAction) -> None:
    """Resolving gives an edit, or says in a sentence why there is none."""
    refused = None
    try:
        resolved = await editor.client.code_action_resolve_async(action)
    except JsonRpcException as error:
        refused = error
    if refused is None:
        assert resolved.edit.document_changes
        return
    assert refused.code == -32803
    assert str(refused).endswith(".")
    assert "defect" not in str(refused)


@pytest.mark.parametrize("name", EDITORS)
async def test_code_actions_are_listed_and_resolved(folder, runtime, name):
    async with session(name, folder, runtime) as editor:
        uri = editor.open(folder / "shop" / "sums.py", SUBTRACTS.text)
        actions = await editor.actions(uri, SUBTRACTS, "it subtracts instead of adding")
        assert {"Fix this problem", "Explain this problem", "Explain this"} <= set(actions)
        for title in ("Fix this problem", "Write a docstring for add", "Write a test for add"):
            await check_edit_or_sentence(editor, actions[title])


@pytest.mark.parametrize("name", EDITORS)
async def test_an_explanation_is_shown(folder, runtime, name):
    async with session(name, folder, runtime) as editor:
        uri = editor.open(folder / "shop" / "sums.py", SUBTRACTS.text)
        actions = await editor.actions(uri, SUBTRACTS)
        command = actions["Explain this"].command
        await editor.client.workspace_execute_command_async(
            lsp.ExecuteCommandParams(command.command, arguments=command.arguments)
        )
        # The page, or the sentence that the model had nothing to say.
        await editor.wait_for(lambda: editor.client.shown_documents or editor.client.messages)
        for said in editor.client.messages:
            assert "defect" not in said.message


async def chat(folder, runtime, text, decision):
    """What is streamed for a question; every call is approved, or not."""
    async with raw_server(folder, settings={}, **runtime) as server:
        await server.initialize(
            workspaceFolders=[{"uri": folder.as_uri(), "name": folder.name}],
            capabilities=QUILLON,
            initializationOptions=REAL,
        )
        number = server.request("quillon/chat", {"text": text, "partialResultToken": 1})
        while True:
            message = await server.until(
                lambda m: m.get("method") == "quillon/approve" or m.get("id") == number
            )
            if "method" not in message:
                break
            answer = {"jsonrpc": "2.0", "id": message["id"], "result": {"decision": decision}}
            server.send(answer)
        streamed = [m["params"]["value"] for m in server.seen if m.get("method") == "$/progress"]
        assert await server.leave() == 0
    return message["result"], streamed


async def test_a_question_is_answered_by_a_tool(folder, runtime):
    result, streamed = await chat(folder, runtime, "where is price_of defined?", "deny")
    calls = [value for value in streamed if value["kind"] == "toolCall"]
    asked = [(call["name"], call["arguments"].get("query")) for call in calls]
    assert ("search_symbols", "price_of") in asked
    rows = [value["preview"] for value in streamed if value["kind"] == "toolResult"]
    assert any("shop/prices.py:" in row and "price_of" in row for row in rows)
    assert result["finishReason"] in ("stop", "length", "toolLimit")
    assert result["usage"]["completionTokens"] > 0


@pytest.mark.parametrize(("decision", "state"), [("once", "done"), ("deny", "denied")])
async def test_the_tests_run_when_they_are_approved(folder, runtime, decision, state):
    _, streamed = await chat(folder, runtime, "Run the tests.", decision)
    calls = [value for value in streamed if value["kind"] == "toolCall"]
    states = [call["state"] for call in calls if call["name"] == "run_tests"]
    assert states[0] == "proposed"
    assert state in states
    assert ("running" in states) is (decision == "once")
