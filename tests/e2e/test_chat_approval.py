"""What runs something is asked for, and whatever is no clear yes is a no."""

import pytest

from quillon_testing.chat_turns import RUN_TESTS, TESTED, answer, ask, shake, start


@pytest.fixture
def folder(folder_of):
    return folder_of(TESTED)


@pytest.mark.parametrize(("decision", "ran"), [("once", True), ("deny", False)])
async def test_running_tests_asks_a_client_that_can(folder, decision, ran):
    async with start(folder, {"reply": RUN_TESTS}, {"reply": "So."}) as server:
        await shake(server, folder)
        number = ask(server, "run the tests")
        asked = await server.until(lambda m: m.get("method") == "quillon/approve")
        params = asked["params"]
        assert params["tool"] == "run_tests"
        assert params["arguments"] == {"target": "test_it.py"}
        assert "pytest" in params["preview"]
        assert str(folder) in params["preview"]
        server.send({"jsonrpc": "2.0", "id": asked["id"], "result": {"decision": decision}})
        _, streamed = await answer(server, number)
        (result,) = [value for value in streamed if value["kind"] == "toolResult"]
        assert ("1 passed" in result["preview"]) is ran
        states = [value["state"] for value in streamed if value["kind"] == "toolCall"]
        assert states[-1] == ("done" if ran else "denied")


@pytest.mark.parametrize(
    ("reply", "ran"),
    [({"title": "Run once"}, True), ({"title": "Do not run"}, False), (None, False)],
)
async def test_running_tests_asks_other_clients_by_a_message(folder, reply, ran):
    async with start(folder, {"reply": RUN_TESTS}, {"reply": "So."}) as server:
        await shake(server, folder, {})
        number = ask(server, "run the tests")
        asked = await server.until(lambda m: m.get("method") == "window/showMessageRequest")
        assert "pytest" in asked["params"]["message"]
        server.send({"jsonrpc": "2.0", "id": asked["id"], "result": reply})
        _, streamed = await answer(server, number)
        (result,) = [value for value in streamed if value["kind"] == "toolResult"]
        assert ("1 passed" in result["preview"]) is ran


@pytest.mark.parametrize(
    "given",
    [{"error": {"code": -32601, "message": "what?"}}, {"result": {"decision": "maybe"}}],
    ids=["an error", "no decision"],
)
async def test_what_is_no_approval_is_a_no(folder, given):
    async with start(folder, {"reply": RUN_TESTS}, {"reply": "So."}) as server:
        await shake(server, folder)
        number = ask(server, "run the tests")
        asked = await server.until(lambda m: m.get("method") == "quillon/approve")
        server.send({"jsonrpc": "2.0", "id": asked["id"], **given})
        _, streamed = await answer(server, number)
        states = [value["state"] for value in streamed if value["kind"] == "toolCall"]
        assert states[-1] == "denied"


async def test_cancelling_a_turn_takes_the_question_for_approval_back(folder):
    async with start(folder, {"reply": RUN_TESTS}, {"reply": "So."}) as server:
        await shake(server, folder)
        number = ask(server, "run the tests")
        asked = await server.until(lambda m: m.get("method") == "quillon/approve")
        server.notify("$/cancelRequest", {"id": number})
        taken = await server.until(lambda m: m.get("method") == "$/cancelRequest")
        assert taken["params"]["id"] == asked["id"]
        assert (await server.response(number))["result"]["finishReason"] == "cancelled"
        # Answered all the same, it changes nothing.
        server.send({"jsonrpc": "2.0", "id": asked["id"], "result": {"decision": "once"}})
        (row,) = (await server.call("quillon/conversations/list", {}))["result"]
        conversation = {"conversationId": row["conversationId"]}
        kept = (await server.call("quillon/conversations/get", conversation))["result"]
        # A call without a result would leave the model waiting for it.
        assert [m["role"] for m in kept["messages"]] == ["user", "assistant", "tool"]
        response, _ = await answer(server, ask(server, "and now?", **conversation))
        assert response["result"]["text"] == "So."
