"""One happy path through the embedded model, engine process and all: properties, never words."""

from pathlib import Path

import pytest
from lsprotocol import types as lsp

from quillon_testing.clients import Editor, editor_session, when_ready
from quillon_testing.engines import engines
from quillon_testing.markers import marked

CODE = marked("def add(items=[]):▮\n    items.append(1)\n    return items\n")
BARE = marked("def area(rows, columns):▮\n    return rows * columns\n")


@pytest.fixture
async def runtime():
    async with engines() as made:
        yield str(made.directory)


async def test_complete_document_and_explain(tmp_path, runtime):
    folder = tmp_path / "workspace"
    folder.mkdir()
    # The engine leaves with its last client.
    settings = {"model": {"idleMinutes": 0}}
    said = {"quillon": {"approve": True}}
    async with editor_session(
        "neovim", folder, None, settings=settings, experimental=said, QUILLON_RUNTIME_DIR=runtime
    ) as editor:
        uri = editor.open(folder / "a.py", CODE.text)
        await when_ready(editor)
        await check_completion(editor, uri)
        await check_docstring(editor, uri)
        await check_explanation(editor, uri)


async def check_completion(editor: Editor, uri: str) -> None:
    place = marked(f"{CODE.text}\n\nprint(▮)\n")
    editor.replace(uri, place.text)
    items = await editor.inline(uri, place, lsp.InlineCompletionTriggerKind.Invoked)
    for item in items:
        assert item.insert_text.strip()
        assert item.range.start == editor.position(place.text, place.cursor)
    assert items or await editor.no_suggestion()


async def check_docstring(editor: Editor, uri: str) -> None:
    editor.replace(uri, BARE.text)
    action = (await editor.actions(uri, BARE))["Write a docstring for area"]
    answer = await editor.client.code_action_resolve_async(action)
    (change,) = answer.edit.document_changes
    assert 'area(rows, columns):\n    """' in editor.applied(BARE.text, change.edits)


async def check_explanation(editor: Editor, uri: str) -> None:
    editor.replace(uri, CODE.text)
    actions = await editor.actions(uri, CODE, "mutable default argument")
    command = actions["Explain this problem"].command
    params = lsp.ExecuteCommandParams(command.command, command.arguments)
    await editor.client.workspace_execute_command_async(params)
    (shown,) = await editor.wait_for(lambda: editor.client.shown_documents)
    text = text_of(shown.uri)
    assert "> mutable default argument" in text
    assert "a very small model" in text


def text_of(uri: str) -> str:
    return Path(uri.removeprefix("file://")).read_text()
