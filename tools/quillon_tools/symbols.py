"""Definitions in a source: what is defined where, and inside what."""

import re
from typing import Literal, get_args

import msgspec
import tree_sitter

from quillon_tools.languages import Language, definitions_query, parse

Kind = Literal[
    "class",
    "constant",
    "enum",
    "function",
    "interface",
    "macro",
    "method",
    "module",
    "struct",
    "type",
    "union",
    "variable",
]
KINDS: tuple[str, ...] = get_args(Kind)

_MATCH_LIMIT = 65_536
# Kinds whose range may hold other definitions that it then names.
_CONTAINERS = frozenset(
    {"class", "constant", "enum", "function", "interface", "method", "module", "struct"}
    | {"union", "variable"}
)
# The queries mark these only roughly; the node says what they are.
_KIND_OF_NODE: dict[str, Kind] = {
    "struct_item": "struct",
    "enum_item": "enum",
    "union_item": "union",
    "type_item": "type",
    "struct_specifier": "struct",
    "union_specifier": "union",
    "enum_specifier": "enum",
    "class_specifier": "class",
    "interface_type": "interface",
    "struct_type": "struct",
}
# Nodes around a captured one that belong to the definition.
_WIDER = frozenset(
    {"function_definition", "declaration", "field_declaration", "template_declaration"}
)
_DECLARATORS = frozenset(
    {"function_declarator", "pointer_declarator", "reference_declarator", "init_declarator"}
)


class Symbol(msgspec.Struct, frozen=True):
    """One definition. Lines count from 1 and include both ends; bytes are half open.

    `container` is the dotted path of what encloses it (`Class.method`), or empty.
    """

    name: str
    kind: str
    start_line: int
    end_line: int
    start_byte: int
    end_byte: int
    container: str = ""

    @property
    def full_name(self) -> str:
        """The name after its container: `Container.name`."""
        return f"{self.container}.{self.name}" if self.container else self.name


def symbols_in(source: bytes, language: Language) -> list[Symbol]:
    """The definitions of a source, by their start.

    Raises:
        ParseError: The source is too large, or parsing it took too long.
    """
    return symbols_of(parse(source, language), language)


def symbols_of(tree: tree_sitter.Tree, language: Language) -> list[Symbol]:
    """The definitions of a parsed source, by their start."""
    found: dict[int, Symbol] = {}
    cursor = tree_sitter.QueryCursor(definitions_query(language), match_limit=_MATCH_LIMIT)
    for _pattern, captures in cursor.matches(tree.root_node):
        names = captures.get("name")
        if not names:
            continue
        for label, nodes in captures.items():
            if label.startswith("definition."):
                symbol = _symbol(names[0], nodes[0], label.removeprefix("definition."))
                known = found.get(names[0].start_byte)
                if known is None or _better(symbol, known):
                    found[names[0].start_byte] = symbol
    return _with_containers(sorted(found.values(), key=lambda s: (s.start_byte, -s.end_byte)))


def _better(new: Symbol, known: Symbol) -> bool:
    # Several patterns may match one name: a method is also a function, an arrow function also
    # a constant, and a typedef's struct also a type.
    order = ("variable", "constant", "type", "function")
    rank = {kind: index for index, kind in enumerate(order)}
    return rank.get(new.kind, len(order)) > rank.get(known.kind, len(order))


def _symbol(name: tree_sitter.Node, node: tree_sitter.Node, kind: str) -> Symbol:
    whole = _whole(node)
    end_row = whole.end_point[0]
    if whole.end_point[1] == 0 and end_row > whole.start_point[0]:
        end_row -= 1  # the node ends at the line break of the line before (C's preprocessor)
    return Symbol(
        name=_text(name),
        kind=_kind(whole, node, kind),
        start_line=whole.start_point[0] + 1,
        end_line=end_row + 1,
        start_byte=whole.start_byte,
        end_byte=whole.end_byte,
        container=_receiver(name, node),
    )


def _text(node: tree_sitter.Node) -> str:
    return (node.text or b"").decode("utf-8", "replace")


def _whole(node: tree_sitter.Node) -> tree_sitter.Node:
    """The whole definition: a declarator's function, a declarator's statement."""
    while (
        node.parent is not None
        and (node.type in _DECLARATORS or node.type == "variable_declarator")
        and (
            node.parent.type in _DECLARATORS
            or node.parent.type in _WIDER
            or node.parent.type in {"lexical_declaration", "variable_declaration"}
        )
    ):
        node = node.parent
    return node


def _kind(whole: tree_sitter.Node, node: tree_sitter.Node, kind: str) -> str:
    if node.type == "type_spec":
        inner = node.child_by_field_name("type")
        return _KIND_OF_NODE.get(inner.type, "type") if inner is not None else "type"
    if node.type == "type_definition":
        inner = node.child_by_field_name("type")
        if inner is None or inner.child_by_field_name("body") is None:
            return "type"
        # A body with a name of its own is a definition of its own.
        named = inner.child_by_field_name("name") is not None
        return "type" if named else _KIND_OF_NODE.get(inner.type, "type")
    if kind in {"function", "method"}:
        return _callable_kind(whole)
    return _KIND_OF_NODE.get(node.type, kind)


_METHOD_NODES = frozenset(
    {
        "method_definition",
        "method_declaration",
        "method_signature",
        "abstract_method_signature",
        "method_elem",
        "constructor_declaration",
        "field_declaration",
        "field_definition",
        "public_field_definition",
    }
)
_CLASS_NODES = frozenset(
    {
        "class_definition",
        "class_body",
        "class_specifier",
        "struct_specifier",
        "union_specifier",
        "impl_item",
        "trait_item",
    }
)
_BODIES = frozenset(
    {"block", "decorated_definition", "declaration_list", "field_declaration_list"}
    | {"template_declaration", "access_specifier"}
)


def _callable_kind(whole: tree_sitter.Node) -> Literal["function", "method"]:
    if whole.type in _METHOD_NODES or _qualified(whole):
        return "method"
    parent = whole.parent
    while parent is not None and parent.type in _BODIES:
        parent = parent.parent
    return "method" if parent is not None and parent.type in _CLASS_NODES else "function"


def _qualified(whole: tree_sitter.Node) -> tree_sitter.Node | None:
    """The qualified name of a C++ function defined outside of its class."""
    node: tree_sitter.Node | None = whole
    while node is not None and node.type != "qualified_identifier":
        node = node.child_by_field_name("declarator")
    return node


def _receiver(name: tree_sitter.Node, node: tree_sitter.Node) -> str:
    """The type that a definition names itself: Go's receiver, Rust's impl, C++'s `Class::`."""
    if node.type == "method_declaration" and (receiver := node.child_by_field_name("receiver")):
        match = re.search(r"(\w+)\s*(?:\[[^\]]*\])?\s*\)$", _text(receiver))
        return match[1] if match else ""
    owner = node.parent.parent if node.parent is not None else None
    if owner is not None and owner.type == "impl_item":
        return _plain(owner.child_by_field_name("type"))
    scopes = []
    outer = name.parent
    while outer is not None and outer.type == "qualified_identifier":
        scopes.append(_plain(outer.child_by_field_name("scope")))
        outer = outer.parent
    return ".".join(scope for scope in reversed(scopes) if scope)


def _plain(node: tree_sitter.Node | None) -> str:
    """A type's name without its parameters."""
    return re.sub(r"<.*", "", _text(node), flags=re.DOTALL) if node is not None else ""


def _with_containers(symbols: list[Symbol]) -> list[Symbol]:
    """Each symbol with the path of what encloses it."""
    result: list[Symbol] = []
    open_symbols: list[Symbol] = []
    for symbol in symbols:
        while open_symbols and open_symbols[-1].end_byte < symbol.end_byte:
            open_symbols.pop()
        outer = open_symbols[-1].full_name if open_symbols else ""
        path = ".".join(part for part in (outer, symbol.container) if part)
        placed = msgspec.structs.replace(symbol, container=path)
        result.append(placed)
        if placed.kind in _CONTAINERS:
            open_symbols.append(placed)
    return result
