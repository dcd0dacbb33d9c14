"""`quillon/status`: what the engine does, and why there was no suggestion."""

from quillon import protocol
from quillon.engine.base import EngineError, EngineInfo
from quillon.rpc import QuillonServer


def register(server: QuillonServer) -> None:
    """Register the request, and the notifications for a client that knows Quillon."""

    @server.feature(protocol.STATUS_GET)
    def get_status(ls: QuillonServer, _params: object) -> protocol.StatusParams:
        return status(ls)

    def watch() -> None:
        client = server.session.client
        if client.quillon_chat or client.quillon_approve:
            server.status_listeners.append(_Notifier(server))

    server.when_ready.append(watch)


def status(ls: QuillonServer, fraction: float | None = None) -> protocol.StatusParams:
    """The status as of now; `fraction` is how much of the model is loaded."""
    try:
        info = ls.engine.state()
    except EngineError as error:  # the settings name no engine that could be opened
        info = EngineInfo(state="failed", message=str(error))
    return protocol.StatusParams(
        state=info.state,
        model=info.model,
        message=ls.for_user(info.message),
        embedded=info.embedded,
        context=info.context,
        tokens_per_second=round(info.tokens_per_second, 1),
        progress=fraction,
        no_suggestion=ls.no_suggestion and ls.for_user(ls.no_suggestion),
        echoed=ls.echoed,
    )


class _Notifier:
    """Sends the status whenever it differs from what was sent last."""

    def __init__(self, ls: QuillonServer) -> None:
        self._ls = ls
        self._last: protocol.StatusParams | None = None

    def __call__(self, fraction: float | None) -> None:
        now = status(self._ls, fraction)
        if now != self._last:
            self._last = now
            self._ls.protocol.notify(protocol.STATUS, now)
