"""Blanks that a model writes where the file is indented by tabs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quillon.assist.suggestion_indent import Indentation
from quillon_testing.suggestions import Desk, check_suggestion

GO = "package p\n\nfunc first(a int) int {\n\tif a > 0 {\n\t\treturn a\n\t}\n\treturn 0\n}\n\n"
SPACES = GO.replace("\t", "    ")


@pytest.mark.parametrize(
    ("place", "reply", "shown"),
    [
        (
            "func f(a int) int {\n\t▮\n}\n",
            "if a > 1 {\n        return 1\n    }\n    return 2",
            "«if a > 1 {\n\t\treturn 1\n\t}\n\treturn 2»",
        ),
        (
            "func f(a int) int {\n\t▮\n}\n",
            "if a > 1 {\n    return 1\n  }\n  return 2",
            "«if a > 1 {\n\t\treturn 1\n\t}\n\treturn 2»",
        ),
        ("func f(a int) int {▮\n}\n", "\n    return a", "«\n\treturn a»"),
        ("func f(a int) int {\n\t▮\n}\n", "    return a", "«return a»"),
        ("func f(a int) int {\n▮\n}\n", "    return a", "«\treturn a»"),
        (
            "func f(a int) int {\n\tif a > 1 {\n\t\t▮\n\t}\n}\n",
            "b := a *\n          a\n        return b",
            "«b := a *\n\t\t  a\n\t\treturn b»",
        ),
        ("func f(a int) int {\n\t▮\n}\n", "b := a\n\treturn b", "«b := a\n\treturn b»"),
    ],
    ids=["four", "two", "new line", "first line", "column 0", "alignment", "tabs"],
)
async def test_blanks_become_the_tabs_of_the_file(place, reply, shown):
    found = await check_suggestion(GO + place, reply, language="go")
    assert found == GO + place.replace("▮", shown)


@pytest.mark.parametrize(
    ("depth", "reply", "shown"),
    [
        (2, "b += x\n    print(b)\n    return b", "b += x\n\tprint(b)\n\treturn b"),
        (2, "b = 1\n    else:\n        b = 2", "b = 1\n\telse:\n\t\tb = 2"),
        (2, "a++\n    } else {\n        a--", "a++\n\t} else {\n\t\ta--"),
        (4, "b = 1\n        a = b\n    return a", "b = 1\n\t\ta = b\n\treturn a"),
        (4, "b = 1\n      else:\n        b = 2", "b = 1\n\t\t\telse:\n\t\t\t\tb = 2"),
    ],
    ids=["one step", "else", "brace", "two steps of four", "one step of two"],
)
def test_lines_that_leave_a_block_leave_it(depth, reply, shown):
    lines = Indentation(tabs=True, depth=depth, before="\t" * depth)
    assert lines.applied(reply) == shown


@pytest.mark.parametrize(
    ("place", "reply"),
    [
        (
            "def h(a):\n    b = 0\n    for x in a:\n        ▮\n",
            "b += x\n    print(b)\n    return b",
        ),
        ("def h(a):\n    if a:\n        ▮\n", "b = 1\n    else:\n        b = 2\n    return b"),
    ],
    ids=["for", "if"],
)
async def test_no_more_is_shown_where_the_file_has_tabs_than_where_it_has_blanks(place, reply):
    source = "def g():\n    return 1\n\n\n" + place
    blanks = await check_suggestion(source, reply, language="python")
    tabs = await check_suggestion(source.replace("    ", "\t"), reply, language="python")
    assert tabs == blanks.replace("    ", "\t")


async def test_a_block_of_blanks_keeps_them_in_a_file_of_tabs():
    source = "def g(a):\n\tb = a\n\tc = b\n\treturn c\n\n\ndef h(a):\n    x = 1\n    ▮\n"
    found = await check_suggestion(source, "x += 1\n    return x", language="python")
    assert "«x += 1\n    return x»" in found


async def test_a_file_of_blanks_keeps_them_whatever_one_of_its_lines_has():
    source = SPACES + "func f(a int) int {\n\t//\n    ▮\n}\n"
    found = await check_suggestion(source, "b := a\n    return b", language="go")
    assert "«b := a\n    return b»" in found


async def test_typing_the_tabs_of_a_suggestion_goes_on_with_it():
    desk = Desk("if a > 1 {\n        return 1\n    }\n    return 2", language="go")
    await desk.show(GO + "func f(a int) int {\n\t▮\n}\n")
    found = await desk.show(GO + "func f(a int) int {\n\tif a > 1 {\n\t\t▮\n}\n")
    assert "\t\t«return 1\n\t}\n\treturn 2»" in found
    assert len(desk.engine.calls) == 1


@given(
    st.text(alphabet="a \n\t{", max_size=40),
    st.integers(0, 40),
    st.integers(0, 3),
    st.sampled_from(["", "\t", "\tif x {"]),
)
def test_what_was_shown_of_a_growing_text_stays(text, length, depth, before):
    lines = Indentation(tabs=True, depth=depth, before=before)
    whole = lines.applied(text)
    assert whole.startswith(lines.applied(text[:length]).rstrip(" "))
    blanks = str.maketrans("", "", " \t")
    assert whole.translate(blanks) == text.translate(blanks)
