"""Feeds the reader of tool calls malformed answers: nothing may raise, hang or depend on chunks.

    python benchmarks/fuzz_calls.py [--count 1000000] [--seed 1] [--jobs 2]

Inputs are calls of every dialect, mutated, and heaps of the fragments that calls are made of.
Each is read whole and in random chunks, once as plain text and once as tokens whose tags are
special. Prints counts and exits 1 at the first finding, which it prints, too.
"""

import argparse
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed

from quillon.engine.base import Delta, Token
from quillon.prompt.parser import CallParser
from quillon.prompt.pieces import BrokenCallPiece, CallPiece, Piece, TextPiece

FRAGMENTS = [
    *("<tool_call>", "</tool_call>", "<think>", "</think>", "<function=", "</function>"),
    *("<function=f>", "<parameter=a>", "</parameter>", "<parameter=", ">", "<", "</", "/"),
    *("```", "```json\n", "`", "\n", " ", "\t", "\r\n", "{", "}", "[", "]", ":", ",", '"', "'"),
    *("\\", '\\"', "\\n", "\\u00e9", "\\ud800", "\\x", "\x00", "\x1b", "é", "日本", "😀", "\u2028"),
    *('{"name": "f", "arguments": {}}', '{"name": "f", "arguments": {"a": 1}}', '"name"'),
    *('"arguments"', '"tool_call"', '"tool_calls"', '"parameters"', "null", "true", "NaN", "1e999"),
    *(
        "<tool>",
        "</tool>",
        "<function_call>",
        "<json>",
        "<|im_end|>",
        "<tool_response>",
        "-0",
        "007",
    ),
    *("The answer is ", "I call read_file: ", "{'name': 'f', 'arguments': {}}", "True", "None"),
]
TAGS = ("<tool_call>", "</tool_call>", "<think>", "</think>")
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": name,
            "parameters": {
                "type": "object",
                "properties": {"a": {"type": "integer"}, "path": {"type": "string"}},
            },
        },
    }
    for name in ("f", "read_file")
]


def inputs(seed: int) -> Iterator[str]:
    """Answers without end, the same ones for the same seed."""
    rng = random.Random(seed)  # noqa: S311 - the same inputs again, no secrets
    while True:
        kind = rng.random()
        if kind < 0.4:
            yield "".join(rng.choices(FRAGMENTS, k=rng.randint(1, 14)))
        else:
            parts = [_call(rng) for _ in range(rng.randint(1, 3))]
            text = rng.choice(["", "Let me look.\n", "\n", "```\n"]).join(["", *parts])
            for _ in range(rng.choice([0, 1, 1, 2, 4])):
                text = _mutated(rng, text)
            yield text


def _call(rng: random.Random) -> str:
    name = rng.choice(["f", "read_file", "nope", "", 'a"b', "名"])
    arguments = {
        rng.choice(["a", "path", "x y", ""]): rng.choice(
            [1, -5, 1.5, True, None, "a.py", "}</tool_call>", "é\n", [1, [2]], {"k": "v"}, "'"]
        )
        for _ in range(rng.randint(0, 3))
    }
    spaces = rng.choice([None, 2])
    payload = {"name": name, rng.choice(["arguments", "arguments", "parameters"]): arguments}
    text = json.dumps(payload, ensure_ascii=rng.random() < 0.5, indent=spaces)
    forms = [
        f"<tool_call>\n{text}\n</tool_call>",
        f"<tool_call>{text}</tool_call>",
        f"```json\n{text}\n```",
        text,
        f'{{"tool_call": {text}}}',
        f'{{"tool_calls": [{text}, {text}]}}',
        f"<tool_call>\n{_xml(name, arguments)}\n</tool_call>",
        _xml(name, arguments),
        f"<think>{text}</think>",
        f"[{text}]",
    ]
    return rng.choice(forms)


def _xml(name: str, arguments: dict[str, object]) -> str:
    values = "".join(
        f"<parameter={key}>\n{text}\n</parameter>\n"
        for key, value in arguments.items()
        for text in [value if isinstance(value, str) else json.dumps(value)]
    )
    return f"<function={name}>\n{values}</function>"


def _mutated(rng: random.Random, text: str) -> str:
    at = rng.randint(0, len(text))
    end = min(len(text), at + rng.randint(1, 12))
    kind = rng.randint(0, 5)
    if kind == 0:
        return text[:at] + text[end:]
    if kind == 1:
        return text[:at] + rng.choice(FRAGMENTS) + text[at:]
    if kind == 2:
        return text[:at] + rng.choice(FRAGMENTS) + text[end:]
    if kind == 3:
        return text[:end] + text[at:]
    if kind == 4:
        return text[:at]
    other = rng.randint(0, len(text))
    return text[:at] + text[other : other + 20] + text[at:]


def chunks(rng: random.Random, text: str) -> list[str]:
    """The text cut at random places, often into single characters."""
    longest = rng.choice([1, 1, 2, 5, 40])
    cut: list[str] = []
    at = 0
    while at < len(text):
        size = rng.randint(1, longest)
        cut.append(text[at : at + size])
        at += size
    return cut


def deltas(parts: list[str]) -> list[Delta]:
    """The parts as an engine hands them out, tags as special tokens."""
    made: list[Delta] = []
    for part in parts:
        rest = part
        while rest:
            found = [(at, tag) for tag in TAGS if (at := rest.find(tag)) >= 0]
            at, tag = min(found, default=(len(rest), ""))
            for text, special in ((rest[:at], False), (tag, True)):
                if text:
                    data = text.encode("utf-8", "replace")
                    made.append(Delta(text, (Token(1, data, special=special),)))
            rest = rest[at + len(tag) :]
    return made


def read(parts: list[Delta], settings: dict[str, bool], reason: str) -> list[tuple[object, ...]]:
    """The pieces of an answer, neighbours joined and ids left out."""
    parser = CallParser(tools=TOOLS if settings["tools"] else None, **_only_parser(settings))
    pieces: list[Piece] = []
    for part in parts:
        pieces += parser.feed(part)
    pieces += parser.finish(reason)
    return joined(pieces)


def _only_parser(settings: dict[str, bool]) -> dict[str, bool]:
    return {key: value for key, value in settings.items() if key != "tools"}


def joined(pieces: list[Piece]) -> list[tuple[object, ...]]:
    """Pieces as comparable values."""
    made: list[tuple[object, ...]] = []
    for piece in pieces:
        if isinstance(piece, CallPiece):
            made.append(("call", piece.call.name, repr(piece.call.arguments), piece.repair))
        elif isinstance(piece, BrokenCallPiece):
            made.append(("broken", piece.name, piece.raw))
        else:
            kind = "text" if isinstance(piece, TextPiece) else "reasoning"
            if made and made[-1][0] == kind:
                made[-1] = (kind, f"{made[-1][1]}{piece.text}")
            else:
                made.append((kind, piece.text))
    return made


def finding(text: str, rng: random.Random) -> tuple[str | None, Counter[str]]:
    """What is wrong with how an answer is read, and what was read."""
    settings = {
        "tools": rng.random() < 0.7,
        "tag_tokens": rng.random() < 0.3,
        "anywhere": rng.random() < 0.3,
        "reasoning": rng.random() < 0.1,
    }
    reason = rng.choice(["stop", "stop", "stop", "length", "cancelled"])
    cut = chunks(rng, text)
    if settings["tag_tokens"]:
        # The tags must be cut alike: a token is a token.
        pieces = deltas([text])
        whole = read(pieces, settings, reason)
        parts = read([half for delta in pieces for half in _halves(rng, delta)], settings, reason)
    else:
        whole = read([Delta(text)] if text else [], settings, reason)
        parts = read([Delta(part) for part in cut], settings, reason)
    counts = Counter(str(piece[0]) for piece in whole)
    if whole != parts:
        return f"it depends on the chunks ({settings}, {reason}):\n{whole}\n{parts}", counts
    kept = "".join(str(piece[-1]) for piece in whole if piece[0] in {"text", "reasoning"})
    if not _is_subsequence(kept, text):
        return f"text appears that was not there ({settings}):\n{whole}", counts
    return None, counts


def _halves(rng: random.Random, delta: Delta) -> list[Delta]:
    if delta.tokens[0].special:
        return [delta]
    data = delta.text.encode("utf-8", "replace")
    at = rng.randint(0, len(data))
    tokens = tuple(Token(1, part) for part in (data[:at], data[at:]) if part)
    try:
        first = data[:at].decode()
    except UnicodeDecodeError:
        return [Delta(delta.text, tokens)]  # a token that ends inside a character waits
    parts = [
        Delta(text, (Token(1, text.encode()),)) for text in (first, data[at:].decode()) if text
    ]
    return parts or [delta]


def _is_subsequence(part: str, whole: str) -> bool:
    rest = iter(whole)
    return all(char in rest for char in part)


def run(job: tuple[int, int]) -> tuple[str | None, Counter[str], float]:
    """Read `count` answers of a seed; the first finding, counts and the longest time of one."""
    seed, count = job
    rng = random.Random(seed)  # noqa: S311 - the same inputs again, no secrets
    total: Counter[str] = Counter()
    slowest = 0.0
    for number, text in zip(range(count), inputs(seed), strict=False):
        started = time.thread_time()
        try:
            wrong, counts = finding(text, rng)
        except Exception as error:  # noqa: BLE001 - any exception at all is what is looked for
            return f"{error!r}\nseed {seed}, number {number}: {text!r}", total, slowest
        slowest = max(slowest, time.thread_time() - started)
        total += counts
        total["answers"] += 1
        if wrong:
            return f"{wrong}\nseed {seed}, number {number}: {text!r}", total, slowest
    return None, total, slowest


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    share = 2_000
    jobs = [
        (options.seed + at, min(share, options.count - at * share))
        for at in range((options.count + share - 1) // share)
    ]
    total: Counter[str] = Counter()
    slowest = 0.0
    started = time.perf_counter()
    # A worker that dies ends the run with an error.
    with ProcessPoolExecutor(options.jobs) as pool:
        for done in as_completed([pool.submit(run, job) for job in jobs]):
            wrong, counts, longest = done.result()
            total += counts
            slowest = max(slowest, longest)
            if wrong:
                pool.shutdown(cancel_futures=True)
                print(wrong)
                return 1
            if total["answers"] % 100_000 == 0:
                print(f"{total['answers']} answers so far, none raised", flush=True)
    seconds = time.perf_counter() - started
    print(f"{total['answers']} malformed answers read in {seconds:.0f} s, none raised")
    print(
        f"found in them: {total['call']} calls, {total['broken']} broken calls, "
        f"{total['text']} texts, {total['reasoning']} blocks of reasoning"
    )
    print(f"slowest answer: {slowest * 1000:.1f} ms of the processor")
    return 0


if __name__ == "__main__":
    sys.exit(main())
