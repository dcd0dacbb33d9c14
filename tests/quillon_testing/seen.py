"""What a person in an editor sees of a session: messages, ghost text, actions, answers, reasons."""

from quillon_testing.stdio_server import RawServer

TEXT = "def first(a):\n    return a\n\n\ndef second(b):\n    return b\n"
CAPABILITIES = {
    "experimental": {"quillon": {"chat": True, "approve": True}},
    "textDocument": {
        "codeAction": {
            "codeActionLiteralSupport": {"codeActionKind": {"valueSet": []}},
            "dataSupport": True,
            "disabledSupport": True,
            "resolveSupport": {"properties": ["edit"]},
        }
    },
}


async def begin(server: RawServer, folder, options=None) -> str:
    """Shake hands and open a document; its URI."""
    await server.initialize(
        rootUri=folder.as_uri(),
        workspaceFolders=[{"uri": folder.as_uri(), "name": folder.name}],
        capabilities=CAPABILITIES,
        initializationOptions=options or {},
    )
    uri = (folder / "a.py").as_uri()
    item = {"uri": uri, "languageId": "python", "version": 1, "text": TEXT}
    server.notify("textDocument/didOpen", {"textDocument": item})
    return uri


def change(server: RawServer, settings) -> None:
    server.notify("workspace/didChangeConfiguration", {"settings": {"quillon": settings}})


async def message(server: RawServer) -> str:
    """The next message that the editor pops up."""
    shown = await server.until(lambda m: m.get("method") == "window/showMessage")
    return shown["params"]["message"]


async def ghost(server: RawServer, uri: str, line=1, character=4) -> tuple[list, str | None]:
    """The items of an invoked inline completion, and the reason for none."""
    answer = await server.call(
        "textDocument/inlineCompletion",
        {
            "textDocument": {"uri": uri},
            "position": {"line": line, "character": character},
            "context": {"triggerKind": 1},
        },
    )
    status = await server.call("quillon/status/get")
    return answer["result"]["items"], status["result"]["noSuggestion"]


async def listed(server: RawServer, uri: str, line=0, character=0) -> dict[str, dict]:
    """The code actions at a place."""
    place = {"line": line, "character": character}
    answer = await server.call(
        "textDocument/codeAction",
        {
            "textDocument": {"uri": uri},
            "range": {"start": place, "end": place},
            "context": {"diagnostics": []},
        },
    )
    return {action["title"]: action for action in answer["result"]}


async def ask(server: RawServer, text: str, **more) -> tuple[dict, list[dict]]:
    """The response to a question, and what was streamed."""
    params = {"text": text, "partialResultToken": "t", **more}
    response = await server.call("quillon/chat", params)
    streamed = [m["params"]["value"] for m in server.seen if m.get("method") == "$/progress"]
    server.seen = [m for m in server.seen if m.get("method") != "$/progress"]
    return response, streamed


async def no_model(server: RawServer, uri: str, sentence: str) -> None:
    """Everything says why there is no model, and nothing hangs or fails otherwise."""
    assert sentence in await message(server)
    status = (await server.call("quillon/status/get"))["result"]
    assert status["state"] == "failed"
    assert sentence in status["message"]
    items, reason = await ghost(server, uri)
    assert items == []
    assert reason.startswith("No model runs.")
    assert sentence in reason
    actions = await listed(server, uri)
    assert actions
    assert all(sentence in action["disabled"]["reason"] for action in actions.values())
    response, _ = await ask(server, "hello")
    assert response["error"]["code"] == -32803
    assert sentence in response["error"]["message"]
