"""Explanations: the model's answer as a Markdown page that names its code and its author."""

import re
from collections.abc import Sequence
from pathlib import Path

import msgspec

from quillon.assist.actions import Offer
from quillon.assist.actions_prompt import Wording, ask, question
from quillon.assist.actions_run import Surroundings, Tell, answer_to, label_of
from quillon.assist.authorship import author
from quillon.assist.edits import BadAnswer, prose_in
from quillon.chinese import in_chinese
from quillon.context.document import DocumentSnapshot
from quillon.engine.base import Engine, Sampling
from quillon.prompt.fences import fenced
from quillon.prompt.quoting import quoting_constraint
from quillon.text import Span

_CALL = "<tool_call>"
_MARKUP = re.compile(r"[\\`*_\[\]<>&#~|]")
_SHOWN_LINES = 40  # of the code, on the page
# A little chance keeps a small model from going round in circles; enough certainty stays.
_SAMPLING = Sampling(temperature=0.3, top_k=20, top_p=0.8, seed=1)


class Explanation(msgspec.Struct, frozen=True):
    """A page: its title, for a tab or a file, and its Markdown."""

    title: str
    markdown: str


async def explain(
    engine: Engine, snapshot: DocumentSnapshot, offer: Offer, around: Surroundings, tell: Tell
) -> Explanation:
    """Ask the model to explain code, or a problem in it; `tell` gets its text as it comes.

    Raises:
        BadAnswer: The model said nothing.
        EngineError: The engine failed, or the code does not fit its context.
    """
    wording = Wording(around.chinese)
    label = label_of(snapshot, around.roots)
    asked = await ask(
        engine,
        snapshot,
        offer,
        wording,
        label,
        neighbours=around.neighbours,
        roots=around.roots,
    )
    sampling, constraint = _SAMPLING, None
    if (await engine.info()).embedded:
        code = offer.span.cut(snapshot.text)
        constraint = quoting_constraint(code, question=question(offer, wording))
        sampling = Sampling()
    answer = await answer_to(engine, asked, sampling=sampling, constraint=constraint, tell=tell)
    said = prose_in(answer.text)
    if not said or said.startswith(_CALL):  # a model that was trained on tools asks for one
        raise BadAnswer("The model gave no explanation. Try again, or choose a larger model.")
    if not answer.complete:
        said += " …"
    author_line = author(engine.state(), chinese=around.chinese)
    notes = [note for note in (asked.left_out, author_line) if note]
    title = _title(offer, label)
    if around.chinese:
        title, notes = in_chinese(title), list(map(in_chinese, notes))
    return Explanation(title, _page(snapshot, offer, label, title, said, notes))


def chat_question(offer: Offer, *, chinese: bool) -> str:
    """What the chat is asked in place of a page; the code goes with it as a reference."""
    return question(offer, Wording(chinese))


def _title(offer: Offer, label: str) -> str:
    name = Path(label).name
    return f"Problem in {name}" if offer.problem is not None else f"Explanation of {name}"


def _page(
    snapshot: DocumentSnapshot,
    offer: Offer,
    label: str,
    title: str,
    said: str,
    notes: Sequence[str],
) -> str:
    lines = snapshot.lines
    first, last = lines.line_of(offer.span.start), lines.line_of(offer.span.end)
    place = f"{label}:{first + 1}" + (f"-{last + 1}" if last > first else "")
    shown = Span(lines.line_start(first), lines.line_span(min(last, first + _SHOWN_LINES)).end)
    code = shown.cut(snapshot.text).replace("\r\n", "\n").replace("\r", "\n")
    language = snapshot.language.id if snapshot.language is not None else ""
    parts = [f"# {_plain(title)}", f"`{place}`"]
    if offer.problem is not None:
        parts.append("> " + _plain(" ".join(offer.problem.message.split())))
    parts += [fenced(code, language), said]
    parts += [f"*{note}*" for note in notes]
    return "\n\n".join(parts) + "\n"


def _plain(text: str) -> str:
    """Markdown that shows a text as it is: `__init__.py` has no bold part, `List<T>` no tag."""
    return _MARKUP.sub(r"\\\g<0>", text)
