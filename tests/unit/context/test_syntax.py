"""Questions about a place, in each language and in code that is not finished."""

import pytest

from quillon.context.definitions import enclosing, enclosing_function, imports_region
from quillon.context.document import snapshot_of
from quillon.context.syntax import block_at, block_end, errors_after, prose_at, wants_lines
from quillon.text import Edit, Span
from quillon_testing.markers import marked_block


def at(language, source):
    place = marked_block(source)
    return snapshot_of("untitled:x", place.text, language_id=language), place


HEADERS = {
    "python, nested, signature on several lines": (
        "python",
        """
        class A(B):
            @dec
            def f(
                self,
            ):
                y = 1
                ▮

        def g(): pass
        """,
        ["class A(B):", "    def f(\n        self,\n    ):"],
    ),
    "python, behind the last line of a block": (
        "python",
        "class A:\n    def f(self):\n        if x:\n            return 1\n        ▮",
        ["class A:", "    def f(self):"],
    ),
    "python, dedented out of the method": (
        "python",
        "class A:\n    def f(self):\n        return 1\n    ▮",
        ["class A:"],
    ),
    "python, dedented to the top": ("python", "def f():\n    return 1\n▮", []),
    "python, before a definition": ("python", "def f():\n    pass\n\n▮def g(): pass\n", []),
    "python, an open bracket": (
        "python",
        "class A:\n    def f(self):\n        x = (1,\n        ▮",
        ["class A:", "    def f(self):"],
    ),
    "javascript, a function that a name holds": (
        "javascript",
        "export class A {\n  run() {\n    const f = (a) => {\n      ▮\n    }\n  }\n}\n",
        ["export class A {", "  run() {", "    const f = (a) => {"],
    ),
    "javascript, nothing closed yet": (
        "javascript",
        "class A {\n  run(x) {\n    if (x) {\n      ▮\n",
        ["class A {", "  run(x) {"],
    ),
    "typescript": (
        "typescript",
        "namespace N {\n  abstract class A<T> {\n    get(x: T): T {\n      ▮\n    }\n  }\n}\n",
        ["namespace N {", "  abstract class A<T> {", "    get(x: T): T {"],
    ),
    "tsx": (
        "typescriptreact",
        "function App() {\n  return <div>{▮}</div>;\n}\n",
        ["function App() {"],
    ),
    "go": (
        "go",
        "package a\n\nfunc (t *T) M(x int) error {\n\tif x > 1 {\n\t\t▮\n\t}\n}\n",
        ["func (t *T) M(x int) error {"],
    ),
    "rust, a brace on its own line": (
        "rust",
        "impl<'a> A<'a> {\n    fn f(&self) -> i32\n    {\n        ▮\n    }\n}\n",
        ["impl<'a> A<'a> {", "    fn f(&self) -> i32\n    {"],
    ),
    "java": (
        "java",
        "public class A {\n  @Override\n  public int f() {\n    ▮\n  }\n}\n",
        ["public class A {", "  @Override\n  public int f() {"],
    ),
    "c": ("c", "static int f(void)\n{\n    ▮\n}\n", ["static int f(void)\n{"]),
    "cpp": (
        "cpp",
        "namespace a {\ntemplate <class T>\nclass B : C {\n  int f() const {\n    ▮\n  }\n};\n}\n",
        ["namespace a {", "class B : C {", "  int f() const {"],
    ),
    "a language without a grammar": (
        "ruby",
        "module A\n  def f(x)\n    if x\n      ▮\n",
        ["module A", "  def f(x)"],
    ),
}


@pytest.mark.parametrize("name", HEADERS)
def test_enclosing_definitions(name):
    language, source, expected = HEADERS[name]
    snapshot, place = at(language, source)
    found = enclosing(snapshot, place.cursor)
    assert [one.header.cut(place.text) for one in found] == expected


def test_a_decorator_belongs_to_the_whole_definition():
    snapshot, place = at("python", "@dec\nclass A:\n    def f(self):\n        pass▮\n")
    outer, inner = enclosing(snapshot, place.cursor)
    assert outer.whole.cut(place.text).startswith("@dec")
    assert enclosing_function(snapshot, place.cursor) == inner


def test_without_a_function_the_class_is_the_nearest():
    snapshot, place = at("python", "class A:\n    x = ▮1\n")
    assert enclosing_function(snapshot, place.cursor).kind == "container"
    assert enclosing_function(snapshot, 0) is None


@pytest.mark.parametrize(
    ("language", "source"),
    [
        ("python", '"""Doc."""\n\n«import a\nfrom b import (\n    c,\n)»\n\nx = 1\n'),
        ("python", "«»x = 1\n"),
        ("javascript", '// x\n«import a from "a";\nimport "b";»\nf();\n'),
        ("go", '«package a\n\nimport (\n\t"b"\n)»\n'),
        ("rust", "«use a::b;\nuse c;»\n\nfn f() {}\n"),
        ("java", "«package a;\n\nimport b.C;»\n\nclass D {}\n"),
        ("c", "«#include <a.h>\n#include <b.h>»\nint x;\n"),
        ("cpp", "«#include <a>\nusing namespace b;»\nint x;\n"),
        ("kotlin", "«package a\nimport b»\nfun f() {}\n"),
        ("kotlin", "«»"),
    ],
)
def test_imports(language, source):
    snapshot, place = at(language, source)
    assert imports_region(snapshot) == place.selection


@pytest.mark.parametrize(
    ("language", "source", "expected"),
    [
        ("python", "x = 1  # a comment▮\n", "comment"),
        ("python", "x = 1  ▮# a comment\n", None),
        ("python", "# a comment\n▮x", None),
        ("python", 'x = "a▮b"\n', "string"),
        ("python", 'x = "ab"▮\n', None),
        ("python", 'x = ▮"ab"\n', None),
        ("python", 'x = f"a {b▮} c"\n', None),
        ("python", 'def f():\n    """Doc\n\n    ▮\n    """\n', "string"),
        ("python", 'print("half▮\n', "string"),
        ("python", "print('it\\'s▮\n", "string"),
        ("python", "print('done', # half▮\n", "comment"),
        ("javascript", "f(`a ${b▮} c`);\n", None),
        ("javascript", "f(`a ▮ c`);\n", "string"),
        ("javascript", "/* a\n▮ */ f();\n", "comment"),
        ("javascript", "/* a */▮ f();\n", None),
        ("javascript", "const r = /a▮b/;\n", "string"),
        ("rust", "// x▮\nfn f() {}\n", "comment"),
        ("rust", "/// x\n▮fn f() {}\n", None),
        ("go", 'var x = "a▮b"\n', "string"),
        ("java", 'class A { String s = "a▮b"; }\n', "string"),
        ("c", 'char *s = "a▮b";\n', "string"),
        ("cpp", "auto s = 'a▮';\n", "string"),
        ("fortran", "x = 'a▮\n", "string"),
        ("python", "▮", None),
    ],
)
def test_comments_and_strings(language, source, expected):
    snapshot, place = at(language, source)
    assert prose_at(snapshot, place.cursor) == expected


@pytest.mark.parametrize(
    ("language", "source", "expected"),
    [
        ("python", "▮", True),  # the top level
        ("python", "def f(x):▮\n", True),  # a block opens
        ("python", "def f(x):\n    ▮\n", True),  # an empty block
        ("python", "def f(x):\n    y = 1\n    ▮\n    return y\n", True),  # a blank line
        ("python", "x = ▮\n", False),  # a statement
        ("python", "x = f(▮)\n", True),  # an open bracket, closers behind
        ("python", "x = f(a▮)\n", False),
        ("python", "x = {1:▮}\n", False),  # no block
        ("python", "def f(x):▮  return x\n", False),  # code follows
        ("python", "    ▮return x\n", False),
        ("python", "# for each▮\n", False),
        ("python", 'def f():\n    """Doc ▮\n', False),
        ("javascript", "function f() {▮}\n", True),
        ("javascript", "const f = () =>▮\n", True),
        ("javascript", "return x▮;\n", False),
        ("go", "func f() {\n\t▮\n}\n", True),
        ("rust", "match x {▮}\n", True),
        ("java", "class A {\n  ▮}\n", True),
        ("c", "if (x) {▮\n", True),
        ("ruby", "items.each do▮\n", True),
        ("ruby", "x = 1▮\n", False),
    ],
)
def test_several_lines_or_one(language, source, expected):
    snapshot, place = at(language, source)
    assert wants_lines(snapshot, place.cursor) == expected


def test_the_block_at_a_place():
    snapshot, place = at("python", "def f():\n    a = 1\n\n    b▮ = 2\n\n\ndef g(): pass\n")
    assert block_at(snapshot, place.cursor).cut(place.text) == "    a = 1\n\n    b = 2"
    assert place.text[block_end(snapshot, place.cursor) :].startswith("\n\n\ndef g")
    assert block_at(snapshot, 0) == snapshot.full_span()


@pytest.mark.parametrize(
    ("language", "source", "text", "expected"),
    [
        ("python", "x = ▮\n", "1", -1),  # one error less
        ("python", "x = 1▮\n", " + 2", 0),
        ("python", "def f():\n    return 1▮\n", ")", 1),
        ("javascript", "f(▮);\n", "a, {", 1),
        ("text", "f(▮);\n", "a, {", None),
    ],
)
def test_errors_that_an_insertion_brings(language, source, text, expected):
    snapshot, place = at(language, source)
    assert errors_after(snapshot, Edit(Span(place.cursor, place.cursor), text)) == expected
