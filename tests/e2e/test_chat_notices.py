"""What the chat tells beside its answer, and what the editor told before, over the wire."""

import pytest

from quillon_testing.chat_turns import QUILLON, answer, ask, shake, start

CREATE = (
    '<tool_call>\n{"name": "create_file", "arguments": {"path": "new.py", "content": "x = 1\\n"}}'
    "\n</tool_call>"
)
DIAGNOSE = '<tool_call>\n{"name": "get_diagnostics", "arguments": {}}\n</tool_call>'
LITERALS = {"codeAction": {"codeActionLiteralSupport": {"codeActionKind": {"valueSet": []}}}}


@pytest.fixture
def folder(folder_of):
    return folder_of({"it.py": "def answer():\n    return 41\n"})


async def asked(server, text, **more):
    """The result of a turn, and what was streamed."""
    response, streamed = await answer(server, ask(server, text, **more))
    return response["result"], streamed


def notices(streamed):
    return [value["text"] for value in streamed if value["kind"] == "notice"]


def opened(server, folder):
    uri = (folder / "it.py").as_uri()
    item = {"uri": uri, "languageId": "python", "version": 1, "text": "x = undefined\n"}
    server.notify("textDocument/didOpen", {"textDocument": item})
    return uri


RANGE = {"start": {"line": 0, "character": 4}, "end": {"line": 0, "character": 13}}


async def test_a_large_attachment_is_cut_and_named_by_its_lines_and_tokens(folder):
    (folder / "large.py").write_text("".join(f"value_{n} = {n}\n" for n in range(4000)))
    references = [{"uri": (folder / "large.py").as_uri()}, {"uri": (folder / "it.py").as_uri()}]
    step = {"pattern": r"(?s)large\.py:1-\d+\n```\nvalue_0 = 0.*it\.py\n```\ndef", "reply": "Seen."}
    async with start(folder, step) as server:
        await shake(server, folder)
        result, streamed = await asked(server, "what is this?", references=references)
        assert result["text"] == "Seen."
        (told,) = notices(streamed)
        assert told.startswith("Left out: lines ")
        assert " of large.py, " in told
        assert told.endswith(" tokens")


async def test_an_edit_that_the_editor_cannot_apply_does_not_end_the_turn(folder):
    # Only a model with room for every tool's definition is offered the one that makes files.
    async with start(
        folder, {"reply": CREATE}, {"reply": "Done."}, model={"context": 32_768}
    ) as server:
        await shake(server, folder)  # this client creates no files
        number = server.request("quillon/chat", {"text": "make it", "partialResultToken": "t"})
        approval = await server.until(lambda m: m.get("method") == "quillon/approve")
        server.send({"jsonrpc": "2.0", "id": approval["id"], "result": {"decision": "once"}})
        assert (await server.response(number))["result"]["text"] == "Done."
        streamed = [m["params"]["value"] for m in server.seen if m.get("method") == "$/progress"]
        assert not [value for value in streamed if value["kind"] == "edit"]
        (told,) = notices(streamed)
        assert "Nothing was changed: This editor cannot create" in told
        assert not (folder / "new.py").exists()


async def test_problems_that_the_editor_named_are_known_to_the_tools(folder):
    steps = ({"reply": DIAGNOSE}, {"match": "it is not defined", "reply": "There is one."})
    async with start(folder, *steps) as server:
        await shake(server, folder, {**QUILLON, "textDocument": LITERALS})
        uri = opened(server, folder)
        problem = {"range": RANGE, "message": "it is not defined", "source": "lint", "severity": 1}
        params = {
            "textDocument": {"uri": uri},
            "range": RANGE,
            "context": {"diagnostics": [problem]},
        }
        await server.call("textDocument/codeAction", params)
        result, streamed = await asked(server, "what is wrong?")
        assert result["text"] == "There is one."
        (shown,) = [value for value in streamed if value["kind"] == "toolResult"]
        assert "it.py:1:5" in shown["preview"]


async def test_an_explanation_in_the_chat_names_a_small_model_once(folder):
    steps = ({"match": "explain this code", "reply": "It is one."}, {"reply": "Yes."})
    model = {"embedded": True, "model": "tiny", "parameters": 11_000_000}
    async with start(folder, *steps, model=model) as server:
        await shake(server, folder, {**QUILLON, "textDocument": LITERALS})
        uri = opened(server, folder)
        params = {"textDocument": {"uri": uri}, "range": RANGE, "context": {"diagnostics": []}}
        actions = (await server.call("textDocument/codeAction", params))["result"]
        (explain,) = [action for action in actions if action["title"] == "Explain this"]
        await server.call("workspace/executeCommand", explain["command"])
        given = (await server.until(lambda m: m.get("method") == "quillon/explain"))["params"]
        result, streamed = await asked(server, given["text"], references=given["references"])
        assert result["text"] == "It is one."
        (told,) = notices(streamed)
        assert told.startswith("Answers come from tiny (a very small model, 11 million parameters)")
        _, streamed = await asked(server, "sure?", conversationId=result["conversationId"])
        assert notices(streamed) == []
