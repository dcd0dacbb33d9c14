"""The grammar of a small model's answer about code that it was given: what it quotes stands there.

Asked for mistakes, a small model quotes lines that the code could have, and accuses them. Where an
answer begins with a quotation, that is a line of the code or a name in it; the rest is free.
"""

import re

from quillon.engine.base import Constraint
from quillon.prompt import gbnf
from quillon.prompt.dialects import CALL_TAGS, begins_call

_NAME = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*")
_MAX_PIECES = 1000
_MAX_LENGTH = 200  # characters of a line


def quoting_constraint(code: str, calls: Constraint | None = None) -> Constraint | None:
    """What holds an answer about `code`; it may be one of `calls` instead. None: no code."""
    lines = (line.strip() for line in code.splitlines())
    found = dict.fromkeys(line for line in lines if 0 < len(line) <= _MAX_LENGTH)
    found |= dict.fromkeys(_NAME.findall(code))
    pieces = [piece for piece in found if "`" not in piece and not begins_call(piece)][:_MAX_PIECES]
    if not pieces:
        return calls
    grammar = gbnf.Grammar("Quoted-")
    quotation = f'"`" {gbnf.trie(grammar, "piece", pieces)} "`"'
    # A call further on would be held to nothing.
    text = gbnf.without(grammar, "text", CALL_TAGS)
    answer = f'({quotation} | "```" | [^`<] | "<" [^<tf]) {text}'
    if calls is None:
        return Constraint(grammar.text(answer), None)
    return Constraint(grammar.text_beside(calls.grammar, answer), None)
