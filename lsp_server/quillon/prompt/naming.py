"""What a question names: the paths and symbols that can be meant, and the words that cannot."""

import re
from collections.abc import Collection, Sequence
from itertools import pairwise

from quillon.prompt.grammar import Live
from quillon.prompt.messages import Message

# `in backticks`, snake_case, a.path/to/a.file, folder/, Some.thing, called(
_NAMED = re.compile(
    r"`[^`\n]+`|[A-Za-z0-9]_[A-Za-z0-9]|[A-Za-z0-9_]{2}[/.][A-Za-z_]{2}|[A-Za-z0-9_]{2}/(?![\w/])"
    r"|[A-Za-z]\w{1,80}\(",
    re.ASCII,
)
_ASCII_WORD = re.compile(r"\w+", re.ASCII)
_SEEKS = re.compile(
    r"\b(?:find|search|grep|look(?:ing)? for|hunt|where|use[ds]?|occurs?|appears?|mention\w*)\b"
    r"|找|搜|出现|哪里|在哪|提到|用",
    re.IGNORECASE,
)
_LOOKS = re.compile(
    r"\b(?:where|define[sd]?|definition|declar\w+|locate|find|code of|source of|implement\w*"
    r"|explain|show me|what does|look up|search(?: for)?|grep)\b"
    r"|在哪|哪里|定义|代码|源码|实现|解释|作用|查找|查一下|搜索|搜一下",
    re.IGNORECASE,
)
# Paths: words may have dots and no blanks around them, so ASCII and the endings of files alone.
_IN_QUESTION = re.compile(
    r"(?<![\w.-])(?:[\w.-]{1,200}/)+(?:[\w.-]{0,200}\w)?"
    r"|(?<![\w-])\w[\w-]{0,200}\.(?:pyi?|md|rst|txt|toml|cfg|ini|json|ya?ml|[cm]?[jt]sx?|cpp|c|h|hpp|go|rs|java|lua|sh)\b",
    re.ASCII,
)
_FILE = re.compile(r"\w\.\w{1,5}$")
_QUOTED = re.compile(r"[`'\"“「]([^`'\"”」\n]+)[`'\"”」]")
# Where live values are the workspace's symbols, and its files and folders.
SYMBOL, READ, ANY_PATH = ("search_symbols", "query"), ("read_file", "path"), ("*", "path")
TEXT = ("search_text", "pattern")
FIRST_LINE, LAST_LINE = ("read_file", "start_line"), ("read_file", "end_line")
_LINE = re.compile(r"(?<![\w.])\d{1,6}(?![\w.]\w)", re.ASCII)
# "the tests folder", "the directory tests"; in Chinese there may be no blanks.
_FOLDERS = r"(?:folder|directory|目录|文件夹)"
_ANY_CASE = re.ASCII | re.IGNORECASE
_CALLED_FOLDER = (
    re.compile(rf"(?<![\w./-])([\w./-]{{1,200}}?)[`'\"”」]?/? ?的?{_FOLDERS}", _ANY_CASE),
    re.compile(rf"{_FOLDERS}[ `'\"“「]{{1,2}}([\w./-]{{1,200}})", _ANY_CASE),
)
# Several words in quotes; an apostrophe opens none.
_PHRASE = re.compile(r"(?<!\w)[`'\"“「]([^`'\"”」\n]{1,200})[`'\"”」](?!\w)")
# What only code is spelled like, without folders: snake_case, Some.thing, CamelCase, called(
_SPELLED = re.compile(
    r"(?<![\w./])_*[A-Za-z]\w{0,80}(?:\.[A-Za-z_]\w{0,80}){0,5}(?![\w/])", re.ASCII
)
# What joins two names; the second may be asked for in the same words again.
_JOINING = re.compile(r"[,，、&+]|\b(?:and|or|plus|versus|vs)\b|与|和|及|跟|还有", re.IGNORECASE)
_JUST_JOINED = re.compile(
    rf"[\s`'\"“”「」]*(?:(?:{_JOINING.pattern})[\s`'\"“”「」]*)+(?:where(?: is|'s)[\s`'\"]*)?",
    re.IGNORECASE,
)
_MOST_TOGETHER = 3
_LONGEST_TOGETHER = 240  # characters of a question; a longer one tells more than it asks
_ONLY_CODE = re.compile(r"(?<!\w)_+\w|\w_\w|\w{2}\.[A-Za-z_]{2}|[a-z][A-Z]|[A-Z]{2}[a-z]", re.ASCII)
# Words that may be said of anything; all others come from the conversation.
_ORDINARY = """
a about after all allow also an and any are as at be because been before begins both but by call
called calls can cannot changed check class code contains could define defined defines definition
did do does down each either empty error errors fail failed failing fails file files find first
folder for found from function gets given had has have here how i if in into is it its just keep
last line lines list look made make makes may me mean method missing module more most must name
named names need needs new no none not nothing now occurs of on once one only or other out over pass
passed passes path place please problem problems project put read reads reported return returned
returns run running same see set shows so some symbol test tests text than that the their them then
there these they this those to too two type until up use used uses using value values variable
warning warnings was were what when where which while who why will with without workspace would
write you your
"""
ORDINARY = frozenset(_ORDINARY.split())


def names_something(question: Message, known: Live) -> bool:
    """Whether a question without code names a path, a symbol, or what only code is spelled like.

    Of the workspace's symbols those in small letters may be ordinary words: they count where the
    question looks for something. So do texts of several words in quotes.
    """
    symbols = frozenset(known.get(SYMBOL, ()))
    text = question.content
    if question.attached or "```" in text:
        return False
    quoted = (match[1] for match in _QUOTED.finditer(text))
    if _NAMED.search(text) or any(map(_SPELLED.fullmatch, quoted)):
        return True
    if names_folder(question, known) or titled(question, known):
        return True
    if phrases(question) and _SEEKS.search(text):
        return True
    looks = _LOOKS.search(text) is not None
    return any(
        word in symbols and (looks if word.islower() else True) and word not in ORDINARY
        for word in _ASCII_WORD.findall(text)
    )


def meant(question: Message, known: Live) -> dict[tuple[str, str], list[str]]:
    """All that arguments can be behind a question that names something; where none, any."""
    text = question.content
    words = dict.fromkeys(_SPELLED.findall(text))
    folders = [path for path in known.get(READ, ()) if path in words]
    paths = list(dict.fromkeys(_named_paths(question) + folders + titled(question, known)))
    symbols = _named_symbols(question, [word for word in words if word not in folders], known)
    first, last = _lines(text) if paths else ([], [])
    return {
        TEXT: phrases(question) or _texts(text, symbols, paths),
        ANY_PATH: paths,
        SYMBOL: symbols,
        FIRST_LINE: first,
        LAST_LINE: last,
    }


def _texts(text: str, symbols: Sequence[str], paths: Sequence[str]) -> list[str]:
    """What a text can be that is searched for, where symbols are named; [] where none is."""
    if not symbols:
        return []
    called = [f"{name}(" for name in symbols if f"{name}(" in text]
    quoted = [each for each in _PHRASE.findall(text) if each not in paths]
    return list(dict.fromkeys((*called, *symbols, *quoted)))


def _lines(text: str) -> tuple[list[str], list[str]]:
    """The first and the last line of a question that has two numbers beside its paths."""
    match _LINE.findall(_IN_QUESTION.sub(" ", text)):
        case [first, last] if int(first) <= int(last):
            return [first], [last]
        case _:
            return [], []


def _named_symbols(question: Message, words: Collection[str], known: Live) -> list[str]:
    """What of a question's words can only be the names of symbols; [] where none is sure to be.

    One that is sure excludes all ordinary words but such as the workspace has, and but those with
    a capital inside a sentence.
    """
    text = question.content
    symbols = frozenset(known.get(SYMBOL, ()))
    capital = {word for word in symbols if not word.islower()}
    sure = _sure_symbols(text, words) | capital.intersection(words)
    if not sure:
        return []
    inside = {word for word in words if word[0].isupper() and not text.startswith(word)}
    inside -= _files(text)
    return [word for word in words if word in sure | inside or word in symbols]


def _sure_symbols(text: str, words: Collection[str]) -> frozenset[str]:
    quoted = {match[1].rstrip("(") for match in _QUOTED.finditer(text)}
    code = {word for word in words if _ONLY_CODE.search(word) or f"{word}(" in text}
    return frozenset(quoted | code).intersection(words) - _files(text)


def _files(text: str) -> frozenset[str]:
    return frozenset(match[0] for match in _IN_QUESTION.finditer(text))


def named_together(question: Message, known: Live) -> list[str]:
    """Two or three symbols that a question without a path asks for together.

    In the question's order; [] for any other number. They are such as the workspace has, where its
    symbols are known. What may be an ordinary word counts where it is joined to what is only code.
    """
    text = question.content.strip()
    if question.attached or "\n" in text or len(text) > _LONGEST_TOGETHER:
        return []
    found = [(match[0], match.span()) for match in _SPELLED.finditer(text)]
    if meant(question, known)[ANY_PATH]:
        return []
    sure = _sure_symbols(text, [name for name, _ in found])
    # Of a large workspace no list is known: what is sure to be code counts there.
    symbols = frozenset(known.get(SYMBOL, ())) - ORDINARY or sure
    named = [each for each in found if {each[0], each[0].rpartition(".")[2]} & symbols]
    together: list[str] = []
    for (one, (_, end)), (other, (begin, _)) in pairwise(named):
        join = _JUST_JOINED.fullmatch if not {one, other} <= sure else _JOINING.search
        if {one, other} & sure and join(text[end:begin]):
            together += (one, other)
    asked = list(dict.fromkeys(together))
    # One that is named apart from them is asked for in another way.
    apart = sure.intersection(name for name, _ in named).difference(asked)
    return asked if len(asked) <= _MOST_TOGETHER and not apart else []


def titled(question: Message, known: Live) -> list[str]:
    """The files beside the workspace's root that a question names by their titles, as README."""
    words = frozenset(_ASCII_WORD.findall(question.content))
    stems = ((path, path.partition(".")[0]) for path in known.get(READ, ()) if "/" not in path)
    return [path for path, stem in stems if stem.isupper() and stem in words]


def _named_paths(question: Message) -> list[str]:
    """The paths of a question, as they stand there and without a slash at their end."""
    found = [match[0] for match in _IN_QUESTION.finditer(question.content)]
    return list(dict.fromkeys(form for path in found for form in (path, path.rstrip("/"))))


def names_files_alone(question: Message, known: Live) -> bool:
    """Whether all paths that a question names, at least one, have the ending of a file."""
    paths = meant(question, known)[ANY_PATH]
    return bool(paths) and all(_FILE.search(path) for path in paths)


def names_paths_alone(question: Message, known: Live) -> bool:
    """Whether a question names a path and no word of it a symbol, where symbols are known."""
    names = meant(question, known)
    symbols = known.get(SYMBOL, ())
    return bool(
        symbols
        and names[ANY_PATH]
        and not names[SYMBOL]
        and frozenset(symbols).isdisjoint(_ASCII_WORD.findall(question.content))
    )


def has_folder(question: Message, known: Live) -> bool:
    """Whether a path of the workspace without an ending is among a question's words."""
    return any(not _FILE.search(path) for path in meant(question, known)[ANY_PATH])


def names_folder(question: Message, known: Live) -> bool:
    """Whether a question calls something a folder that is a path of the workspace."""
    paths = frozenset(known.get(READ, ()))
    called = (found for form in _CALLED_FOLDER for found in form.findall(question.content))
    return not paths.isdisjoint(called)


def phrases(question: Message) -> list[str]:
    """The texts of several words that a question has in quotes, where it has nothing else there."""
    quoted = [text.strip() for text in _PHRASE.findall(question.content)]
    return quoted if all(" " in each for each in quoted) else []


def names_symbols_alone(question: Message, known: Live) -> bool:
    """Whether a question names a symbol that the workspace has, and no path."""
    symbols = frozenset(known.get(SYMBOL, ())) - ORDINARY
    words = _ASCII_WORD.findall(question.content)
    return not meant(question, known)[ANY_PATH] and not symbols.isdisjoint(words)


def unmeant(question: Message) -> frozenset[str]:
    """Ordinary words, for which a question that names something does not ask unless quoted."""
    quoted = {word.lower() for match in _QUOTED.findall(question.content) for word in match.split()}
    return ORDINARY - quoted
