"""What the grammars call things: for each language one table of its node types.

Grammars differ in their node types and agree in their field names (`name`, `body`, `declarator`,
`value`), so a table and a few rules on fields serve every question about definitions.
"""

from typing import Literal

import msgspec

from quillon.context.tree import Node, Tree

Kind = Literal["function", "prototype", "holder", "entry", "assigned", "class", "container"]

_NONE: frozenset[str] = frozenset()
_HOLDS_A_VALUE = frozenset({"holder", "entry", "assigned"})
_HAS_A_BODY = frozenset({"class", "container"})


class Grammar(msgspec.Struct, frozen=True):
    """The node types of one language.

    `definitions` tells what defines something:
    `function` and `prototype`, a function without a body;
    `holder`, `entry` and `assigned`: a variable or field, an object's key, the left side of an
    assignment, which count where their value is one of `function_values`;
    `class`; and `container`, which groups definitions and is none that is documented or tested.

    `units` are classes that may have no body, `groups` declarations whose class stands inside.
    `wrappers` belong to what they wrap, `attributes` stand before it. `stubs` are statements that
    may stand for a missing implementation. `doc_marks` begin a comment that documents; where
    `docstrings` is set, the documentation stands in the body, and indentation makes the body.
    """

    definitions: dict[str, Kind]
    imports: frozenset[str]
    strings: frozenset[str]
    comments: frozenset[str] = frozenset({"comment"})
    stubs: frozenset[str] = frozenset({"call_expression", "expression_statement"})
    function_values: frozenset[str] = _NONE
    units: frozenset[str] = _NONE
    groups: frozenset[str] = _NONE
    wrappers: frozenset[str] = frozenset({"expression_statement"})
    attributes: frozenset[str] = _NONE
    code_in_strings: frozenset[str] = _NONE
    doc_marks: tuple[str, ...] = ("/**", "///", "/*!")
    docstrings: bool = False


_PYTHON = Grammar(
    definitions={"function_definition": "function", "class_definition": "class"},
    imports=frozenset({"import_statement", "import_from_statement", "future_import_statement"}),
    strings=frozenset({"string"}),
    stubs=frozenset({"pass_statement", "raise_statement", "ellipsis", "expression_statement"}),
    wrappers=frozenset({"decorated_definition", "expression_statement"}),
    attributes=frozenset({"decorator"}),
    code_in_strings=frozenset({"interpolation"}),
    docstrings=True,
)
_SCRIPT: dict[str, Kind] = {
    "function_declaration": "function",
    "generator_function_declaration": "function",
    "method_definition": "function",
    "variable_declarator": "holder",
    "pair": "entry",
    "assignment_expression": "assigned",
    "class_declaration": "class",
}
_JAVASCRIPT = Grammar(
    definitions={**_SCRIPT, "field_definition": "holder"},
    imports=frozenset({"import_statement"}),
    strings=frozenset({"string", "template_string", "regex"}),
    stubs=frozenset({"throw_statement", "call_expression", "expression_statement"}),
    function_values=frozenset({"arrow_function", "function_expression"}),
    wrappers=frozenset(
        {"export_statement", "lexical_declaration", "variable_declaration", "expression_statement"}
    ),
    attributes=frozenset({"decorator"}),
    code_in_strings=frozenset({"template_substitution"}),
)
_TYPESCRIPT = msgspec.structs.replace(
    _JAVASCRIPT,
    definitions={
        **_SCRIPT,
        "public_field_definition": "holder",
        "method_signature": "prototype",
        "abstract_class_declaration": "class",
        "interface_declaration": "class",
        "enum_declaration": "class",
        "internal_module": "container",
    },
)
_GO = Grammar(
    definitions={
        "function_declaration": "function",
        "method_declaration": "function",
        "type_declaration": "class",
    },
    imports=frozenset({"package_clause", "import_declaration"}),
    strings=frozenset({"interpreted_string_literal", "raw_string_literal", "rune_literal"}),
    groups=frozenset({"type_declaration"}),
    doc_marks=("//", "/*"),
)
_RUST = Grammar(
    definitions={
        "function_item": "function",
        "function_signature_item": "prototype",
        "struct_item": "class",
        "enum_item": "class",
        "trait_item": "class",
        "impl_item": "container",
        "mod_item": "container",
    },
    imports=frozenset({"use_declaration", "extern_crate_declaration"}),
    strings=frozenset({"string_literal", "raw_string_literal", "char_literal"}),
    comments=frozenset({"line_comment", "block_comment"}),
    stubs=frozenset({"macro_invocation", "call_expression", "expression_statement"}),
    units=frozenset({"struct_item"}),
    attributes=frozenset({"attribute_item"}),
)
_JAVA = Grammar(
    definitions={
        "method_declaration": "function",
        "constructor_declaration": "function",
        "class_declaration": "class",
        "interface_declaration": "class",
        "enum_declaration": "class",
        "record_declaration": "class",
    },
    imports=frozenset({"package_declaration", "import_declaration"}),
    strings=frozenset({"string_literal", "character_literal"}),
    comments=frozenset({"line_comment", "block_comment"}),
    stubs=frozenset({"throw_statement", "expression_statement"}),
    attributes=frozenset({"marker_annotation"}),
)
_C = Grammar(
    definitions={
        "function_definition": "function",
        "struct_specifier": "class",
        "enum_specifier": "container",
    },
    imports=frozenset({"preproc_include"}),
    strings=frozenset({"string_literal", "char_literal", "system_lib_string"}),
)
_CPP = msgspec.structs.replace(
    _C,
    definitions={
        **_C.definitions,
        "class_specifier": "class",
        "namespace_definition": "container",
    },
    imports=_C.imports | {"using_declaration"},
    strings=_C.strings | {"raw_string_literal"},
    stubs=_C.stubs | {"throw_statement"},
    wrappers=_C.wrappers | {"template_declaration"},
)
_GRAMMARS = {
    "python": _PYTHON,
    "javascript": _JAVASCRIPT,
    "typescript": _TYPESCRIPT,
    "typescriptreact": _TYPESCRIPT,
    "go": _GO,
    "rust": _RUST,
    "java": _JAVA,
    "c": _C,
    "cpp": _CPP,
}


def grammar_of(tree: Tree) -> Grammar:
    """The table of a tree's language."""
    return _GRAMMARS[tree.language.id]


def kind_of(grammar: Grammar, node: Node) -> Kind | None:
    """What a node defines; None: nothing."""
    kind = grammar.definitions.get(node.type)
    if kind in _HOLDS_A_VALUE:
        value = value_of(node)
        return kind if value is not None and value.type in grammar.function_values else None
    if kind in _HAS_A_BODY and node.type not in grammar.units | grammar.groups:
        return kind if node.child_by_field_name("body") is not None else None
    return kind


def value_of(node: Node) -> Node | None:
    """What a variable, a field, a key or an assignment holds."""
    return node.child_by_field_name("value") or node.child_by_field_name("right")


def body_of(grammar: Grammar, node: Node) -> Node | None:
    """The body of a definition, that of its value where it holds one."""
    if grammar.definitions.get(node.type) in _HOLDS_A_VALUE:
        value = value_of(node)
        return None if value is None else value.child_by_field_name("body")
    return node.child_by_field_name("body")


def outer_of(grammar: Grammar, node: Node) -> Node:
    """A definition with what wraps it."""
    while node.parent is not None and node.parent.type in grammar.wrappers:
        node = node.parent
    return node
