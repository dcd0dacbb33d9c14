"""Docstrings and doc comments: from what a model wrote to the form that the language wants.

The model is asked for the words only; quotes, stars, slashes and indentation are ours, so a
docstring can break nothing. Models still like to answer with the whole function or a finished
comment, so the words are dug out of either.
"""

import re
import textwrap

from quillon.assist.edits import BadAnswer, code_in, indent_at, indent_unit
from quillon.context.anatomy import Definition
from quillon.context.document import DocumentSnapshot
from quillon.text import Edit, Span

_WIDTH = 92  # columns; longer lines are wrapped
_MOST_LINES = 60
_PYTHON = re.compile(r'[rRuU]?("""|\'\'\')(.*?)(?:\1|\Z)', re.DOTALL)
_BLOCK = re.compile(r"/\*\*?!?(.*?)(?:\*/|\Z)", re.DOTALL)
_STAR = re.compile(r"^[ \t]*\*(?!/) ?", re.MULTILINE)
_LINE_COMMENT = re.compile(r"^[ \t]*(?:///?!?|#+) ?(.*)$", re.MULTILINE)
_QUOTED = re.compile(r"\A([\"'`]+)(.*)\1\Z", re.DOTALL)
_CODE = re.compile(
    r"^\s*(?:@\w|(?:async |export |public |private |static |pub )*(?:def|class|func|function|fn)\b)"
)


def docstring_edit(snapshot: DocumentSnapshot, definition: Definition, answer: str) -> Edit:
    """The edit that documents a definition with the words of an answer.

    Raises:
        BadAnswer: The answer holds no words, or far too many.
    """
    words = _words(code_in(answer))
    if snapshot.language is not None and snapshot.language.id == "python":
        return _inside(snapshot, definition, words)
    return _above(snapshot, definition, words)


def _words(code: str) -> list[str]:
    """The lines of the documentation, without quotes, comment signs or common indentation."""
    if (match := _PYTHON.search(code)) is not None:
        text = match.group(2)
    elif (match := _BLOCK.search(code)) is not None:
        text = _STAR.sub("", match.group(1))
    elif found := _LINE_COMMENT.findall(code):
        text = "\n".join(found)
    elif _CODE.match(code):
        raise BadAnswer("The model repeated the code instead of documenting it. Try again.")
    else:
        text = _QUOTED.sub(r"\2", code.strip())
    first, _, rest = text.strip().partition("\n")
    lines = [first.strip(), *(line.rstrip() for line in textwrap.dedent(rest).split("\n"))]
    while lines and not lines[-1]:
        lines.pop()
    if not lines or len(lines) > _MOST_LINES:
        raise BadAnswer("The model gave no usable documentation. Try again.")
    return [piece for line in lines for piece in _wrapped(line)]


def _wrapped(line: str) -> list[str]:
    if len(line) <= _WIDTH:
        return [line]
    margin = line[: len(line) - len(line.lstrip())]
    return textwrap.wrap(
        line, _WIDTH, subsequent_indent=margin, break_long_words=False, break_on_hyphens=False
    )


def _inside(snapshot: DocumentSnapshot, definition: Definition, words: list[str]) -> Edit:
    """Python: the first statement of the body."""
    text, colon = snapshot.text, definition.signature.end
    body = definition.body or Span(colon, colon)
    lines = snapshot.lines
    same_line = lines.line_of(body.start) == lines.line_of(colon)
    own = indent_at(text, definition.signature.start)
    indent = own + indent_unit(text) if same_line else indent_at(text, body.start)
    quoted = _quoted(words, indent)
    if same_line:  # `def f(): return 1` becomes three lines
        return Edit(Span(colon, body.start), f"\n{indent}{quoted}\n{indent}")
    line = lines.line_span(lines.line_of(colon)).end
    return Edit(Span(line, line), f"\n{indent}{quoted}")


def _quoted(words: list[str], indent: str) -> str:
    prefix = "r" if any("\\" in line for line in words) else ""
    # In a raw string quotes cannot be escaped, so three in a row become apostrophes.
    clean = [line.replace('"""', "'''") for line in words]
    if len(clean) == 1:
        # A quote or a backslash at the end would run into the closing quotes.
        unsafe = clean[0].endswith(('"', "\\"))
        return f'{prefix}"""{clean[0]}{" " if unsafe else ""}"""'
    later = "\n".join(f"{indent}{line}" if line else "" for line in clean[1:])
    return f'{prefix}"""{clean[0]}\n{later}\n{indent}"""'


def _above(snapshot: DocumentSnapshot, definition: Definition, words: list[str]) -> Edit:
    """Every other language: a comment above, before decorators and attributes."""
    language = snapshot.language.id if snapshot.language is not None else ""
    start = definition.whole.start
    indent = indent_at(snapshot.text, start)
    if language in ("go", "rust"):
        sign = "//" if language == "go" else "///"
        comment = "".join(f"{sign} {line}".rstrip() + f"\n{indent}" for line in words)
        return Edit(Span(start, start), comment)
    clean = [line.replace("*/", "* /") for line in words]
    inner = "".join(f"{indent} * {line}".rstrip() + "\n" for line in clean)
    return Edit(Span(start, start), f"/**\n{inner}{indent} */\n{indent}")
