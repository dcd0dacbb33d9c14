"""A call of a tool that somebody else's server would carry out, as a value that can be shown."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from quillon_tools.visible import visible, visible_lines


class ForeignCall(msgspec.Struct, frozen=True, kw_only=True):
    """What would be sent, and to whom.

    `place` is what the user's settings start or connect to. `send` carries the call out within a
    number of seconds and gives the text of its result; it raises `Retry` or `Failed`.
    """

    server: str
    tool: str
    place: str
    arguments: dict[str, Any]
    send: Callable[[float], Awaitable[str]]

    @property
    def preview(self) -> str:
        """What is approved: the server, the tool and the exact arguments."""
        head = f"{visible(self.tool)} of the server {visible(self.server)} ({visible(self.place)})"
        arguments = json.dumps(self.arguments, ensure_ascii=False, indent=2)
        return f"{head}\n{visible_lines(arguments)}"
