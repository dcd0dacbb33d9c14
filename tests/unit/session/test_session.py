"""What a session answers beside the texts: currency, bad input, buffers, problems, visits."""

import logging
from pathlib import Path

import pytest

from quillon.capabilities import ClientCapabilities
from quillon.context.diagnostics import Diagnostic
from quillon.context.document import MAX_TREE_CHARACTERS
from quillon.session import Session
from quillon.text import Change, Position, Span

URI = "file:///w/a.py"


def here(line, start, end):
    return (Position(line, start), Position(line, end))


@pytest.fixture
def session():
    return Session(client=ClientCapabilities(encoding="utf-16"))


def test_a_snapshot_outlives_the_changes_after_it(session):
    before = session.open(URI, "python", 1, "x = 1\n")
    after = session.change(URI, 2, [Change("2", here(0, 4, 5))])
    assert (before.text, after.text) == ("x = 1\n", "x = 2\n")
    assert session.is_current(after)
    assert not session.is_current(before)
    assert str(before.tree.root) == str(after.tree.root)


@pytest.mark.parametrize(
    ("text", "change", "expected"),
    [
        ("a😀b", Change("", here(0, 2, 3)), "a\ud83db"),  # half a character is taken away
        ("a😀b", Change("", here(0, 1, 2)), "a\ude00b"),
        ("a\ud83db", Change("\ude00", here(0, 2, 2)), "a😀b"),  # and the other half comes
        ("ab", Change("X", here(7, 0, 0)), "abX"),  # past the text
        ("ab\ncd", Change("X", here(0, 9, 99)), "abX\ncd"),  # past the line
        ("ab", Change("X", (Position(0, 2), Position(0, 1))), "aX"),  # backwards
        ("ab", Change("X", (Position(-1, -1), Position(0, 1))), "Xb"),
        ("", Change("x", here(0, 0, 0)), "x"),
        ("a\rb", Change("\n", here(1, 0, 0)), "a\r\nb"),  # two line ends become one
        ("a\r\nb", Change("", (Position(0, 1), Position(1, 0))), "ab"),
    ],
)
def test_unusual_changes(session, text, change, expected):
    session.open(URI, "python", 1, text)
    snapshot = session.change(URI, 2, [change])
    assert snapshot.text == expected
    assert snapshot.lines.text == expected
    assert snapshot.tree is not None


def test_a_version_that_falls_is_noted_and_the_change_counts(session, caplog):
    session.open(URI, "python", 5, "a")
    with caplog.at_level(logging.WARNING):
        snapshot = session.change(URI, 3, [Change("b")])
    assert (snapshot.text, snapshot.version, snapshot.revision) == ("b", 3, 1)
    assert "went from version 5 to 3" in caplog.text


def test_a_change_of_a_document_that_is_not_open_is_ignored(session, caplog):
    with caplog.at_level(logging.WARNING):
        assert session.change(URI, 1, [Change("b")]) is None
    assert session.snapshot(URI) is None
    assert "is not open" in caplog.text


def test_closing_what_is_not_open_is_ignored(session, caplog):
    with caplog.at_level(logging.WARNING):
        session.close(URI)
    assert "is not open" in caplog.text


def test_opening_twice_takes_the_later_text(session, caplog):
    first = session.open(URI, "python", 1, "a")
    with caplog.at_level(logging.WARNING):
        second = session.open(URI, "python", 1, "b")
    assert session.snapshot(URI) is second
    assert not session.is_current(first)
    assert "opened twice" in caplog.text


def test_spellings_of_one_uri_are_one_document(session):
    session.open("file:///c%3A/w/a%20b.py", "python", 1, "x")
    assert session.snapshot("file:///C:/w/a b.py").text == "x"


def test_a_document_without_a_file(session):
    snapshot = session.open("untitled:Untitled-1", "python", 1, "def f(): pass")
    assert snapshot.path is None
    assert snapshot.tree.root.type == "module"


def test_a_text_too_large_has_no_tree(session):
    snapshot = session.open(URI, "python", 1, "x = 1\n" * (MAX_TREE_CHARACTERS // 6 + 1))
    assert snapshot.tree is None
    assert snapshot.settled() is None
    assert session.change(URI, 2, [Change("", here(0, 0, 5))]).text.startswith("\nx")


@pytest.mark.parametrize(
    ("language_id", "uri", "expected"),
    [
        ("python", "file:///a", "python"),
        ("typescriptreact", "file:///a", "typescriptreact"),
        ("python.django", "file:///a", "python"),  # Vim joins file types
        ("", "file:///a.go", "go"),
        ("plaintext", "file:///a.go", None),  # the user said so
        ("klingon", "untitled:x", None),
    ],
)
def test_the_language_is_the_editors(session, language_id, uri, expected):
    language = session.open(uri, language_id, 1, "").language
    assert (language and language.id) == expected


def test_listeners_hear_of_every_text(session):
    heard = []
    session.listen(lambda snapshot: heard.append(snapshot.text))
    session.open(URI, "python", 1, "a")
    session.change(URI, 2, [Change("b")])
    session.close(URI)
    assert heard == ["a", "b"]


def test_tools_read_open_buffers(session):
    session.open(URI, "python", 7, "open")
    assert session.text_of(Path("/w/a.py")) == "open"
    assert session.version_of(Path("/w/a.py")) == 7
    assert session.text_of(Path("/w/b.py")) is None
    session.close(URI)
    assert session.text_of(Path("/w/a.py")) is None
    assert session.version_of(Path("/w/a.py")) is None


def test_problems_are_those_that_were_passed_on(session):
    bad = Diagnostic(Span(4, 5), 1, 1, "undefined", "warning", "pyright", "E1", 3)
    session.set_diagnostics(URI, [bad])
    session.set_diagnostics("untitled:x", [bad])
    (problem,) = session.problems(None)
    assert (problem.path, problem.line, problem.column) == (Path("/w/a.py"), 2, 4)
    assert (problem.severity, problem.message, problem.source) == (
        "warning",
        "undefined",
        "pyright",
    )
    assert session.problems(Path("/w/b.py")) == []
    assert session.diagnostics(URI) == (bad,)
    session.set_diagnostics(URI, [])
    assert session.problems(Path("/w/a.py")) == []


def test_a_path_with_a_percent_sign_is_not_decoded_twice(session):
    session.set_diagnostics("file:///w/a%2520b.py", [Diagnostic(Span(0, 0), 0, 0, "bad")])
    assert [problem.path for problem in session.problems(None)] == [Path("/w/a%20b.py")]


def test_problems_named_in_passing_count_until_the_text_changes(session):
    one, other = (Diagnostic(Span(0, 1), n, n, f"bad {n}") for n in range(2))
    first = session.open(URI, "python", 1, "x\n")
    session.set_diagnostics(URI, [one])
    session.note_diagnostics(first, [one])
    session.note_diagnostics(first, [other])
    assert session.diagnostics(URI) == (one, other)
    second = session.change(URI, 2, [Change("y\n")])
    assert session.diagnostics(URI) == (one,)
    session.note_diagnostics(second, [other])
    assert [problem.line for problem in session.problems(None)] == [1, 2]
    session.close(URI)
    assert session.diagnostics(URI) == (one,)


def test_only_the_latest_visits_are_kept(session):
    for number in range(70):
        session.open(f"file:///w/{number}.py", "python", 1, "")
    assert len(session.recent()) == 64
    assert session.recent()[0].uri == "file:///w/69.py"
    first = session.snapshot("file:///w/0.py")
    assert session.neighbours(first)[0].snapshot.path.name == "69.py"
    session.visit(first, 0)
    assert session.recent()[0].uri == "file:///w/0.py"


def test_neighbours_come_with_the_latest_visited_first(session):
    for name in "abc":
        session.open(f"file:///w/{name}.py", "python", 1, "x\ny\n")
    session.change("file:///w/a.py", 2, [Change("z", here(1, 0, 1))])
    current = session.snapshot("file:///w/c.py")
    session.visit(current, 1)
    found = session.neighbours(current)
    assert [one.snapshot.path.name for one in found] == ["a.py", "b.py"]
    assert (found[0].visit.edits, found[0].visit.span) == (1, Span(2, 3))
    assert [visit.uri[-4:] for visit in session.recent()] == ["c.py", "a.py", "b.py"]


def test_the_touched_span_covers_all_changes_of_a_notification(session):
    session.open(URI, "python", 1, "one\ntwo\nthree\n")
    session.change(URI, 2, [Change("XX", here(2, 0, 0)), Change("", here(0, 0, 1))])
    assert session.recent()[0].span.cut(session.snapshot(URI).text) == "ne\ntwo\nXX"
