"""What a person sees when a file, a position or the machine is bad: a sentence; nothing is lost."""

import os
import resource

import pytest

from quillon_testing.seen import (
    TEXT,
    ask,
    begin,
    ghost,
    listed,
    no_model,
)
from quillon_testing.stdio_server import held_to_permissions, raw_server, script_file


@pytest.fixture
def folder(folder_of):
    return folder_of({"a.py": TEXT})


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
    yield "closed.py", "permission"
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
    async with raw_server(folder, settings=settings, under=held_to_permissions()) as server:
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
    async with raw_server(folder, settings=settings, under=held_to_permissions()) as server:
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


async def test_negative_positions_are_refused_or_met(folder):
    async with raw_server(folder) as server:
        uri = await begin(server, folder)
        for version, (line, character) in enumerate([(-1, 0), (0, -5)], 2):
            place = {"line": line, "character": character}
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
                {"textDocument": {"uri": uri, "version": version}, "contentChanges": [edit]},
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


async def test_a_disk_that_fills_up_in_mid_session_loses_nothing_that_was_saved(folder, tmp_path):
    script = script_file(tmp_path, {"reply": "Hi."}, {"reply": call_of("a.py")}, {"reply": "Seen."})
    settings = {"engine": {"kind": "scripted", "script": str(script)}}
    async with raw_server(folder, settings=settings) as server:
        await begin(server, folder)
        response, streamed = await ask(server, "hello")
        assert not any(value["kind"] == "notice" for value in streamed)
        conversation = {"conversationId": response["result"]["conversationId"]}
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (0, 0))
        response, streamed = await ask(server, "read it", **conversation)
        assert response["result"]["text"] == "Seen."
        notices = [value["text"] for value in streamed if value["kind"] == "notice"]
        assert [notice for notice in notices if "could not be saved" in notice]
        assert "Traceback" not in str(streamed)
        kept = (await server.call("quillon/conversations/get", conversation))["result"]
        assert len(kept["messages"]) > 2  # this session still knows it
        assert await server.leave() == 0
    async with raw_server(folder, settings=settings) as server:
        await begin(server, folder)
        kept = (await server.call("quillon/conversations/get", conversation))["result"]
        assert [message["text"] for message in kept["messages"]] == ["hello", "Hi."]


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
