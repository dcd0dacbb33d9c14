"""Syntax trees as plain values, to be compared."""

from quillon.context.tree import Tree


def shape(tree: Tree) -> list[tuple[str, int, int, int, int]]:
    """Every node in order: type, bytes, row and column of its end.

    An s-expression would name no places.
    """
    found = []
    cursor = tree.root.walk()
    while True:
        node = cursor.node
        kind = f"missing {node.type}" if node.is_missing else node.type
        found.append((kind, node.start_byte, node.end_byte, *node.end_point))
        if cursor.goto_first_child() or cursor.goto_next_sibling():
            continue
        while cursor.goto_parent():
            if cursor.goto_next_sibling():
                break
        else:
            return found
