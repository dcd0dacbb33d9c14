"""Questions about a place in a document: pure, quick, and answered for unfinished code too."""

from typing import Literal

from quillon.context.document import DocumentSnapshot
from quillon.context.grammars import grammar_of
from quillon.context.indentation import CLOSERS, indent_of, is_blank
from quillon.context.tree import Node, Tree, parsed
from quillon.context.truncation import completion_end, opens_block, truncate_completion
from quillon.text import Edit, Span, apply_edits

__all__ = [
    "block_at",
    "block_end",
    "completion_end",
    "error_count",
    "errors_after",
    "opens_block",
    "prose_at",
    "truncate_completion",
    "wants_lines",
]

_QUOTES = "\"'`"
_TRAILING = frozenset(CLOSERS + "\"'`;:,> \t\r")


def prose_at(snapshot: DocumentSnapshot, offset: int) -> Literal["comment", "string"] | None:
    """Whether a cursor stands in a comment or in a string; None: in code.

    Behind a line comment it still stands in it, behind a string it does not.
    """
    tree = snapshot.tree
    if tree is not None and offset > 0:
        inside_out = grammar_of(tree).code_in_strings
        for node in tree.ancestors(offset - 1):
            if node.type in inside_out:
                return None
            if node.is_error:
                break  # the text decides
            found = _prose(tree, node, offset)
            if found is not None:
                return found
        else:
            return None
    return _prose_in_line(snapshot, offset)


def _prose(tree: Tree, node: Node, offset: int) -> Literal["comment", "string"] | None:
    grammar = grammar_of(tree)
    if node.type not in grammar.strings and node.type not in grammar.comments:
        return None
    span = tree.span(node)
    text = span.cut(tree.text)
    if node.type in grammar.strings:
        return "string" if span.start < offset < span.end else None
    if text.startswith("/*"):
        return "comment" if span.start < offset < span.end else None
    # Some grammars end a line comment behind its line end.
    end = span.start + len(text.rstrip("\r\n"))
    return "comment" if span.start < offset <= end else None


def _prose_in_line(snapshot: DocumentSnapshot, offset: int) -> Literal["comment", "string"] | None:
    """The answer of the line alone, for code that does not parse."""
    start = snapshot.lines.line_start(snapshot.lines.line_of(offset))
    comment = snapshot.language.line_comment if snapshot.language is not None else ""
    text, quote, at = snapshot.text, "", start
    while at < offset:
        char = text[at]
        if quote:
            at += char == "\\"
            quote = "" if char == quote else quote
        elif char in _QUOTES:
            quote = char
        elif comment and text.startswith(comment, at):
            return "comment"
        at += 1
    return "string" if quote else None


def wants_lines(snapshot: DocumentSnapshot, offset: int) -> bool:
    """Whether a completion here may have several lines: the rest of a block, not of a statement.

    It may at a blank line and behind what opens a block; not where code follows on the line, and
    not in a comment or a string.
    """
    span = snapshot.lines.line_span(snapshot.lines.line_of(offset))
    before = snapshot.text[span.start : offset]
    after = snapshot.text[offset : span.end]
    if not _TRAILING.issuperset(after) or prose_at(snapshot, offset) is not None:
        return False
    if is_blank(before):
        return is_blank(after) or after.lstrip()[0] in CLOSERS
    return opens_block(snapshot, before)


def block_at(snapshot: DocumentSnapshot, offset: int) -> Span:
    """The lines of the innermost block around a place; the whole text at the top level.

    A block is lines that are indented alike or more, blank ones between them included.
    """
    lines = snapshot.lines
    line = lines.line_of(offset)
    start = lines.line_start(line)
    text = lines.line_text(line)
    indent = indent_of(text if not is_blank(text) else snapshot.text[start:offset] + "x")
    if indent == 0:
        return snapshot.full_span()
    first = last = line
    while first > 0 and _belongs(lines.line_text(first - 1), indent):
        first -= 1
    while last + 1 < lines.line_count and _belongs(lines.line_text(last + 1), indent):
        last += 1
    while last > line and is_blank(lines.line_text(last)):
        last -= 1
    return Span(lines.line_start(first), lines.line_span(last).end)


def _belongs(line: str, indent: int) -> bool:
    return is_blank(line) or indent_of(line) >= indent


def block_end(snapshot: DocumentSnapshot, offset: int) -> int:
    """Where the innermost block around a place ends: the end of its last line with text."""
    return block_at(snapshot, offset).end


def error_count(tree: Tree) -> int:
    """The number of syntax errors: nodes that are wrong, and tokens that are missing."""
    count, waiting = 0, [tree.root]
    while waiting:
        node = waiting.pop()
        if not node.has_error:
            continue
        count += node.is_error or node.is_missing
        waiting.extend(node.children)
    return count


def errors_after(snapshot: DocumentSnapshot, edit: Edit) -> int | None:
    """How many syntax errors more (or, negative, fewer) the text has after an edit.

    None where the language has no grammar or the text is too large.
    """
    before = snapshot.tree
    if before is None:
        return None
    after = parsed(apply_edits(snapshot.text, [edit]), before.language, before)
    return None if after is None else error_count(after) - error_count(before)
