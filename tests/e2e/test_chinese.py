"""What a reader of Chinese is told, over the wire."""

import pytest

from quillon_testing.chat_turns import RUN_TESTS, TESTED, answer, ask, shake, start
from quillon_testing.stdio_server import raw_server

LITERALS = {"codeAction": {"codeActionLiteralSupport": {"codeActionKind": {"valueSet": []}}}}
# Without a chat of its own, an explanation is made under progress and shown as a message.
CLIENT = {
    "experimental": {"quillon": {"approve": True}},
    "textDocument": LITERALS,
    "window": {"workDoneProgress": True},
}


@pytest.fixture
def folder(folder_of):
    return folder_of(TESTED)


def opened(server, folder, text):
    uri = (folder / "it.py").as_uri()
    item = {"uri": uri, "languageId": "python", "version": 1, "text": text}
    server.notify("textDocument/didOpen", {"textDocument": item})
    return {"uri": uri}


async def test_why_there_is_no_suggestion(folder):
    async with start(folder) as server:
        await shake(server, folder, CLIENT, locale="zh-cn")
        params = {
            "textDocument": opened(server, folder, "answer\n"),
            "position": {"line": 0, "character": 3},
            "context": {"triggerKind": 2},
        }
        await server.call("textDocument/inlineCompletion", params)
        status = (await server.call("quillon/status/get"))["result"]
        assert status["noSuggestion"] == "光标在单词中间。"


async def test_a_notice_an_approval_and_an_error_of_the_chat(folder):
    broken = {"reply": "<tool_call>\n{]\n</tool_call>"}
    async with start(folder, broken, {"reply": RUN_TESTS}, {"reply": "好。"}) as server:
        await shake(server, folder, CLIENT, locale="zh-cn")
        number = ask(server, "运行测试")
        approval = await server.until(lambda m: m.get("method") == "quillon/approve")
        assert approval["params"]["reason"] == "运行测试。"
        server.send({"jsonrpc": "2.0", "id": approval["id"], "result": {"decision": "deny"}})
        _, streamed = await answer(server, number)
        (notice,) = [value["text"] for value in streamed if value["kind"] == "notice"]
        assert notice.startswith("无法读取一个工具调用：调用不是有效的 JSON：")
        refused = await server.call("quillon/chat", {"text": " "})
        assert refused["error"]["message"] == "问题为空。请输入问题后再发送。"


@pytest.mark.parametrize(("title", "ran"), [("运行一次", True), ("不运行", False)])
async def test_an_approval_by_a_message(folder, title, ran):
    async with start(folder, {"reply": RUN_TESTS}, {"reply": "好。"}) as server:
        await shake(server, folder, {}, locale="zh-cn")
        number = ask(server, "运行测试")
        asked = await server.until(lambda m: m.get("method") == "window/showMessageRequest")
        assert asked["params"]["message"].startswith("Quillon：允许模型运行 run_tests 吗？\n")
        assert title in [action["title"] for action in asked["params"]["actions"]]
        server.send({"jsonrpc": "2.0", "id": asked["id"], "result": {"title": title}})
        _, streamed = await answer(server, number)
        states = [value["state"] for value in streamed if value["kind"] == "toolCall"]
        assert states[-1] == ("done" if ran else "denied")


async def test_the_title_of_progress_and_of_an_explanation(folder):
    async with start(folder, {"match": "解释", "reply": "它返回 1。"}) as server:
        await shake(server, folder, CLIENT, locale="zh-cn")
        params = {
            "textDocument": opened(server, folder, "def f():\n    return 1\n"),
            "range": {"start": {"line": 1, "character": 4}, "end": {"line": 1, "character": 4}},
            "context": {"diagnostics": []},
        }
        actions = (await server.call("textDocument/codeAction", params))["result"]
        (explain,) = [action for action in actions if action["title"] == "解释这段代码"]
        await server.call("workspace/executeCommand", explain["command"])
        created = await server.until(lambda m: m.get("method") == "window/workDoneProgress/create")
        server.send({"jsonrpc": "2.0", "id": created["id"], "result": None})
        begun = await server.until(lambda m: m.get("method") == "$/progress")
        assert begun["params"]["value"]["title"] == "正在解释"
        shown = await server.until(lambda m: m.get("method") == "window/showMessage")
        assert shown["params"]["message"].startswith("# it.py 的说明\n")


async def test_a_model_that_is_not_there(folder):
    settings = {"engine": {"kind": "local"}, "model": {"path": str(folder / "none.gguf")}}
    async with raw_server(folder, settings=settings) as server:
        await shake(server, folder, CLIENT, locale="zh-cn")
        shown = await server.until(lambda m: m.get("method") == "window/showMessage")
        assert shown["params"]["message"].startswith(f"{folder / 'none.gguf'} 处没有模型文件。请")
        failed = await server.until(
            lambda m: m.get("method") == "quillon/status" and m["params"]["state"] == "failed"
        )
        assert failed["params"]["message"] == shown["params"]["message"]
