"""The language server itself: start, memory, code actions and edits on a 10,000-line file.

    python benchmarks/server.py

Peers, in the same run: a bare pygls server (for the start), and an empty request to our own server
(for what the pipe and the loop cost). Times are those of the client, pipe included.
"""

import asyncio
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from quillon_testing.stdio_server import RawServer, raw_server

LINES = 10_000
ROUNDS = 300
STARTS = 7
PEER = "from pygls.lsp.server import LanguageServer; LanguageServer('peer', '1').start_io()"


def source() -> str:
    """A Python file of 10,000 lines: classes with methods that differ."""
    lines: list[str] = []
    while len(lines) < LINES:
        n = len(lines)
        lines += [
            f"class Thing{n}:",
            f'    """Thing number {n}."""',
            "",
            f"    def method_{n}(self, first, second=None):",
            f"        if first > {n}:",
            f"            return self.other_{n}(second)",
            f"        return first + {n}",
            "",
            f"    def other_{n}(self, value):",
            "        return [item for item in range(value) if item % 2]",
            "",
            "",
        ]
    return "\n".join(lines[:LINES]) + "\n"


def percentiles(times: list[float]) -> str:
    """Median and 99th percentile in milliseconds."""
    ordered = sorted(times)
    return (
        f"p50 {1000 * statistics.median(ordered):6.2f} ms, "
        f"p99 {1000 * ordered[int(len(ordered) * 0.99)]:6.2f} ms"
    )


async def start_of_peer(folder: Path) -> float:
    """Seconds until a bare pygls server has answered `initialize`."""
    began = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-I",
        "-c",
        PEER,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        cwd=folder,
    )
    server = RawServer(process)
    await server.initialize()
    took = time.perf_counter() - began
    process.kill()
    await process.communicate()
    return took


async def start_of_ours(folder: Path) -> float:
    """Seconds until `quillon lsp` has answered `initialize`."""
    began = time.perf_counter()
    async with raw_server(folder) as server:
        await server.initialize()
        return time.perf_counter() - began


async def timed(server: RawServer, method: str, params: object) -> float:
    """Seconds of one request."""
    began = time.perf_counter()
    answer = await server.call(method, params)
    if "error" in answer:
        raise SystemExit(f"{method}: {json.dumps(answer['error'])}")
    return time.perf_counter() - began


async def measure(folder: Path) -> None:
    """Print everything."""
    ours = [await start_of_ours(folder) for _ in range(STARTS)]
    peers = [await start_of_peer(folder) for _ in range(STARTS)]
    mine, peer = statistics.median(ours), statistics.median(peers)
    print(f"initialize after process start: {1000 * mine:.0f} ms (wanted: under 400), ", end="")
    print(f"bare pygls {1000 * peer:.0f} ms, ratio {mine / peer:.2f}")

    async with raw_server(folder) as server:
        await server.initialize()
        uri = (folder / "big.py").as_uri()
        item = {"uri": uri, "languageId": "python", "version": 1, "text": source()}
        server.notify("textDocument/didOpen", {"textDocument": item})
        await server.call("quillon/status/get")
        memory = psutil.Process(server.process.pid).memory_info().rss / 1e6
        print(f"memory with the file open, without engine: {memory:.0f} MB (wanted: under 150)")

        empty = [await timed(server, "quillon/status/get", None) for _ in range(ROUNDS)]
        print(f"empty request:                 {percentiles(empty)}")

        actions = []
        for n in range(ROUNDS):
            line = (n * 31) % LINES
            place = {"line": line, "character": 4}
            params = {
                "textDocument": {"uri": uri},
                "range": {"start": place, "end": place},
                "context": {"diagnostics": []},
            }
            actions.append(await timed(server, "textDocument/codeAction", params))
        print(f"textDocument/codeAction:       {percentiles(actions)} (wanted: p99 under 10)")

        edits = []
        for n in range(ROUNDS):
            place = {"line": 5000 + n % 7, "character": 0}
            change = {"range": {"start": place, "end": place}, "text": "x"}
            document = {"uri": uri, "version": 2 + n}
            server.notify(
                "textDocument/didChange", {"textDocument": document, "contentChanges": [change]}
            )
            edits.append(await timed(server, "quillon/status/get", None))
        print(f"didChange and an empty request: {percentiles(edits)} (wanted: p99 under 5)")


def main() -> None:
    """Measure in a temporary folder."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "workspace"
        folder.mkdir()
        asyncio.run(measure(folder))


if __name__ == "__main__":
    main()
