"""A server of files on 127.0.0.1 for tests of downloads; it can break, lie and forget to resume."""

import contextlib
import hashlib
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

COMMIT = "0123456789abcdef0123456789abcdef01234567"


# What would send a download elsewhere, or another way.
VARIABLES = ("HF_TOKEN", "HF_HUB_OFFLINE", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


class FileServer:
    """Serves `files`: paths and bytes. What it does wrong is in its attributes.

    `asked` holds method, path and headers of every request.
    """

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.redirects: dict[str, str] = {}
        self.statuses: dict[str, int] = {}
        self.errors: dict[str, str] = {}  # the Hub's X-Error-Code
        self.sums: dict[str, str] = {}  # the declared checksum, where it is not the right one
        self.breaks: list[int] = []  # bytes after which each next answer breaks off
        self.stall_after: int | None = None
        self.stalled = threading.Event()
        self.release = threading.Event()
        self.ranges = True
        self.lengths = True
        self.etag = '"one"'
        self.asked: list[tuple[str, str, dict[str, str]]] = []
        handler = type("Handler", (_Handler,), {"table": self})
        self._server = _Server(("127.0.0.1", 0), handler)

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def offer(self, repo: str, name: str, data: bytes) -> None:
        """A file of a repository, at the addresses that the Hub has for it."""
        for revision in ("main", COMMIT):
            self.files[f"/{repo}/resolve/{revision}/{name}"] = data

    def headers_of(self, method: str) -> list[dict[str, str]]:
        """The headers of every request of a method."""
        return [headers for asked, _, headers in self.asked if asked == method]

    @contextlib.contextmanager
    def running(self) -> Iterator["FileServer"]:
        """Serve until the end of the block."""
        thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield self
        finally:
            self.release.set()
            self._server.shutdown()
            thread.join()
            self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        """A client that leaves is what these tests are about."""


class _Handler(BaseHTTPRequestHandler):
    table: FileServer
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def do_HEAD(self) -> None:
        self._note()
        self._answer(body=False)

    def do_GET(self) -> None:
        self._note()
        self._answer(body=True)

    def _note(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.table.asked.append((self.command, self.path, headers))

    def _answer(self, *, body: bool) -> None:
        table, path = self.table, self.path
        if path in table.redirects and body:
            self._head(302, {"Location": table.redirects[path], "Content-Length": "0"})
        elif path in table.statuses or path not in table.files:
            more = {"X-Error-Code": table.errors[path]} if path in table.errors else {}
            self._head(table.statuses.get(path, 404), {"Content-Length": "0", **more})
        else:
            self._send(table.files[path], body=body)

    def _send(self, data: bytes, *, body: bool) -> None:
        table = self.table
        declared = table.sums.get(self.path) or hashlib.sha256(data).hexdigest()
        headers = {"ETag": table.etag, "Accept-Ranges": "bytes"}
        if "/resolve/" in self.path:
            headers |= {
                "X-Repo-Commit": COMMIT,
                "X-Linked-Etag": f'"{declared}"',
                "X-Linked-Size": str(len(data)),
            }
        first = self._first(data)
        if first is not None and first >= len(data):
            self._head(416, {"Content-Range": f"bytes */{len(data)}", "Content-Length": "0"})
            return
        rest = data[first or 0 :]
        headers |= {"Content-Length": str(len(rest))} if table.lengths else {"Connection": "close"}
        if first is not None:
            headers["Content-Range"] = f"bytes {first}-{len(data) - 1}/{len(data)}"
        self._head(200 if first is None else 206, headers)
        if body:
            self._write(rest)

    def _first(self, data: bytes) -> int | None:
        """Where the answer begins; None for the whole file."""
        asked = self.headers.get("Range")
        wanted = self.headers.get("If-Range")
        if not asked or not self.table.ranges or wanted not in {None, self.table.etag}:
            return None
        return int(asked.removeprefix("bytes=").split("-")[0])

    def _write(self, data: bytes) -> None:
        table = self.table
        if table.breaks:
            self.wfile.write(data[: table.breaks.pop(0)])
            self.wfile.flush()
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
        elif table.stall_after is not None:
            self.wfile.write(data[: table.stall_after])
            self.wfile.flush()
            table.stalled.set()
            table.release.wait()
            self.wfile.write(data[table.stall_after :])
        else:
            self.wfile.write(data)
            self.close_connection = self.close_connection or not table.lengths

    def _head(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()


@contextlib.contextmanager
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[FileServer]:
    """A server that stands where downloads come from, with nothing on the way."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    with FileServer().running() as running:
        monkeypatch.setenv("HF_ENDPOINT", running.url)
        yield running
