"""The download itself: one file over HTTP, in as many attempts as it takes.

The only module of the download that knows httpx. Proxies and certificates are those of the
environment. A token goes to the server that it is for, and not to where that server redirects.
"""

import re
import time
from collections.abc import Callable
from typing import BinaryIO
from urllib.parse import urlsplit

import httpx

from quillon import __version__
from quillon.engine.pull.events import Listener, Progress, PullError, Retry
from quillon.engine.pull.part import Part
from quillon.engine.pull.request import Remote
from quillon.engine.pull.unreachable import unreachable

PAUSES = (0.0, 1.0, 3.0, 10.0)
"""Seconds before each new attempt after one that brought nothing."""

_MAGIC = b"GGUF"
_CHUNK = 1 << 16
_TIMEOUT = httpx.Timeout(30.0, connect=15.0)
_RANGE = re.compile(r"bytes (?:(?P<first>\d+)-\d+|\*)/(?P<total>\d+|\*)")
_WHOLE, _PARTIAL, _NO_SUCH_RANGE, _PROXY_LOGIN = 200, 206, 416, 407
_LATER = {408, 425, 429, 500, 502, 503, 504}
_SHOWN = 40  # characters of what came instead of a model


class _Broken(Exception):  # noqa: N818 - the state of the connection
    """An attempt ended early; another may go on where it stopped."""


def fetch(
    remote: Remote,
    part: Part,
    report: Listener,
    room: Callable[[int], None],
    pauses: tuple[float, ...] = PAUSES,
) -> None:
    """Receive what is missing of a file. `room` raises where so many bytes do not fit.

    Raises:
        PullError: The server refuses, sends something else, or breaks off again and again.
        OSError: The disk does not take it.
    """
    download = _Download(remote, part, report, room)
    with _client(remote) as client:
        failures = 0
        while True:
            before = download.received
            try:
                download.attempt(client)
            except _Broken as broken:
                failures = 0 if download.received > before else failures
                if failures == len(pauses):
                    raise PullError(
                        f"{remote.label} could not be received: {broken}. What came is kept: "
                        "the next pull goes on from there."
                    ) from broken
                report(Retry(str(broken)))
                time.sleep(pauses[failures])
                failures += 1
            else:
                return


def _client(remote: Remote) -> httpx.Client:
    headers = {"User-Agent": f"quillon/{__version__}", "Accept-Encoding": "identity"}
    if remote.token:
        headers["Authorization"] = f"Bearer {remote.token}"
    try:
        return httpx.Client(headers=headers, timeout=_TIMEOUT, follow_redirects=True)
    except (
        ValueError,
        httpx.InvalidURL,
        ImportError,
    ) as error:  # a proxy's address of the environment
        raise PullError(
            f"The proxy of the environment cannot be used: {error}. Mend HTTPS_PROXY."
        ) from error


class _Download:
    """The state of one download over its attempts."""

    def __init__(
        self, remote: Remote, part: Part, report: Listener, room: Callable[[int], None]
    ) -> None:
        self.received = 0
        self._remote = remote
        self._part = part
        self._report = report
        self._room = room
        self._ranges = True  # whether the server sends the rest of a file

    def attempt(self, client: httpx.Client) -> None:
        """Ask for what is missing and write it; returns when the file is complete."""
        have = self._part.have
        if have and have == self._remote.size:
            return
        try:
            with client.stream("GET", self._remote.url, headers=self._headers(have)) as response:
                self._take(response, have)
        except (httpx.TooManyRedirects, httpx.UnsupportedProtocol, httpx.InvalidURL) as error:
            raise PullError(f"{self._remote.label} leads nowhere: {error}.") from error
        except httpx.TransportError as error:
            if not self.received and isinstance(error, httpx.ConnectError | httpx.ProxyError):
                raise unreachable(self._host, error) from error
            raise _Broken(f"the connection broke ({error or type(error).__name__})") from error

    @property
    def _host(self) -> str:
        return urlsplit(self._remote.label).netloc or urlsplit(self._remote.url).netloc

    def _headers(self, have: int) -> dict[str, str]:
        if not have or not self._ranges:
            return {}
        headers = {"Range": f"bytes={have}-"}
        etag = self._part.etag
        # With a checksum the end tells; without, the server must send the same content.
        if self._remote.sha256 is None and etag:
            headers["If-Range"] = etag
        return headers

    def _take(self, response: httpx.Response, have: int) -> None:
        self._check_status(response)
        match = _RANGE.fullmatch(response.headers.get("content-range", ""))
        if response.status_code == _NO_SUCH_RANGE:
            if match and match["total"] == str(have):
                return
            self._part.begin(None)
            raise _Broken("the server has another file than before")
        if response.status_code == _PARTIAL:
            if not match or match["first"] != str(have):
                self._ranges = False
                raise _Broken("the server sent another part than was asked for")
            total = _number(match["total"])
        else:
            total = _length(response)
            have = 0
            self._part.begin(_strong(response.headers.get("etag")))
        self._check_size(total)
        total = self._remote.size if total is None else total
        self._room(max(0, (total or 0) - have))
        self._write(response, have, total)

    def _check_status(self, response: httpx.Response) -> None:
        status, label = response.status_code, self._remote.label
        schemes = [one.url.scheme for one in (*response.history, response)]
        if schemes[0] == "https" and "http" in schemes:
            raise PullError(f"{label} redirects to an address without encryption; that is refused.")
        if status in {_WHOLE, _PARTIAL, _NO_SUCH_RANGE}:
            return
        if status in _LATER:
            raise _Broken(f"the server answered status {status}")
        if status in {401, 403}:
            raise PullError(
                f"The server does not let you read {label} (status {status}). It may want a login "
                "or a token, or its terms accepted on its page."
            )
        if status in {404, 410}:
            raise PullError(f"There is no {label} (status {status}). Check the address.")
        if status == _PROXY_LOGIN:
            raise PullError(
                "The proxy wants a login: write it as http://name:password@proxy:port into "
                "HTTPS_PROXY."
            )
        raise PullError(f"The server answered status {status} for {label}, and not with a file.")

    def _check_size(self, total: int | None) -> None:
        declared = self._remote.size
        if declared is not None and total is not None and declared != total:
            self._part.discard()
            raise PullError(
                f"{self._remote.label} should have {declared:,} bytes and the server sends "
                f"{total:,}. Nothing was kept. Try again later: it may be changing."
            )

    def _write(self, response: httpx.Response, have: int, total: int | None) -> None:
        self._report(Progress(have, total))
        with self._part.path.open("ab") as file:
            for chunk in response.iter_bytes(_CHUNK):
                if have == 0:
                    self._check_magic(chunk, file)
                file.write(chunk)
                have += len(chunk)
                self.received += len(chunk)
                if total is not None and have > total:
                    break
                self._report(Progress(have, total))
        if total is not None and have > total:
            self._part.discard()
            raise PullError(
                f"{self._remote.label} is longer than the {total:,} bytes that were declared. "
                "Nothing was kept. Try again later."
            )
        if total is not None and have < total:
            raise _Broken(f"the server stopped after {have:,} of {total:,} bytes")

    def _check_magic(self, chunk: bytes, file: BinaryIO) -> None:
        """Refuse at the first bytes what is no model: mostly a page that says why."""
        if chunk.startswith(_MAGIC):
            return
        file.close()
        self._part.discard()
        begin = chunk[:_SHOWN].decode("ascii", "replace")
        shown = "".join(letter if letter.isprintable() else " " for letter in begin)
        raise PullError(
            f"{self._remote.label} is no GGUF file: it begins with {shown!r}. Check the address; "
            "a page about a file is not the file."
        )


def _length(response: httpx.Response) -> int | None:
    """The declared length of the file, unless it is sent in another form."""
    if response.headers.get("content-encoding", "identity") != "identity":
        return None
    return _number(response.headers.get("content-length", ""))


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() else None


def _strong(etag: str | None) -> str | None:
    """A name that stands for exactly these bytes; a weak one does not."""
    return etag if etag and etag.startswith('"') else None
