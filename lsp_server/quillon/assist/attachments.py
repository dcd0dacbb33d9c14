"""What the user attached to a question: kept whole where it fits, else cut by tokens and named."""

from collections.abc import Sequence

import msgspec

from quillon.context.counts import Counter
from quillon.context.gather import Gatherer
from quillon.prompt.fences import fenced
from quillon.text import LineIndex, Span


class Source(msgspec.Struct, frozen=True, eq=False):
    """Where an attached text stands: a span of a file; `path` is as the model knows it."""

    path: str
    lines: LineIndex
    span: Span


class Attachment(msgspec.Struct, frozen=True):
    """Text that the user attached to a question; `label` is a path, perhaps with lines.

    With a `source` what is left out of it is named by the lines of its file.
    """

    label: str
    text: str
    source: Source | None = None


def question(text: str, attachments: Sequence[Attachment]) -> str:
    """The user's message: what is attached, then the question."""
    parts = [f"{item.label}\n{fenced(item.text)}" for item in attachments]
    return "\n\n".join((*parts, text))


async def fitted(
    counter: Counter, attachments: Sequence[Attachment], budget: int
) -> tuple[list[Attachment], str]:
    """The attachments in at most `budget` tokens, and a sentence on what is left out of them.

    One that fits stays exactly as it is.

    Raises:
        EngineError: The engine cannot count.
    """
    sources = [item.source or _of_itself(item) for item in attachments]
    wholes: dict[tuple[str, range], list[Attachment]] = {}
    for source, item in zip(sources, attachments, strict=True):
        wholes.setdefault((source.path, _lines(source)), []).append(item)
    texts = [(source.path, source.lines, source.span) for source in sources]
    found = await Gatherer(counter).attached(texts, budget)
    kept = []
    for part in found.parts:
        same = wholes.get((part.path, part.lines))
        kept.append(same.pop(0) if same else Attachment(part.label, part.text))
    return kept, found.left_out.sentence()


def _of_itself(item: Attachment) -> Source:
    return Source(item.label, LineIndex(item.text), Span(0, len(item.text)))


def _lines(source: Source) -> range:
    lines, span = source.lines, source.span
    return range(lines.line_of(span.start), lines.line_of(max(span.start, span.end - 1)) + 1)
