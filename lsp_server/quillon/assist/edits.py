"""From a model's answer to an edit that can be trusted to fit its place.

A model wraps code in Markdown fences, indents it as it pleases and now and then writes something
that does not parse. What cannot be mended is refused with a sentence; a broken edit never
reaches the editor.
"""

import re
from collections.abc import Sequence
from pathlib import Path

import msgspec

from quillon.context.document import DocumentSnapshot
from quillon.context.syntax import error_count
from quillon.context.tree import parsed
from quillon.text import (
    REPLACEMENT,
    Edit,
    Span,
    apply_edits,
    difference,
    line_end_of,
    with_line_ends,
)
from quillon_tools.languages import Language

_FENCE = re.compile(
    r"^[ \t]*(`{3,}|~{3,})[^\n]*\n(.*?)(?:^[ \t]*\1[`~]*[ \t]*$|\Z)", re.MULTILINE | re.DOTALL
)
_THINKING = re.compile(r"<think>.*?(?:</think>|\Z)", re.DOTALL)
_LINE_END = re.compile(r"\r\n|\n|\r")
_HALF = (
    "The model's answer was not applied, because it holds half a character. Try again, or choose "
    "a larger model."
)


class Changed(msgspec.Struct, frozen=True, eq=False):
    """Edits of one document, all in offsets of the snapshot."""

    snapshot: DocumentSnapshot
    edits: tuple[Edit, ...]


class Created(msgspec.Struct, frozen=True):
    """A new file with its text."""

    path: Path
    text: str


Proposal = Changed | Created


class BadAnswer(Exception):  # noqa: N818 - what the model gave, not a failure of ours
    """The model's answer is of no use; the message says why, for people."""

    for_people = True


def code_in(answer: str) -> str:
    r"""The code of an answer: its longest fenced block, or all of it; line ends are `\n`.

    Raises:
        BadAnswer: There is none.
    """
    answer = _LINE_END.sub("\n", _THINKING.sub("", answer))
    blocks = [match.group(2) for match in _FENCE.finditer(answer)]
    code = max(blocks, key=len) if blocks else answer
    code = code.strip("\n").rstrip()
    if not code.strip():
        raise BadAnswer("The model gave no code. Try again, or choose a larger model.")
    return code


def prose_in(answer: str) -> str:
    r"""An answer without its thoughts and the blanks around it; line ends are `\n`."""
    return _LINE_END.sub("\n", _THINKING.sub("", answer)).strip()


def indent_at(text: str, offset: int) -> str:
    """The blanks that the line of `offset` starts with."""
    start = max(text.rfind("\n", 0, offset), text.rfind("\r", 0, offset)) + 1
    line = text[start : start + 400]
    return line[: len(line) - len(line.lstrip(" \t"))]


def indent_unit(text: str, default: str = "    ") -> str:
    """One step of indentation as `text` has it: a tab, or the narrowest run of blanks."""
    widths = set()
    for line in text.split("\n")[:2000]:
        if line.startswith("\t"):
            return "\t"
        width = len(line) - len(line.lstrip(" "))
        if width >= 2 and line.strip() and not line.lstrip().startswith("*"):  # noqa: PLR2004
            widths.add(width)
    return " " * min(widths) if widths else default


def unit_for(text: str, code: str) -> str:
    """The step of indentation for code that comes into `text`: the code's own if it has none."""
    return indent_unit(text, default=indent_unit(code))


def indented(code: str, indent: str, unit: str, language: Language | None = None) -> str:
    """The code at the depth of `indent`, stepping by `unit`; its first line gets no indent.

    The code is to replace text that starts behind its indentation. Text inside a string that is
    not indented along with the code stays as it is.
    """
    lines = code.split("\n")
    if indent and lines[0].startswith(indent) and not lines[0][len(indent) :][:1].isspace():
        return code[len(indent) :]  # it was written at its depth
    own = max(1, _width(indent_unit(code, default=unit) + "x"))
    fixed = _string_lines(code, lines, language)
    result = []
    for number, (line, depth) in enumerate(zip(lines, _depths(lines, fixed, unit), strict=True)):
        steps, rest = divmod(depth, own)
        bare = line.lstrip(" \t")
        moved = f"{indent}{unit * steps}{' ' * rest}{bare}" if bare else ""
        result.append(line if number in fixed else moved)
    return "\n".join(result)[len(indent) :]


def _depths(lines: Sequence[str], fixed: set[int], unit: str) -> list[int]:
    """How far each line is indented beyond the code's own margin, in columns."""
    widths = [_width(line) for line in lines]
    later = [widths[n] for n, line in enumerate(lines) if n and n not in fixed and line.strip()]
    # A model that copies a method often drops the indentation of its first line only.
    if widths[0] == 0 and later and min(later) > 0:
        closes = lines[-1].strip()[:1] in ("}", ")", "]")
        extra = widths[-1] if closes else min(later) - _width(unit + "x")
        widths = [width if n == 0 else width - max(0, extra) for n, width in enumerate(widths)]
    margin = min(widths[0], *later) if later else widths[0]
    return [max(0, width - margin) for width in widths]


def _string_lines(code: str, lines: Sequence[str], language: Language | None) -> set[int]:
    """The lines inside strings whose text is not indented along with the code around."""
    tree = parsed(code, language) if language is not None else None
    found: set[int] = set()
    waiting = [tree.root] if tree is not None else []
    while waiting:
        node = waiting.pop()
        first, last = node.start_point[0], node.end_point[0]
        if first == last:
            continue
        if "string" not in node.type:
            waiting.extend(node.named_children)
            continue
        inside = [n for n in range(first + 1, last + 1) if lines[n].strip()]
        if any(_width(lines[n]) < _width(lines[first]) for n in inside):
            found.update(range(first + 1, last + 1))
    return found


def _width(line: str) -> int:
    """The columns of a line's indentation; a tab counts four."""
    return len(line[: len(line) - len(line.lstrip(" \t"))].expandtabs(4))


def checked(snapshot: DocumentSnapshot, edits: Sequence[Edit]) -> list[Edit]:
    """The edits with the document's line ends, each cut down to what really changes.

    Raises:
        BadAnswer: They change nothing, bring half a character into a document without any, or the
            document would have more syntax errors after them.
    """
    end = line_end_of(snapshot.text)
    wanted = [Edit(edit.span, with_line_ends(edit.text, end)) for edit in edits]
    small = [least for edit in wanted if (least := _least(snapshot.text, edit)) is not None]
    if not small:
        raise BadAnswer("The model proposed no change.")
    if REPLACEMENT not in snapshot.text and any(REPLACEMENT in edit.text for edit in small):
        raise BadAnswer(_HALF)
    new = apply_edits(snapshot.text, small)
    if snapshot.language is not None and _breaks(snapshot, new):
        raise BadAnswer(
            "The model's answer was not applied, because it would leave the file with a syntax "
            "error. Try again, or choose a larger model."
        )
    return small


def _least(text: str, edit: Edit) -> Edit | None:
    old = edit.span.cut(text)
    if old == edit.text:
        return None
    inner = difference(old, edit.text)
    return Edit(
        Span(edit.span.start + inner.span.start, edit.span.start + inner.span.end), inner.text
    )


def _breaks(snapshot: DocumentSnapshot, new: str) -> bool:
    before, language = snapshot.settled(), snapshot.language
    after = parsed(new, language) if language is not None else None
    if before is None or after is None:
        return False  # too large to parse: nothing is known
    return error_count(after) > error_count(before)
