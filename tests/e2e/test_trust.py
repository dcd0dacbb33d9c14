"""A workspace that nobody vouches for: its settings choose no model and allow nothing."""

import json

import pytest

from quillon_testing import chat_turns
from quillon_testing.chat_turns import RUN_TESTS
from quillon_testing.stdio_server import raw_server


@pytest.fixture
def folder(folder_of):
    return folder_of({"test_it.py": "def test_it():\n    assert True\n", "conftest.py": ""})


def engine(folder, name, *replies):
    file = folder.parent / f"{name}.json"
    file.write_text(json.dumps({"steps": [{"reply": reply} for reply in replies]}))
    return {"kind": "scripted", "script": str(file)}


async def shake(server, folder, **options):
    await chat_turns.shake(server, folder, initializationOptions=options)


async def ask(server, text, **more):
    answer = await server.call("quillon/chat", {"text": text, **more})
    return answer["result"]


@pytest.mark.parametrize(("trusted", "who"), [(True, "theirs"), (False, "mine")])
async def test_only_a_trusted_workspace_chooses_the_model(folder, trusted, who):
    async with raw_server(folder, settings={}) as server:
        theirs = {"engine": engine(folder, "theirs", "I am theirs.")}
        await shake(
            server,
            folder,
            engine=engine(folder, "mine", "I am mine."),
            workspace={"trusted": trusted, "settings": theirs},
        )
        assert (await ask(server, "whose are you?"))["text"] == f"I am {who}."
        messages = [m for m in server.seen if m.get("method") == "window/showMessage"]
        told = [m["params"]["message"] for m in messages]
        ignored = [text for text in told if "engine: ignored, the workspace is not" in text]
        assert bool(ignored) is not trusted


@pytest.mark.parametrize(("trusted", "questions"), [(True, 1), (False, 2)])
async def test_an_untrusted_workspace_runs_nothing_unasked(folder, trusted, questions):
    async with raw_server(folder, settings={}) as server:
        await shake(
            server,
            folder,
            engine=engine(folder, "mine", RUN_TESTS, "So.", RUN_TESTS, "So again."),
            workspace={
                "trusted": trusted,
                "settings": {"tools": {"approval": {"run_tests": "allow"}}},
            },
        )
        asked = []
        conversation = None
        for _ in range(2):
            more = {} if conversation is None else {"conversationId": conversation}
            number = server.request("quillon/chat", {"text": "run the tests", **more})
            while True:
                message = await server.until(
                    lambda m, number=number: (
                        m.get("method") == "quillon/approve" or m.get("id", ...) == number
                    )
                )
                if "method" not in message:
                    conversation = message["result"]["conversationId"]
                    break
                asked.append(message["params"]["reason"])
                answer = {"jsonrpc": "2.0", "id": message["id"], "result": {"decision": "session"}}
                server.send(answer)
        assert len(asked) == questions
        assert all(("not trusted" in reason) is not trusted for reason in asked)


async def test_trust_is_not_regained_by_silence(folder):
    async with raw_server(folder, settings={}) as server:
        options = {"engine": engine(folder, "mine", RUN_TESTS, "So.")}
        await shake(server, folder, **options, workspace={"trusted": False})
        server.notify("workspace/didChangeConfiguration", {"settings": {"quillon": options}})
        number = server.request("quillon/chat", {"text": "run the tests"})
        asked = await server.until(lambda m: m.get("method") == "quillon/approve")
        assert "not trusted" in asked["params"]["reason"]
        server.send({"jsonrpc": "2.0", "id": asked["id"], "result": {"decision": "deny"}})
        assert (await server.response(number))["result"]["text"] == "So."
