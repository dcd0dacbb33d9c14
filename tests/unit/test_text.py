"""Positions, line starts and edits, against the plainest model there is: UTF-16 code units."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from quillon.text import (
    Change,
    Edit,
    LineIndex,
    Position,
    Span,
    apply_edits,
    difference,
    encodable,
    joined,
    resolve_changes,
    units,
)
from quillon_testing.markers import marked, show

ENCODINGS = ("utf-8", "utf-16", "utf-32")
# Line ends, characters that only Python takes for line ends, and characters of 1 to 4 bytes.
ALPHABET = "ab\n\r\t\f\x0b\x85\u2028é字😀𝔘"
texts = st.text(ALPHABET, max_size=30)
encodings = st.sampled_from(ENCODINGS)


def plain_lines(text):
    """The lines with their ends, as the protocol defines them."""
    return [m[0] for m in re.finditer(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+\Z|\Z", text)]


@given(texts)
@example("")
@example("\r\n\r")
@example("a\u2028b\fc\n")
def test_lines_are_those_of_the_protocol(text):
    lines = plain_lines(text)
    if len(lines) > 1 and lines[-1] == "" and not lines[-2].endswith(("\r", "\n")):
        lines.pop()
    index = LineIndex(text)
    assert index.line_count == len(lines)
    at = 0
    for number, line in enumerate(lines):
        bare = line.rstrip("\r\n")
        assert index.line_span(number) == Span(at, at + len(bare))
        at += len(line)
    assert index.line_span(len(lines)) == Span(len(text), len(text))


@given(texts, encodings)
def test_every_offset_survives_the_round_trip(text, encoding):
    index = LineIndex(text)
    for offset in range(len(text) + 1):
        inside_line_end = text[offset - 1 : offset + 1] == "\r\n" and offset > 0
        back = index.offset(index.position(offset, encoding), encoding)
        assert back == (offset - 1 if inside_line_end else offset)


@pytest.mark.parametrize(
    ("source", "encoding", "position"),
    [
        ("a😀▮b", "utf-8", Position(0, 5)),
        ("a😀▮b", "utf-16", Position(0, 3)),
        ("a😀▮b", "utf-32", Position(0, 2)),
        ("x\r\ny▮", "utf-16", Position(1, 1)),
        ("x\ry▮", "utf-16", Position(1, 1)),
        ("x\u2028y▮", "utf-16", Position(0, 3)),
        ("x\fy▮", "utf-8", Position(0, 3)),
        ("▮", "utf-8", Position(0, 0)),
    ],
)
def test_positions(source, encoding, position):
    place = marked(source)
    assert LineIndex(place.text).position(place.cursor, encoding) == position
    assert LineIndex(place.text).offset(position, encoding) == place.cursor


@pytest.mark.parametrize(
    ("position", "encoding", "expected"),
    [
        (Position(0, 99), "utf-16", "ab▮\r\nc😀d\n"),  # past the line: its end
        (Position(9, 0), "utf-16", "ab\r\nc😀d\n▮"),  # past the text: its end
        (Position(1, 2), "utf-16", "ab\r\nc▮😀d\n"),  # inside a character: its start
        (Position(1, 4), "utf-8", "ab\r\nc▮😀d\n"),
        (Position(-1, 5), "utf-8", "▮ab\r\nc😀d\n"),
        (Position(1, -3), "utf-8", "ab\r\n▮c😀d\n"),
    ],
)
def test_positions_outside_the_text_are_its_nearest_place(position, encoding, expected):
    index = LineIndex("ab\r\nc😀d\n")
    assert show(index.text, index.offset(position, encoding)) == expected


@given(texts, st.data())
def test_an_edited_index_is_the_index_of_the_edited_text(text, data):
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    edit = Edit(Span(start, end), data.draw(texts))
    edited, fresh = LineIndex(text).edited(edit), LineIndex(apply_edits(text, [edit]))
    assert edited.text == fresh.text
    assert [edited.line_span(n) for n in range(edited.line_count + 1)] == [
        fresh.line_span(n) for n in range(fresh.line_count + 1)
    ]
    assert [edited.line_of(n) for n in range(len(fresh.text) + 1)] == [
        fresh.line_of(n) for n in range(len(fresh.text) + 1)
    ]


@given(
    st.lists(
        st.tuples(
            st.integers(0, 9000),
            st.integers(0, 3000),
            st.sampled_from(["", "x", "\n", "\r\n" * 700, "a\n" * 3000, "\r"]),
        ),
        max_size=6,
    )
)
def test_an_index_over_many_chunks_stays_right(steps):
    index = LineIndex("ab\r\n" * 1800)
    for at, size, new in steps:
        start = min(at, len(index.text))
        index = index.edited(Edit(Span(start, min(start + size, len(index.text))), new))
    fresh = LineIndex(index.text)
    assert [index.line_start(n) for n in range(index.line_count)] == [
        fresh.line_start(n) for n in range(fresh.line_count)
    ]
    for offset in range(0, len(index.text), 257):
        assert index.line_of(offset) == fresh.line_of(offset)


@given(texts, texts)
def test_the_difference_turns_one_text_into_the_other(old, new):
    edit = difference(old, new)
    assert apply_edits(old, [edit]) == new
    assert not edit.text or not edit.span.cut(old) or edit.text[0] != edit.span.cut(old)[0]


@pytest.mark.parametrize(
    "edits",
    [
        [Edit(Span(0, 2), ""), Edit(Span(1, 3), "")],
        [Edit(Span(2, 9), "")],
        [Edit(Span(2, 1), "")],
    ],
)
def test_impossible_edits_are_refused(edits):
    with pytest.raises(ValueError, match="overlaps another or leaves the text"):
        apply_edits("abc", edits)


def test_edits_apply_in_any_order():
    assert apply_edits("abcd", [Edit(Span(3, 4), "D"), Edit(Span(0, 1), "A")]) == "AbcD"


# Changes: the model is what an editor that keeps UTF-16 code units holds.

ANY = ALPHABET + "\ud83d\ude00"  # and the halves of a pair


def as_units(text):
    raw = text.encode("utf-16-le", "surrogatepass")
    return [raw[i : i + 2] for i in range(0, len(raw), 2)]


def from_units(raw):
    return b"".join(raw).decode("utf-16-le", "surrogatepass")


def unit_position(raw, at):
    """The position of a unit offset; the protocol has none inside a line end."""
    ends = [
        i + 1
        for i, u in enumerate(raw)
        if u == b"\n\0" or (u == b"\r\0" and raw[i + 1 : i + 2] != [b"\n\0"])
    ]
    starts = [0, *ends]
    line = max(i for i, s in enumerate(starts) if s <= at)
    return Position(line, at - starts[line])


@given(
    st.text(ANY, max_size=20),
    st.lists(
        st.tuples(st.integers(0, 60), st.integers(0, 6), st.text(ANY, max_size=4)), max_size=6
    ),
)
@example("😀", [(1, 1, "")])
@example("😀😀", [(1, 2, "x")])
@example("\r\n", [(1, 0, "a")])
def test_changes_in_utf16_leave_the_text_that_the_editor_has(text, steps):
    raw, lines = as_units(text), LineIndex(joined(text))
    for at, size, new in steps:
        start = min(at, len(raw))
        end = min(start + size, len(raw))
        if any(
            0 < edge < len(raw) and raw[edge - 1 : edge + 1] == [b"\r\0", b"\n\0"]
            for edge in (start, end)
        ):
            continue
        change = Change(new, (unit_position(raw, start), unit_position(raw, end)))
        lines, _ = resolve_changes(lines, [change], "utf-16")
        raw[start:end] = as_units(new)
        assert lines.text == from_units(raw)


@given(st.text(ALPHABET, min_size=1, max_size=60), encodings, st.data())
def test_many_changes_at_once_are_the_same_changes_one_by_one(text, encoding, data):
    lines = LineIndex(text * 3)
    places = data.draw(
        st.lists(
            st.tuples(st.integers(0, lines.line_count), st.integers(0, 30), st.integers(0, 3)),
            min_size=16,
            max_size=24,
        )
    )
    changes = [
        Change(data.draw(st.text(ALPHABET, max_size=3)), (Position(a, b), Position(a, b + c)))
        for a, b, c in sorted(places, reverse=True)
    ]
    at_once, edits = resolve_changes(lines, changes, encoding)
    one = lines
    for change in changes:
        one, _ = resolve_changes(one, [change], encoding)
    assert at_once.text == one.text
    text = lines.text
    for edit in edits:
        text = apply_edits(text, [edit])
    assert text == one.text


@given(st.text(ANY + "abc", min_size=60, max_size=90).map(joined), encodings, st.data())
def test_replacing_everywhere_at_once(text, encoding, data):
    """Changes from the end of the text to its start, as editors report "replace all"."""
    lines = LineIndex(text)
    cuts = data.draw(st.sets(st.integers(0, len(text)), min_size=48, max_size=60))
    edges = sorted(cuts, reverse=True)
    changes = [
        Change(
            data.draw(st.text(ANY, max_size=2)),
            (lines.position(start, encoding), lines.position(end, encoding)),
        )
        for end, start in zip(edges[::3], edges[1::3], strict=False)
    ]
    at_once, edits = resolve_changes(lines, changes, encoding)
    one = lines
    for change in changes:
        one, _ = resolve_changes(one, [change], encoding)
    assert at_once.text == one.text
    assert at_once.line_count == one.line_count
    rebuilt = text
    for edit in edits:
        rebuilt = apply_edits(rebuilt, [edit])
    assert rebuilt == one.text


def test_thousands_of_changes_are_one_pass():
    lines = LineIndex("name = 1\n" * 5000)
    changes = [
        Change("x", (Position(line, 0), Position(line, 4))) for line in reversed(range(5000))
    ]
    found, edits = resolve_changes(lines, changes, "utf-16")
    assert found.text == "x = 1\n" * 5000
    assert len(edits) == 5000


def test_halves_that_meet_between_two_changes_join():
    lines = LineIndex("-".join("😀" * 20))
    changes = [
        Change("", (Position(0, 3 * n + 1), Position(0, 3 * n + 2 + 2)))
        for n in reversed(range(0, 18, 1))
    ]
    raw = as_units(lines.text)
    for n in reversed(range(18)):
        raw[3 * n + 1 : 3 * n + 4] = []
    found, _ = resolve_changes(lines, changes, "utf-16")
    assert found.text == from_units(raw)


def test_spans():
    span = Span(2, 5)
    assert len(span) == 3
    assert [at for at in range(8) if span.contains(at)] == [2, 3, 4, 5]
    assert span.covers(Span(2, 5))
    assert not span.covers(Span(1, 5))


def test_a_range_given_backwards_is_turned_round():
    lines, _ = resolve_changes(
        LineIndex("abcd"), [Change("-", (Position(0, 3), Position(0, 1)))], "utf-8"
    )
    assert lines.text == "a-d"


def test_a_change_without_a_range_is_the_whole_text():
    lines, edits = resolve_changes(LineIndex("a\nb\nc"), [Change("a\nX\nc")], "utf-8")
    assert lines.text == "a\nX\nc"
    assert edits == (Edit(Span(2, 3), "X"),)


@pytest.mark.parametrize(
    ("text", "lengths"), [("a😀é", (7, 4, 3)), ("", (0, 0, 0)), ("\ud83d", (3, 1, 1))]
)
def test_units(text, lengths):
    assert tuple(units(text, encoding) for encoding in ENCODINGS) == lengths


def test_surrogates_join_and_lone_ones_can_be_made_encodable():
    assert joined("a\ud83d\ude00b\ud83d") == "a😀b\ud83d"
    assert encodable("a\ud83d😀") == "a\ufffd😀"


def test_marks():
    place = marked("f(▮): «pass»")
    assert (place.text, place.cursor, place.selection) == ("f(): pass", 2, Span(5, 9))
    assert show(place.text, place.cursor, selections=place.selections) == "f(▮): «pass»"
    for broken in ("«a", "a»", "««a»»"):
        with pytest.raises(ValueError, match="selection"):
            marked(broken)
