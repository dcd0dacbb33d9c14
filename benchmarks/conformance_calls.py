"""Runs our reader over cases of `parse.jsonl` and `aux.jsonl`, and says how we differ."""

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from conformance_rules import (
    CLOSE,
    NO_FALSE,
    NO_NAME,
    NULL_TEXT,
    OPEN,
    WHOLE,
    Case,
    explain,
    squash,
)

from quillon.engine.base import Delta
from quillon.prompt.functionxml import XmlScanner
from quillon.prompt.jsonscan import JsonError, JsonScanner
from quillon.prompt.parser import CallParser
from quillon.prompt.pieces import BrokenCallPiece, CallPiece, Piece, ReasoningPiece, TextPiece
from quillon.prompt.reading import NotJsonError, loads
from quillon.prompt.states import understood
from quillon.prompt.values import value_of

AGREES = ""  # a verdict is empty, the sentences of rules, or begins with WRONG
WRONG = "wrong: "


def judge_parse(row: dict[str, Any]) -> str:
    """The verdict on a whole answer."""
    case, unstable = _case(row)
    if unstable:
        return f"{WRONG}the result depends on the chunks: {unstable}"
    if not case.differs:
        return AGREES
    sentences, left = explain(case)
    if left:
        found = f"{case.content!r}, {case.calls}"
        return f"{WRONG}{', '.join(sorted(left))} of {case.text!r}: {found}"
    return " ".join(sentences)


def judge_unit(row: dict[str, Any]) -> str:
    """The verdict on a smaller unit."""
    return _UNITS[row["level"]](row)


def _case(row: dict[str, Any]) -> tuple[Case, str]:
    text = row["input"]
    whole = _read(row, [text])
    unstable = ""
    for parts in _chunkings(row):
        if _read(row, parts) != whole:
            unstable = repr(parts)
    content = "".join(p[1] for p in whole if p[0] in {"text", "broken"})
    case = Case(
        row,
        content,
        "".join(p[1] for p in whole if p[0] == "reasoning"),
        [{"name": p[1], "arguments": p[2]} for p in whole if p[0] == "call"],
        [p[1] for p in whole if p[0] == "broken"],
        set(),
    )
    case.differs.update(_differences(case))
    return case, unstable


def _chunkings(row: dict[str, Any]) -> Iterator[list[str]]:
    text = row["input"]
    yield list(text)
    if row["chunks"] and "".join(row["chunks"]) == text:
        yield row["chunks"]
    step = max(1, len(text) // 200)
    for at in range(1, len(text), step):
        yield [text[:at], text[at:]]


def _read(row: dict[str, Any], parts: Sequence[str]) -> list[tuple[Any, ...]]:
    tools = row["tools"]
    parser = CallParser(
        tools=None if tools is None else [{"type": "function", "function": t} for t in tools],
        anywhere=row["dialect"] == "bare_json",
        reasoning=bool((row["options"] or {}).get("starts_in_reasoning")),
    )
    pieces: list[Piece] = []
    for part in parts:
        pieces += parser.feed(Delta(part))
    if not row["partial"]:
        pieces += parser.finish()
    return _joined(pieces)


def _joined(pieces: Sequence[Piece]) -> list[tuple[Any, ...]]:
    made: list[tuple[Any, ...]] = []
    for piece in pieces:
        if isinstance(piece, CallPiece):
            made.append(("call", piece.call.name, piece.call.arguments))
        elif isinstance(piece, BrokenCallPiece):
            made.append(("broken", piece.raw))
        elif isinstance(piece, (TextPiece, ReasoningPiece)):
            kind = "text" if isinstance(piece, TextPiece) else "reasoning"
            if made and made[-1][0] == kind:
                made[-1] = (kind, made[-1][1] + piece.text)
            else:
                made.append((kind, piece.text))
    return made


def _differences(case: Case) -> Iterator[str]:
    row = case.row
    if row["outcome"] == "either":
        return
    if row["outcome"] == "error":
        if case.calls and not case.broken:
            yield "outcome"
        return
    expected = row["expected_content"]
    if expected is not None and not _MATCHES[row["content_match"]](case.content, expected):
        yield "content"
    reasoning = row["expected_reasoning"]
    if reasoning is not None and reasoning.strip() != case.reasoning.strip():
        yield "reasoning"
    if row["expected_calls"] is not None and not _calls_match(case):
        yield "calls"


_MATCHES: dict[str, Callable[[str, str], bool]] = {
    "exact": lambda ours, expected: ours == expected,
    "strip": lambda ours, expected: ours.strip() == expected.strip(),
    "rstrip": lambda ours, expected: ours.rstrip() == expected.rstrip(),
    "contains": lambda ours, expected: expected in ours,
    "startswith": lambda ours, expected: ours.startswith(expected),
    "unchecked": lambda _ours, _expected: True,
}


def _calls_match(case: Case) -> bool:
    ours, expected = case.calls, case.expected_calls
    match = case.row["calls_match"]

    def fits(wanted: dict[str, Any], call: dict[str, Any]) -> bool:
        named = wanted["name"] is None or wanted["name"] == call["name"]
        return named and _arguments_match(case.row, wanted["arguments"], call["arguments"])

    if match == "first":
        return bool(ours) and fits(expected[0], ours[0])
    if match == "contains":
        return all(any(fits(wanted, call) for call in ours) for wanted in expected)
    if match == "contains_one":
        return sum(fits(expected[0], call) for call in ours) == 1
    return len(ours) == len(expected) and all(map(fits, expected, ours))


def _arguments_match(row: dict[str, Any], wanted: Any, found: dict[str, Any]) -> bool:
    kind = row["args_match"]
    if kind == "name_only" or (wanted is None and kind != "exact"):
        return True
    if kind == "exact":
        return same(wanted, found) and _types_match(row, found)
    if kind == "subset":
        return _holds(found, wanted)
    if kind == "contains":
        return all(str(value) in str(found.get(key)) for key, value in wanted.items())
    if kind == "serialized_contains":
        return squash(str(wanted)) in squash(json.dumps(found, ensure_ascii=False))
    return False  # text of arguments that are not complete


def _types_match(row: dict[str, Any], found: dict[str, Any]) -> bool:
    wanted = (row["options"] or {}).get("type_must_match")
    return wanted is None or all(type(value).__name__ == wanted for value in found.values())


def _holds(found: Any, wanted: Any) -> bool:
    if isinstance(wanted, dict):
        return isinstance(found, dict) and all(
            key in found and _holds(found[key], value) for key, value in wanted.items()
        )
    return same(found, wanted)


def same(one: Any, other: Any) -> bool:
    """Equality of JSON values: 1 is 1.0, and true is not 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def _judge_value(row: dict[str, Any]) -> str:
    kinds = row["options"]["schema_type"]
    schema = {"type": kinds} if kinds else {}
    found, wanted = value_of(row["input"], schema), row["expected_value"]
    if same(found, wanted):
        return AGREES
    if wanted is None and found == row["input"] and "string" in kinds:
        return NULL_TEXT
    if wanted is False and found == row["input"]:
        return NO_FALSE
    return f"{WRONG}{row['input']!r} as {kinds} is {found!r}, not {wanted!r}"


def _judge_arguments(row: dict[str, Any]) -> str:
    wanted = [call["arguments"] for call in row["expected_calls"]]
    if row["dialect"] == "qwen3_coder_xml":
        return _judge_parameters(row, wanted)
    pieces = _read({**row, "partial": False}, [row["input"]])
    found = [piece[2] for piece in pieces if piece[0] == "call"]
    if same(found[: len(wanted)], wanted):
        return AGREES
    if not found and '"name"' not in row["input"]:
        return NO_NAME
    if not found and row["input"].count("[") > row["input"].count("]"):
        return WHOLE
    return f"{WRONG}{row['input']!r}: {found}, not {wanted}"


def _judge_parameters(row: dict[str, Any], wanted: list[Any]) -> str:
    scanner = XmlScanner(None, tags_are_text=True)
    scanner.feed(row["input"])
    found = dict(scanner.reading("f", None).arguments)
    if same([found], wanted):
        return AGREES
    complete = {key: value for key, value in wanted[0].items() if key in found}
    partial = "partial=True" in str(row["options"])
    return WHOLE if partial and same(found, complete) else f"{WRONG}{found}, not {wanted}"


def _judge_segments(row: dict[str, Any]) -> str:
    wanted: dict[str, list[str]] = {"content": [], "thinking": [], "tool_raw": []}
    for step in row["expected_steps"]:
        for event in step["events"]:
            for kind, text in event.items():
                wanted[kind].append(text)
    as_parse = {
        **row,
        "tools": None,
        "chunks": [step["input"] for step in row["expected_steps"]],
        "partial": False,
        "outcome": "ok",
        "expected_content": "".join(wanted["content"]),
        "content_match": "strip",
        "expected_reasoning": "".join(wanted["thinking"]),
        # What stands between the tags is no call here, so that both sides have its text.
        "expected_calls": [{"name": _inner(text), "arguments": {}} for text in wanted["tool_raw"]],
        "calls_match": "exact",
        "args_match": "name_only",
    }
    case, unstable = _case(as_parse)
    if unstable:
        return f"{WRONG}the result depends on the chunks: {unstable}"
    inner = [call["name"] for call in case.calls] + [_inner(raw) for raw in case.broken]
    for raw in case.broken:
        case = case._replace(content=case.content.replace(raw, "", 1))
    case = case._replace(
        calls=[{"name": text, "arguments": {}} for text in inner], broken=[], differs=set()
    )
    case.differs.update(_differences(case))
    sentences, left = explain(case)
    if left:
        found = f"{case.content!r}, {case.reasoning!r}, {inner}"
        return f"{WRONG}{', '.join(sorted(left))} of {case.text!r}: {found}"
    return " ".join(sentences)


def _inner(raw: str) -> str:
    """What stands between the tags: the call's name, where it is one."""
    text = raw.removeprefix(OPEN).removesuffix(CLOSE).strip()
    try:
        readings, _ = understood(text)
    except NotJsonError:
        return text
    return readings[0].name or text


def _judge_healing(row: dict[str, Any]) -> str:
    text, wanted = row["input"], row["expected_healed"]
    try:
        value = loads(text)
    except NotJsonError:
        return _judge_cut(text)
    path = (row["options"] or {}).get("args_path")
    if path:
        dumped = json.dumps(value[path[0]], separators=(",", ":"), ensure_ascii=False)
        value = {**value, path[0]: dumped}
    return AGREES if same(value, wanted) else f"{WRONG}{text!r} is {value!r}, not {wanted!r}"


def _judge_cut(text: str) -> str:
    try:
        ended = JsonScanner(lenient=True).feed(text)
    except JsonError as error:
        return f"{WRONG}{text!r} may go on: {error}"
    return WHOLE if ended is None else f"{WRONG}{text!r} is not complete"


_UNITS: dict[str, Callable[[dict[str, Any]], str]] = {
    "value": _judge_value,
    "args": _judge_arguments,
    "segment": _judge_segments,
    "json_heal": _judge_healing,
}
