"""What the code actions ask a syntax tree: which function or class is here, and how it stands.

Grammars differ in their node types and agree in their field names (`name`, `body`,
`declarator`), so one table of types and a few rules serve all languages.
"""

import re
from collections.abc import Iterator
from typing import Literal

import msgspec

from quillon.context.tree import Node, Tree
from quillon.text import Span

_FUNCTIONS = frozenset(
    {
        "function_definition",
        "function_declaration",
        "generator_function_declaration",
        "method_definition",
        "method_declaration",
        "constructor_declaration",
        "function_item",
        "function_signature_item",
        "method_signature",
    }
)
_FUNCTION_VALUES = frozenset({"arrow_function", "function_expression"})
_VALUE_HOLDERS = frozenset(
    {"variable_declarator", "public_field_definition", "field_definition", "assignment_expression"}
)
_CLASSES = frozenset(
    {
        "class_definition",
        "class_declaration",
        "abstract_class_declaration",
        "class_specifier",
        "struct_specifier",
        "interface_declaration",
        "enum_declaration",
        "record_declaration",
        "struct_item",
        "enum_item",
        "trait_item",
        "type_declaration",
    }
)
# What wraps a definition and belongs to it.
_WRAPPERS = frozenset(
    {
        "decorated_definition",
        "export_statement",
        "template_declaration",
        "lexical_declaration",
        "variable_declaration",
        "expression_statement",
    }
)
_COMMENTS = frozenset({"comment", "line_comment", "block_comment"})
_ATTRIBUTES = frozenset({"attribute_item", "decorator", "marker_annotation"})
_BETWEEN = _COMMENTS | _ATTRIBUTES
_UNFINISHED = re.compile(
    r"not\s*_?(?:yet\s*)?implement|unimplemented|todo|unsupportedoperation|panic", re.IGNORECASE
)
_STUB_STATEMENTS = frozenset({"pass_statement", "raise_statement", "throw_statement"})
_CALLS = frozenset({"call_expression", "macro_invocation", "ellipsis", "expression_statement"})
_NO_BODY_WANTED = re.compile(r"@(?:\w+\.)*(?:abstractmethod|abstractproperty|overload)\b")


class Definition(msgspec.Struct, frozen=True):
    """A function or class as it stands in a document; all spans are of the document.

    `whole` starts with what belongs to it (decorators, `export`). `signature` ends before the
    body, in Python after the colon. `body` is the code after it, with the braces where the
    language has them. `stub` covers the code that stands for a missing implementation, or is None
    where there is one. `container` names the classes around it, outermost first.
    """

    name: str
    kind: Literal["function", "class"]
    whole: Span
    signature: Span
    body: Span | None
    documented: bool
    stub: Span | None
    docstring: Span | None = None
    container: tuple[str, ...] = ()


def definition_at(tree: Tree, selection: Span) -> Definition | None:
    """The innermost definition around a selection, decorators and doc comment included."""
    for node in _around(tree, selection):
        if (kind := _kind(node)) is not None and (name := _name_of(tree, node)):
            return _described(tree, node, kind, name)
    return None


def statement_at(tree: Tree, selection: Span) -> Span | None:
    """The outermost statement around a selection; None between statements."""
    outermost = None
    for node in tree.ancestors(selection.start):
        if node.parent is not None and tree.span(node).covers(selection):
            outermost = node
    return None if outermost is None else tree.span(outermost)


def definitions_in(tree: Tree) -> Iterator[Definition]:
    """Every definition, outer ones before inner ones, in the order of the text."""
    waiting = [tree.root]
    while waiting:
        node = waiting.pop()
        if (kind := _kind(node)) is not None and (name := _name_of(tree, node)):
            yield _described(tree, node, kind, name)
        waiting.extend(reversed(node.named_children))


def _around(tree: Tree, selection: Span) -> Iterator[Node]:
    """Nodes that cover the selection, innermost first; a wrapper stands for what it wraps."""
    for node in tree.ancestors(selection.start):
        if not tree.span(node).covers(selection):
            continue
        wrapped = _unwrapped(node)
        yield wrapped
        if wrapped is not node:
            yield node


def _unwrapped(node: Node) -> Node:
    """The definition inside a wrapper; any other node itself."""
    at = node
    while at.type in _WRAPPERS:
        inner = at.child_by_field_name("definition") or at.child_by_field_name("declaration")
        inner = inner or next((c for c in at.named_children if c.type not in _BETWEEN), None)
        if inner is None:
            return node
        at = inner
    return at if _kind(at) is not None else node


def _kind(node: Node) -> Literal["function", "class"] | None:
    if node.type in _CLASSES:
        has_body = node.child_by_field_name("body") is not None
        return "class" if has_body or node.type in ("struct_item", "type_declaration") else None
    if node.type in _FUNCTIONS:
        return "function"
    if node.type in _VALUE_HOLDERS:
        value = _value(node)
        return "function" if value is not None and value.type in _FUNCTION_VALUES else None
    return None


def _value(node: Node) -> Node | None:
    return node.child_by_field_name("value") or node.child_by_field_name("right")


def _name_of(tree: Tree, node: Node) -> str:
    """The name, through C's nested declarators and Go's type declarations."""
    at: Node | None = node
    while at is not None:
        for field in ("name", "property", "left"):
            if (named := at.child_by_field_name(field)) is not None:
                return tree.text_of(named)
        inner = at.child_by_field_name("declarator")
        if inner is None and at.type == "type_declaration":
            inner = next(iter(at.named_children), None)
        if inner is None and at is not node:
            return tree.text_of(at)
        at = inner
    return ""


def _described(tree: Tree, node: Node, kind: Literal["function", "class"], name: str) -> Definition:
    outer = _outer(node)
    body = _body(node)
    statements = _statements(body) if body is not None else []
    python = tree.language.id == "python"
    docstring = python and bool(statements) and _is_docstring(statements[0])
    return Definition(
        name=name,
        kind=kind,
        whole=Span(_first_attribute(tree, outer), tree.span(outer).end),
        signature=_signature(tree, node, body),
        body=tree.span(body) if body is not None else None,
        documented=docstring if python else _has_doc_comment(tree, outer),
        stub=_stub(tree, outer, body, statements[docstring:]) if kind == "function" else None,
        docstring=tree.span(statements[0]) if docstring else None,
        container=_container(tree, node),
    )


def _outer(node: Node) -> Node:
    """The definition with what wraps it."""
    while node.parent is not None and node.parent.type in _WRAPPERS:
        node = node.parent
    return node


def _first_attribute(tree: Tree, node: Node) -> int:
    """Where a definition starts, with the attributes that some grammars put beside it."""
    while node.prev_named_sibling is not None and node.prev_named_sibling.type in _ATTRIBUTES:
        node = node.prev_named_sibling
    return tree.span(node).start


def _body(node: Node) -> Node | None:
    if node.type in _VALUE_HOLDERS:
        value = _value(node)
        return None if value is None else value.child_by_field_name("body")
    return node.child_by_field_name("body")


def _signature(tree: Tree, node: Node, body: Node | None) -> Span:
    span = tree.span(node)
    if body is None:
        return span
    # In Python comments may stand between the colon and the body.
    colons = [child for child in node.children if child.type == ":"]
    if tree.language.id == "python" and colons:
        return Span(span.start, tree.span(colons[-1]).end)
    return Span(span.start, tree.span(body).start)


def _statements(body: Node) -> list[Node]:
    """The statements of a body, comments left out."""
    children = body.named_children
    if len(children) == 1 and children[0].type == "statement_list":  # Go
        children = children[0].named_children
    return [child for child in children if child.type not in _COMMENTS]


def _is_docstring(statement: Node) -> bool:
    inner = statement.named_children
    return statement.type == "expression_statement" and bool(inner) and inner[0].type == "string"


def _has_doc_comment(tree: Tree, node: Node) -> bool:
    """Whether a comment ends on the line above the definition, attributes in between."""
    before, line = node.prev_named_sibling, node.start_point[0]
    while before is not None and before.type in _ATTRIBUTES:
        line = before.start_point[0]
        before = before.prev_named_sibling
    if before is None or before.type not in _COMMENTS:
        return False
    text = tree.text_of(before)
    # Rust's line comments end after their line break, at the start of the next line.
    ends = before.start_point[0] + text.rstrip("\r\n").count("\n")
    return ends + 1 >= line and (tree.language.id == "go" or text.startswith(("/**", "///", "/*!")))


def _stub(tree: Tree, outer: Node, body: Node | None, statements: list[Node]) -> Span | None:
    """What stands for a missing implementation: nothing, `pass`, or something that says so."""
    if body is None or not _wants_code(tree, outer, body) or len(statements) > 1:
        return None
    if statements and not _says_unfinished(tree, statements[0]):
        return None
    if tree.language.id != "python":
        return tree.span(body)
    end = tree.span(body).end
    # A docstring alone: the code goes behind it.
    return Span(tree.span(statements[0]).start if statements else end, end)


def _wants_code(tree: Tree, outer: Node, body: Node) -> bool:
    """Whether an empty body would be a gap: not that of an abstract method or a constructor."""
    if body.type == "constructor_body" or _NO_BODY_WANTED.search(tree.text_of(outer)[:400]):
        return False
    # An arrow function may have an expression for a body.
    return tree.language.id == "python" or body.type.endswith(("block", "statement"))


def _says_unfinished(tree: Tree, statement: Node) -> bool:
    if statement.type == "pass_statement" or tree.text_of(statement) == "...":
        return True
    known = statement.type in _STUB_STATEMENTS or statement.type in _CALLS
    return known and _UNFINISHED.search(tree.text_of(statement)) is not None


def _container(tree: Tree, node: Node) -> tuple[str, ...]:
    names = []
    at = node.parent
    while at is not None:
        if at.type in _CLASSES or at.type == "impl_item":
            names.append(_name_of(tree, at) or _impl_name(tree, at))
        at = at.parent
    return tuple(reversed([name for name in names if name]))


def _impl_name(tree: Tree, node: Node) -> str:
    kind = node.child_by_field_name("type")
    return "" if kind is None else tree.text_of(kind)
