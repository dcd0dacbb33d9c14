"""Words become docstrings and doc comments."""

import pytest
from inline_snapshot import snapshot

from quillon.assist.actions_definition import definition_at
from quillon.assist.actions_docstring import docstring_edit
from quillon.assist.edits import BadAnswer, checked
from quillon.context.document import snapshot_of
from quillon.text import Span, apply_edits
from quillon_testing.markers import marked_block


def check_docstring(source: str, answer: str, language: str = "python") -> str:
    place = marked_block(source)
    document = snapshot_of("file:///w/a", place.text, language_id=language)
    assert document.tree is not None
    definition = definition_at(document.tree, place.selection)
    assert definition is not None
    edit = docstring_edit(document, definition, answer)
    return apply_edits(place.text, checked(document, [edit]))


ADD = """
    def add(a, b):▮  # why
        # how
        return a + b
    """


def test_one_line() -> None:
    assert check_docstring(ADD, "Add two numbers.") == snapshot('''\
def add(a, b):  # why
    """Add two numbers."""
    # how
    return a + b
''')


def test_several_lines_from_the_whole_function() -> None:
    answer = '''Here:
```python
def add(a, b):
    """Add two numbers.

    Args:
        a: The first.
    """
    return a + b
```'''
    assert check_docstring(ADD, answer) == snapshot('''\
def add(a, b):  # why
    """Add two numbers.

    Args:
        a: The first.
    """
    # how
    return a + b
''')


def test_a_method_on_one_line() -> None:
    source = """
        class A:
            def get(self): ▮return 1
            x = 1
        """
    assert check_docstring(source, '"""Get it."""') == snapshot('''\
class A:
    def get(self):
        """Get it."""
        return 1
    x = 1
''')


def test_a_signature_over_several_lines() -> None:
    source = """
        def f(
            a,▮
        ):
            return a
        """
    assert check_docstring(source, "Return a.") == snapshot('''\
def f(
    a,
):
    """Return a."""
    return a
''')


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        ("Match \\d.", '    r"""Match \\d."""'),
        ('Say "yes"', '    """Say "yes" """'),
        ('Use """ here.', '    """here."""'),
        ("End \\", '    r"""End \\ """'),
        ("# Add.", '    """Add."""'),
    ],
)
def test_what_would_end_the_string(answer: str, line: str) -> None:
    assert check_docstring(ADD, answer).splitlines()[1] == line


def test_long_lines_are_wrapped() -> None:
    shown = check_docstring(ADD, "word " * 40).splitlines()
    assert max(map(len, shown)) <= 100
    assert len(shown) > 5


@pytest.mark.parametrize(
    "answer", ["def add(a, b):\n    return a + b", "```\n\n```", '""""""', "\n".join("abc" * 40)]
)
def test_no_words(answer: str) -> None:
    with pytest.raises(BadAnswer):
        check_docstring(ADD, answer)


def test_script() -> None:
    source = """
        class A {
          @memo
          ▮area(r: number) {
            return r * r;
          }
        }
        """
    answer = "/**\n * The area.\n *\n * @param r the radius, not */\n */"
    assert check_docstring(source, answer, "typescript") == snapshot("""\
class A {
  /**
   * The area.
   *
   * @param r the radius, not
   */
  @memo
  area(r: number) {
    return r * r;
  }
}
""")


def test_exports_stay_behind_their_comment() -> None:
    assert check_docstring("export const f = () => {▮ g(); };\n", "Call g.", "javascript") == (
        "/**\n * Call g.\n */\nexport const f = () => { g(); };\n"
    )


def test_rust_and_go() -> None:
    assert check_docstring("#[inline]\nfn f() {▮ g() }\n", "Calls `g`.\n\nTwice.", "rust") == (
        "/// Calls `g`.\n///\n/// Twice.\n#[inline]\nfn f() { g() }\n"
    )
    assert check_docstring("package a\n\nfunc F() {▮ g() }\n", "// F calls g.", "go") == (
        "package a\n\n// F calls g.\nfunc F() { g() }\n"
    )


def test_windows_line_ends() -> None:
    source = "int f() {▮\r\n  return 1;\r\n}\r\n"
    place = source.replace("▮", "")
    document = snapshot_of("file:///w/a.c", place, language_id="c")
    assert document.tree is not None
    definition = definition_at(document.tree, Span(4, 4))
    assert definition is not None
    edit = docstring_edit(document, definition, "One.")
    assert apply_edits(place, checked(document, [edit])).startswith("/**\r\n * One.\r\n */\r\nint")
