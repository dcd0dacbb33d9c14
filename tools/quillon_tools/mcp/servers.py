"""The servers that the user's settings name, and how long we wait for them."""

import logging
import re
import shlex

import msgspec

# What becomes of the servers, which the hub's news tell people, too.
told = logging.getLogger(__name__)

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]|_(?!_)){0,30}(?<!_)")

INSTALL = "Install the extra in your clone of Quillon: pip install '.[mcp]'."


class ServerSpec(msgspec.Struct, frozen=True, kw_only=True):
    """One server: a program that speaks over its standard streams, or an address.

    `environment` is added to the few variables that are passed on (`PATH`, `HOME` and the like).
    `folder` is the working directory; empty: ours.
    """

    command: str = ""
    arguments: tuple[str, ...] = ()
    environment: dict[str, str] = {}
    folder: str = ""
    url: str = ""
    headers: dict[str, str] = {}

    @property
    def place(self) -> str:
        """What is started or connected to, for people. Holds no header and no variable."""
        if self.url:
            return self.url.partition("?")[0].partition("#")[0]
        return shlex.join((self.command, *self.arguments))


class Patience(msgspec.Struct, frozen=True, kw_only=True):
    """Times in seconds.

    `start` is how long a server may take to be ready, `leave` how long one that is told to end
    may take before it is killed, and again before it is killed for good. After a failure it is
    started again after `pause`, then twice that and so on, and after `tries` failures in a row no
    more. One that served for `settled` has not failed in a row.
    """

    start: float = 30.0
    leave: float = 1.0
    pause: float = 1.0
    tries: int = 5
    settled: float = 60.0


def problem_of(name: str, spec: ServerSpec) -> str | None:
    """Why a server cannot be what the settings say; None: it can."""
    if not _NAME.fullmatch(name):
        return (
            "its name must be 1 to 31 letters, digits, - and single _, "
            "for it begins the names of its tools"
        )
    if bool(spec.command) == bool(spec.url):
        return "it needs either a command or a url"
    if spec.url and not re.match(r"https?://[^\s/]", spec.url):
        return "its url must begin with http:// or https://"
    texts = (spec.command, spec.folder, *spec.arguments, *spec.environment.values())
    if any("\0" in text for text in (*texts, *spec.environment)):
        return "its command, arguments or variables hold a NUL character"
    return None
