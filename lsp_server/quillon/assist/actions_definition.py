"""What a selection means to a code action: the definition or the statement around it."""

from collections.abc import Iterator

from quillon.context.anatomy import Definition, definition_of, unwrapped
from quillon.context.tree import Node, Tree
from quillon.text import Span


def definition_at(tree: Tree, selection: Span) -> Definition | None:
    """The innermost definition around a selection, decorators and doc comment included."""
    around = (definition_of(tree, node) for node in _around(tree, selection))
    return next((found for found in around if found is not None), None)


def statement_at(tree: Tree, selection: Span) -> Span | None:
    """The outermost statement around a selection; None between statements."""
    outermost = None
    for node in tree.ancestors(selection.start):
        if node.parent is not None and tree.span(node).covers(selection):
            outermost = node
    return None if outermost is None else tree.span(outermost)


def _around(tree: Tree, selection: Span) -> Iterator[Node]:
    """Nodes that cover the selection, innermost first; a wrapper stands for what it wraps."""
    for node in tree.ancestors(selection.start):
        if not tree.span(node).covers(selection):
            continue
        wrapped = unwrapped(tree, node)
        yield wrapped
        if wrapped is not node:
            yield node
