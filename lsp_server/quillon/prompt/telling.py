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
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
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
from quillon.prompt.offering import fitting, lookups
from quillon.prompt.quoting import quoting_constraint
from quillon.prompt.spans import candidates, span_constraint

_MAX_COPIED = 1500  # pieces in all, the latest first
_MAX_LENGTH = 160  # characters of one
_MAX_CHARS = 16 * 1024  # of one result that are looked at, from its start
_MAX_LINES = 600  # texts of lines that may be told whole
_MAX_LINE = 300  # characters of one
_NUMBER = re.compile(r"\d{1,9}", re.ASCII)
# Paths in results: with lines any word is one, without them what has a slash or an ending.
# Each begins at a word's beginning and ends soon: a line of one word must not take seconds.
_LOCATION = re.compile(r"(?<![^\s:`'\"()])([^\s:`'\"()]{1,300}):(\d+)(?:-(\d+))?")
_ROW = re.compile(r"^(\S[^:\n]*):(\d+)(?:-(\d+))?(?=[:\s]|$)", re.MULTILINE)
# How tools tell that there is no such file.
_NOT_FOUND = re.compile(r"Error: (?:file|folder|file or directory) not found: (.+)")
_HOST = re.compile(r"[\d.]+|localhost", re.ASCII)
# What stands before the text of a row: a line's number, a place with what the editor thinks of it,
# a failed test; then what begins and ends comments and docstrings.
_ROW_HEAD = re.compile(
    r"^\s*(?:\d+: ?|(?:FAILED|ERROR) .+? - "
    r"|(?:[A-Za-z]:)?[^\s:]+:\d+(?:[:-]\d+)?:? (?:(?:error|warning|information|hint): )?)"
)
_COMMENT_HEAD = re.compile(
    r"""^(?:[rRbBuU]?\"{3}\s*|[rRbBuU]?'{3}\s*|(?:#+|/{2,}!?|/\*+|\*|--)(?:[ \t]+|$))"""
)
_DOCSTRING = re.compile(r"""^[rRbBuU]?(?:\"{3}|'{3})\s*""")
_FIRST_ROW = re.compile(r"\s*1: ")
_COMMENT_END = re.compile(r"""\s*(?:\"{3}|'{3}|\*/)$""")
_IN_RESULT = re.compile(
    r"(?<![\w.-])[\w.-]{0,200}[\w-]/[\w./-]{0,300}\w|(?<![\w-])\w[\w-]{0,200}\.[a-z]{1,4}\b"
)
_MAX_PATHS = 300
_AROUND = ".,:;!?\"'`()[]{}"
_WORD = re.compile(r"[A-Za-z]+", re.ASCII)
# What may follow anything: blanks, marks, and letters of languages that are written without blanks.
_HAN = r"\u4E00-\u5727\u5729-\u9FFF"  # all but 在, which like "at" asks for a place
_WIDE = r"\uFF00-\uFF07\uFF09-\uFF19\uFF1B-\uFFEF"  # all but the colon and what opens parentheses
_MARKS = rf"\n,;!?)\[\]\"'“”‘’…—\u3000-\u303F{_HAN}{_WIDE}"
_DELIMITER = f"[ {_MARKS}]"
_AFTER_STOP = rf"[ \n)\"'”’`\u3000-\u303F{_HAN}\uFF00-\uFFEF]"
_NO_PLACE = '[存现所正不] "在"'  # words that end like it and ask for nothing


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
            only=meant(last, known) if named else {ANY_PATH: _paths(said)},
            unmeant=unmeant(last) if named else (),
        )
    else:
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


def _paths(turn: Sequence[Message]) -> list[str]:
    """The files that results name, which the next call may be about; suggested ones, too.

    One that is not there is asked for no more.
    """
    absent = _absent(turn)
    found: dict[str, None] = {}
    for message in reversed(turn):
        if message.role == "tool":
            text = message.content[:_MAX_CHARS]
            found |= dict.fromkeys(path for path, _, _ in _LOCATION.findall(text))
            found |= dict.fromkeys(word.strip(_AROUND) for word in _IN_RESULT.findall(text))
    return [path for path in found if path not in absent][:_MAX_PATHS]


def _told(calls: Constraint, messages: Sequence[Message]) -> Constraint:
    grammar = gbnf.Grammar("Told-")
    turn = _turn(messages)
    answer = _failures(grammar, turn) or _answer(grammar, turn)
    return Constraint(grammar.text_beside(calls.grammar, answer), None)


def copied(messages: Sequence[Message]) -> list[str]:
    """What an answer may copy as it is, the latest first: places, numbers and words.

    Of a place with two lines the first alone may be told, and a file that was read from one line
    to another is a place, too.
    """
    found: dict[str, None] = {}
    for message in reversed(messages):
        for piece in _pieces(message):
            if 0 < len(piece) <= _MAX_LENGTH and not begins_call(piece):
                found[piece] = None
            if len(found) >= _MAX_COPIED:
                return list(found)
    return list(found)


def _pieces(message: Message) -> Iterator[str]:
    for call in message.tool_calls:
        yield from (str(one) for one in call.arguments.values() if isinstance(one, str | int))
    yield from _lines_read(message)
    text = message.content[:_MAX_CHARS]
    yield from _WORD.findall(text)
    if message.role == "tool":
        for path, start, end in _LOCATION.findall(text):
            yield from (path, f"{path}:{start}", f"{path}:{start}-{end}" if end else "")
        yield from _NUMBER.findall(text)
        for word in text.split():
            yield from (word, word.rstrip(_AROUND), word.strip(_AROUND))


def _answer(grammar: gbnf.Grammar, turn: Sequence[Message]) -> str:
    """The rule for a text: atoms, each followed by a delimiter, a full stop, or the end."""
    absent = _absent(turn)
    places = [place for place in _places(turn) if place.strip("`") not in absent]
    called = {
        str(value) for each in turn for call in each.tool_calls for value in call.arguments.values()
    }
    later = ORDINARY - called - {"at"}
    unsaid = later | absent
    pieces = [piece for piece in copied(turn) if piece not in unsaid and piece.lower() != "at"]
    pieces += [word.capitalize() for word in sorted(later)]
    # An answer begins with what was found or with a capital, never in the middle of a sentence.
    first = [gbnf.trie(grammar, "copied", pieces)]
    missing = ""
    if absent:
        first.append(_missing(grammar, absent))
        missing = f' | "no " ("test "? "file ")? {gbnf.trie(grammar, "absent", sorted(absent))}'
    if names := _names(turn):
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


def _absent(turn: Sequence[Message]) -> frozenset[str]:
    """The paths of calls that found no file there; nothing else is told of them."""
    asked = {call.id: call for message in turn for call in message.tool_calls}
    found = set()
    for message in turn:
        call = asked.get(message.tool_call_id or "") if message.role == "tool" else None
        if call is not None and (missing := _NOT_FOUND.match(message.content)):
            found |= {path for path in call.arguments.values() if path == missing[1]}
    return frozenset(found)


def _failures(grammar: gbnf.Grammar, turn: Sequence[Message]) -> str:
    """The rule for why all calls of a turn failed: nothing else is told. "" where one did not."""
    results = [message for message in turn if message.role == "tool"]
    if any(each.outcome not in ("failed", "retry", "stopped") for each in results):
        return ""
    why = (each.content for each in results if each.outcome != "stopped")
    lines = [text.removeprefix("Error: ").split("\n", 1)[0] for text in why]
    told = [line[:_MAX_LINE] for line in lines if line.strip() and not begins_call(line)]
    rules = [_some(grammar, "failure", told)]
    if absent := _absent(turn):
        rules.append(f"({_missing(grammar, absent)}) [.。]?")
    return " | ".join(filter(None, rules))


def _missing(grammar: gbnf.Grammar, absent: Collection[str]) -> str:
    """The rule for a sentence that says which file is not there."""
    path = gbnf.trie(grammar, "absent", sorted(absent))
    return f'"There is no " ("test "? "file ")? {path} | "没有" "测试文件"? " "? {path}'


def _unusual(grammar: gbnf.Grammar, pieces: Sequence[str]) -> str:
    """The rule for places, numbers and names that are no words."""
    return _some(grammar, "unusual", [each for each in pieces if not _WORD.fullmatch(each)])


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
    if lines := _lines_told(turn):
        behind += rf' | {gbnf.trie(grammar, "line", lines)} [.。]? ("\n" {text})?'
    return rf'(":" [ \n] | "：" [ \n]?) ({behind}) | [(（] ({place or atoms}) {rest}'


def _places(turn: Sequence[Message]) -> list[str]:
    """What may be told behind "at": the places of a turn's results, if any has a line.

    With their files, bare and in backticks, and the lines that were read of a file.
    """
    found: dict[str, None] = {}
    for message in turn:
        if message.role == "tool":
            text = message.content[:_MAX_CHARS]
            # A row may begin with words, or with a path that has blanks: both are taken for places.
            rest = _ROW.sub(lambda row: row[0] if " " in row[1] else "", text)
            rows = (*_ROW.findall(text), *filter(_is_file, _LOCATION.findall(rest)))
            for path, start, end in rows:
                found |= dict.fromkeys(
                    (f"{path}:{start}", *([f"{path}:{start}-{end}"] * bool(end)))
                )
                found |= dict.fromkeys((path, f"`{path}`"))
        found |= dict.fromkeys(_lines_read(message))
    told = (place for place in found if "\n" not in place and not begins_call(place))
    return list(told)[:_MAX_COPIED]


def _lines_told(turn: Sequence[Message]) -> list[str]:
    """The lines of a turn's results, as they are and without what stands around their text."""
    found: dict[str, None] = {}
    for message in reversed(turn):
        if message.role != "tool":
            continue
        for row in message.content[:_MAX_CHARS].splitlines():
            text = _ROW_HEAD.sub("", row).strip()
            bare = _COMMENT_END.sub("", _COMMENT_HEAD.sub("", text)).strip()
            for told in (row.strip(), text, bare):
                if 1 < len(told) <= _MAX_LINE and not begins_call(told):
                    found[told] = None
            if len(found) >= _MAX_LINES:
                return list(found)
        found |= dict.fromkeys(_paragraphs(message.content[:_MAX_CHARS].splitlines()))
    return list(found)


def _paragraphs(rows: Sequence[str]) -> Iterator[str]:
    """The first paragraph of each docstring of several lines, as one.

    A docstring stands behind a colon, or begins a file: other strings that are open over lines
    look like one, and so does the end of one whose beginning was not read.
    """
    parts: list[str] | None = None
    before = ""
    for row in rows:
        text = _ROW_HEAD.sub("", row).strip()
        begun = _DOCSTRING.match(text) if parts is None else None
        if begun is not None and (before.endswith(":") or _FIRST_ROW.match(row)):
            parts, text = [], text[begun.end() :]
            before = '"'
        elif parts is None:
            before = text or before
            continue
        ends = _COMMENT_END.search(text) is not None
        parts.append(_COMMENT_END.sub("", text))
        if ends or (not text and len(parts) > 1):
            told = " ".join(filter(None, parts))
            if 1 < len(told) <= _MAX_LINE and not begins_call(told):
                yield told
            # What follows a blank line inside is no code that a docstring could stand behind.
            parts = None


def _is_file(location: tuple[str, str, str]) -> bool:
    """Whether a location in a text is spelled like a file's, and not like a host's."""
    path = location[0]
    return ("/" in path or "." in path) and not path.startswith("//") and not _HOST.fullmatch(path)


def _lines_read(message: Message) -> Iterator[str]:
    """The places of calls that read a file from one line to another."""
    for call in message.tool_calls:
        path, first, last = (call.arguments.get(key) for key in ("path", "start_line", "end_line"))
        if path is not None and first is not None:
            yield f"{path}:{first}"
            if last is not None:
                yield f"{path}:{first}-{last}"


def _names(messages: Sequence[Message]) -> list[str]:
    """What may stand in backticks: names of questions, of results, and of what calls asked for."""
    texts = []
    for message in messages:
        if message.role != "assistant":
            texts.append(message.content)
        texts += [str(value) for call in message.tool_calls for value in call.arguments.values()]
    names = (name for name in candidates(texts) if not begins_call(name))
    return [name for name in names if "`" not in name and "\n" not in name]
