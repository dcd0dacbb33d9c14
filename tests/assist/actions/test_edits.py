"""Answers become edits only where they fit."""

import pytest
from inline_snapshot import snapshot

from quillon.assist.edits import BadAnswer, checked, code_in, indent_unit, indented, prose_in
from quillon.context.document import snapshot_of
from quillon.text import Edit, Span, apply_edits
from quillon_tools.languages import language_of

PYTHON = language_of("python")


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ("```python\nx = 1\n```", "x = 1"),
        ("Here it is:\n\n```py\nx = 1\ny = 2\n```\nThat is all.", "x = 1\ny = 2"),
        ("```\nshort\n```\nand\n```\nthe longer one\n```", "the longer one"),
        ("````md\n```\ninner\n```\n````", "```\ninner\n```"),
        ("```python\ncut = 1", "cut = 1"),
        ("x = 1\n", "x = 1"),
        ("  - list\n    ```\n    x = 1\n    ```", "    x = 1"),
        ("<think>\n```\nno\n```\n</think>\n```\nyes\n```", "yes"),
        ("```\r\na\r\nb\r\n```", "a\nb"),
        ("~~~\nx\n~~~", "x"),
    ],
)
def test_code_in(answer: str, code: str) -> None:
    assert code_in(answer) == code


@pytest.mark.parametrize("answer", ["", "  \n", "```\n```", "<think>hm"])
def test_no_code(answer: str) -> None:
    with pytest.raises(BadAnswer, match="gave no code"):
        code_in(answer)


def test_prose() -> None:
    assert prose_in("<think>a\n</think>\n\nIt adds.\r\n") == "It adds."


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("def f():\n    return 1", "    "),
        ("def f():\n  if x:\n    return 1", "  "),
        ("func f() {\n\treturn\n}", "\t"),
        ("/**\n * doc\n */\nclass A {\n    int x;\n}", "    "),
        ("x = 1", "    "),
    ],
)
def test_indent_unit(text: str, unit: str) -> None:
    assert indent_unit(text) == unit


@pytest.mark.parametrize(
    ("code", "indent", "unit", "expected"),
    [
        ("def f():\n    return 1", "    ", "    ", "def f():\n        return 1"),
        # It was written at its depth.
        ("    def f():\n        return 1", "    ", "    ", "def f():\n        return 1"),
        # Only its first line lost the indentation.
        ("def f():\n        return 1", "    ", "    ", "def f():\n        return 1"),
        ("f() {\n    return 1;\n  }", "  ", "  ", "f() {\n    return 1;\n  }"),
        # Another unit.
        ("if (x) {\n    return 1;\n}", "\t", "\t", "if (x) {\n\t\treturn 1;\n\t}"),
        ("if (x) {\n\treturn 1;\n}", "  ", "  ", "if (x) {\n    return 1;\n  }"),
        ("def f():\n  return 1", "    ", "    ", "def f():\n        return 1"),
        # Blank lines stay blank; what stands deeper stays deeper.
        ("a(\n    b,\n\n     c)", "  ", "    ", "a(\n      b,\n\n       c)"),
        # Text in strings is not ours to move, unless it moves with the code.
        (
            'def f():\n    x = """\nraw\n"""\n    return x',
            "    ",
            "    ",
            'def f():\n        x = """\nraw\n"""\n        return x',
        ),
        (
            'def f():\n    """Doc.\n\n    More.\n    """',
            "    ",
            "    ",
            'def f():\n        """Doc.\n\n        More.\n        """',
        ),
    ],
)
def test_indented(code: str, indent: str, unit: str, expected: str) -> None:
    assert indented(code, indent, unit, PYTHON) == expected


def check_checked(text: str, old: str, new: str, language: str = "python") -> str:
    """The text after the checked edit that replaces `old`, shown with its line ends."""
    document = snapshot_of("file:///w/a", text, language_id=language)
    start = text.index(old)
    edits = checked(document, [Edit(Span(start, start + len(old)), new)])
    return apply_edits(text, edits)


def test_line_ends_are_the_documents() -> None:
    assert check_checked("a = 1\r\nb = 2\r\n", "b = 2", "b = 3\nc = 4") == snapshot(
        "a = 1\r\nb = 3\r\nc = 4\r\n"
    )


def test_the_edit_is_as_small_as_can_be() -> None:
    document = snapshot_of("file:///w/a", "x = 🗡 + 1", language_id="sql")
    assert checked(document, [Edit(Span(0, 9), "x = 🛡 + 1")]) == [Edit(Span(4, 5), "🛡")]


def test_nothing_changes() -> None:
    with pytest.raises(BadAnswer, match="no change"):
        check_checked("a = 1\r\nb = 2\r\n", "a = 1\r\nb", "a = 1\nb")


def test_a_new_syntax_error_is_refused() -> None:
    with pytest.raises(BadAnswer, match="syntax error"):
        check_checked("def f():\n    return 1\n", "return 1", "return (1")


def test_an_old_syntax_error_may_stay_or_go() -> None:
    broken = "def f(:\n    pass\n\nx = 1\n"
    assert check_checked(broken, "x = 1", "x = 2").endswith("x = 2\n")
    assert check_checked(broken, "f(:", "f():") == "def f():\n    pass\n\nx = 1\n"


def test_without_a_grammar_nothing_is_checked() -> None:
    assert check_checked("SELECT 1", "1", "(1", "sql") == "SELECT (1"


def test_half_a_character_is_refused_where_the_document_has_none() -> None:
    with pytest.raises(BadAnswer, match="half a character"):
        check_checked("x = 'a'\n", "'a'", "'\ufffd'")
    assert check_checked("x = '\ufffd'\n", "x", "y") == "y = '\ufffd'\n"
    assert check_checked("x = '\ufffd'\n", "'\ufffd'", "'\ufffd\ufffd'") == "x = '\ufffd\ufffd'\n"
