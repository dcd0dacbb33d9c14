"""What the chat remembers: how calls ended, what the user decided, whose conversation it was."""

import json

import pytest

from quillon_testing.chat_turns import ask, shake, start

HIDDEN = "a\u202eb.py"


def call(name, arguments):
    body = json.dumps({"name": name, "arguments": arguments})
    return f"<tool_call>\n{body}\n</tool_call>"


RUN = call("run_tests", {"target": "test_it.py"})


@pytest.fixture
def folder(folder_of):
    return folder_of(
        {
            "it.py": "ANSWER = 41\n",
            "test_it.py": "def test_it():\n    assert True\n",
            "conftest.py": "",
        }
    )


def replies(*texts):
    return [{"reply": text} for text in texts]


async def decide(server, decision):
    """Answer the next question for approval."""
    asked = await server.until(lambda m: m.get("method") == "quillon/approve")
    server.send({"jsonrpc": "2.0", "id": asked["id"], "result": {"decision": decision}})
    return asked["params"]


def calls_in(streamed):
    """The last state of each call."""
    values = [m["params"]["value"] for m in streamed if m.get("method") == "$/progress"]
    return {value["id"]: value for value in values if value["kind"] == "toolCall"}


async def test_calls_keep_the_state_in_which_they_ended(folder):
    calls = [
        call("read_file", {"path": "it.py"}),
        call("read_file", {"path": HIDDEN}),
        RUN,
        call("no_such_tool", {"a\u200bb": "c"}),
    ]
    async with start(folder, *replies(*calls, "So.")) as server:
        await shake(server, folder)
        number = ask(server, "do all")
        await decide(server, "deny")
        result = (await server.response(number))["result"]
        shown = calls_in(server.seen)
        conversation = {"conversationId": result["conversationId"]}
        kept = (await server.call("quillon/conversations/get", conversation))["result"]
    stored = {one["id"]: one for m in kept["messages"] for one in m.get("toolCalls", ())}
    states = [one["state"] for one in stored.values()]
    assert states == ["done", "failed", "denied", "failed"]
    assert [stored[one]["state"] for one in shown] == [one["state"] for one in shown.values()]
    oks = [m["ok"] for m in kept["messages"] if m["role"] == "tool"]
    assert oks == [True, False, False, False]
    # What cannot be seen is spelled out, while it is streamed and when it is read again.
    for each in (shown, stored):
        assert "a⟨U+202E⟩b.py" in str(each)
        assert "a⟨U+200B⟩b" in str(each)
        assert "\u202e" not in str(each)


async def test_a_change_of_settings_forgets_no_decision(folder):
    async with start(folder, *replies(RUN, "One.", RUN, "Two.")) as server:
        await shake(server, folder)
        number = ask(server, "test it")
        await decide(server, "session")
        first = (await server.response(number))["result"]
        server.notify(
            "workspace/didChangeConfiguration",
            {"settings": {"quillon": {"tools": {"testTimeout": 60}}}},
        )
        again = ask(server, "once more", conversationId=first["conversationId"])
        # Asked again, the turn would wait for ever.
        assert (await server.response(again))["result"]["text"] == "Two."
        assert {one["state"] for one in calls_in(server.seen).values()} == {"done"}


async def test_a_conversation_stays_with_the_folder_where_it_began(folder):
    other = folder.parent / "other"
    other.mkdir()
    async with start(folder, *replies("One.", "Two.", "Three.")) as server:
        await shake(server, folder)
        first = (await server.response(ask(server, "first")))["result"]["conversationId"]
        event = {
            "added": [{"uri": other.as_uri(), "name": "other"}],
            "removed": [{"uri": folder.as_uri(), "name": "workspace"}],
        }
        server.notify("workspace/didChangeWorkspaceFolders", {"event": event})
        second = (await server.response(ask(server, "second")))["result"]["conversationId"]

        async def listed():
            rows = (await server.call("quillon/conversations/list", {}))["result"]
            return {row["conversationId"] for row in rows}

        assert await listed() == {second}
        # It is still in the editor's window, so it goes on; and it goes on where it was.
        more = await server.response(ask(server, "more", conversationId=first))
        assert more["result"]["text"] == "Three."
        assert await listed() == {second}
        back = {"added": event["removed"], "removed": event["added"]}
        server.notify("workspace/didChangeWorkspaceFolders", {"event": back})
        assert await listed() == {first}
        await server.call("quillon/conversations/delete", {"conversationId": second})
        server.notify("workspace/didChangeWorkspaceFolders", {"event": event})
        assert await listed() == set()


async def test_a_message_shows_as_much_of_a_preview_as_it_can_and_names_the_rest(folder):
    content = "".join(f"LINE_{n} = {n}\n" for n in range(200))
    create = call("create_file", {"path": "new.py", "content": content})
    async with start(folder, *replies(create, "So."), model={"context": 16384}) as server:
        await shake(server, folder, {})
        number = ask(server, "make it")
        asked = await server.until(lambda m: m.get("method") == "window/showMessageRequest")
        message = asked["params"]["message"]
        assert "LINE_0 = 0" in message
        assert "LINE_199" not in message
        assert "more lines (" in message
        assert len(message) < 2500
        server.send({"jsonrpc": "2.0", "id": asked["id"], "result": None})
        assert (await server.response(number))["result"]["text"] == "So."
