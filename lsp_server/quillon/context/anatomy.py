"""How one definition stands in a text: its name, signature, body, documentation and stub."""

import re
from collections.abc import Iterator
from typing import Literal

import msgspec

from quillon.context.grammars import Grammar, body_of, grammar_of, kind_of, outer_of
from quillon.context.tree import Node, Tree
from quillon.text import Span

_UNFINISHED = re.compile(
    r"not\s*_?(?:yet\s*)?implement|unimplemented|todo|unsupportedoperation|panic", re.IGNORECASE
)
_NO_BODY_WANTED = re.compile(r"@(?:\w+\.)*(?:abstractmethod|abstractproperty|overload)\b")
# An object's entry has no documentation and no test of its own, and a container none at all.
_KINDS: dict[str | None, Literal["function", "class"]] = {
    "function": "function",
    "prototype": "function",
    "holder": "function",
    "assigned": "function",
    "class": "class",
}


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


def definitions_in(tree: Tree) -> Iterator[Definition]:
    """Every definition, outer ones before inner ones, in the order of the text."""
    waiting = [tree.root]
    while waiting:
        node = waiting.pop()
        if (found := definition_of(tree, node)) is not None:
            yield found
        waiting.extend(reversed(node.named_children))


def definition_of(tree: Tree, node: Node) -> Definition | None:
    """The definition that a node is; None: it is none, or has no name."""
    kind = _KINDS.get(kind_of(grammar_of(tree), node))
    name = _name_of(tree, node) if kind is not None else ""
    return _described(tree, node, kind, name) if kind is not None and name else None


def unwrapped(tree: Tree, node: Node) -> Node:
    """The definition inside a wrapper; any other node itself."""
    grammar = grammar_of(tree)
    between = grammar.comments | grammar.attributes
    at = node
    while at.type in grammar.wrappers:
        inner = at.child_by_field_name("definition") or at.child_by_field_name("declaration")
        inner = inner or next((c for c in at.named_children if c.type not in between), None)
        if inner is None:
            return node
        at = inner
    return at if kind_of(grammar, at) in _KINDS else node


def _name_of(tree: Tree, node: Node) -> str:
    """The name, through C's nested declarators and Go's groups."""
    groups = grammar_of(tree).groups
    at: Node | None = node
    while at is not None:
        for field in ("name", "property", "left"):
            if (named := at.child_by_field_name(field)) is not None:
                return tree.text_of(named)
        inner = at.child_by_field_name("declarator")
        if inner is None and at.type in groups:
            inner = next(iter(at.named_children), None)
        if inner is None and at is not node:
            return tree.text_of(at)
        at = inner
    return ""


def _described(tree: Tree, node: Node, kind: Literal["function", "class"], name: str) -> Definition:
    grammar = grammar_of(tree)
    outer, body = outer_of(grammar, node), body_of(grammar, node)
    statements = _statements(grammar, body) if body is not None else []
    docstring = grammar.docstrings and bool(statements) and _is_docstring(statements[0])
    return Definition(
        name=name,
        kind=kind,
        whole=Span(_first_attribute(tree, outer), tree.span(outer).end),
        signature=_signature(tree, node, body),
        body=tree.span(body) if body is not None else None,
        documented=docstring if grammar.docstrings else _has_doc_comment(tree, outer),
        stub=_stub(tree, outer, body, statements[docstring:]) if kind == "function" else None,
        docstring=tree.span(statements[0]) if docstring else None,
        container=_container(tree, node),
    )


def _first_attribute(tree: Tree, node: Node) -> int:
    """Where a definition starts, with the attributes that some grammars put beside it."""
    attributes = grammar_of(tree).attributes
    while node.prev_named_sibling is not None and node.prev_named_sibling.type in attributes:
        node = node.prev_named_sibling
    return tree.span(node).start


def _signature(tree: Tree, node: Node, body: Node | None) -> Span:
    span = tree.span(node)
    if body is None:
        return span
    # In Python comments may stand between the colon and the body.
    colons = [child for child in node.children if child.type == ":"]
    if grammar_of(tree).docstrings and colons:
        return Span(span.start, tree.span(colons[-1]).end)
    return Span(span.start, tree.span(body).start)


def _statements(grammar: Grammar, body: Node) -> list[Node]:
    """The statements of a body, comments left out."""
    children = body.named_children
    if len(children) == 1 and children[0].type == "statement_list":  # Go
        children = children[0].named_children
    return [child for child in children if child.type not in grammar.comments]


def _is_docstring(statement: Node) -> bool:
    inner = statement.named_children
    return statement.type == "expression_statement" and bool(inner) and inner[0].type == "string"


def _has_doc_comment(tree: Tree, node: Node) -> bool:
    """Whether a comment ends on the line above the definition, attributes in between."""
    grammar = grammar_of(tree)
    before, line = node.prev_named_sibling, node.start_point[0]
    while before is not None and before.type in grammar.attributes:
        line = before.start_point[0]
        before = before.prev_named_sibling
    if before is None or before.type not in grammar.comments:
        return False
    text = tree.text_of(before)
    # Rust's line comments end after their line break, at the start of the next line.
    ends = before.start_point[0] + text.rstrip("\r\n").count("\n")
    return ends + 1 >= line and text.startswith(grammar.doc_marks)


def _stub(tree: Tree, outer: Node, body: Node | None, statements: list[Node]) -> Span | None:
    """What stands for a missing implementation: nothing, `pass`, or something that says so."""
    if body is None or not _wants_code(tree, outer, body) or len(statements) > 1:
        return None
    if statements and not _says_unfinished(tree, statements[0]):
        return None
    if not grammar_of(tree).docstrings:
        return tree.span(body)
    end = tree.span(body).end
    # A docstring alone: the code goes behind it.
    return Span(tree.span(statements[0]).start if statements else end, end)


def _wants_code(tree: Tree, outer: Node, body: Node) -> bool:
    """Whether an empty body would be a gap: not that of an abstract method or a constructor."""
    if body.type == "constructor_body" or _NO_BODY_WANTED.search(tree.text_of(outer)[:400]):
        return False
    # An arrow function may have an expression for a body.
    return grammar_of(tree).docstrings or body.type.endswith(("block", "statement"))


def _says_unfinished(tree: Tree, statement: Node) -> bool:
    if statement.type == "pass_statement" or tree.text_of(statement) == "...":
        return True
    known = statement.type in grammar_of(tree).stubs
    return known and _UNFINISHED.search(tree.text_of(statement)) is not None


def _container(tree: Tree, node: Node) -> tuple[str, ...]:
    definitions = grammar_of(tree).definitions
    names = []
    at = node.parent
    while at is not None:
        kind = definitions.get(at.type)
        if kind == "class":
            names.append(_name_of(tree, at))
        elif kind == "container" and (implemented := at.child_by_field_name("type")) is not None:
            names.append(tree.text_of(implemented))  # Rust: what an `impl` is for
        at = at.parent
    return tuple(reversed([name for name in names if name]))
