"""`quillon/chat` over real standard streams, with the scripted engine."""

import asyncio
import json

import pytest

from quillon_testing.chat_turns import (
    QUILLON,
    READ,
    TESTED,
    answer,
    ask,
    shake,
    start,
    texts,
)
from quillon_testing.stdio_server import raw_server


@pytest.fixture
def folder(folder_of):
    return folder_of(TESTED)


async def test_an_answer_is_streamed_and_returned(folder):
    async with start(folder, {"reply": "Forty-two, 四十二 🙂.", "chunk": 2}) as server:
        await shake(server, folder)
        response, streamed = await answer(server, ask(server, "what is the answer?"))
        result = response["result"]
        assert result["text"] == texts(streamed) == "Forty-two, 四十二 🙂."
        assert result["finishReason"] == "stop"
        assert set(result["usage"]) == {
            "promptTokens",
            "cachedTokens",
            "completionTokens",
            "tokensPerSecond",
        }


async def test_tools_read_open_buffers_before_the_disk(folder):
    async with start(
        folder, {"reply": READ}, {"match": "1: ANSWER = 42", "reply": "42."}
    ) as server:
        await shake(server, folder)
        item = {
            "uri": (folder / "it.py").as_uri(),
            "languageId": "python",
            "version": 1,
            "text": "ANSWER = 42\n",
        }
        server.notify("textDocument/didOpen", {"textDocument": item})
        response, streamed = await answer(server, ask(server, "what is it?"))
        assert response["result"]["text"] == "42."
        kinds = [(value["kind"], value.get("state")) for value in streamed]
        assert ("toolCall", "proposed") in kinds
        assert ("toolCall", "running") in kinds
        assert ("toolCall", "done") in kinds
        (result,) = [value for value in streamed if value["kind"] == "toolResult"]
        assert result["ok"] is True
        assert "ANSWER = 42" in result["preview"]


async def test_a_cancelled_turn_stops_and_keeps_what_was_said(folder):
    step = {"reply": "one two three", "chunk": 4, "gates": {2: "never"}}
    async with start(folder, step, {"match": "one two", "reply": "again"}) as server:
        await shake(server, folder)
        number = ask(server, "count")
        await server.until(
            lambda m: m.get("method") == "$/progress" and m["params"]["value"].get("text") == "two "
        )
        server.notify("$/cancelRequest", {"id": number})
        result = (await server.response(number))["result"]
        assert (result["finishReason"], result["text"]) == ("cancelled", "one two")
        (row,) = (await server.call("quillon/conversations/list", {}))["result"]
        conversation = row["conversationId"]
        assert result["conversationId"] == conversation
        kept = await server.call("quillon/conversations/get", {"conversationId": conversation})
        assert [m["text"] for m in kept["result"]["messages"]] == ["count", "one two"]
        response, _ = await answer(server, ask(server, "go on", conversationId=conversation))
        assert response["result"]["text"] == "again"


async def test_the_first_progress_names_the_conversation_which_is_kept_however_it_ends(folder):
    steps = (
        {"match": "now?", "reply": "Fine."},
        {"match": "again", "error": "EngineLost"},
        {"reply": "never said", "gates": {0: "never"}},
    )
    async with start(folder, *steps) as server:
        await shake(server, folder)
        number = ask(server, "count")
        first = await server.until(lambda m: m.get("method") == "$/progress")
        named = first["params"]["value"]
        assert named["kind"] == "conversation"
        conversation = {"conversationId": named["conversationId"]}
        refused, _ = await answer(server, ask(server, "and?", **conversation))
        assert "still being answered" in refused["error"]["message"]
        server.notify("$/cancelRequest", {"id": number})
        result = (await server.response(number))["result"]
        assert (result["finishReason"], result["text"]) == ("cancelled", "")
        assert result["conversationId"] == named["conversationId"]
        kept = (await server.call("quillon/conversations/get", conversation))["result"]
        assert [m["text"] for m in kept["messages"]] == ["count"]
        failed, _ = await answer(server, ask(server, "again", **conversation))
        assert failed["error"]["code"] == -32803
        response, streamed = await answer(server, ask(server, "now?", **conversation))
        assert response["result"]["text"] == "Fine."
        assert streamed[0] == named


async def test_a_question_right_after_a_stop_waits_for_the_end_of_the_turn(folder):
    steps = (
        {"match": "and now?", "reply": "Fine."},
        {"reply": "never said", "gates": {0: "never"}},
    )
    async with start(folder, *steps) as server:
        await shake(server, folder)
        number = ask(server, "count")
        first = await server.until(lambda m: m.get("method") == "$/progress")
        conversation = {"conversationId": first["params"]["value"]["conversationId"]}
        server.notify("$/cancelRequest", {"id": number})
        response, _ = await answer(server, ask(server, "and now?", **conversation))
        assert response["result"]["text"] == "Fine."
        assert (await server.response(number))["result"]["finishReason"] == "cancelled"


async def test_a_failed_first_question_has_a_conversation_to_go_on_with(folder):
    missing = {"engine": {"kind": "scripted", "script": str(folder / "missing.json")}}
    async with raw_server(folder, settings=missing) as server:
        await shake(server, folder)
        failed, streamed = await answer(server, ask(server, "hello"))
        assert failed["error"]["code"] == -32803
        conversation = {"conversationId": streamed[0]["conversationId"]}
        kept = (await server.call("quillon/conversations/get", conversation))["result"]
        assert [m["text"] for m in kept["messages"]] == ["hello"]


async def test_a_second_question_into_a_running_conversation_is_refused(folder):
    steps = ({"reply": "first"}, {"reply": "second", "gates": {0: "open"}})
    async with start(folder, *steps) as server:
        await shake(server, folder)
        response, _ = await answer(server, ask(server, "one"))
        conversation = response["result"]["conversationId"]
        number = ask(server, "two", conversationId=conversation)
        refused, _ = await answer(server, ask(server, "three", conversationId=conversation))
        assert "still being answered" in refused["error"]["message"]
        (folder.parent / "open").write_text("")
        response, _ = await answer(server, number)
        assert response["result"]["text"] == "second"


async def test_two_conversations_run_side_by_side(folder):
    steps = ({"match": "slow", "reply": "slow", "gates": {0: "go"}}, {"reply": "quick"})
    async with start(folder, *steps) as server:
        await shake(server, folder)
        slow = ask(server, "slow one")
        response, _ = await answer(server, ask(server, "other one"))
        assert response["result"]["text"] == "quick"
        (folder.parent / "go").write_text("")
        response, _ = await answer(server, slow)
        assert response["result"]["text"] == "slow"


async def test_an_engine_error_is_a_sentence(folder):
    steps = []
    for error in ("EngineLost", "ModelError", "EngineUnavailable"):
        steps += [{"error": error, "message": f"it is an {error}"}, {"reply": "back"}]
    async with start(folder, *steps) as server:
        await shake(server, folder)
        for step in steps[::2]:
            response, _ = await answer(server, ask(server, "hello"))
            assert response["error"] == {"code": -32803, "message": step["message"]}
            response, _ = await answer(server, ask(server, "hello again"))
            assert response["result"]["text"] == "back"


async def test_conversations_survive_a_restart(folder):
    async with start(folder, {"reply": "Paris."}) as server:
        await shake(server, folder)
        response, _ = await answer(server, ask(server, "capital of France?"))
        conversation = {"conversationId": response["result"]["conversationId"]}
        await server.leave()
    async with start(folder, {"match": "Paris.", "reply": "Yes."}) as server:
        await shake(server, folder)
        (row,) = (await server.call("quillon/conversations/list", {"query": "FRANCE"}))["result"]
        assert row["title"] == "capital of France?"
        assert row["turns"] == 1
        response, _ = await answer(server, ask(server, "sure?", **conversation))
        assert response["result"]["text"] == "Yes."
        exported = (await server.call("quillon/conversations/export", conversation))["result"]
        assert exported["markdown"].startswith("# capital of France?")
        assert "## Quillon\n\nParis." in exported["markdown"]
        await server.call("quillon/conversations/delete", conversation)
        assert (await server.call("quillon/conversations/list", {}))["result"] == []
        gone = await server.call("quillon/conversations/get", conversation)
        assert "There is no conversation" in gone["error"]["message"]


async def test_an_empty_id_of_a_conversation_says_how_to_begin_one(folder):
    async with start(folder, {"reply": "Here."}) as server:
        await shake(server, folder)
        refused, _ = await answer(server, ask(server, "there?", conversationId=""))
        assert "Leave conversationId out to begin a new one" in refused["error"]["message"]
        for method in ("get", "rename"):
            named = {"conversationId": "", "title": "a"}
            nothing = await server.call(f"quillon/conversations/{method}", named)
            assert nothing["error"]["message"] == (
                "There is no conversation with an empty id. Name one of quillon/conversations/list."
            )
        response, _ = await answer(server, ask(server, "there?", conversationId=None))
        assert response["result"]["text"] == "Here."


async def test_a_question_asked_anew_replaces_what_followed(folder):
    steps = [{"reply": f"answer {number}"} for number in range(1, 4)]
    async with start(folder, *steps) as server:
        await shake(server, folder)
        response, _ = await answer(server, ask(server, "first question"))
        conversation = {"conversationId": response["result"]["conversationId"]}
        await answer(server, ask(server, "second question", **conversation))
        await answer(server, ask(server, "better question", keepTurns=1, **conversation))
        stored = (await server.call("quillon/conversations/get", conversation))["result"]
        assert [message["text"] for message in stored["messages"]] == [
            *("first question", "answer 1", "better question", "answer 3")
        ]


async def test_a_conversation_is_renamed(folder):
    async with start(folder, {"reply": "hi"}) as server:
        await shake(server, folder)
        response, _ = await answer(server, ask(server, "hello"))
        conversation = {"conversationId": response["result"]["conversationId"]}
        await server.call("quillon/conversations/rename", {**conversation, "title": "Greeting"})
        (row,) = (await server.call("quillon/conversations/list", {}))["result"]
        assert row["title"] == "Greeting"
        nameless = await server.call("quillon/conversations/rename", {**conversation, "title": ""})
        assert "needs a name" in nameless["error"]["message"]


async def test_an_empty_question_is_refused(folder):
    async with start(folder) as server:
        await shake(server, folder)
        for text in ("", "  \n "):
            response, _ = await answer(server, ask(server, text))
            assert "empty" in response["error"]["message"]


async def test_references_are_attached_and_bad_ones_are_named(folder):
    (folder / ".env").write_text("TOKEN=secret-value\n")
    (folder.parent / "outside.txt").write_text("outside-text\n")
    references = [
        {
            "uri": (folder / "test_it.py").as_uri(),
            "range": {
                "start": {"line": 3, "character": 0},
                "end": {"line": 5, "character": 0},
            },
        },
        {"uri": (folder / ".env").as_uri()},
        {"uri": (folder.parent / "outside.txt").as_uri()},
        {"uri": (folder / "missing.py").as_uri()},
        {"uri": "untitled:Untitled-1"},
        {"uri": (folder / "资料 1").as_uri()},
    ]
    (folder / "资料 1").mkdir()
    step = {"pattern": r"test_it\.py:4-5\n```\ndef test_it", "reply": "Seen."}
    async with start(folder, step) as server:
        await shake(server, folder)
        response, streamed = await answer(server, ask(server, "look", references=references))
        assert response["result"]["text"] == "Seen."
        notices = [value["text"] for value in streamed if value["kind"] == "notice"]
        assert [notice.split(" is left out")[0] for notice in notices] == [
            ".env",
            "outside.txt",
            "missing.py",
            "untitled:Untitled-1",
            "资料 1",
        ]
        assert "it is a folder; attach its files" in notices[-1]
        kept = json.dumps((await server.call("quillon/conversations/list", {}))["result"])
        assert "secret-value" not in kept


async def test_the_status_follows_the_engine(folder):
    async with start(folder, {"reply": "hi", "gates": {0: "hold"}}) as server:
        await shake(server, folder)
        number = ask(server, "hello")
        busy = await server.until(
            lambda m: m.get("method") == "quillon/status" and m["params"]["state"] == "busy"
        )
        assert busy["params"]["model"] == "scripted"
        (folder.parent / "hold").write_text("")
        await answer(server, number)
        await server.until(
            lambda m: m.get("method") == "quillon/status" and m["params"]["state"] == "ready"
        )


async def test_a_full_disk_costs_nothing_but_the_file(folder):
    state = folder.parent / "workspace-state"
    state.mkdir()
    (state / "conversations").write_text("a file where the folder should be")
    async with start(folder, {"reply": "Hi."}, {"match": "Hi.", "reply": "Still here."}) as server:
        await shake(server, folder)
        response, streamed = await answer(server, ask(server, "hello"))
        assert response["result"]["text"] == "Hi."
        assert any("could not be saved" in v["text"] for v in streamed if v["kind"] == "notice")
        conversation = response["result"]["conversationId"]
        response, _ = await answer(server, ask(server, "there?", conversationId=conversation))
        assert response["result"]["text"] == "Still here."


async def test_many_questions_at_once_all_get_their_answer(folder):
    async with start(folder, {"reply": "ok", "times": 0}) as server:
        await shake(server, folder)
        numbers = [ask(server, f"question {n}") for n in range(20)]
        answers = await asyncio.gather(*(_response_of(server, number) for number in numbers))
        assert {found["result"]["text"] for found in answers} == {"ok"}


async def _response_of(server, number):
    # `RawServer` has one reader at a time; the messages of the others wait in `seen`.
    async with _reading:
        return await server.response(number)


_reading = asyncio.Lock()


@pytest.mark.parametrize("more", [{}, {"rootUri": "vscode-remote://host/folder"}])
async def test_without_a_folder_there_is_a_chat_without_tools(folder, more):
    steps = ({"reply": READ}, {"match": "A = 7", "reply": "Seven."})
    async with start(folder, *steps) as server:
        await server.initialize(capabilities=QUILLON, **more)
        uri = "vscode-remote://host/folder/a.py"
        item = {"uri": uri, "languageId": "python", "version": 1, "text": "A = 7\n"}
        server.notify("textDocument/didOpen", {"textDocument": item})
        _, streamed = await answer(server, ask(server, "read it"))
        (result,) = [value for value in streamed if value["kind"] == "toolResult"]
        assert result["ok"] is False
        references = [{"uri": uri}, {"uri": (folder / "it.py").as_uri()}]
        response, streamed = await answer(server, ask(server, "A?", references=references))
        assert response["result"]["text"] == "Seven."
        (notice,) = [value["text"] for value in streamed if value["kind"] == "notice"]
        assert "it.py is left out" in notice


async def test_a_turn_goes_on_with_the_folders_it_began_with(folder):
    steps = (
        {"match": "slow", "reply": f"so {READ}", "chunk": 3, "gates": {1: "go"}},
        {"match": "other", "reply": "quick"},
        {"match": "1: ANSWER = 41", "reply": "41."},
    )
    async with start(folder, *steps) as server:
        await shake(server, folder)
        slow = ask(server, "slow one")
        await server.until(lambda m: m.get("method") == "$/progress")
        other = {"uri": folder.parent.as_uri(), "name": "other"}
        event = {"added": [other], "removed": [{"uri": folder.as_uri(), "name": "workspace"}]}
        server.notify("workspace/didChangeWorkspaceFolders", {"event": event})
        response, _ = await answer(server, ask(server, "other one"))
        assert response["result"]["text"] == "quick"
        (folder.parent / "go").write_text("")
        response, _ = await answer(server, slow)
        assert response["result"]["text"] == "so 41."
