"""The definitions around a place, and the imports of a file.

Where the code around the cursor does not parse, indentation decides.
"""

import re
from typing import Literal

import msgspec

from quillon.context.document import DocumentSnapshot
from quillon.context.grammars import body_of, grammar_of, kind_of, outer_of
from quillon.context.indentation import indent_of, outward
from quillon.context.tree import Node, Tree
from quillon.text import Span

_IMPORT_LINE = re.compile(
    r"\s*(?:import|from|use|using|package|require|#\s*include|extern crate)\b"
)
_DEFINITION_LINE = re.compile(
    r"\s*(?:@|(?:(?:export|default|public|private|protected|internal|static|final|abstract|async|"
    r"pub(?:\([a-z: ]+\))?|unsafe|extern|const|inline|virtual|template\b.*)\s+)*"
    r"(?:def|class|function\*?|interface|enum|struct|impl|trait|mod|fn|func|type|namespace|module|"
    r"record|union)\b)"
)
_BRACED_LINE = re.compile(
    r"\s*(?!(?:if|for|while|switch|else|do|try|catch|match|loop|select|with|return|new)\b|\})"
    r"[\w~].*\([^;]*\{\s*$"
)
# What encloses a place. A class without a body, as Rust's units, has no inside.
_KINDS: dict[str | None, Literal["function", "container"]] = {
    "function": "function",
    "holder": "function",
    "entry": "function",
    "class": "container",
    "container": "container",
}
_HEADER_LINES = 12  # a longer header is cut: it is there to say where the cursor stands
_SCAN = 400  # children of the root looked at for imports


class Enclosing(msgspec.Struct, frozen=True):
    """A definition around a place.

    `whole` covers it with its decorators. `header` covers full lines, from the one where the
    definition itself starts to the one where its body opens, without the last line end.
    """

    kind: Literal["function", "container", "other"]
    whole: Span
    header: Span


def enclosing(snapshot: DocumentSnapshot, offset: int) -> tuple[Enclosing, ...]:
    """The definitions around `offset`, outermost first."""
    tree = snapshot.tree
    if tree is None:
        return _by_indentation(snapshot, offset)
    # What the cursor stands behind, not what follows it: a Python block ends with its last
    # statement, and yet the user who goes on writing there writes in the block.
    anchor = max(0, len(snapshot.text[:offset].rstrip()) - 1)
    around = list(tree.ancestors(anchor))
    if any(node.is_error for node in around):
        return _by_indentation(snapshot, offset)
    found = [
        _described(snapshot, tree, node, kind)
        for node in around
        if (kind := _kind(tree, node)) is not None and _holds(tree, node, offset)
    ]
    return tuple(reversed(found))


def enclosing_function(snapshot: DocumentSnapshot, offset: int) -> Enclosing | None:
    """The innermost function around `offset`, else the innermost definition; None: top level."""
    found = enclosing(snapshot, offset)
    functions = [one for one in found if one.kind == "function"] or found
    return functions[-1] if functions else None


def imports_region(snapshot: DocumentSnapshot) -> Span:
    """From the first to the last import at the top of a file, as full lines; else empty."""
    tree = snapshot.tree
    span = _imports_of(tree) if tree is not None else _import_lines(snapshot)
    lines = snapshot.lines
    if not len(span):
        return Span(0, 0)
    first, last = lines.line_of(span.start), lines.line_of(span.end - 1)
    return Span(lines.line_start(first), lines.line_span(last).end)


def _holds(tree: Tree, node: Node, offset: int) -> bool:
    span = tree.span(node)
    if span.start < offset < span.end:
        return True
    if tree.language.id != "python" or offset <= span.start:
        return False
    return _column(tree.text, offset) > _column(tree.text, span.start)


def _column(text: str, offset: int) -> int:
    """The indentation of the line that holds `offset`, which counts as code."""
    line = text[text.rfind("\n", 0, offset) + 1 : offset]
    return indent_of(line + "x")


def _kind(tree: Tree, node: Node) -> Literal["function", "container"] | None:
    grammar = grammar_of(tree)
    if node.type in grammar.units and body_of(grammar, node) is None:
        return None
    return _KINDS.get(kind_of(grammar, node))


def _described(
    snapshot: DocumentSnapshot, tree: Tree, node: Node, kind: Literal["function", "container"]
) -> Enclosing:
    grammar = grammar_of(tree)
    outer, body = outer_of(grammar, node), body_of(grammar, node)
    lines = snapshot.lines
    start = tree.span(node).start
    first = lines.line_of(start)
    opens = tree.span(body).start if body is not None else tree.span(node).end
    before = snapshot.text[start:opens].rstrip()
    # A brace that opens the body on the next line belongs to the header too.
    end = opens if snapshot.text[opens : opens + 1] == "{" else start + max(0, len(before) - 1)
    last = min(lines.line_of(end), first + _HEADER_LINES - 1)
    return Enclosing(
        kind, tree.span(outer), Span(lines.line_start(first), lines.line_span(last).end)
    )


def _by_indentation(snapshot: DocumentSnapshot, offset: int) -> tuple[Enclosing, ...]:
    lines = snapshot.lines
    line = lines.line_of(offset)
    found = []
    for number in outward(lines, line, _column(snapshot.text, offset)):
        header = lines.line_span(number)
        text = header.cut(snapshot.text)
        if _DEFINITION_LINE.match(text) or _BRACED_LINE.match(text):
            found.append(Enclosing("other", Span(header.start, offset), header))
    return tuple(reversed(found))


def _imports_of(tree: Tree) -> Span:
    grammar = grammar_of(tree)
    beside = grammar.comments | {"expression_statement"}  # a docstring, "use strict"
    start = end = 0
    cursor = tree.root.walk()
    more = cursor.goto_first_child()
    for _ in range(_SCAN):
        node = cursor.node
        if not more or node is None:
            break
        if node.type in grammar.imports:
            span = tree.span(node)
            start, end = (start, span.end) if end else (span.start, span.end)
        elif end and node.type not in beside and node.is_named:
            break
        more = cursor.goto_next_sibling()
    return Span(start, end)


def _import_lines(snapshot: DocumentSnapshot) -> Span:
    start = end = 0
    for number in range(min(snapshot.lines.line_count, _SCAN)):
        span = snapshot.lines.line_span(number)
        if _IMPORT_LINE.match(span.cut(snapshot.text)):
            start, end = (start, span.end) if end else (span.start, span.end)
    return Span(start, end)
