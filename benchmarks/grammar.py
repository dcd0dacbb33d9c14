"""What grammars are worth on the embedded model: valid and exact calls, and what they cost.

    PYTHONPATH=tests python benchmarks/grammar.py [--model GGUF]

Each request is put to the model with the six default tools and the beginning of a call, so that
it must call something: freely, under the schema grammar and under the span grammar. Then the
time to build each grammar for a conversation of about 8,000 tokens.
"""

import argparse
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from quillon.assist.chat import SYSTEM_PROMPT
from quillon.engine.base import Constraint, Delta, Request, Sampling, Segment
from quillon.engine.llama import Model, start_backend
from quillon.engine.llama_sampler import Grammar
from quillon.engine.models import EMBEDDED
from quillon.prompt.dialects import Dialect
from quillon.prompt.grammar import schema_constraint
from quillon.prompt.messages import Message
from quillon.prompt.pieces import CallPiece
from quillon.prompt.spans import span_constraint
from quillon.prompt.template import ChatTemplate
from quillon_testing.generation import Desk
from quillon_tools.calls import ToolCall
from quillon_tools.registry import default_tools
from quillon_tools.validator import make_validator

# (request, tool, arguments), in words that no generator of training data made.
REQUESTS: list[tuple[str, str, dict[str, Any]]] = [
    ("Where is parse_header defined?", "search_symbols", {"query": "parse_header"}),
    ("find the class SessionStore", "search_symbols", {"query": "SessionStore"}),
    ("Where can I find `flush_queue`?", "search_symbols", {"query": "flush_queue"}),
    ("what does rotate_keys do", "search_symbols", {"query": "rotate_keys"}),
    ("Explain HttpPool.acquire to me.", "search_symbols", {"query": "HttpPool.acquire"}),
    ("Show me the function to_snake_case", "search_symbols", {"query": "to_snake_case"}),
    ("Which file holds Ledger?", "search_symbols", {"query": "Ledger"}),
    ("where is MAX_RETRIES set", "search_symbols", {"query": "MAX_RETRIES"}),
    ("Open lib/mailer.py", "read_file", {"path": "lib/mailer.py"}),
    ("Show src/store/index.ts please", "read_file", {"path": "src/store/index.ts"}),
    ("read config/settings.toml", "read_file", {"path": "config/settings.toml"}),
    (
        "Show lines 30 to 48 of app/queue.py",
        "read_file",
        {"path": "app/queue.py", "start_line": 30, "end_line": 48},
    ),
    (
        "print lines 5-9 of main.go",
        "read_file",
        {"path": "main.go", "start_line": 5, "end_line": 9},
    ),
    ("Run the tests.", "run_tests", {}),
    ("run all tests again", "run_tests", {}),
    ("Run tests/test_mailer.py", "run_tests", {"target": "tests/test_mailer.py"}),
    (
        "Does tests/test_queue.py::test_order pass?",
        "run_tests",
        {"target": "tests/test_queue.py::test_order"},
    ),
    ("Please run the tests in tests/api", "run_tests", {"target": "tests/api"}),
    ("What is in lib?", "list_files", {"path": "lib"}),
    ("List the folder src/components", "list_files", {"path": "src/components"}),
    ("ls docs", "list_files", {"path": "docs"}),
    ("Which files are in app/views?", "list_files", {"path": "app/views"}),
    ("Are there errors in app/queue.py?", "get_diagnostics", {"path": "app/queue.py"}),
    ("Any warnings in lib/mailer.py?", "get_diagnostics", {"path": "lib/mailer.py"}),
    (
        "Show the diagnostics of src/store/index.ts",
        "get_diagnostics",
        {"path": "src/store/index.ts"},
    ),
    ("What errors are there?", "get_diagnostics", {}),
    ("Search for FIXME", "search_text", {"pattern": "FIXME"}),
    ('Where does "connection lost" come from?', "search_text", {"pattern": "connection lost"}),
    ("grep retry_after", "search_text", {"pattern": "retry_after"}),
    (
        "Search for timeout in lib/mailer.py",
        "search_text",
        {"pattern": "timeout", "path": "lib/mailer.py"},
    ),
    ("在哪里定义了 load_plugin？", "search_symbols", {"query": "load_plugin"}),
    ("打开 app/queue.py", "read_file", {"path": "app/queue.py"}),
]
DIALECT = Dialect("hermes", tag_tokens=True)
DEFINITIONS = [tool.definition("brief") for tool in default_tools()]
_RUNS = 25
Make = Callable[[list[str]], Constraint | None]
MODES: dict[str, Make] = {
    "free": lambda _texts: None,
    "schema grammar": lambda _texts: schema_constraint(DEFINITIONS, DIALECT),
    "span grammar": lambda texts: span_constraint(DEFINITIONS, DIALECT, texts),
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, default=EMBEDDED)
    options = parser.parse_args()
    start_backend()
    model = Model(options.model)
    desk = Desk(model)
    template = ChatTemplate(model.template)
    print(f"{len(REQUESTS)} requests, the call begun for the model, greedy")
    print(f"{'':15} {'valid':>7} {'tool':>7} {'exact':>7} {'ms a call':>10} {'ms to build':>12}")
    for name, make in MODES.items():
        print(row(name, [ask(desk, template, make, request) for request in REQUESTS]))
    desk.close()
    build_times(model)
    model.close()
    return 0


def ask(
    desk: Desk, template: ChatTemplate, make: Make, wanted: tuple[str, str, dict[str, Any]]
) -> Counter[str]:
    """What came of one request, as counts and times in milliseconds."""
    text, tool, arguments = wanted
    prompt = template.render([Message("system", SYSTEM_PROMPT), Message("user", text)], DEFINITIONS)
    started = time.perf_counter()
    constraint = make([text])
    built = time.perf_counter()
    # The grammar covers the opening tag; without one, the prompt holds it.
    opening = () if constraint else (Segment("<tool_call>", trusted=True),)
    held = Constraint(constraint.grammar) if constraint else None
    run = desk.run(
        Request(
            prompt=(*prompt, *opening),
            sampling=Sampling(),
            max_tokens=160,
            constraint=held,
            cache_key="benchmark",
        )
    )
    ended = time.perf_counter()
    call = read(("" if constraint else "<tool_call>") + run.text)
    schemas = {d["function"]["name"]: d["function"]["parameters"] for d in DEFINITIONS}
    valid = (
        call is not None
        and call.name in schemas
        and make_validator(schemas[call.name]).is_valid(call.arguments)
    )
    named = call is not None and call.name == tool
    exact = named and call is not None and call.arguments == arguments
    result: Counter[str] = Counter(valid=int(valid), tool=int(named), exact=int(exact))
    result["build"] = round((built - started) * 1e6)
    result["call"] = round((ended - started) * 1e6)
    return result


def read(text: str) -> ToolCall | None:
    """The first call of an answer."""
    parser = Dialect("hermes").parser(DEFINITIONS)
    pieces = parser.feed(Delta(text)) + parser.finish()
    return next((piece.call for piece in pieces if isinstance(piece, CallPiece)), None)


def row(name: str, results: list[Counter[str]]) -> str:
    shares = [sum(r[key] for r in results) / len(results) for key in ("valid", "tool", "exact")]
    call, build = (statistics.median(r[key] for r in results) / 1e3 for key in ("call", "build"))
    percents = " ".join(f"{share:7.0%}" for share in shares)
    return f"{name:15} {percents} {call:10.1f} {build:12.2f}"


def build_times(model: Model) -> None:
    """The cost of grammars for a long conversation, in Python and in llama.cpp."""
    source = Path(argparse.__file__).read_text("utf-8")
    texts = ["Why does `add_argument` in lib/argparse.py:1400 fail?"]
    while model.count(" ".join(texts)) < 8000:
        texts.append(source[len(" ".join(texts)) :][:6000])
    tokens = model.count(" ".join(texts))
    paths = tuple(f"src/package_{n % 40}/module_{n}.py" for n in range(2000))
    takers = ("read_file", "list_files", "search_text", "get_diagnostics")
    live = {(tool, "path"): paths for tool in takers}
    print(
        f"\nto build, for a conversation of {tokens} tokens (fastest of {_RUNS}, ms of processor)"
    )
    print(f"{'':18} {'build':>24} {'llama.cpp':>24} {'bytes':>24}")
    kinds = ("hermes", "function_xml", "json")
    print(f"{'':18} {' '.join(f'{kind:>7.7}' for kind in kinds * 3)}")
    for name, make in {
        "schema": lambda dialect: schema_constraint(DEFINITIONS, dialect),
        "schema, live paths": lambda dialect: schema_constraint(DEFINITIONS, dialect, live=live),
        "span": lambda dialect: span_constraint(DEFINITIONS, dialect, texts),
        "span, live paths": lambda dialect: span_constraint(DEFINITIONS, dialect, texts, live=live),
    }.items():
        costs = [build_cost(model, partial(make, Dialect(kind))) for kind in kinds]
        builds, parses, sizes = zip(*costs, strict=True)
        times = " ".join(f"{1e3 * seconds:7.1f}" for seconds in (*builds, *parses))
        print(f"{name:18} {times} {' '.join(f'{size:7}' for size in sizes)}")


def build_cost(model: Model, make: Callable[[], Constraint | None]) -> tuple[float, float, int]:
    """Seconds of the processor to write a grammar and to parse it, and its bytes."""
    builds, parses, size = [], [], 0
    for _ in range(_RUNS):
        started = time.thread_time()
        made = make()
        builds.append(time.thread_time() - started)
        if made is not None:
            started = time.thread_time()
            Grammar(model, made.grammar).close()
            parses.append(time.thread_time() - started)
            size = len(made.grammar.encode())
    # Other work on the machine only ever adds to it.
    return min(builds), min(parses, default=0.0), size


if __name__ == "__main__":
    sys.exit(main())
