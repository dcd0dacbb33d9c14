"""What of a turn an answer may tell: the pieces, places, lines and names of what tools said.

Results have the form that our own tools give them: rows with a place, numbered lines of files.
"""

import re
from collections.abc import Iterator, Sequence

from quillon.prompt.dialects import begins_call
from quillon.prompt.messages import Message
from quillon.prompt.spans import candidates

_MAX_COPIED = 1500  # pieces in all, the latest first
_MAX_LENGTH = 160  # characters of one
_MAX_CHARS = 16 * 1024  # of one result that are looked at, from its start
_MAX_LINES = 600  # texts of lines that may be told whole
MAX_LINE = 300  # characters of one
_NUMBER = re.compile(r"\d{1,9}", re.ASCII)
# Paths in results: with lines any word is one, without them what has a slash or an ending.
# Each begins at a word's beginning and ends soon: a line of one word must not take seconds.
_LOCATION = re.compile(r"(?<![^\s:`'\"()])([^\s:`'\"()]{1,300}):(\d+)(?:-(\d+))?")
_ROW = re.compile(r"^(\S[^:\n]*):(\d+)(?:-(\d+))?(?=[:\s]|$)", re.MULTILINE)
# How tools tell that there is no such file.
NOT_FOUND = re.compile(r"Error: (?:file|folder|file or directory) not found: (.+)")
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
WORD = re.compile(r"[A-Za-z]+", re.ASCII)


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
    yield from WORD.findall(text)
    if message.role == "tool":
        for path, start, end in _LOCATION.findall(text):
            yield from (path, f"{path}:{start}", f"{path}:{start}-{end}" if end else "")
        yield from _NUMBER.findall(text)
        for word in text.split():
            yield from (word, word.rstrip(_AROUND), word.strip(_AROUND))


def absent_files(turn: Sequence[Message]) -> frozenset[str]:
    """The paths of calls that found no file there; nothing else is told of them."""
    asked = {call.id: call for message in turn for call in message.tool_calls}
    found = set()
    for message in turn:
        call = asked.get(message.tool_call_id or "") if message.role == "tool" else None
        if call is not None and (missing := NOT_FOUND.match(message.content)):
            found |= {path for path in call.arguments.values() if path == missing[1]}
    return frozenset(found)


def symbol_searches(turn: Sequence[Message]) -> list[tuple[str, list[str]]]:
    """The names that a turn searched for as symbols and nothing else, each with its places.

    [] where another tool was called, or where one was not found.
    """
    calls = [call for message in turn for call in message.tool_calls]
    results = {each.tool_call_id: each.content for each in turn if each.role == "tool"}
    searches = []
    for call in calls:
        text = results.get(call.id, "")[:_MAX_CHARS]
        places = [f"{path}:{start}" for path, start, _ in _ROW.findall(text)]
        if call.name != "search_symbols" or not places:
            return []
        searches.append((str(call.arguments.get("query")), list(dict.fromkeys(places))))
    return searches


def found_places(turn: Sequence[Message]) -> list[str]:
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


def found_lines(turn: Sequence[Message]) -> list[str]:
    """The lines of a turn's results, as they are and without what stands around their text."""
    found: dict[str, None] = {}
    for message in reversed(turn):
        if message.role != "tool":
            continue
        for row in message.content[:_MAX_CHARS].splitlines():
            text = _ROW_HEAD.sub("", row).strip()
            bare = _COMMENT_END.sub("", _COMMENT_HEAD.sub("", text)).strip()
            for told in (row.strip(), text, bare):
                if 1 < len(told) <= MAX_LINE and not begins_call(told):
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
            if 1 < len(told) <= MAX_LINE and not begins_call(told):
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


def said_names(messages: Sequence[Message]) -> list[str]:
    """What may stand in backticks: names of questions, of results, and of what calls asked for."""
    texts = []
    for message in messages:
        if message.role != "assistant":
            texts.append(message.content)
        texts += [str(value) for call in message.tool_calls for value in call.arguments.values()]
    names = (name for name in candidates(texts) if not begins_call(name))
    return [name for name in names if "`" not in name and "\n" not in name]


def found_paths(turn: Sequence[Message]) -> list[str]:
    """The files that results name, which the next call may be about; suggested ones, too.

    One that is not there is asked for no more.
    """
    absent = absent_files(turn)
    found: dict[str, None] = {}
    for message in reversed(turn):
        if message.role == "tool":
            text = message.content[:_MAX_CHARS]
            found |= dict.fromkeys(path for path, _, _ in _LOCATION.findall(text))
            found |= dict.fromkeys(word.strip(_AROUND) for word in _IN_RESULT.findall(text))
    return [path for path in found if path not in absent][:_MAX_PATHS]
