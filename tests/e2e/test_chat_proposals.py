"""Edits that the chat proposes: for which text, and what becomes of them when it changes."""

import json

import pytest

from quillon_testing import chat_turns

TEXT = "ANSWER = 41\n"
EDITS = {"edits": [{"path": "it.py", "search": "41", "replace": "42"}]}
CREATE = {"path": "new.py", "content": "NEW = 1\n"}
WORKSPACE_EDIT = {
    "workspaceEdit": {"documentChanges": True, "resourceOperations": ["create"]},
}


def call(name, arguments):
    body = json.dumps({"name": name, "arguments": arguments})
    return f"<tool_call>\n{body}\n</tool_call>"


@pytest.fixture
def folder(folder_of):
    return folder_of({"it.py": TEXT})


def start(folder, *replies):
    steps = [{"reply": reply} for reply in (*replies, "So.")]
    return chat_turns.start(folder, *steps, model={"context": 16384})


async def shake(server, folder, workspace=WORKSPACE_EDIT):
    await chat_turns.shake(server, folder, {**chat_turns.QUILLON, "workspace": workspace})


def open_it(server, folder, version=1, text=TEXT):
    uri = (folder / "it.py").as_uri()
    item = {"uri": uri, "languageId": "python", "version": version, "text": text}
    server.notify("textDocument/didOpen", {"textDocument": item})
    return uri


async def asked(server):
    """A question, up to where the user is asked: its number and the request for approval."""
    number = server.request("quillon/chat", {"text": "change it", "partialResultToken": "t"})
    return number, await server.until(lambda m: m.get("method") == "quillon/approve")


async def approved(server, number, request):
    """What is streamed after the user says yes, by kinds."""
    server.send({"jsonrpc": "2.0", "id": request["id"], "result": {"decision": "once"}})
    response = await server.response(number)
    assert response["result"]["text"] == "So."
    found = [m["params"]["value"] for m in server.seen if m.get("method") == "$/progress"]
    server.seen = [m for m in server.seen if m.get("method") != "$/progress"]
    return {
        kind: [one for one in found if one["kind"] == kind] for kind in {v["kind"] for v in found}
    }


async def check(server, files):
    return await server.call("quillon/edit/check", {"files": files})


async def test_an_edit_of_a_closed_file_is_checked_when_it_is_applied(folder):
    async with start(folder, call("propose_edit", EDITS)) as server:
        await shake(server, folder)
        (edit,) = (await approved(server, *await asked(server)))["edit"]
        (change,) = edit["edit"]["documentChanges"]
        assert change["textDocument"]["version"] is None
        assert (await check(server, edit["files"]))["result"] is None
        # The very same text in an editor is as good as on disk.
        uri = open_it(server, folder, version=7)
        assert (await check(server, edit["files"]))["result"] is None
        changes = [{"text": "ANSWER = 40\n"}]
        document = {"uri": uri, "version": 8}
        server.notify(
            "textDocument/didChange", {"textDocument": document, "contentChanges": changes}
        )
        refused = (await check(server, edit["files"]))["error"]
        assert refused["code"] == -32801
        assert "it.py has changed since this was proposed. Ask again." in refused["message"]
        server.notify("textDocument/didClose", {"textDocument": {"uri": uri}})
        assert (await check(server, edit["files"]))["result"] is None
        (folder / "it.py").unlink()
        assert "cannot be read any more" in (await check(server, edit["files"]))["error"]["message"]


async def test_a_file_that_came_meanwhile_is_not_made_again(folder):
    async with start(folder, call("create_file", CREATE)) as server:
        await shake(server, folder)
        (edit,) = (await approved(server, *await asked(server)))["edit"]
        assert (await check(server, edit["files"]))["result"] is None
        (folder / "new.py").write_text("mine\n")
        assert "exists by now" in (await check(server, edit["files"]))["error"]["message"]


async def test_a_check_of_what_is_outside_of_the_workspace_says_so(folder):
    (folder.parent / "outside.py").write_text("x\n")
    async with start(folder) as server:
        await shake(server, folder)
        files = [{"uri": (folder.parent / "outside.py").as_uri(), "digest": "0"}]
        assert "not in the workspace" in (await check(server, files))["error"]["message"]


async def test_a_file_that_changes_while_the_user_is_asked_gets_no_edit(folder):
    async with start(folder, call("propose_edit", EDITS)) as server:
        await shake(server, folder)
        waiting = await asked(server)
        (folder / "it.py").write_text("# mine\nANSWER = 41\n")
        streamed = await approved(server, *waiting)
        assert "edit" not in streamed
        (notice,) = streamed["notice"]
        assert "Nothing was changed" in notice["text"]
        assert "it.py has changed since this was proposed" in notice["text"]


@pytest.mark.parametrize("workspace", [{}, WORKSPACE_EDIT], ids=["plain", "versioned"])
async def test_a_document_that_changes_while_the_user_is_asked_gets_no_edit(folder, workspace):
    async with start(folder, call("propose_edit", EDITS)) as server:
        await shake(server, folder, workspace)
        uri = open_it(server, folder)
        waiting = await asked(server)
        server.notify(
            "textDocument/didChange",
            {"textDocument": {"uri": uri, "version": 2}, "contentChanges": [{"text": "41\n"}]},
        )
        streamed = await approved(server, *waiting)
        assert "edit" not in streamed
        assert "has changed since" in streamed["notice"][0]["text"]
