"""What commands await of the language server that they drive."""

import asyncio

from quillon import protocol
from quillon.cli.editor import Editor

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
