"""Where suggestions end: at what stands below, at copies and at loops."""

import pytest

from quillon.assist.suggestion import Surroundings
from quillon.assist.suggestion_trim import cut
from quillon_testing.markers import marked_block


def check_cut(source: str, text: str, *, complete: bool = True) -> str | None:
    """What stays of the text and why, or None where it may stay or go on."""
    place = marked_block(source)
    above, _, before = place.prefix.rpartition("\n")
    after, _, below = place.suffix.partition("\n")
    around = Surroundings(
        before=before,
        after=after,
        above=next((line for line in reversed(above.split("\n")) if line.strip()), ""),
        below=tuple(line for line in below.split("\n") if line.strip()),
    )
    found = cut(text, around, complete=complete)
    return None if found is None else f"{found.cause}: {found.text}"


LINE_BELOW = """
    def f(x):
        y = ▮
        return y
    """


def test_stops_at_the_line_that_follows() -> None:
    assert check_cut(LINE_BELOW, "x + 1\n    return y") == "below: x + 1"


def test_an_unfinished_line_is_not_compared() -> None:
    assert check_cut(LINE_BELOW, "x + 1\n    return y", complete=False) is None
    assert check_cut(LINE_BELOW, "x + 1\n    return y\n", complete=False) == "below: x + 1"


def test_a_line_at_another_depth_is_another_line() -> None:
    assert check_cut(LINE_BELOW, "x + 1\n    if y:\n        return y") is None


def test_nothing_is_left_of_a_copy_of_the_next_line() -> None:
    source = """
        a = 1
        ▮
        b = 2
        """
    assert check_cut(source, "b = 2\nc = 3") == "below: "
    assert check_cut(source, "ab = 2") is None


def test_a_closing_brace_that_follows_is_not_written_twice() -> None:
    source = """
        func f() int {▮
        }
        """
    assert check_cut(source, "\n\treturn 1\n}\n\nfunc g() {}") == "below: \n\treturn 1"


def test_a_brace_that_the_suggestion_opened_may_stay() -> None:
    source = """
        ▮
        }
        """
    assert check_cut(source, "if x {\n}") is None


def test_a_copy_of_the_line_above_is_dropped() -> None:
    source = """
        total += value
        ▮
        """
    assert check_cut(source, "total += value\ncount += 1") == "repetition: "
    assert check_cut(source, "total += other") is None


def test_short_lines_may_repeat_the_line_above() -> None:
    source = """
        )
        ▮
        """
    assert check_cut(source, ")") is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\nb()\nb()\nb()", "repetition: a\nb()"),
        ("a\nb()\nb()", None),
        ("b()\nc()\nb()\nc()\nb()\nc()", "repetition: b()\nc()"),
        ("}\n}\n}", None),
        ("x" + "app/" * 8, "repetition: xapp/"),
        ("x = 0, 0, 0, 0", None),
        ("ok\n" + "1, 2, 3, 4, " * 5, "repetition: ok\n1, 2, 3, 4, "),
        ("# " + "-" * 70, None),
        ("", None),
    ],
)
def test_loops_are_cut_after_their_first_round(text: str, expected: str | None) -> None:
    assert check_cut("▮", text) == expected


def test_a_docstring_is_not_closed_twice() -> None:
    source = '''
        def f():
            """Add.
            ▮
            """
        '''
    assert check_cut(source, 'Return it.\n    """\n    pass') == "below: Return it."
