"""Long work for a request: progress in the editor, and an end to it when the user says so."""

import asyncio
import logging
import time
import uuid
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException, JsonRpcRequestCancelled

from quillon.rpc import QuillonServer

logger = logging.getLogger(__name__)

T = TypeVar("T")
Tell = Callable[[str], None]

_ANSWER = 2.0  # seconds for the client to accept a progress token
_EVERY = 0.25  # seconds between two reports


async def with_progress(ls: QuillonServer, title: str, work: Callable[[Tell], Awaitable[T]]) -> T:
    """The result of `work`, shown as work-done progress that the user can cancel.

    `work` is given a function that takes the model's text as it comes. A client that shows no
    progress is not bothered with any.

    Raises:
        JsonRpcRequestCancelled: The user cancelled the progress.
    """
    progress = await _begin(ls, title)
    task = asyncio.ensure_future(work(progress.tell))
    progress.when_cancelled(task.cancel)
    try:
        return await task
    except asyncio.CancelledError:
        task.cancel()
        if progress.cancelled:
            raise JsonRpcRequestCancelled(f"{title}: cancelled") from None
        raise
    finally:
        progress.end()


async def _begin(ls: QuillonServer, title: str) -> "_Progress":
    if not ls.session.client.work_done_progress:
        return _Progress(ls, None)
    token = f"quillon-{uuid.uuid4()}"
    try:
        async with asyncio.timeout(_ANSWER):
            await ls.work_done_progress.create_async(token)
    except (TimeoutError, JsonRpcException) as error:
        logger.warning("The client takes no progress: %s", error)
        return _Progress(ls, None)
    ls.work_done_progress.begin(
        token, lsp.WorkDoneProgressBegin(ls.for_user(title), cancellable=True)
    )
    return _Progress(ls, token)


class _Progress:
    """One token's life; without a token everything is silent."""

    def __init__(self, ls: QuillonServer, token: str | None) -> None:
        self._ls = ls
        self._token = token
        self._characters = 0
        self._last = time.monotonic()

    @property
    def cancelled(self) -> bool:
        """Whether the user cancelled it."""
        return self._token is not None and self._future().cancelled()

    def tell(self, text: str) -> None:
        """Count what the model wrote and say so now and then."""
        self._characters += len(text)
        now = time.monotonic()
        if self._token is not None and now - self._last >= _EVERY:
            self._last = now
            message = self._ls.for_user(f"{self._characters} characters")
            report = lsp.WorkDoneProgressReport(message=message, cancellable=True)
            self._ls.work_done_progress.report(self._token, report)

    def when_cancelled(self, call: Callable[[], Any]) -> None:
        """Call once the user cancels."""
        if self._token is not None:
            self._future().add_done_callback(lambda future: call() if future.cancelled() else None)

    def end(self) -> None:
        """Take the progress away."""
        if self._token is not None:
            self._ls.work_done_progress.end(self._token, lsp.WorkDoneProgressEnd())
            # pygls keeps every token for ever.
            self._ls.work_done_progress.tokens.pop(self._token, None)

    def _future(self) -> Any:
        return self._ls.work_done_progress.tokens[self._token or ""]
