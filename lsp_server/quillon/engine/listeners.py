"""Who is told when an engine's state changes."""

import logging
from collections.abc import Callable

from quillon.engine.base import EngineInfo

logger = logging.getLogger(__name__)

Listener = Callable[[EngineInfo, float | None], None]


class Listeners:
    """The subscribers of one engine; called on the event loop, in the order they came."""

    def __init__(self) -> None:
        self._listeners: list[Listener] = []

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener(info, fraction)` at each change; the result ends that.

        `fraction` is how much of the model is loaded, from 0 to 1, or None.
        """
        self._listeners.append(listener)

        def unsubscribe() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return unsubscribe

    def tell(self, info: EngineInfo, fraction: float | None = None) -> None:
        """Pass a change on to all of them."""
        for listener in tuple(self._listeners):
            try:
                listener(info, fraction)
            except Exception:
                # Whatever a listener does wrong must not end the connection that told it.
                logger.exception("A listener for the engine's state failed")
