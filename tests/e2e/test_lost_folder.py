"""A workspace folder that goes away under a running server, and comes back."""

import shutil

import pytest

from quillon_testing.chat_turns import READ, answer, ask, shake, start


@pytest.fixture
def folder(folder_of):
    return folder_of({"it.py": "ANSWER = 41\n"})


def results(streamed):
    return [one for one in streamed if one["kind"] == "toolResult"]


async def test_tools_say_so_and_nothing_is_lost(folder):
    replies = [{"reply": READ}, {"reply": "Gone."}, {"reply": READ}, {"reply": "Here."}]
    async with start(folder, *replies) as server:
        await shake(server, folder)
        shutil.rmtree(folder)

        response, streamed = await answer(server, ask(server, "what is it?"))
        (result,) = results(streamed)
        assert not result["ok"]
        assert "it.py" in result["preview"]
        assert response["result"]["text"] == "Gone."
        assert (await server.call("quillon/symbols", {"query": "ANSWER"}))["result"] == []

        folder.mkdir()
        (folder / "it.py").write_text("ANSWER = 42\n")
        response, streamed = await answer(server, ask(server, "and now?"))
        (result,) = results(streamed)
        assert result["ok"], result
        assert "ANSWER = 42" in result["preview"]
        assert response["result"]["text"] == "Here."
        stored = (await server.call("quillon/conversations/list", {}))["result"]
        assert {one["title"] for one in stored} == {"what is it?", "and now?"}
