"""What a keystroke costs: didChange on a 10,000-line Python file.

    python benchmarks/documents.py [--lines N] [--keys N]

Prints median and 99th percentile in milliseconds, each measured in this run on this machine:

* the session alone: the change, the line index, and the tree of the new text;
* the whole message, from its JSON to the session;
* the peer: what pygls does for the same message with its own text documents.
"""

import argparse
import asyncio
import json
import logging
import random
import statistics
import time
from collections.abc import Callable, Iterator

from pygls.lsp.server import LanguageServer

from quillon.capabilities import ClientCapabilities
from quillon.features import documents, lifecycle
from quillon.rpc import QuillonServer
from quillon.session import Session
from quillon.text import Change, Position

URI = "file:///bench/big.py"
CODE = "        total = self.compute(value, other)  # add\n"


def python_source(lines: int) -> str:
    """A file of classes and methods, `lines` lines long."""
    parts: list[str] = ["import os\n", "\n"]
    number = 0
    while len(parts) < lines:
        number += 1
        if number % 10 == 1:
            parts += ["\n", f"class Thing{number}:\n", f'    """Thing {number}."""\n', "\n"]
        parts += [
            f"    def method_{number}(self, value: int, other: str = 'x') -> int:\n",
            f"        if value > {number}:\n",
            "            return self.compute([item for item in range(value)], other)\n",
            f"        return {number}\n",
            "\n",
        ]
    kept = parts[:lines]
    while not kept[-1].startswith("        return"):  # not in the middle of a method
        kept[-1] = "\n"
        kept.insert(0, kept.pop())
    return "".join(kept)


class Key:
    """A key at a place: the character goes in at line and column."""

    def __init__(self, line: int, column: int, text: str) -> None:
        self.line, self.column, self.text = line, column, text

    def message(self, version: int) -> str:
        place = {"line": self.line, "character": self.column}
        params = {
            "textDocument": {"uri": URI, "version": version},
            "contentChanges": [{"range": {"start": place, "end": place}, "text": self.text}],
        }
        return _message("textDocument/didChange", params)


def typing(source: str, keys: int) -> Iterator[Key]:
    """Somebody types statements into methods, from the end of the file to its start."""
    bodies = [n for n, line in enumerate(source.split("\n")) if line.startswith("        return")]
    chance = random.Random(7)  # noqa: S311 - places, no secrets
    places = chance.sample(bodies, min(len(bodies), keys // len(CODE) + 1))
    left = keys
    for line in sorted(places, reverse=True):
        yield Key(line, 0, "\n")
        for column, char in enumerate(CODE.rstrip()[: left - 1]):
            yield Key(line, column, char)
        left -= len(CODE)


def measure(keys: list[Key], act: Callable[[int, Key], None]) -> list[float]:
    times = []
    for version, key in enumerate(keys, 2):
        started = time.perf_counter()
        act(version, key)
        times.append((time.perf_counter() - started) * 1e3)
    return times


def session_alone(source: str, keys: list[Key], *, tree: bool) -> list[float]:
    session = Session(client=ClientCapabilities(encoding="utf-16"))
    opened = session.open(URI, "python", 1, source)
    if tree:
        assert opened.tree is not None

    def act(version: int, key: Key) -> None:
        place = Position(key.line, key.column)
        snapshot = session.change(URI, version, [Change(key.text, (place, place))])
        assert snapshot is not None
        if tree:
            assert snapshot.tree is not None

    return measure(keys, act)


def unused(*_: object) -> None:
    raise AssertionError("documents need neither an engine nor conversations")


class Feed:
    """A server with the file open, fed with messages as a client writes them."""

    def __init__(self, server: LanguageServer, source: str) -> None:
        self._protocol = server.protocol
        self._protocol.set_writer(self, include_headers=False)
        initialize = {"processId": None, "rootUri": None, "capabilities": {}}
        self.send(_message("initialize", initialize, id=1))
        item = {"uri": URI, "languageId": "python", "version": 1, "text": source}
        self.send(_message("textDocument/didOpen", {"textDocument": item}))

    def send(self, text: str) -> None:
        self._protocol.handle_message(self._protocol.structure_message(json.loads(text)))

    def write(self, data: bytes) -> None:
        """Answers are of no interest."""


def _message(method: str, params: object, **more: object) -> str:
    return json.dumps({"jsonrpc": "2.0", "method": method, "params": params, **more})


def through_messages(source: str, keys: list[Key], server: LanguageServer) -> list[float]:
    feed = Feed(server, source)
    messages = [key.message(version) for version, key in enumerate(keys, 2)]
    return measure(keys, lambda version, _: feed.send(messages[version - 2]))


def quillon_server() -> QuillonServer:
    server = QuillonServer(Session(), unused, unused, {})
    documents.register(server)
    lifecycle.register(server)
    return server


def pygls_server() -> LanguageServer:
    return LanguageServer("peer", "1")


def report(name: str, times: list[float], against: list[float] | None = None) -> None:
    ordered = sorted(times)
    median = statistics.median(ordered)
    high = ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
    ratio = f"   {high / _high(against):.2f} of pygls" if against is not None else ""
    print(f"{name:<42} p50 {median:7.3f} ms   p99 {high:7.3f} ms{ratio}")


def _high(times: list[float]) -> float:
    return sorted(times)[min(len(times) - 1, int(len(times) * 0.99))]


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lines", type=int, default=10_000)
    parser.add_argument("--keys", type=int, default=1_000)
    options = parser.parse_args()
    source = python_source(options.lines)
    keys = list(typing(source, options.keys))
    print(f"{options.lines} lines, {len(source) / 1e3:.0f} kB of Python, {len(keys)} keys\n")
    logging.disable(logging.CRITICAL)
    peer = through_messages(source, keys, pygls_server())
    report("pygls: the message, its own text document", peer)
    report("session: text and line index", session_alone(source, keys, tree=False), peer)
    report("session: and the tree, asked for at once", session_alone(source, keys, tree=True), peer)
    report("quillon: the message", through_messages(source, keys, quillon_server()), peer)


if __name__ == "__main__":
    asyncio.run(main())
