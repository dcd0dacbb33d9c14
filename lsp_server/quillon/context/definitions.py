"""The definitions around a place, and the imports of a file.

Grammars name their nodes differently and agree on the field `body`; one table serves all
languages. Where the code around the cursor does not parse, indentation decides.
"""

import re
from typing import Literal

import msgspec

from quillon.context.document import DocumentSnapshot
from quillon.context.indentation import indent_of, outward
from quillon.context.tree import Node, Tree
from quillon.text import Span

FUNCTIONS = frozenset(
    {
        "function_definition",
        "function_declaration",
        "generator_function_declaration",
        "method_definition",
        "method_declaration",
        "constructor_declaration",
        "function_item",
    }
)
CONTAINERS = frozenset(
    {
        "class_definition",
        "class_declaration",
        "abstract_class_declaration",
        "class_specifier",
        "struct_specifier",
        "interface_declaration",
        "enum_declaration",
        "enum_specifier",
        "record_declaration",
        "impl_item",
        "trait_item",
        "mod_item",
        "struct_item",
        "enum_item",
        "internal_module",
        "namespace_definition",
    }
)
# A function that is a value counts as one where a name holds it.
_HOLDERS = frozenset({"variable_declarator", "public_field_definition", "field_definition", "pair"})
_FUNCTION_VALUES = frozenset({"arrow_function", "function_expression", "func_literal"})
_WRAPPERS = frozenset({"decorated_definition", "export_statement", "template_declaration"})
_IMPORTS = frozenset(
    {
        "import_statement",
        "import_from_statement",
        "future_import_statement",
        "import_declaration",
        "package_clause",
        "package_declaration",
        "use_declaration",
        "extern_crate_declaration",
        "preproc_include",
        "using_declaration",
    }
)
_BESIDE_IMPORTS = frozenset({"comment", "line_comment", "block_comment", "expression_statement"})
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
        if (kind := _kind(node)) is not None and _holds(tree, node, offset)
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


def _kind(node: Node) -> Literal["function", "container", "other"] | None:
    if node.type in FUNCTIONS:
        return "function"
    if node.type in CONTAINERS:
        return "container" if node.child_by_field_name("body") is not None else None
    if node.type == "type_declaration":
        return "container"
    if node.type in _HOLDERS:
        value = node.child_by_field_name("value")
        return "function" if value is not None and value.type in _FUNCTION_VALUES else None
    return None


def _described(
    snapshot: DocumentSnapshot,
    tree: Tree,
    node: Node,
    kind: Literal["function", "container", "other"],
) -> Enclosing:
    outer = node
    while outer.parent is not None and outer.parent.type in _WRAPPERS:
        outer = outer.parent
    value = node.child_by_field_name("value") if node.type in _HOLDERS else None
    body = (value or node).child_by_field_name("body")
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
    start = end = 0
    cursor = tree.root.walk()
    more = cursor.goto_first_child()
    for _ in range(_SCAN):
        node = cursor.node
        if not more or node is None:
            break
        if node.type in _IMPORTS:
            span = tree.span(node)
            start, end = (start, span.end) if end else (span.start, span.end)
        elif end and node.type not in _BESIDE_IMPORTS and node.is_named:
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
