"""Code actions over the wire, as Neovim and VS Code ask for them."""

import stat
from pathlib import Path
from urllib.parse import urlparse
from urllib.request import url2pathname

import pytest
from inline_snapshot import snapshot
from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException

from quillon_testing.clients import EDITORS, Editor, editor_session, script
from quillon_testing.markers import marked
from quillon_testing.seen import TEXT, begin, listed
from quillon_testing.stdio_server import raw_server

ADD = marked("s = '🗡'\n\ndef add(a, b):▮\n    return a - b\n")
DOCSTRING = "Write a docstring for add"


async def resolved(editor: Editor, action: lsp.CodeAction) -> lsp.CodeAction:
    return await editor.client.code_action_resolve_async(action)


async def refused(editor: Editor, action: lsp.CodeAction) -> tuple[int, str]:
    with pytest.raises(JsonRpcException) as caught:
        await resolved(editor, action)
    return caught.value.code, caught.value.message


@pytest.mark.parametrize("name", EDITORS)
async def test_the_list(folder, name):
    async with editor_session(name, folder, script()) as editor:
        uri = editor.open(folder / "a.py", ADD.text)
        actions = await editor.actions(uri, ADD, "it subtracts")
        assert {title: action.kind for title, action in actions.items()} == snapshot(
            {
                "Fix this problem": "quickfix",
                "Explain this problem": "quickfix",
                "Write a docstring for add": "refactor.rewrite",
                "Write a test for add": "refactor",
                "Explain this": "quillon.explain",
            }
        )
        fix = actions["Fix this problem"]
        assert [problem.message for problem in fix.diagnostics] == ["it subtracts"]
        tags = [lsp.CodeActionTag.LlmGenerated] if name == "vscode" else []
        assert all(list(action.tags or []) == tags for action in actions.values())
        assert actions["Explain this"].command.command == "quillon.explain"


async def test_the_list_in_chinese(folder):
    async with editor_session(
        "vscode", folder, script("```python\nx\n```"), locale="zh-cn"
    ) as editor:
        stub = marked("def add(a, b):▮\n    ...\n")
        uri = editor.open(folder / "a.py", stub.text)
        assert list(await editor.actions(uri, stub, "it does nothing")) == [
            "修复这个问题",
            "解释这个问题",
            "根据签名实现 add",
            "为 add 编写文档字符串",
            "解释这段代码",
        ]


async def test_only_what_was_asked_for(folder):
    async with editor_session("vscode", folder, script()) as editor:
        uri = editor.open(folder / "a.py", ADD.text)
        titles = {
            kind: list(await editor.actions(uri, ADD, "x", only=[kind]))
            for kind in ("quickfix", "refactor", "refactor.rewrite", "source", "")
        }
        assert {kind: len(found) for kind, found in titles.items()} == {
            "quickfix": 2,
            "refactor": 2,
            "refactor.rewrite": 1,
            "source": 0,
            "": 5,
        }


async def test_nothing_for_a_document_that_is_not_open(folder):
    async with editor_session("neovim", folder, script()) as editor:
        assert await editor.actions("file:///nowhere.py", ADD) == {}


@pytest.mark.parametrize("name", EDITORS)
async def test_resolving_under_progress(folder, name):
    async with editor_session(name, folder, script('"""Add."""')) as editor:
        uri = editor.open(folder / "a.py", ADD.text)
        action = (await editor.actions(uri, ADD))[DOCSTRING]
        answer = await resolved(editor, action)
        (change,) = answer.edit.document_changes
        assert change.text_document == lsp.OptionalVersionedTextDocumentIdentifier(uri, 1)
        assert editor.applied(ADD.text, change.edits) == (
            's = \'🗡\'\n\ndef add(a, b):\n    """Add."""\n    return a - b\n'
        )
        begin, *_, end = editor.progress()
        assert (begin[1], end[1]) == ("begin", "end")


@pytest.mark.parametrize("name", EDITORS)
async def test_fixing_code_behind_astral_characters(folder, name):
    place = marked("x = ('🗡🗡', «y»)  # 🗡\r\nz = 1\r\n")
    async with editor_session(name, folder, script("x = ('🗡🗡', 2)")) as editor:
        uri = editor.open(folder / "a.py", place.text)
        action = (await editor.actions(uri, place, "y is unknown"))["Fix this problem"]
        (change,) = (await resolved(editor, action)).edit.document_changes
        assert editor.applied(place.text, change.edits) == "x = ('🗡🗡', 2)  # 🗡\r\nz = 1\r\n"


async def test_a_new_test_file(folder):
    reply = "def test_add():\n    assert add(1, 2) == 3"
    async with editor_session("vscode", folder, script(reply)) as editor:
        uri = editor.open(folder / "a.py", ADD.text)
        action = (await editor.actions(uri, ADD))["Write a test for add"]
        create, change = (await resolved(editor, action)).edit.document_changes
        assert create == lsp.CreateFile((folder / "test_a.py").as_uri())
        assert [edit.new_text for edit in change.edits] == [f"from a import add\n\n\n{reply}\n"]


async def test_an_open_test_file_is_extended_at_its_version(folder):
    reply = "def test_add():\n    assert add(1, 2) == 3"
    (folder / "test_a.py").write_text("on disk")
    async with editor_session("neovim", folder, script(reply)) as editor:
        tests = editor.open(folder / "test_a.py", "from a import add\n")
        uri = editor.open(folder / "a.py", ADD.text)
        action = (await editor.actions(uri, ADD))["Write a test for add"]
        (change,) = (await resolved(editor, action)).edit.document_changes
        assert change.text_document == lsp.OptionalVersionedTextDocumentIdentifier(tests, 1)
        assert editor.applied("from a import add\n", change.edits) == (
            f"from a import add\n\n\n{reply}\n"
        )


# What goes wrong


@pytest.mark.parametrize("name", EDITORS)
async def test_an_action_of_an_older_version(folder, name):
    async with editor_session(name, folder, script('"""Add."""')) as editor:
        uri = editor.open(folder / "a.py", ADD.text)
        action = (await editor.actions(uri, ADD))[DOCSTRING]
        editor.replace(uri, f"import os\n{ADD.text}")
        code, message = await refused(editor, action)
        assert code == lsp.LSPErrorCodes.ContentModified
        assert "changed since" in message


async def test_a_change_right_behind_an_action(folder):
    async with raw_server(folder) as server:
        uri = await begin(server, folder)
        action = (await listed(server, uri))["Write a docstring for first"]
        change = {
            "textDocument": {"uri": uri, "version": 2},
            "contentChanges": [{"text": "# new\n" + TEXT}],
        }
        server.send(
            {"jsonrpc": "2.0", "id": "r", "method": "codeAction/resolve", "params": action},
            {"jsonrpc": "2.0", "method": "textDocument/didChange", "params": change},
        )
        error = (await server.response("r"))["error"]
        assert error["code"] == lsp.LSPErrorCodes.ContentModified
        assert error["message"].startswith("The document changed since")


async def test_a_change_while_the_model_works(folder, tmp_path):
    gates = tmp_path / "gates"
    gates.mkdir()
    held = {"reply": '"""Add."""', "gates": {"0": "held"}}
    async with editor_session("vscode", folder, script(held, gateFolder=str(gates))) as editor:
        uri = editor.open(folder / "a.py", ADD.text)
        action = (await editor.actions(uri, ADD))[DOCSTRING]
        _, answer = editor.start(lsp.CODE_ACTION_RESOLVE, action)
        await editor.wait_for(editor.progress)
        editor.replace(uri, f"import os\n{ADD.text}")
        (gates / "held").touch()
        with pytest.raises(JsonRpcException) as caught:
            await answer
        assert caught.value.code == lsp.LSPErrorCodes.ContentModified


@pytest.mark.parametrize("how", ["request", "progress"])
async def test_cancelling_while_the_model_works(folder, how):
    held = {"reply": '"""Add."""', "gates": {"0": "never"}}
    async with editor_session("vscode", folder, script(held, '"""Add."""')) as editor:
        uri = editor.open(folder / "a.py", ADD.text)
        action = (await editor.actions(uri, ADD))[DOCSTRING]
        request, answer = editor.start(lsp.CODE_ACTION_RESOLVE, action)
        ((token, _),) = await editor.wait_for(editor.progress)
        ask = editor.client.protocol.send_request_async
        # Cancelled before the model was asked, the held step would wait for the next request.
        while (await ask("quillon/status/get")).state != "busy":
            pass
        if how == "request":
            editor.cancel(request)
        else:
            editor.client.window_work_done_progress_cancel(lsp.WorkDoneProgressCancelParams(token))
        with pytest.raises(JsonRpcException) as caught:
            await answer
        assert caught.value.code == lsp.LSPErrorCodes.RequestCancelled
        await editor.wait_for(lambda: (token, "end") in editor.progress())
        assert (await resolved(editor, action)).edit  # the model is free again


NO_EDITS = (
    ({"reply": "```\n```"}, "gave no code"),
    ({"reply": "def add(a, b):\n    return ((a + b"}, "syntax error"),
    ({"reply": "def add(a, b):\n    return a - b"}, "no change"),
    ({"reply": "def", "finish": "length"}, "did not come to an end"),
    ({"error": "EngineLost", "message": "the engine was killed"}, "the engine was killed"),
)


async def test_what_is_no_edit_is_a_sentence(folder):
    played = script(*(step for step, _ in NO_EDITS))
    async with editor_session("neovim", folder, played) as editor:
        uri = editor.open(folder / "a.py", ADD.text)
        action = (await editor.actions(uri, ADD, "it subtracts"))["Fix this problem"]
        for _, problem in NO_EDITS:
            code, message = await refused(editor, action)
            assert code == lsp.LSPErrorCodes.RequestFailed
            assert problem in message
            assert "Traceback" not in message


async def test_without_a_model_actions_say_why(folder):
    played = script(loadError="the file m.gguf is cut off")
    async with editor_session("vscode", folder, played) as editor:
        uri = editor.open(folder / "a.py", ADD.text)
        await editor.wait_for(lambda: editor.client.messages)
        actions = await editor.actions(uri, ADD)
        assert {action.disabled.reason for action in actions.values()} == {
            "the file m.gguf is cut off"
        }


async def test_data_that_is_not_ours(folder):
    async with editor_session("vscode", folder, script()) as editor:
        for data in (None, {"uri": 5}, {"kind": "nonsense"}, []):
            code, message = await refused(editor, lsp.CodeAction("x", data=data))
            assert code == -32602, data
            assert message.startswith("This is no code action of Quillon")


# Explanations


async def explain(editor: Editor, uri: str) -> None:
    command = (await editor.actions(uri, ADD))["Explain this"].command
    params = lsp.ExecuteCommandParams(command.command, command.arguments)
    await editor.client.workspace_execute_command_async(params)


async def test_an_explanation_as_a_document(folder):
    async with editor_session("vscode", folder, script("It subtracts.")) as editor:
        uri = editor.open(folder / "a.py", ADD.text)
        await explain(editor, uri)
        (shown,) = await editor.wait_for(lambda: editor.client.shown_documents)
        assert shown.uri == "quillon:/explanation-1/Explanation-of-a.py.md"
        content = await editor.client.workspace_text_document_content_async(
            lsp.TextDocumentContentParams(shown.uri)
        )
        assert content.text == snapshot("""\
# Explanation of a.py

`a.py:3-4`

```python
def add(a, b):
    return a - b
```

It subtracts.
""")
        gone = await editor.client.workspace_text_document_content_async(
            lsp.TextDocumentContentParams("quillon:/explanation-9/x.md")
        )
        assert "no longer there" in gone.text


def read_only_text(uri: str, folder: Path) -> str:
    path = Path(url2pathname(urlparse(uri).path))
    assert path.is_relative_to(folder)
    assert stat.S_IMODE(path.stat().st_mode) == 0o444
    return path.read_text()


async def test_an_explanation_as_a_file(folder, tmp_path):
    async with editor_session("neovim", folder, script("It subtracts.", embedded=True)) as editor:
        uri = editor.open(folder / "a.py", ADD.text)
        await explain(editor, uri)
        (shown,) = await editor.wait_for(lambda: editor.client.shown_documents)
        text = read_only_text(shown.uri, tmp_path)
        assert "It subtracts." in text
        assert "Written by scripted (a very small model)" in text
        assert "Qwen3-4B-Instruct-2507" in text


async def test_the_clients_chat_explains(folder):
    chat = {"quillon": {"chat": True}}
    async with editor_session("vscode", folder, script(), experimental=chat) as editor:
        uri = editor.open(folder / "a.py", ADD.text)
        asked = []

        @editor.client.feature("quillon/explain")
        def on_explain(params):
            asked.append(params)

        await explain(editor, uri)
        await editor.wait_for(lambda: asked)
        assert asked[0].text == "explain this code"
        (reference,) = asked[0].references
        assert (reference.uri, reference.range.start.line) == (uri, 2)


async def test_an_explanation_that_fails_is_a_message(folder):
    played = script({"error": "EngineLost", "message": "the engine was killed"})
    async with editor_session("neovim", folder, played) as editor:
        uri = editor.open(folder / "a.py", ADD.text)
        await explain(editor, uri)
        (message,) = await editor.wait_for(lambda: editor.client.messages)
        assert message.message == "the engine was killed"


async def test_an_explanation_can_be_cancelled(folder):
    held = {"reply": "It", "gates": {"0": "never"}}
    async with editor_session("neovim", folder, script(held)) as editor:
        uri = editor.open(folder / "a.py", ADD.text)
        await explain(editor, uri)
        ((token, _),) = await editor.wait_for(editor.progress)
        editor.client.window_work_done_progress_cancel(lsp.WorkDoneProgressCancelParams(token))
        await editor.wait_for(lambda: (token, "end") in editor.progress())
        assert editor.client.messages == []
