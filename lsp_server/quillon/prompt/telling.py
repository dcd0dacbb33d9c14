"""The grammar of an answer that tells what tools found: its facts are looked up, never made up.

A small model knows that a path belongs here, and misspells it. Under this grammar a path, a line, a
number, a name in backticks and every word that is not an ordinary one must stand in what the tools
said, in a call, or in a question; behind "at" comes one of the places that this turn found, if any,
in parentheses such a place, and behind a colon a whole line of a result or what is no word.
Nothing else is held: which of the places is named, and what is said of it, the model decides; so do
not take an answer for right because of it. And where a question names something, the answer begins
with a call: nothing is said of what was not looked up.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from quillon.engine.base import Constraint
from quillon.prompt import gbnf
from quillon.prompt.dialects import Dialect, begins_call
from quillon.prompt.fences import code_in, text_around
from quillon.prompt.grammar import Live, one_of_these
from quillon.prompt.messages import Message
from quillon.prompt.naming import (
    ANY_PATH,
    ORDINARY,
    meant,
    names_something,
    unmeant,
)
from quillon.prompt.offering import fitting, listing, lookups
from quillon.prompt.quoting import quoting_constraint
from quillon.prompt.spans import span_constraint
from quillon.prompt.tellable import (
    MAX_LINE,
    WORD,
    absent_files,
    copied,
    found_lines,
    found_paths,
    found_places,
    said_names,
    symbol_searches,
)

# What may follow anything: blanks, marks, and letters of languages that are written without blanks.
_HAN = r"\u4E00-\u5727\u5729-\u9FFF"  # all but 在, which like "at" asks for a place
_WIDE = r"\uFF00-\uFF07\uFF09-\uFF19\uFF1B-\uFFEF"  # all but the colon and what opens parentheses
_MARKS = rf"\n,;!?)\[\]\"'“”‘’…—\u3000-\u303F{_HAN}{_WIDE}"
_DELIMITER = f"[ {_MARKS}]"
_AFTER_STOP = rf"[ \n)\"'”’`\u3000-\u303F{_HAN}\uFF00-\uFFEF]"
_NO_PLACE = '[存现所正不] "在"'  # words that end like it and ask for nothing


_SEVERAL = 2


def facts_constraint(
    definitions: Sequence[Mapping[str, Any]],
    dialect: Dialect,
    messages: Sequence[Message],
    *,
    live: Live | None = None,
) -> Constraint | None:
    """What holds a small model's answer and its calls to what is known; see the module.

    Where the question names something, or a tool has answered, arguments are copied from this turn
    alone: neither older turns nor the workspace's other names (`live`) can be meant.
    """
    known = live or {}
    last = messages[-1] if messages else Message("user")
    named = last.role == "user" and names_something(last, known)
    if named or last.role == "tool":
        said = _turn(messages)
        if named:
            if together := one_of_these(lookups(definitions, last, known), dialect):
                return together
            definitions = fitting(definitions, last, known)
        # What a result or a question names is named in full: its last part would be another one.
        held = span_constraint(
            definitions,
            dialect,
            texts_of(said),
            whole=True,
            only=meant(last, known) if named else {ANY_PATH: found_paths(said)},
            unmeant=unmeant(last) if named else (),
        )
    else:
        if last.role == "user":
            definitions = listing(definitions, last, known)
        held = span_constraint(definitions, dialect, texts_of(messages), live=known)
    if last.role == "user" and (code := code_in(last.content)):
        return quoting_constraint(code, held, question=text_around(last.content))
    if held is None:
        return None
    if named:
        return Constraint(held.grammar, None)
    return _told(held, messages) if last.role == "tool" else held


def texts_of(messages: Sequence[Message]) -> list[str]:
    """What was said in a conversation and what calls asked for, the oldest first."""
    texts = []
    for message in messages:
        texts.append(message.content)
        texts += (json.dumps(call.arguments, ensure_ascii=False) for call in message.tool_calls)
    return texts


def _turn(messages: Sequence[Message]) -> Sequence[Message]:
    """The messages from the last question on."""
    asked = [index for index, each in enumerate(messages) if each.role == "user"]
    return messages[asked[-1] :] if asked else messages


def _told(calls: Constraint, messages: Sequence[Message]) -> Constraint:
    grammar = gbnf.Grammar("Told-")
    turn = _turn(messages)
    answer = _failures(grammar, turn) or _found_each(grammar, turn) or _answer(grammar, turn)
    return Constraint(grammar.text_beside(calls.grammar, answer), None)


def _answer(grammar: gbnf.Grammar, turn: Sequence[Message]) -> str:
    """The rule for a text: atoms, each followed by a delimiter, a full stop, or the end."""
    absent = absent_files(turn)
    places = [place for place in found_places(turn) if place.strip("`") not in absent]
    called = {
        str(value) for each in turn for call in each.tool_calls for value in call.arguments.values()
    }
    later = ORDINARY - called - {"at"}
    unsaid = later | absent
    pieces = [piece for piece in copied(turn) if piece not in unsaid and piece.lower() != "at"]
    pieces += [word.capitalize() for word in sorted(later)]
    # An answer begins with what was found or with a capital, never in the middle of a sentence.
    first = [gbnf.trie(grammar, "copied", pieces)]
    first += [_missing(grammar, absent)] if absent else []
    missing = f" | {_missing(grammar, absent, 'no ')}" if absent else ""
    if names := said_names(turn):
        first.append(f'"`" {gbnf.trie(grammar, "name", names)} "`"')
    gap = f'{_DELIMITER} | "." {_AFTER_STOP} | "..." | {_NO_PLACE}'
    at, place = '"at"', ""
    if places:
        place = gbnf.trie(grammar, "place", places)
        first.append(f'("At " | "在" " "?) {place}')
        gap += f' | "在" [{_MARKS}]'
        at = f'"at " {place}'
    else:
        first.append('"At"')
        gap += ' | "在"'
    begin, atom, between, quote, text, rest = (
        grammar.reserve(name) for name in ("first", "atom", "gap", "quote", "text", "rest")
    )
    grammar.define(begin, " | ".join(first))
    grammar.define(atom, f"{begin} | {gbnf.trie(grammar, 'ordinary', later)} | {at}{missing}")
    grammar.define(between, gap)
    # What was asked about stands before the colon.
    queries = (call.arguments.get("query") for each in turn for call in each.tool_calls)
    subjects = tuple(name for name in queries if isinstance(name, str) and name.isidentifier())
    behind = [piece for piece in pieces if not piece.startswith(subjects)]
    told = [rule for rule in (_unusual(grammar, behind), place and f'("在" " "?)? {place}') if rule]
    following = (text, rest)
    if any(call.name == "run_tests" for each in turn for call in each.tool_calls):
        # Which tests failed is told last: no number, with which the counts would begin again.
        words = gbnf.trie(grammar, "word", [piece for piece in pieces if not piece[0].isdigit()])
        onward = grammar.rule("onward", f"{between}* ({words} {rest} | {quote} | [.:])?")
        following = onward, grammar.rule("after", f"({between} {onward} | {quote} | [.:])?")
    grammar.define(quote, _quoted(grammar, turn, told, place, following))
    grammar.define(text, f"{between}* ({atom} {rest} | {quote} | [.:])?")
    grammar.define(rest, f"({between} {text} | {quote} | [.:])?")
    # What needs no letters but Chinese ones says that nothing was found, or names nothing.
    return f"{between}* ({begin} {rest} | {between} {quote}) | [{_HAN}] {between}* [.:]?"


def _failures(grammar: gbnf.Grammar, turn: Sequence[Message]) -> str:
    """The rule for why all calls of a turn failed: nothing else is told. "" where one did not."""
    results = [message for message in turn if message.role == "tool"]
    if any(each.outcome not in ("failed", "retry", "stopped") for each in results):
        return ""
    why = (each.content for each in results if each.outcome != "stopped")
    lines = [text.removeprefix("Error: ").split("\n", 1)[0] for text in why]
    told = [line[:MAX_LINE] for line in lines if line.strip() and not begins_call(line)]
    rules = [_some(grammar, "failure", told)]
    if absent := absent_files(turn):
        rules.append(f"({_missing(grammar, absent)}) [.。]?")
    return " | ".join(filter(None, rules))


def _found_each(grammar: gbnf.Grammar, turn: Sequence[Message]) -> str:
    """The rule for what several lookups found, each beside its name; "" where it is not so.

    Left alone, a small model tells the place of one as if it were another's.
    """
    searches = symbol_searches(turn)
    if len(searches) < _SEVERAL:
        return ""
    rows = []
    for name, places in searches:
        place = gbnf.trie(grammar, "place", places)
        rows.append(f'{gbnf.literal(f"`{name}`")} (": " | "：" | " "? "在" " "?) {place}')
    return r' "\n" '.join(rows)


def _missing(grammar: gbnf.Grammar, absent: Collection[str], begin: str = "There is no ") -> str:
    """The rule for words that say which file is not there."""
    path = gbnf.trie(grammar, "absent", sorted(absent))
    chinese = f' | "没有" "测试文件"? " "? {path}' if begin[0].isupper() else ""
    return f'{gbnf.literal(begin)} ("test "? "file ")? {path}{chinese}'


def _unusual(grammar: gbnf.Grammar, pieces: Sequence[str]) -> str:
    """The rule for places, numbers and names that are no words."""
    return _some(grammar, "unusual", [each for each in pieces if not WORD.fullmatch(each)])


def _some(grammar: gbnf.Grammar, name: str, texts: Sequence[str]) -> str:
    """The rule for one of the texts; empty where there are none."""
    return gbnf.trie(grammar, name, texts) if texts else ""


def _quoted(
    grammar: gbnf.Grammar,
    turn: Sequence[Message],
    told: Sequence[str],
    place: str,
    following: tuple[str, str],
) -> str:
    """Behind a colon what was found or a whole line, behind a parenthesis a place, if any is known.

    Behind a whole line comes nothing more in its line. `following` are the rules for more text, and
    for more behind an atom.
    """
    text, rest = following
    atoms = " | ".join(told) or r'"\n"'
    behind = f"({atoms}) {rest}"
    if lines := found_lines(turn):
        behind += rf' | {gbnf.trie(grammar, "line", lines)} [.。]? ("\n" {text})?'
    return rf'(":" [ \n] | "：" [ \n]?) ({behind}) | [(（] ({place or atoms}) {rest}'
