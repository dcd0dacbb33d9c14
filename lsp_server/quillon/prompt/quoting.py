"""The grammar of a small model's answer about code that it was given: what it quotes stands there.

Asked for mistakes, a small model quotes lines that the code could have, and accuses them. Where an
answer begins with a quotation, that is a name in the code, or a line of it that can have one of the
mistakes of `claims.py`, which is then told; the rest is free.
"""

import re
from collections.abc import Iterable, Sequence

from quillon.engine.base import Constraint
from quillon.prompt import gbnf
from quillon.prompt.claims import asks_for_mistakes, claims_of, given_message
from quillon.prompt.dialects import CALL_TAGS, begins_call

_NAME = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*")
_QUOTED = re.compile(rf"[`'\"“]({_NAME.pattern})(?=[`'\"”])")
_FENCE = '"```"'
_MAX_PIECES = 1000
_MAX_LENGTH = 200  # characters of a line


def quoting_constraint(
    code: str, calls: Constraint | None = None, *, question: str = ""
) -> Constraint | None:
    """What holds an answer about `code`; it may be one of `calls` instead. None: no code.

    Of names, the `question` decides: where it asks for mistakes none is quoted, and where it gives
    a checker's message those that are quoted there.
    """
    if not code.strip():
        return calls
    grammar = gbnf.Grammar("Quoted-")
    starts = [_accusation(grammar, *each) for each in _suspects(code).items()]
    names, message = _quotable(_NAME.findall(code)), given_message(question)
    if message is not None:
        quoted = set(_QUOTED.findall(message))
        names = [name for name in names if name in quoted]
    elif asks_for_mistakes(question):
        names = []
    else:
        starts.append(_FENCE)
    if names:
        starts.append(f'"`" {gbnf.trie(grammar, "name", names)} "`"')
    # A call further on would be held to nothing.
    text = gbnf.without(grammar, "text", CALL_TAGS)
    answer = f'({" | ".join([*starts, "[^`<]"])} | "<" [^<tf]) {text}'
    if calls is None:
        return Constraint(grammar.text(answer), None)
    return Constraint(grammar.text_beside(calls.grammar, answer), None)


def _suspects(code: str) -> dict[tuple[str, ...], list[str]]:
    """The lines that can have a mistake, by what can be said of them."""
    found: dict[tuple[str, ...], list[str]] = {}
    for line in _quotable(line.strip() for line in code.splitlines()):
        if told := claims_of(line):
            found.setdefault(told, []).append(line)
    return found


def _accusation(grammar: gbnf.Grammar, told: Sequence[str], lines: Sequence[str]) -> str:
    claims = " | ".join(map(gbnf.literal, told))
    return f'"`" {gbnf.trie(grammar, "line", lines)} "`: " ({claims})'


def _quotable(pieces: Iterable[str]) -> list[str]:
    fit = (piece for piece in pieces if 0 < len(piece) <= _MAX_LENGTH and "`" not in piece)
    return [piece for piece in dict.fromkeys(fit) if not begins_call(piece)][:_MAX_PIECES]
