"""Which actions are offered at a place: decided from the syntax tree and the problems there.

The model takes no part in it. `offers` runs on every move of the cursor, so it only looks at what
is known already.
"""

from collections.abc import Iterator, Sequence
from enum import Enum

import msgspec

from quillon.assist.actions_definition import definition_at, statement_at
from quillon.assist.actions_tests import is_test_file, suite_style
from quillon.context.anatomy import Definition
from quillon.context.diagnostics import Diagnostic
from quillon.context.document import DocumentSnapshot
from quillon.text import Span

_MOST_PROBLEMS = 5
_TITLE_LENGTH = 60  # characters of a problem's message in a title


class ActionKind(Enum):
    """What an action does; the values travel in `CodeAction.data`."""

    EXPLAIN = "explain"
    EXPLAIN_PROBLEM = "explainProblem"
    FIX = "fix"
    DOCSTRING = "docstring"
    IMPLEMENT = "implement"
    TEST = "test"

    @property
    def edits(self) -> bool:
        """Whether the action ends in an edit, not in an explanation."""
        return self not in (ActionKind.EXPLAIN, ActionKind.EXPLAIN_PROBLEM)

    def title(self, name: str = "", *, chinese: bool = False) -> str:
        """What a menu shows; `name` is that of a definition."""
        return _TITLES[self][chinese].format(name)


_TITLES = {
    ActionKind.EXPLAIN: ("Explain this", "解释这段代码"),
    ActionKind.EXPLAIN_PROBLEM: ("Explain this problem", "解释这个问题"),
    ActionKind.FIX: ("Fix this problem", "修复这个问题"),
    ActionKind.DOCSTRING: ("Write a docstring for {}", "为 {} 编写文档字符串"),
    ActionKind.IMPLEMENT: ("Implement {} from its signature", "根据签名实现 {}"),
    ActionKind.TEST: ("Write a test for {}", "为 {} 编写测试"),
}


class Offer(msgspec.Struct, frozen=True):
    """One action. `span` is what it is about, `problem` what it explains or fixes.

    `impossible` says why the action cannot run here, or is empty.
    """

    kind: ActionKind
    title: str
    span: Span
    problem: Diagnostic | None = None
    impossible: str = ""


def offers(
    snapshot: DocumentSnapshot,
    selection: Span,
    problems: Sequence[Diagnostic],
    *,
    chinese: bool = False,
) -> list[Offer]:
    """The actions for a selection, which may be empty, and the problems that touch it.

    `chinese`: the user reads Chinese.
    """
    if not snapshot.text.strip():
        return []
    place = _at_code(snapshot, selection)
    tree = snapshot.tree
    definition = definition_at(tree, place) if tree is not None else None
    subject = _subject(snapshot, selection, place, definition)
    found = list(_for_problems(snapshot, problems, chinese=chinese))
    if definition is not None:
        found += _for_definition(snapshot, definition, chinese=chinese)
    if subject is not None:
        found.append(Offer(ActionKind.EXPLAIN, ActionKind.EXPLAIN.title(chinese=chinese), subject))
    return found


def _for_problems(
    snapshot: DocumentSnapshot, problems: Sequence[Diagnostic], *, chinese: bool
) -> Iterator[Offer]:
    colon = "：" if chinese else ": "
    for problem in problems[:_MOST_PROBLEMS]:
        message = f"{colon}{_short(problem.message)}" if len(problems) > 1 else ""
        span = subject_of(snapshot, problem.span)
        for kind in (ActionKind.FIX, ActionKind.EXPLAIN_PROBLEM):
            yield Offer(kind, kind.title(chinese=chinese) + message, span, problem)


def _for_definition(
    snapshot: DocumentSnapshot, definition: Definition, *, chinese: bool
) -> Iterator[Offer]:
    def offer(kind: ActionKind, impossible: str = "") -> Offer:
        title = kind.title(definition.name, chinese=chinese)
        return Offer(kind, title, definition.whole, impossible=impossible)

    if definition.stub is not None:
        yield offer(ActionKind.IMPLEMENT)
    if not definition.documented:
        yield offer(ActionKind.DOCSTRING)
    if definition.stub is None and definition.body is not None and not _in_tests(snapshot):
        yield offer(ActionKind.TEST, _untestable(snapshot))


def _in_tests(snapshot: DocumentSnapshot) -> bool:
    return snapshot.path is not None and is_test_file(snapshot.path)


def _untestable(snapshot: DocumentSnapshot) -> str:
    if snapshot.path is None:
        return "The document is no file yet, so there is no place for its tests: save it first."
    if snapshot.language is None or suite_style(snapshot.language.id) is None:
        return "It is not known where tests of this language belong."
    return ""


def subject_of(snapshot: DocumentSnapshot, span: Span) -> Span:
    """What has to be looked at to understand `span`: its definition, its statement, its lines."""
    tree = snapshot.tree
    if tree is not None:
        definition = definition_at(tree, _at_code(snapshot, span))
        if definition is not None and definition.kind == "function":
            return definition.whole
        if (statement := statement_at(tree, span)) is not None and definition is None:
            return statement
    return _lines(snapshot, span)


def _subject(
    snapshot: DocumentSnapshot, selection: Span, place: Span, definition: Definition | None
) -> Span | None:
    """What "Explain this" is about: the selection, the definition, the statement or the line."""
    if selection.cut(snapshot.text).strip():
        return selection
    if definition is not None:
        return definition.whole
    if snapshot.tree is not None and (found := statement_at(snapshot.tree, place)) is not None:
        return found
    lines = _lines(snapshot, place)
    return lines if lines.cut(snapshot.text).strip() else None


def _at_code(snapshot: DocumentSnapshot, selection: Span) -> Span:
    """The selection without the blanks around it: a cursor in the indentation means the line."""
    text = snapshot.text
    if len(selection):
        inner = selection.cut(text)
        start = selection.start + len(inner) - len(inner.lstrip())
        return Span(start, max(start, selection.start + len(inner.rstrip())))
    line = snapshot.lines.line_span(snapshot.lines.line_of(selection.start))
    shown = line.cut(text)
    first = line.start + len(shown) - len(shown.lstrip())
    last = line.start + len(shown.rstrip())
    # Behind the last character of a line, the cursor still means what ends there.
    at = min(max(selection.start, first), max(first, last - 1))
    return Span(at, at)


def _lines(snapshot: DocumentSnapshot, span: Span) -> Span:
    lines = snapshot.lines
    first, last = lines.line_of(span.start), lines.line_of(max(span.start, span.end))
    return Span(lines.line_span(first).start, lines.line_span(last).end)


def _short(message: str) -> str:
    line = " ".join(message.split())
    return line if len(line) <= _TITLE_LENGTH else f"{line[: _TITLE_LENGTH - 1]}…"
