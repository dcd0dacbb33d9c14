"""Carrying an action out: the model is asked, and its answer becomes a checked proposal."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any

import msgspec

from quillon.assist.actions import ActionKind, Offer
from quillon.assist.actions_definition import definition_at
from quillon.assist.actions_docstring import docstring_edit
from quillon.assist.actions_implement import implementation_edit
from quillon.assist.actions_prompt import Asked, Wording, ask
from quillon.assist.actions_test_edit import tests_edit
from quillon.assist.actions_tests import SuiteStyle, file_for_tests, import_name, suite_style
from quillon.assist.edits import (
    BadAnswer,
    Changed,
    Proposal,
    checked,
    code_in,
    indent_at,
    indented,
    unit_for,
)
from quillon.assist.suggestion_trim import loop
from quillon.context.anatomy import Definition
from quillon.context.document import DocumentSnapshot
from quillon.context.neighbours import Neighbour
from quillon.engine.base import (
    Constraint,
    Delta,
    Engine,
    Finished,
    Priority,
    Request,
    Sampling,
    Usage,
)
from quillon.text import Edit

logger = logging.getLogger(__name__)

_DEADLINE = 300.0  # seconds
_LOOK_EVERY = 16  # pieces of text between two looks whether the model goes round in circles

Tell = Callable[[str], None]
Read = Callable[[Path], DocumentSnapshot | None]


class Surroundings(msgspec.Struct, frozen=True):
    """What an action may look at beside the document.

    `read` gives a file as the editor has it, else as it is on disk; None: it is no text.
    `can_create`: the editor can make files by an edit. `neighbours` are other open documents.
    """

    roots: tuple[Path, ...]
    read: Read
    chinese: bool = False
    can_create: bool = True
    neighbours: tuple[Neighbour, ...] = ()


class Answer(msgspec.Struct, frozen=True):
    """What the model wrote. `complete` is false where it was cut by a limit."""

    text: str
    complete: bool
    usage: Usage | None = None


async def answer_to(
    engine: Engine,
    asked: Asked,
    *,
    sampling: Sampling,
    tell: Tell,
    draft: str | None = None,
    constraint: Constraint | None = None,
) -> Answer:
    """The model's whole answer; `tell` gets every piece of it as it comes.

    Raises:
        EngineError: The engine failed.
    """
    request = Request(
        prompt=asked.prompt,
        sampling=sampling,
        max_tokens=asked.max_tokens,
        constraint=constraint,
        priority=Priority.ACTION,
        draft=draft,
        deadline=_DEADLINE,
    )
    text, pieces = "", 0
    stream: Any = engine.generate(request)
    async with aclosing(stream):
        async for event in stream:
            if isinstance(event, Delta):
                text += event.text
                pieces += 1
                tell(event.text)
                looked_at = "\n" in event.text or pieces % _LOOK_EVERY == 0
                if looked_at and (kept := loop(text)) is not None:
                    return Answer(kept, complete=False)
            elif isinstance(event, Finished):
                return Answer(text, event.reason == "stop", event.usage)
    return Answer(text, complete=False)


async def propose(
    engine: Engine, snapshot: DocumentSnapshot, offer: Offer, around: Surroundings, tell: Tell
) -> Proposal:
    """The edit that an action makes; `tell` gets the model's text as it comes.

    Raises:
        BadAnswer: The model's answer is of no use, or the place is not what it was offered for.
        EngineError: The engine failed, or the code does not fit its context.
    """
    work = _Work(snapshot, offer, around)
    label = label_of(snapshot, around.roots)
    asked = await ask(
        engine,
        snapshot,
        offer,
        await asyncio.to_thread(work.wording),
        label,
        neighbours=around.neighbours,
        roots=around.roots,
    )
    if asked.left_out:
        logger.info("%s: %s", offer.title, asked.left_out)
    draft = offer.span.cut(snapshot.text) if offer.kind is ActionKind.FIX else None
    answer = await answer_to(engine, asked, sampling=Sampling(), draft=draft, tell=tell)
    if not answer.complete:
        raise BadAnswer(
            "The model did not come to an end, so its answer was not used. Select less, or choose "
            "a larger model."
        )
    # Parsing a large document takes longer than the event loop should wait.
    return await asyncio.to_thread(work.proposal, answer.text)


def label_of(snapshot: DocumentSnapshot, roots: Sequence[Path]) -> str:
    """The name by which the model knows a document: its path in the workspace."""
    path = snapshot.path
    if path is None:
        return "untitled"
    root = next((root for root in roots if path.is_relative_to(root)), path.parent)
    return path.relative_to(root).as_posix()


class _Work:
    """One action at one place of one version of a document."""

    def __init__(self, snapshot: DocumentSnapshot, offer: Offer, around: Surroundings) -> None:
        self.snapshot = snapshot
        self.offer = offer
        self.around = around

    def wording(self) -> Wording:
        """What the question names; looks at the disk for tests."""
        if self.offer.kind is not ActionKind.TEST:
            return Wording(self.around.chinese)
        definition, style = self._definition(), self._style()
        name = ".".join((*definition.container, definition.name))
        return Wording(self.around.chinese, name, style.framework, self._import_line(style))

    def proposal(self, answer: str) -> Proposal:
        """The checked edit from the model's answer."""
        kind = self.offer.kind
        if kind is ActionKind.TEST:
            return self._tests(code_in(answer))
        if kind is ActionKind.DOCSTRING:
            edit = docstring_edit(self.snapshot, self._definition(), answer)
        elif kind is ActionKind.IMPLEMENT:
            edit = implementation_edit(self.snapshot, self._definition(), code_in(answer))
        else:
            edit = self._rewritten(code_in(answer))
        return Changed(self.snapshot, tuple(checked(self.snapshot, [edit])))

    def _definition(self) -> Definition:
        tree = self.snapshot.tree
        found = definition_at(tree, self.offer.span) if tree is not None else None
        if found is None:
            raise BadAnswer("There is no function or class here any more.")
        return found

    def _style(self) -> SuiteStyle:
        language = self.snapshot.language
        style = suite_style(language.id) if language is not None else None
        if style is None:
            raise BadAnswer("It is not known where tests of this language belong.")
        return style

    def _import_line(self, style: SuiteStyle) -> str:
        path = self.snapshot.path
        if style.family == "python" and path is not None:
            return f"module {import_name(path, self.around.roots)}"
        return f"file {label_of(self.snapshot, self.around.roots)}"

    def _rewritten(self, code: str) -> Edit:
        text, span = self.snapshot.text, self.offer.span
        indent = indent_at(text, span.start)
        return Edit(span, indented(code, indent, unit_for(text, code), self.snapshot.language))

    def _tests(self, code: str) -> Proposal:
        path, style = self.snapshot.path, self._style()
        if path is None:
            raise BadAnswer("The document is no file yet: save it first.")
        place, exists = file_for_tests(path, style, self.around.roots)
        if style.inside:
            target: DocumentSnapshot | Path | None = self.snapshot
        else:
            target = self.around.read(place) if exists else place
        if target is None:
            raise BadAnswer(f"The tests belong in {place}, which cannot be read as text.")
        if isinstance(target, Path) and not self.around.can_create:
            raise BadAnswer(
                f"This editor cannot create files by an edit. Create {place} and try again."
            )
        return tests_edit(self.snapshot, self._definition(), style, target, code, self.around.roots)
