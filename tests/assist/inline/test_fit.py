"""How a suggestion is fitted to the line: what it covers, what it must not repeat."""

import pytest

from quillon.assist.suggestion import Surroundings, fit
from quillon_testing.markers import marked


def check_fit(line: str, text: str) -> str:
    """The line with the suggestion in it; what was covered stands in the selection marks."""
    source = marked(line)
    around = Surroundings(before=source.prefix, after=source.suffix, above="", below=())
    fitted = fit(text, around)
    covered = source.suffix[: fitted.covers]
    return f"{source.prefix}«{fitted.text}|{covered}»{source.suffix[fitted.covers :]}"


@pytest.mark.parametrize(
    ("line", "text", "expected"),
    [
        # Nothing right of the cursor: nothing to cover.
        ("x = ▮", "f(a)", "x = «f(a)|»"),
        ("x = ▮  ", "f(a)", "x = «f(a)|»  "),
        # Brackets that the editor closed are covered where the suggestion closes them itself.
        ("print(▮)", "a, b)", "print(«a, b)|)»"),
        ("print(▮)", "a, b", "print(«a, b|»)"),
        ("print(▮)", "f(a), b)", "print(«f(a), b)|)»"),
        ("print(▮)", "f(a)", "print(«f(a)|»)"),
        ("print(f(▮))", "a))", "print(f(«a))|))»"),
        ("print(f(▮))", "a)", "print(f(«a)|)»)"),
        ("x[d[▮]]", "'k'][0]", "x[d[«'k'][0]|]»]"),
        ("foo([▮])", "1, 2])", "foo([«1, 2])|])»"),
        # Blanks between closers, and separators that come along.
        ("f(g(▮) )", "a))", "f(g(«a))|) )»"),
        ("if f(▮):", "a):\n    pass", "if f(«a):\n    pass|):»"),
        ("f(▮);", "a);", "f(«a);|);»"),
        ("f(▮),", "a)", "f(«a)|)»,"),
        # A block's brace.
        ("if (x) {▮}", "\n  return 1;\n}", "if (x) {«\n  return 1;\n}|}»"),
        ("if (x) {▮}", "\n  return 1;\n", "if (x) {«\n  return 1;\n|»}"),
        # Brackets that were opened elsewhere stay.
        ("x▮)", "y", "x«y|»)"),
        ("f(▮)", "a]", "f(«a]|»)"),
        # Quotes.
        ('open("▮")', 'name.txt")', 'open("«name.txt")|")»'),
        ('open("▮")', "name.txt", 'open("«name.txt|»")'),
        ("open('▮')", "it\"s')", "open('«it\"s')|')»"),
        ("f(▮)", '")")', 'f(«")")|)»'),
        ("f(▮)", '")"', 'f(«")"|»)'),
        # Comparisons are no brackets; generics are.
        ("if (▮)", "a < b)", "if («a < b)|)»"),
        ("Vec<▮>", "u8>", "Vec<«u8>|>»"),
        ("f(▮)", "x => x)", "f(«x => x)|)»"),
        # More than closers follows: one line, cut where it would repeat what follows.
        ("def f(▮) -> None:", "a, b) -> None:\n    pass", "def f(«a, b|») -> None:"),
        ("def f(▮) -> None:", "a, b)", "def f(«a, b|») -> None:"),
        ("x = ▮ + 1", "foo + 1", "x = «foo|» + 1"),
        ("x = ▮ else y", "a if b els", "x = «a if b|» else y"),
        ("x = ▮else y", "a if b else", "x = «a if b |»else y"),
        ("x = ▮end", "fe", "x = «fe|»end"),
        ("return ▮value", "value", "return «|»value"),
        # Characters outside the basic plane count as one.
        ("f('🗡', ▮)", "'🛡')", "f('🗡', «'🛡')|)»"),
    ],
)
def test_fit(line: str, text: str, expected: str) -> None:
    assert check_fit(line, text) == expected


@pytest.mark.parametrize(
    ("line", "ends_line", "inside_word"),
    [
        ("x = ▮", True, False),
        ("x = f(▮)  ", True, False),
        ("x = f('▮');", True, False),
        ("x = ▮ # why", False, False),
        ("fo▮o", False, True),
        ("foo▮ bar", False, False),
        ("foo▮_bar", False, True),
        ("变▮量", False, True),
        ("▮", True, False),
    ],
)
def test_where_the_cursor_stands(line: str, ends_line: bool, inside_word: bool) -> None:
    source = marked(line)
    around = Surroundings(before=source.prefix, after=source.suffix, above="", below=())
    assert (around.ends_line, around.inside_word) == (ends_line, inside_word)
