"""Tokens per second through the whole stack, and how soon a cancelled answer leaves it idle.

    python benchmarks/random_gguf.py 0.6b /tmp/random-0.6b.gguf
    python benchmarks/chat_stream.py /tmp/random-0.6b.gguf

Ours is what an editor gets: `quillon/chat` over standard streams, timed by the client from the
first piece of the answer to the last. The peer is llama.cpp as llama-bench measures it (its `tg`
at a depth): one `llama_decode` after the other, in this process, at the same depth and with the
same threads. Rounds of both alternate in one run, so that what else the machine does slows both
alike; the median of the rounds' ratios is the result.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from decode import BareDecode

from quillon.engine.llama import Model, start_backend
from quillon_testing.stdio_server import RawServer, raw_server
from quillon_tools.registry import all_tools

QUILLON = {"experimental": {"quillon": {"chat": True}}}


async def main() -> None:
    """Alternate rounds of both sides and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("--tokens", type=int, default=64, help="tokens of an answer")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--words", type=int, default=100, help="length of the question")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    start_backend()
    model = Model(options.model)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "workspace"
        folder.mkdir()
        async with raw_server(folder, settings=settings(options)) as server:
            await server.initialize(rootUri=folder.as_uri(), capabilities=QUILLON)
            await measure(server, model, options)


def settings(options: argparse.Namespace) -> dict[str, Any]:
    """The model under test with its default sampling, and no tools in the prompt."""
    threads = {"threads": options.threads, "batchThreads": 2}
    return {
        "model": {"path": str(options.model.absolute()), "contextSize": 4096, **threads},
        "chat": {"maxTokens": options.tokens},
        "tools": {"disabled": [tool.name for tool in all_tools()]},
    }


async def measure(server: RawServer, model: Model, options: argparse.Namespace) -> None:
    """The rounds, then the cancelled answer."""
    question = " ".join(f"word{n}" for n in range(options.words))
    warm = await turn(server, question)
    depth = warm["promptTokens"]
    print(f"depth {depth}, {options.tokens} tokens a round", flush=True)
    bare = BareDecode(model, depth, options.tokens, options.threads)
    ratios, ours, peers = [], [], []
    for _ in range(options.rounds):
        result = await turn(server, question)
        ours.append(result["speed"])
        peers.append(await asyncio.to_thread(bare_speed, bare, options.tokens))
        ratios.append(ours[-1] / peers[-1])
        print(
            f"  {ours[-1]:7.2f} tokens/s, llama.cpp {peers[-1]:7.2f}, {ratios[-1]:.3f}", flush=True
        )
    bare.close()
    print(
        f"chat stream {statistics.median(ours):.2f} tokens/s, llama.cpp "
        f"{statistics.median(peers):.2f}; ratio {statistics.median(ratios):.3f} "
        "(median of the rounds), wanted: 0.95 or more"
    )
    await cancelled(server, question, 1 / statistics.median(ours))


async def turn(server: RawServer, question: str) -> dict[str, Any]:
    """One answer: its usage and the client's tokens per second."""
    params = {"text": question, "partialResultToken": "t"}
    number = server.request("quillon/chat", params)
    stamps: list[float] = []
    while True:
        message = await server.read()
        if message.get("method") == "$/progress" and message["params"]["value"]["kind"] == "text":
            stamps.append(time.perf_counter())
        if message.get("id") == number:
            break
    usage: dict[str, Any] = message["result"]["usage"]
    seconds = stamps[-1] - stamps[0]
    # The first piece is one token at least; the pieces of split characters are rare.
    return {**usage, "speed": (usage["completionTokens"] - 1) / seconds}


def bare_speed(bare: BareDecode, tokens: int) -> float:
    """Tokens per second of llama.cpp alone."""
    began = time.perf_counter()
    for _ in range(tokens):
        bare.step()
    speed = tokens / (time.perf_counter() - began)
    bare.rewind()
    return speed


async def cancelled(server: RawServer, question: str, token_seconds: float) -> None:
    """From `$/cancelRequest` to a status that says the engine is idle again."""
    params = {"text": question, "partialResultToken": "t"}
    number = server.request("quillon/chat", params)
    await server.until(lambda m: m.get("method") == "$/progress")
    began = time.perf_counter()
    server.notify("$/cancelRequest", {"id": number})
    await server.response(number)
    while (await server.call("quillon/status/get"))["result"]["state"] != "ready":
        pass
    took = time.perf_counter() - began
    print(
        f"cancel to idle {1000 * took:.0f} ms; one token takes {1000 * token_seconds:.0f} ms "
        "(wanted: one token, or 50 ms of prefill if that is longer)"
    )


if __name__ == "__main__":
    asyncio.run(main())
