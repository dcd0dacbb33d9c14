"""Which actions are offered where."""

from pathlib import Path

import pytest
from inline_snapshot import snapshot

from quillon.assist.actions import offers
from quillon.context.diagnostics import Diagnostic
from quillon.context.document import snapshot_of
from quillon.text import Span
from quillon_testing.markers import marked_block


def check_offers(
    source: str, language: str = "python", *, path: str | None = "/w/a.py", problems: bool = False
) -> list[str]:
    """The titles, each with the first line of what it is about."""
    place = marked_block(source)
    document = snapshot_of(
        "file:///w/a", place.text, language_id=language, path=Path(path) if path else None
    )
    found = (
        [
            Diagnostic(place.selection, 0, 0, "the name x is unknown"),
            Diagnostic(Span(0, 1), 0, 0, "b"),
        ]
        if problems
        else []
    )
    return [
        f"{offer.title} @ {offer.span.cut(place.text).splitlines()[0]}"
        + (f" ({offer.impossible})" if offer.impossible else "")
        for offer in offers(document, place.selection, found)
    ]


def test_an_undocumented_function() -> None:
    source = """
        import os

        @cache
        def add(a, b):
            return a ▮+ b
        """
    assert check_offers(source) == snapshot(
        [
            "Write a docstring for add @ @cache",
            "Write a test for add @ @cache",
            "Explain this @ @cache",
        ]
    )


def test_a_documented_stub() -> None:
    source = '''
        class Stack:
            def push(self, item):
                """Add an item."""
                raise NotImplemented▮Error
        '''
    assert check_offers(source) == snapshot(
        [
            "Implement push from its signature @ def push(self, item):",
            "Explain this @ def push(self, item):",
        ]
    )


def test_the_indentation_belongs_to_its_line() -> None:
    source = """
        class Stack:
        ▮    def push(self, item):
                self.items.append(item)
        """
    assert check_offers(source)[0] == "Write a docstring for push @ def push(self, item):"


def test_a_class() -> None:
    assert check_offers("▮class A:\n    x = 1\n") == snapshot(
        [
            "Write a docstring for A @ class A:",
            "Write a test for A @ class A:",
            "Explain this @ class A:",
        ]
    )


def test_a_selection_is_explained_itself() -> None:
    source = """
        def f(x):
            «y = x + 1»
            return y
        """
    assert check_offers(source)[-1] == "Explain this @ y = x + 1"


def test_outside_of_definitions_the_statement_counts() -> None:
    assert check_offers("x = [\n    ▮1,\n]\ny = 2\n") == ["Explain this @ x = ["]


def test_nothing_at_a_blank_line_of_a_module() -> None:
    assert check_offers("x = 1\n\n▮\n\ny = 2\n") == []


@pytest.mark.parametrize("source", ["▮", "  \n▮\n", "\n▮"])
def test_nothing_in_a_blank_document(source: str) -> None:
    assert check_offers(source) == []


def test_a_language_without_grammar_explains_lines() -> None:
    assert check_offers("SELECT ▮1;\nSELECT 2;\n", "sql") == ["Explain this @ SELECT 1;"]


def test_problems_come_first_and_are_named_where_there_are_several() -> None:
    source = """
        def f():
            '''Say x.'''
            return «x»
        """
    assert check_offers(source, problems=True)[:4] == snapshot(
        [
            "Fix this problem: the name x is unknown @ def f():",
            "Explain this problem: the name x is unknown @ def f():",
            "Fix this problem: b @ def f():",
            "Explain this problem: b @ def f():",
        ]
    )


def test_a_file_without_a_name_has_no_place_for_tests() -> None:
    assert check_offers("def f():▮\n    return 1\n", path=None)[1] == snapshot(
        "Write a test for f @ def f(): (The document is no file yet, so there is no place for "
        "its tests: save it first.)"
    )


def test_tests_are_not_tested() -> None:
    source = "def test_f():▮\n    assert f()\n"
    assert [line for line in check_offers(source, path="/w/test_a.py") if "test for" in line] == []


@pytest.mark.parametrize(
    ("language", "source", "titles"),
    [
        (
            "typescript",
            "export const area = (r: number): number => {▮\n};\n",
            ["Implement area from its signature", "Write a docstring for area"],
        ),
        (
            "javascript",
            "/** Adds. */\nfunction add(a, b) {\n  throw new Error('not ▮implemented');\n}\n",
            ["Implement add from its signature"],
        ),
        (
            "go",
            'package a\n\n// Sum adds.\nfunc Sum(xs []int) int {\n\tpanic("▮todo")\n}\n',
            ["Implement Sum from its signature"],
        ),
        (
            "rust",
            "/// Adds.\n#[inline]\npub fn add(a: u8, b: u8) -> u8 {\n    ▮todo!()\n}\n",
            ["Implement add from its signature"],
        ),
        (
            "java",
            "class A {\n  int ▮f() { return 1; }\n}\n",
            ["Write a docstring for f", "Write a test for f"],
        ),
        (
            "c",
            "int add(int a, int b) {▮ return a + b; }\n",
            ["Write a docstring for add", "Write a test for add"],
        ),
        ("cpp", "int A::get() const {▮ }\n", ["Implement get from its signature"]),
        ("java", "abstract class A {\n  /** F. */\n  abstract int ▮f();\n}\n", []),
    ],
)
def test_languages(language: str, source: str, titles: list[str]) -> None:
    shown = [line for line in check_offers(source, language) if "Explain" not in line]
    assert [line.split(" @ ")[0] for line in shown][: len(titles)] == titles


def test_a_language_whose_tests_have_no_known_place() -> None:
    assert check_offers("int add(int a) {▮ return a; }\n", "c")[1] == snapshot(
        "Write a test for add @ int add(int a) { return a; } (It is not known where tests of this "
        "language belong.)"
    )


@pytest.mark.parametrize(
    "source",
    [
        "@abstractmethod\ndef f(self):▮\n    ...\n",
        "@typing.overload\ndef f(x: int) -> int:▮ ...\n",
        "def f():▮\n    a = 1\n    pass\n",
        "def f():▮\n    raise ValueError\n",
    ],
)
def test_what_needs_no_implementation(source: str) -> None:
    assert not [line for line in check_offers(source) if line.startswith("Implement")]
