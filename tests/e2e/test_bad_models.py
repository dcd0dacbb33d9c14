"""What a person sees when the model is bad or too large, or lacks something: a sentence."""

import os

import pytest

from quillon.engine.models import EMBEDDED
from quillon_testing.engines import engines
from quillon_testing.gguf_files import CHAT_MODEL, gguf_bytes, trained_for, write_gguf
from quillon_testing.seen import (
    TEXT,
    ask,
    begin,
    change,
    ghost,
    listed,
    no_model,
)
from quillon_testing.stdio_server import raw_server, script_file


@pytest.fixture
def folder(folder_of):
    return folder_of({"a.py": TEXT})


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
