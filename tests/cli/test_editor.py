"""What commands await of the language server that they drive."""

import asyncio
import json

import pytest

from quillon import protocol
from quillon.cli.editor import Editor, ServerEndedError

LOADING = protocol.StatusParams(state="loading")
FAILED = protocol.StatusParams(state="failed", message="There is no model file.")


class Told(Editor):
    """An editor whose server sends the news together with the answer before them."""

    async def status(self) -> protocol.StatusParams:
        answer, self.answers = self.answers[0], self.answers[1:]
        self._on_status(FAILED)
        return answer


async def test_news_that_come_with_an_answer_are_not_forgotten(tmp_path):
    editor = Told(tmp_path, lambda asked: None)
    editor.answers = (LOADING, FAILED)
    async with asyncio.timeout(60):
        assert await editor.wait_until_ready() == FAILED


class Loading(Editor):
    """An editor whose server loads for ever."""

    async def status(self) -> protocol.StatusParams:
        await super().status()
        return LOADING


WAITS = {
    "the model": lambda editor: editor.wait_until_ready(),
    "an explanation": lambda editor: editor.explanation(),
    "an answer": lambda editor: editor.chat(protocol.ChatParams(text="hi"), lambda value: None),
}


@pytest.fixture
async def editor(tmp_path, monkeypatch):
    """An editor with a running server whose model begins an answer and never ends it."""
    monkeypatch.setenv("QUILLON_RUNTIME_DIR", str(tmp_path / "run"))
    monkeypatch.setenv("QUILLON_STATE_DIR", str(tmp_path / "state"))
    script = tmp_path / "script.json"
    script.write_text(json.dumps({"steps": [{"reply": ["a", "b"], "gates": {1: "never"}}]}))
    made = Loading(tmp_path, lambda asked: None)
    settings = {"engine": {"kind": "scripted", "script": str(script)}}
    async with asyncio.timeout(60):
        await made.start(settings, tmp_path / "server.log")
        yield made
        await made.stop()


@pytest.mark.parametrize("wait", WAITS.values(), ids=WAITS)
async def test_a_server_that_is_killed_ends_every_wait_with_a_sentence(editor, wait):
    waiting = asyncio.create_task(wait(editor))
    await editor.status()  # it has been asked by now
    editor.client._server.kill()
    with pytest.raises(ServerEndedError, match=r"killed by signal 9 .* `quillon doctor` checks"):
        await waiting
    with pytest.raises(ServerEndedError):  # nothing is asked of it any more
        await wait(editor)


@pytest.mark.parametrize("lines", [0, 200_000])
async def test_the_last_words_of_a_server_that_cannot_start_are_told(tmp_path, monkeypatch, lines):
    broken = tmp_path / "python"
    broken.write_text(f"#!/bin/sh\nseq {lines} >&2\necho 'It is broken.' >&2\nexit 3\n")
    broken.chmod(0o755)
    monkeypatch.setattr("sys.executable", str(broken))
    editor = Editor(tmp_path, lambda asked: None)
    async with asyncio.timeout(60):
        with pytest.raises(ServerEndedError, match=r"status 3 and said: It is broken\. Start"):
            await editor.start({}, tmp_path / "server.log")
        await editor.stop()
