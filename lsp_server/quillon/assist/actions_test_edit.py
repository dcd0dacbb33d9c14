"""New tests, put into the file where they belong.

The answer is taken apart by its syntax tree: imports that the file lacks go to its imports, the
tests go to its end (in Java into its class), and a test whose name is taken gets another.
"""

import re
from collections.abc import Iterator, Sequence
from os.path import relpath
from pathlib import Path

from quillon.assist.actions_tests import SuiteStyle, import_name
from quillon.assist.edits import BadAnswer, Changed, Created, checked, indented
from quillon.context.anatomy import Definition, definitions_in
from quillon.context.document import DocumentSnapshot, snapshot_of
from quillon.context.tree import Node, Tree, parsed
from quillon.text import Edit, Span, line_end_of, with_line_ends
from quillon_tools.languages import Language

_IMPORTS = frozenset(
    {
        "import_statement",
        "import_from_statement",
        "future_import_statement",
        "import_declaration",
        "use_declaration",
    }
)
_HEADERS = frozenset({"package_clause", "package_declaration"})
_RUST_MODULE = re.compile(r"#\[cfg\(test\)\]\s*(?:pub\s+)?mod\s+\w+\s*\{")


class _Answer:
    """The parts of the model's code."""

    def __init__(self, code: str, language: Language) -> None:
        tree = parsed(code, language)
        if tree is None:
            raise BadAnswer("The model's tests are too long to read. Try again.")
        self.tree: Tree = tree
        self.imports: list[str] = []
        self._code: list[str] = []
        for node in tree.root.children:
            text = tree.text_of(node)
            if node.type in _IMPORTS:
                self.imports.append(text.strip())
            elif node.type not in _HEADERS:
                self._code.append(_with_gap(tree, node, text))
        self.body = "".join(self._code).strip("\n")
        if not self.body.strip():
            raise BadAnswer("The model wrote no test. Try again, or choose a larger model.")


def _with_gap(tree: Tree, node: Node, text: str) -> str:
    """The node's text and the blank lines above it."""
    before = node.prev_sibling
    gap = tree.source[before.end_byte : node.start_byte].decode() if before is not None else ""
    return (gap or "\n") + text


def tests_edit(
    source: DocumentSnapshot,
    definition: Definition,
    style: SuiteStyle,
    target: DocumentSnapshot | Path,
    code: str,
    roots: Sequence[Path],
) -> Changed | Created:
    """The proposal that adds tests of a definition to a file, or makes the file.

    Raises:
        BadAnswer: There is no test in `code`, or it would not parse where it belongs.
    """
    language = source.language
    if language is None or source.path is None:
        raise BadAnswer("Tests need a file in a language that Quillon can parse.")
    if isinstance(target, Path):
        text = _new_file(source, definition, style, target, _Answer(code, language), roots)
        probe = snapshot_of("file:///new", "", language_id=language.id)
        checked(probe, [Edit(Span(0, 0), text)])
        return Created(target, with_line_ends(text, line_end_of(source.text)))
    if style.family == "rust":
        edits = _into_rust(target, code)
    elif style.family == "java":
        edits = _into_class(target, _Answer(_renamed(target, code), language))
    else:
        answer = _Answer(_renamed(target, code), language)
        needed = _needed_imports(source, definition, style, target.path, target.text, answer, roots)
        edits = list(_into_file(target, [*needed, *answer.imports], answer.body, style))
    return Changed(target, tuple(checked(target, edits)))


def _new_file(
    source: DocumentSnapshot,
    definition: Definition,
    style: SuiteStyle,
    path: Path,
    answer: _Answer,
    roots: Sequence[Path],
) -> str:
    header = ""
    if style.family in ("go", "java") and (tree := source.tree) is not None:
        clause = next((n for n in tree.root.children if n.type in _HEADERS), None)
        header = f"{tree.text_of(clause)}\n\n" if clause is not None else ""
    needed = _needed_imports(source, definition, style, path, "", answer, roots)
    imports = "\n".join([*needed, *answer.imports])
    gap = "\n\n\n" if style.family == "python" else "\n\n"
    return f"{header}{imports}{gap if imports else ''}{answer.body}\n"


def _needed_imports(
    source: DocumentSnapshot,
    definition: Definition,
    style: SuiteStyle,
    path: Path | None,
    text: str,
    answer: _Answer,
    roots: Sequence[Path],
) -> list[str]:
    """The import of what is tested, where neither the file nor the answer has one."""
    name = (*definition.container, definition.name)[0]
    known = [*answer.imports, *(line for line in text.split("\n") if "import" in line)]
    if source.path is None or path is None:
        return []
    if style.family == "go":
        has_testing = any('"testing"' in line for line in known) or '"testing"' in text
        return [] if has_testing else ['import "testing"']
    if any(re.search(rf"\b{re.escape(name)}\b", line) for line in known):
        return []
    if style.family == "python":
        return [f"from {import_name(source.path, roots)} import {name}"]
    if style.family == "script":
        inner = Path(relpath(source.path.with_suffix(""), path.parent)).as_posix()
        inner = inner if inner.startswith(".") else f"./{inner}"
        return [f'import {{ {name} }} from "{inner}";']
    return []


def _into_file(
    target: DocumentSnapshot, imports: Sequence[str], body: str, style: SuiteStyle
) -> Iterator[Edit]:
    text = target.text
    missing = [line for line in imports if line not in text]
    if missing:
        at = _after_imports(target)
        block = "\n".join(missing)
        yield Edit(Span(at, at), f"\n{block}" if at else f"{block}\n")
    end = len(text.rstrip())
    gap = "\n\n\n" if style.family == "python" else "\n\n"
    yield Edit(Span(end, len(text)), f"{gap if end else ''}{body}\n")


def _after_imports(target: DocumentSnapshot) -> int:
    """The end of the last import at the top level, or of the package clause; 0: none."""
    tree = target.tree
    top = tree.root.children if tree is not None else []
    last = next((node for node in reversed(top) if node.type in _IMPORTS | _HEADERS), None)
    if tree is None or last is None:
        return 0
    span = tree.span(last)
    return span.start + len(span.cut(target.text).rstrip())


def _renamed(target: DocumentSnapshot, code: str) -> str:
    """The code with new names for those of its tests that the file has already."""
    tree, language = target.tree, target.language
    own = parsed(code, language) if language is not None else None
    if tree is None or own is None:
        return code
    taken = {definition.name for definition in definitions_in(tree)}
    for definition in definitions_in(own):
        name = definition.name
        if name not in taken or not name.lower().startswith("test"):
            continue
        number = next(n for n in range(2, len(taken) + 3) if f"{name}_{n}" not in taken)
        code = re.sub(rf"\b{re.escape(name)}\b", f"{name}_{number}", code)
    return code


def _into_class(target: DocumentSnapshot, answer: _Answer) -> list[Edit]:
    """Java: the methods of the answer's class, at the end of the file's class."""
    classes = [d for d in definitions_in(answer.tree) if d.kind == "class" and d.body is not None]
    body = classes[0].body.cut(answer.tree.text)[1:-1] if classes and classes[0].body else None
    tree = target.tree
    own = next((d for d in definitions_in(tree) if d.kind == "class"), None) if tree else None
    if own is None or own.body is None:
        raise BadAnswer(f"There is no test class in {target.path} to add a test to.")
    code = (body or answer.body).strip("\n").rstrip()
    at = own.body.end - 1
    start = len(target.text[:at].rstrip())
    placed = indented(code.lstrip("\n"), "    ", "    ")
    edits = [Edit(Span(start, at), f"\n\n    {placed}\n")]
    missing = [line for line in answer.imports if line not in target.text]
    if missing:
        place = _after_imports(target)
        edits.append(Edit(Span(place, place), "\n" + "\n".join(missing)))
    return edits


def _into_rust(target: DocumentSnapshot, code: str) -> list[Edit]:
    """Rust: into the module of tests at the end of the file, or a new one."""
    text = target.text
    inner = _RUST_MODULE.search(code)
    if inner is not None:
        code = code[inner.end() : code.rindex("}")] if "}" in code else code[inner.end() :]
    existing = _RUST_MODULE.search(text)
    lines = (_renamed(target, code) if existing else code).strip("\n").rstrip().split("\n")
    body = "\n".join(line for line in lines if line.strip() != "use super::*;").strip("\n")
    if not body:
        raise BadAnswer("The model wrote no test. Try again, or choose a larger model.")
    placed = indented(body, "    ", "    ")
    if existing is not None:
        return [_into_rust_module(target, existing.end(), placed)]
    end = len(text.rstrip())
    module = f"#[cfg(test)]\nmod tests {{\n    use super::*;\n\n    {placed}\n}}\n"
    return [Edit(Span(end, len(text)), f"\n\n{module}")]


def _into_rust_module(target: DocumentSnapshot, inside: int, placed: str) -> Edit:
    tree = target.tree
    node = tree.node_at(inside) if tree is not None else None
    while node is not None and node.type != "mod_item":
        node = node.parent
    if tree is None or node is None:
        raise BadAnswer("The module of tests in this file cannot be read.")
    at = tree.span(node).end - 1
    start = len(target.text[:at].rstrip())
    return Edit(Span(start, at), f"\n\n    {placed}\n")
