"""What a person sees when the model, a file or the machine is bad: a sentence, and nothing lost."""

import os
import resource

import pytest

from quillon.engine.models import EMBEDDED
from quillon_testing.engines import engines
from quillon_testing.gguf_files import CHAT_MODEL, gguf_bytes, trained_for, write_gguf
from quillon_testing.stdio_server import RawServer, raw_server, script_file

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


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "workspace"
    path.mkdir()
    (path / "a.py").write_text(TEXT)
    return path


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


def bad_models(folder):
    """Model files that cannot be run, with what a person is told."""
    whole = EMBEDDED.read_bytes()
    contents = {
        "cut": (whole[: len(whole) // 2], "is cut off: it should have"),
        "zip": (b"PK\3\4" + bytes(5000), "is a ZIP archive"),
        "noise": (bytes(range(256)) * 20, "is not a GGUF file"),
        "text": (b"# A model\n" * 50, "is a text file: a GGUF file is needed"),
        "empty": (b"", "is empty"),
    }
    yield folder / "missing.gguf", "There is no model file at"
    yield folder, "is a folder, and a GGUF file is needed"
    for name, (content, sentence) in contents.items():
        path = folder / f"{name}.gguf"
        path.write_bytes(content)
        yield path, sentence
    embedding = write_gguf(folder / "embedding.gguf", general__architecture="bert")
    yield embedding, "is an embedding model (bert), and a text model is needed"
    fifo = folder / "fifo.gguf"
    os.mkfifo(fifo)
    yield fifo, "is no regular file"


async def test_one_bad_model_file_after_another_and_then_a_good_one(folder, tmp_path):
    places = tmp_path / "models"
    places.mkdir()
    script = script_file(tmp_path, {"reply": "Here I am."})
    async with raw_server(folder, settings={}) as server:
        first, *others = bad_models(places)
        uri = await begin(server, folder, {"model": {"path": str(first[0])}})
        await no_model(server, uri, first[1])
        for path, sentence in others:
            change(server, {"model": {"path": str(path)}})
            await no_model(server, uri, sentence)
        change(server, {"engine": {"kind": "scripted", "script": str(script)}})
        response, _ = await ask(server, "hello")
        assert response["result"]["text"] == "Here I am."
        assert "disabled" not in (await listed(server, uri))["Explain this"]
        assert await server.leave() == 0


def huge_model(path):
    """A model whose weights are as large as their file says, in a file that takes no disk."""
    tensors = {f"blk.{n}.weight": ((1 << 16, 1 << 16), 0) for n in range(64)}
    sizes = {"qwen3.block_count": 64, "qwen3.embedding_length": 1 << 16}
    header = gguf_bytes({**CHAT_MODEL, **sizes}, dict.fromkeys(tensors, ((32,), 0)))
    with path.open("wb") as file:
        file.write(_claim(header, tensors))
        file.truncate(64 * (1 << 34) + (1 << 20))
    return path


def _claim(header: bytes, tensors) -> bytes:
    """The header with the true sizes of the tensors, which nobody should have to write."""
    for number, name in enumerate(tensors):
        small = name.encode() + (1).to_bytes(4, "little") + (32).to_bytes(8, "little")
        start = header.index(small)
        offset = start + len(small) + 4
        large = (
            name.encode()
            + (2).to_bytes(4, "little")
            + (1 << 16).to_bytes(8, "little") * 2
            + (0).to_bytes(4, "little")
            + (number << 34).to_bytes(8, "little")
        )
        header = header[:start] + large + header[offset + 8 :]
    return header


async def test_a_model_that_is_too_large_and_the_way_back(folder, tmp_path):
    huge = huge_model(tmp_path / "huge.gguf")
    long = trained_for(tmp_path / "long.gguf", EMBEDDED, 2_000_000_000)
    async with (
        engines() as made,
        raw_server(folder, settings={}, QUILLON_RUNTIME_DIR=str(made.directory)) as server,
    ):
        uri = await begin(server, folder, {"model": {"path": str(huge)}})
        await no_model(server, uri, "does not fit into memory: it needs about")
        change(server, {"model": {"path": str(long), "contextSize": 2_000_000_000}})
        await no_model(server, uri, "set a smaller model.contextSize")
        change(server, {"model": {"idleMinutes": 0.001}})
        response, _ = await ask(server, "hello")
        assert response["result"]["text"]
        assert await server.leave() == 0


def embedded_without(path, *names: bytes):
    """The embedded model with names that nobody knows."""
    data = EMBEDDED.read_bytes()
    for name in names:
        assert name in data
        data = data.replace(name, name[:-2] + b"~~")
    path.write_bytes(data)
    return path


async def test_a_model_without_a_chat_template_answers_and_says_so(folder, tmp_path):
    model = embedded_without(tmp_path / "plain.gguf", b"tokenizer.chat_template")
    async with (
        engines() as made,
        raw_server(folder, settings={}, QUILLON_RUNTIME_DIR=str(made.directory)) as server,
    ):
        await begin(server, folder, {"model": {"path": str(model)}})
        response, streamed = await ask(server, "hello")
        assert response["result"]["text"]
        notices = [value["text"] for value in streamed if value["kind"] == "notice"]
        assert any("no chat template" in notice for notice in notices)
        conversation = response["result"]["conversationId"]
        _, streamed = await ask(server, "hello", conversationId=conversation)
        assert not any("no chat template" in str(value) for value in streamed)


async def test_a_model_that_cannot_fill_in_says_so_and_chats(folder, tmp_path):
    tokens = (b"<|fim_prefix|>", b"<|fim_suffix|>", b"<|fim_middle|>")
    keys = tuple(b"tokenizer.ggml.fim_%s_token_id" % name for name in (b"pre", b"suf", b"mid"))
    model = embedded_without(tmp_path / "chat.gguf", *tokens, *keys)
    async with (
        engines() as made,
        raw_server(folder, settings={}, QUILLON_RUNTIME_DIR=str(made.directory)) as server,
    ):
        uri = await begin(server, folder, {"model": {"path": str(model)}})
        response, _ = await ask(server, "hello")
        assert response["result"]["text"]
        items, reason = await ghost(server, uri)
        assert items == []
        assert reason.startswith("The model cannot fill in code")


async def test_what_is_larger_than_the_context(folder, tmp_path):
    long = "def long(a):\n" + "    a += 1\n" * 20_000
    script = tmp_path / "script.json"
    script.write_text('{"context": 2048, "steps": [{"reply": "Fine."}]}')
    settings = {"engine": {"kind": "scripted", "script": str(script)}}
    async with raw_server(folder, settings=settings) as server:
        await begin(server, folder)
        response, _ = await ask(server, "why? " * 20_000)
        assert response["error"]["code"] == -32803
        assert "The question takes" in response["error"]["message"]
        assert "choose a larger context" in response["error"]["message"]
        response, _ = await ask(server, "why? " * 2_000_000)
        assert "larger context" in response["error"]["message"]
        uri = (folder / "long.py").as_uri()
        item = {"uri": uri, "languageId": "python", "version": 1, "text": long}
        server.notify("textDocument/didOpen", {"textDocument": item})
        action = (await listed(server, uri))["Write a docstring for long"]
        answer = await server.call("codeAction/resolve", action)
        assert answer["error"]["code"] == -32803
        assert "Select less, or choose a larger context" in answer["error"]["message"]
        response, _ = await ask(server, "and now?")
        assert response["result"]["text"] == "Fine."


def bad_files(folder):
    """Files that are no ordinary texts, and what is said of them; empty: their text is shown."""
    contents = {
        "huge.py": (b"x = 1\n" * 500_000, ""),
        "binary.py": (bytes(range(256)) * 100, "is a binary file"),
        "latin.py": ("name = 'café'\n".encode("latin-1"), ""),
        "nul.py": (b"x = 1\n\0\n", "is a binary file"),
        "empty.py": (b"", ""),
        "line.py": (b"x = '" + b"a" * 300_000 + b"'\n", ""),
    }
    for name, (content, sentence) in contents.items():
        (folder / name).write_bytes(content)
        yield name, sentence
    os.mkfifo(folder / "fifo.py")
    yield "fifo.py", "is not a regular file"
    (folder / "closed.py").write_text("x = 1\n")
    (folder / "closed.py").chmod(0)
    # For root there is no closed file.
    yield "closed.py", "" if os.access(folder / "closed.py", os.R_OK) else "permission"
    yield "missing.py", "not found"
    (folder / "inner").mkdir()
    yield "inner", "is a folder"


def call_of(path: str) -> str:
    return f'<tool_call>\n{{"name": "read_file", "arguments": {{"path": "{path}"}}}}\n</tool_call>'


async def test_bad_files_through_tools(folder, tmp_path):
    files = list(bad_files(folder))
    steps = [{"reply": call_of(name)} for name, _ in files]
    script = script_file(tmp_path, *steps, {"reply": "Enough."})
    settings = {"engine": {"kind": "scripted", "script": str(script)}}
    async with raw_server(folder, settings=settings) as server:
        await begin(server, folder)
        response, streamed = await ask(server, "read everything")
        assert response["result"]["text"] == "Enough."
        results = [value for value in streamed if value["kind"] == "toolResult"]
        assert len(results) == len(files)
        for (name, sentence), result in zip(files, results, strict=True):
            assert result["ok"] is (not sentence), name
            assert sentence in result["preview"].lower(), name
            assert len(result["preview"]) < 3000


async def test_bad_files_as_references(folder, tmp_path):
    files = list(bad_files(folder))
    script = script_file(tmp_path, {"reply": "Seen."}, {"reply": "Seen in part."})
    settings = {"engine": {"kind": "scripted", "script": str(script)}}
    references = [{"uri": (folder / name).as_uri()} for name, _ in files]
    small = [one for one in references if not one["uri"].endswith(("huge.py", "line.py"))]
    async with raw_server(folder, settings=settings) as server:
        await begin(server, folder)
        response, streamed = await ask(server, "look", references=small)
        assert response["result"]["text"] == "Seen."
        notices = [value["text"] for value in streamed if value["kind"] == "notice"]
        for name, sentence in files:
            found = [notice.lower() for notice in notices if name in notice]
            assert len(found) == bool(sentence), (name, notices)
            assert all("is left out" in notice and sentence in notice for notice in found)
        response, streamed = await ask(server, "and these?", references=references)
        told = [value["text"] for value in streamed if value["kind"] == "notice"]
        assert any("huge.py" in notice and "left out" in notice for notice in told)
        assert response["result"]["text"] == "Seen in part."


@pytest.mark.parametrize("line", [6, 2**31 - 1])
async def test_positions_outside_the_document(folder, tmp_path, line):
    script = script_file(tmp_path, {"reply": "pass", "times": 0})
    settings = {
        "engine": {"kind": "scripted", "script": str(script)},
        "inline": {"asCompletion": True},
    }
    place = {"line": line, "character": 2**31 - 1}
    async with raw_server(folder, settings=settings) as server:
        uri = await begin(server, folder)
        assert isinstance((await ghost(server, uri, **place))[0], list)
        there = {"textDocument": {"uri": uri}, "position": place}
        assert "error" not in await server.call("textDocument/completion", there)
        assert await listed(server, uri, **place) == {}
        edit = {"range": {"start": place, "end": place}, "text": "# the end\n"}
        server.notify(
            "textDocument/didChange",
            {"textDocument": {"uri": uri, "version": 2}, "contentChanges": [edit]},
        )
        reference = {"uri": uri, "range": {"start": {"line": 0, "character": 0}, "end": place}}
        response, _ = await ask(server, "look", references=[reference])
        assert response["result"]["text"] == "pass"
        assert not any(m.get("method") == "window/showMessage" for m in server.seen)


@pytest.mark.parametrize(("line", "character"), [(-1, 0), (0, -5)])
async def test_negative_positions_are_refused_or_met(folder, line, character):
    place = {"line": line, "character": character}
    async with raw_server(folder) as server:
        uri = await begin(server, folder)
        request = {
            "textDocument": {"uri": uri},
            "position": place,
            "context": {"triggerKind": 1},
        }
        answer = await server.call("textDocument/inlineCompletion", request)
        assert "Traceback" not in str(answer)
        edit = {"range": {"start": place, "end": place}, "text": "#"}
        server.notify(
            "textDocument/didChange",
            {"textDocument": {"uri": uri, "version": 2}, "contentChanges": [edit]},
        )
        assert (await server.call("quillon/status/get"))["result"]


async def test_a_log_file_that_cannot_be_written(folder, tmp_path):
    (tmp_path / "file").write_text("")
    async with raw_server(folder, "--log-file", str(tmp_path / "file" / "x.log")) as server:
        await begin(server, folder)
        assert (await server.call("quillon/status/get"))["result"]
        assert await server.leave() == 0
        said = (await server.process.stderr.read()).decode()
        assert "Cannot log to" in said
        assert "logging to stderr" in said
        assert "Traceback" not in said


async def test_a_state_directory_that_cannot_be_made(folder, tmp_path):
    (tmp_path / "file").write_text("")
    script = script_file(tmp_path, {"reply": "Hi."})
    settings = {"engine": {"kind": "scripted", "script": str(script)}}
    state = str(tmp_path / "file" / "state")
    async with raw_server(folder, settings=settings, QUILLON_STATE_DIR=state) as server:
        await begin(server, folder)
        response, streamed = await ask(server, "hello")
        assert response["result"]["text"] == "Hi."
        assert any("could not be saved" in value.get("text", "") for value in streamed)
        rows = await server.call("quillon/conversations/list", {})
        assert [row["title"] for row in rows["result"]] == ["hello"]


async def test_a_runtime_directory_that_cannot_be_made(folder, tmp_path):
    (tmp_path / "file").write_text("")
    runtime = str(tmp_path / "file" / "run")
    async with raw_server(folder, settings={}, QUILLON_RUNTIME_DIR=runtime) as server:
        uri = await begin(server, folder)
        await no_model(server, uri, "set QUILLON_RUNTIME_DIR to a directory of your own")


async def test_a_full_disk_under_the_engine_is_named(folder):
    async with raw_server(folder, settings={}) as server:
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (0, 0))
        uri = await begin(server, folder)
        await no_model(server, uri, "Make room there, or set QUILLON_RUNTIME_DIR")
        assert await server.leave() == 0
        assert await server.process.stderr.read() == b""


async def test_a_client_that_vanishes_while_files_are_read(folder, tmp_path):
    step = {"reply": call_of("a.py"), "gates": {1: "never"}}
    settings = {"engine": {"kind": "scripted", "script": str(script_file(tmp_path, step))}}
    async with raw_server(folder, settings=settings) as server:
        await begin(server, folder)
        server.request("quillon/chat", {"text": "read", "partialResultToken": "t"})
        await server.until(
            lambda m: m.get("method") == "quillon/status" and m["params"]["state"] == "busy"
        )
        server.process.stdin.close()
        assert await server.ended() == 1


async def test_half_a_character_in_a_question_and_a_file(folder, tmp_path):
    script = script_file(tmp_path, {"reply": "Seen.", "times": 0})
    settings = {"engine": {"kind": "scripted", "script": str(script)}}
    async with raw_server(folder, settings=settings) as server:
        uri = await begin(server, folder)
        change = {"textDocument": {"uri": uri, "version": 2}}
        text = "def half():\n    return '\ud83d'\n"
        server.notify("textDocument/didChange", {**change, "contentChanges": [{"text": text}]})
        response, streamed = await ask(server, "what is \ud83d?", references=[{"uri": uri}])
        assert response["result"]["text"] == "Seen."
        assert not any(value["kind"] == "notice" for value in streamed)
        conversation = {"conversationId": response["result"]["conversationId"]}
        kept = await server.call("quillon/conversations/get", conversation)
        assert [message["role"] for message in kept["result"]["messages"]] == ["user", "assistant"]
        assert "Explain this" in await listed(server, uri)
