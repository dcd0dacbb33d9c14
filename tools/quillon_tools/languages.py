"""The languages that Quillon can parse: names, file suffixes, grammars and tag queries.

Grammars come from the `tree-sitter-<language>` wheels and are loaded when first used. The
queries are the wheels' own `tags.scm`, which mark definitions with `@definition.<kind>`; what
they leave out (TypeScript's enums, Rust's constants, ...) stands in `_MORE`.
"""

import time
from collections.abc import Callable
from functools import cache
from importlib import import_module
from pathlib import PurePath

import msgspec
import tree_sitter

from quillon_tools.calls import Failed

MAX_SOURCE_BYTES = 8_000_000
PARSE_SECONDS = 5.0
_CHUNK = 65_536


class ParseError(Failed):
    """The source was not parsed: it is too large, or parsing took too long."""


class Language(msgspec.Struct, frozen=True):
    """One language. `id` is its identifier in the Language Server Protocol.

    `aliases` are other identifiers for it, `suffixes` the file name endings with their dot.
    `module` and `function` name the grammar, `tags` the wheels whose tag queries apply.
    `line_comment` starts a comment.
    """

    id: str
    aliases: tuple[str, ...]
    suffixes: tuple[str, ...]
    module: str
    function: str
    tags: tuple[str, ...]
    line_comment: str


LANGUAGES: tuple[Language, ...] = (
    Language(
        "python",
        (),
        (".py", ".pyi", ".pyw"),
        "tree_sitter_python",
        "language",
        ("tree_sitter_python",),
        "#",
    ),
    Language(
        "javascript",
        ("javascriptreact", "jsx"),
        (".js", ".mjs", ".cjs", ".jsx"),
        "tree_sitter_javascript",
        "language",
        ("tree_sitter_javascript",),
        "//",
    ),
    Language(
        "typescript",
        (),
        (".ts", ".mts", ".cts"),
        "tree_sitter_typescript",
        "language_typescript",
        ("tree_sitter_javascript", "tree_sitter_typescript"),
        "//",
    ),
    Language(
        "typescriptreact",
        ("tsx",),
        (".tsx",),
        "tree_sitter_typescript",
        "language_tsx",
        ("tree_sitter_javascript", "tree_sitter_typescript"),
        "//",
    ),
    Language("go", (), (".go",), "tree_sitter_go", "language", ("tree_sitter_go",), "//"),
    Language("rust", (), (".rs",), "tree_sitter_rust", "language", ("tree_sitter_rust",), "//"),
    Language("java", (), (".java",), "tree_sitter_java", "language", ("tree_sitter_java",), "//"),
    Language("c", (), (".c", ".h"), "tree_sitter_c", "language", ("tree_sitter_c",), "//"),
    Language(
        "cpp",
        ("c++",),
        (".cpp", ".cc", ".cxx", ".c++", ".hpp", ".hh", ".hxx", ".h++", ".ipp", ".inl", ".tpp"),
        "tree_sitter_cpp",
        "language",
        ("tree_sitter_cpp",),
        "//",
    ),
)

_BY_ID = {name: lang for lang in LANGUAGES for name in (lang.id, *lang.aliases)}
_BY_SUFFIX = {suffix: lang for lang in LANGUAGES for suffix in lang.suffixes}

_SCRIPT = """
(program (lexical_declaration "const"
  (variable_declarator name: (identifier) @name) @definition.constant))
(program (export_statement (lexical_declaration "const"
  (variable_declarator name: (identifier) @name) @definition.constant)))
(method_definition name: (private_property_identifier) @name) @definition.method
"""
_TYPED_SCRIPT = (
    _SCRIPT
    + """
(public_field_definition name: (property_identifier) @name
  value: [(arrow_function) (function_expression)]) @definition.method
(type_alias_declaration name: (type_identifier) @name) @definition.type
(enum_declaration name: (identifier) @name) @definition.enum
(internal_module name: (_) @name) @definition.module
"""
)
_C = """
(union_specifier name: (type_identifier) @name body: (_)) @definition.union
(preproc_def name: (identifier) @name value: (_)) @definition.constant
(preproc_function_def name: (identifier) @name) @definition.macro
(translation_unit (declaration (type_qualifier)
  declarator: (init_declarator declarator: (identifier) @name)) @definition.constant)
"""
_MORE = {
    "python": """
(module (expression_statement (assignment left: (identifier) @name)) @definition.constant)
(type_alias_statement left: (type (identifier) @name)) @definition.type
""",
    "javascript": _SCRIPT
    + """
(field_definition property: (property_identifier) @name
  value: [(arrow_function) (function_expression)]) @definition.method
""",
    "typescript": _TYPED_SCRIPT,
    "typescriptreact": _TYPED_SCRIPT,
    "go": """
(type_alias name: (type_identifier) @name) @definition.type
(method_elem name: (field_identifier) @name) @definition.method
(source_file (const_declaration (const_spec name: (identifier) @name) @definition.constant))
(source_file (var_declaration (var_spec name: (identifier) @name) @definition.variable))
(source_file (var_declaration (var_spec_list
  (var_spec name: (identifier) @name) @definition.variable)))
""",
    "rust": """
(const_item name: (identifier) @name) @definition.constant
(static_item name: (identifier) @name) @definition.constant
(function_signature_item name: (identifier) @name) @definition.method
""",
    "java": """
(enum_declaration name: (identifier) @name) @definition.enum
(record_declaration name: (identifier) @name) @definition.class
(annotation_type_declaration name: (identifier) @name) @definition.interface
(constructor_declaration name: (identifier) @name) @definition.method
(field_declaration (modifiers "static" "final")
  declarator: (variable_declarator name: (identifier) @name)) @definition.constant
""",
    "c": _C,
    "cpp": _C
    + """
(namespace_definition name: (namespace_identifier) @name) @definition.module
(alias_declaration name: (type_identifier) @name) @definition.type
(concept_definition name: (identifier) @name) @definition.type
(function_declarator declarator: (destructor_name) @name) @definition.method
(function_declarator declarator: (operator_name) @name) @definition.method
(function_declarator declarator: (qualified_identifier
  name: [(identifier) (destructor_name) (operator_name)] @name)) @definition.method
(function_declarator declarator: (qualified_identifier name: (qualified_identifier
  name: [(identifier) (destructor_name) (operator_name)] @name))) @definition.method
(function_declarator declarator: (qualified_identifier name: (qualified_identifier
  name: (qualified_identifier
    name: [(identifier) (destructor_name) (operator_name)] @name)))) @definition.method
""",
}


def language_of(name: str | PurePath) -> Language | None:
    """The language of a protocol language id (`"typescriptreact"`) or of a path; None: none."""
    if isinstance(name, str) and name in _BY_ID:
        return _BY_ID[name]
    return _BY_SUFFIX.get(PurePath(name).suffix.lower())


@cache
def grammar(language: Language) -> tree_sitter.Language:
    """The grammar; immutable and shared by all threads."""
    return tree_sitter.Language(getattr(import_module(language.module), language.function)())


def parser(language: Language) -> tree_sitter.Parser:
    """A new parser. Parsers have state: one belongs to one thread at a time."""
    return tree_sitter.Parser(grammar(language))


def parse(
    source: bytes,
    language: Language,
    *,
    old_tree: tree_sitter.Tree | None = None,
    seconds: float = PARSE_SECONDS,
) -> tree_sitter.Tree:
    """The syntax tree of a source, which need not be valid in any way.

    Raises:
        ParseError: The source is over `MAX_SOURCE_BYTES`, or parsing it took over `seconds`.
    """
    if len(source) > MAX_SOURCE_BYTES:
        raise ParseError(f"{len(source)} bytes are over the limit of {MAX_SOURCE_BYTES} bytes")
    deadline = time.monotonic() + seconds

    def read(offset: int, _point: object) -> bytes:
        return source[offset : offset + _CHUNK]

    def late(_offset: int, _error: object) -> bool:
        return time.monotonic() > deadline

    try:
        if old_tree is None:
            return parser(language).parse(read, encoding="utf8", progress_callback=late)
        return parser(language).parse(read, old_tree, encoding="utf8", progress_callback=late)
    except ValueError as error:  # what the binding raises when the callback stops it
        raise ParseError(f"parsing took over {seconds:g} s") from error


@cache
def definitions_query(language: Language) -> tree_sitter.Query:
    """The query that captures `@definition.<kind>` and `@name`; shared by all threads."""
    return _query(language, lambda text: "@definition." in text)


@cache
def references_query(language: Language) -> tree_sitter.Query:
    """The query that captures `@reference.<kind>` and `@name`; shared by all threads."""
    return _query(language, lambda text: "@reference." in text)


def _query(language: Language, wanted: Callable[[str], bool]) -> tree_sitter.Query:
    source = "\n".join(import_module(module).TAGS_QUERY for module in language.tags)
    source += _MORE[language.id]
    query = tree_sitter.Query(grammar(language), source)
    raw = source.encode()
    for index in range(query.pattern_count):
        start, end = query.start_byte_for_pattern(index), query.end_byte_for_pattern(index)
        if not wanted(raw[start:end].decode()):
            query.disable_pattern(index)
    return query
