"""Reading a model's answer in a test: text in, plain tuples out, whatever the chunks."""

from collections.abc import Iterator, Sequence
from typing import Any

from quillon.engine.base import Delta, Token
from quillon.prompt.parser import CallParser
from quillon.prompt.pieces import BrokenCallPiece, CallPiece, Piece, TextPiece

TAGS = ("<tool_call>", "</tool_call>", "<think>", "</think>")


def definition(name: str, properties: dict[str, Any] | None = None, *required: str) -> Any:
    """A tool in OpenAI's function form."""
    schema: dict[str, Any] = {"type": "object", "properties": properties or {}}
    if required:
        schema["required"] = list(required)
    return {
        "type": "function",
        "function": {"name": name, "description": f"Does {name}.", "parameters": schema},
    }


def read(
    deltas: Sequence[Delta | str], *, reason: Any = "stop", **settings: Any
) -> list[tuple[Any, ...]]:
    """The pieces of an answer; texts that follow each other are one."""
    parser = CallParser(**settings)
    pieces: list[Piece] = []
    for delta in deltas:
        pieces += parser.feed(Delta(delta) if isinstance(delta, str) else delta)
    return joined(pieces + parser.finish(reason))


def joined(pieces: Sequence[Piece]) -> list[tuple[Any, ...]]:
    """Pieces as tuples: ("text", text), ("think", text), ("call", name, arguments), ..."""
    made: list[tuple[Any, ...]] = []
    for piece in pieces:
        if isinstance(piece, CallPiece):
            call = ("call", piece.call.name, piece.call.arguments)
            made.append((*call, piece.repair) if piece.repair else call)
        elif isinstance(piece, BrokenCallPiece):
            made.append(("broken", piece.raw, piece.problem))
        else:
            kind = "text" if isinstance(piece, TextPiece) else "think"
            if made and made[-1][0] == kind:
                made[-1] = (kind, made[-1][1] + piece.text)
            else:
                made.append((kind, piece.text))
    return made


def splits(text: str) -> Iterator[list[str]]:
    """Every way to cut a text in two, and the text character by character."""
    yield list(text)
    for at in range(1, len(text)):
        yield [text[:at], text[at:]]


def as_tokens(text: str, size: int = 3) -> list[Delta]:
    """A text as an engine streams it: tags are special tokens, all else tokens of `size` bytes.

    A token that ends inside a character comes with the rest of the character.
    """
    deltas: list[Delta] = []
    rest = text
    while rest:
        found = [(at, tag) for tag in TAGS if (at := rest.find(tag)) >= 0]
        at, tag = min(found, default=(len(rest), ""))
        deltas += _plain(rest[:at], size)
        if tag:
            deltas.append(Delta(tag, (Token(7, tag.encode(), special=True),)))
        rest = rest[at + len(tag) :]
    return deltas


def plainly(text: str, size: int = 3) -> list[Delta]:
    """A text in which nothing is a special token, as an engine streams it."""
    return list(_plain(text, size))


def _plain(text: str, size: int) -> Iterator[Delta]:
    data, waiting, pending = text.encode(), [], b""
    for at in range(0, len(data), size):
        part = data[at : at + size]
        waiting.append(Token(1, part))
        pending += part
        whole = pending.decode("utf-8", "ignore")
        if whole.encode() == pending:
            yield Delta(whole, tuple(waiting))
            waiting, pending = [], b""


TOOLS = [
    definition("find", {"query": {"type": "string"}}, "query"),
    definition("lines", {"path": {"type": "string"}, "count": {"type": "integer"}}, "path"),
    definition("now"),
]
FIND = ("call", "find", {"query": "x"})
LINES = ("call", "lines", {"path": "a.py", "count": 3})
NOW = ("call", "now", {})


def check_read(text: str, expected: list[tuple[Any, ...]] | None, **settings: Any) -> None:
    """That an answer is read so, whole and in every chunking; None: all of it is text."""
    expected = [("text", text)] if expected is None else expected
    assert read([text], tools=TOOLS, **settings) == expected
    for parts in splits(text):
        assert read(parts, tools=TOOLS, **settings) == expected, parts
