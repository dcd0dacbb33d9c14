"""What goes into a prompt, within a budget of tokens, and what is left out of it.

Every budget is kept by the model's own count of what is sent. Nothing is dropped in silence:
`LeftOut` names it.
"""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import msgspec

from quillon.context.counts import Counter, TokenCounts
from quillon.context.document import DocumentSnapshot
from quillon.context.material import LeftOut, Material, Part, around, attached
from quillon.context.neighbours import Neighbour, Snippet, choose, relative_path
from quillon.context.window import window_at
from quillon.text import LineIndex, Span

_MOST_SNIPPETS = 6
_MOVED = 32  # lines; a cursor that moved further writes about something else
_NAME_TOKENS = 3  # a separator and line ends around a file's name
_DOCUMENTS = 64  # whose choice of snippets is remembered


class InlineBudget(msgspec.Struct, frozen=True):
    """Tokens for the text before and after the cursor, and for parts of other files."""

    prefix: int
    suffix: int
    files: int

    @classmethod
    def within(cls, context: int, answer: int, prefix: int, suffix: int) -> "InlineBudget":
        """The wanted budgets, made smaller where the model's context is small.

        `answer` is the room for what the model writes. Other files get what is left, at most as
        much as the prefix.
        """
        room = max(0, context - answer - _FIM_TOKENS)
        scale = min(1.0, room / max(1, prefix + suffix))
        prefix, suffix = int(prefix * scale), int(suffix * scale)
        return cls(prefix, suffix, max(0, min(prefix, room - prefix - suffix)))


_FIM_TOKENS = 16  # prefix, suffix and middle tokens, the repository's name and the file's


class InlineContext(msgspec.Struct, frozen=True):
    """The parts of a fill-in-the-middle prompt.

    `path` is relative to the workspace, None for a document without a file. `files` stand in the
    order in which they belong into the prompt. `tokens` counts all texts and names.
    """

    prefix: str
    suffix: str
    path: str | None
    repository: str | None
    files: tuple[Snippet, ...]
    tokens: int
    left_out: LeftOut


class _Chosen(msgspec.Struct, frozen=True):
    line: int
    known: frozenset[tuple[str, int]]
    snippets: tuple[Snippet, ...]


class Gatherer:
    """Gathers for one model; remembers counts, and which parts of other files it chose."""

    def __init__(self, counter: Counter) -> None:
        self.counts = TokenCounts(counter)
        self._chosen: dict[str, _Chosen] = {}

    async def inline(
        self,
        snapshot: DocumentSnapshot,
        offset: int,
        budget: InlineBudget,
        *,
        neighbours: Sequence[Neighbour] = (),
        roots: Sequence[Path] = (),
    ) -> InlineContext:
        """What a model should see to write at `offset`.

        The names of the file and its repository are paid from the prefix.
        """
        path, repository = relative_path(snapshot.path, roots), _repository(snapshot.path, roots)
        names = sum(await self.counts.of([path or "", repository or ""]))
        before = max(0, budget.prefix - names)
        prefix, suffix = await window_at(snapshot, offset, self.counts, before, budget.suffix)
        files: dict[Snippet, int] = {}
        left_out = LeftOut()
        if budget.files > 0 and neighbours:
            wanted = await self._snippets(snapshot, offset, neighbours, roots)
            files, left_out = await self._fitting(wanted, budget.files)
        return InlineContext(
            prefix=prefix.text,
            suffix=suffix.text,
            path=path,
            repository=repository,
            files=tuple(files),
            tokens=names + prefix.tokens + suffix.tokens + sum(files.values()),
            left_out=left_out,
        )

    async def about(
        self,
        snapshot: DocumentSnapshot,
        span: Span,
        budget: int,
        *,
        neighbours: Sequence[Neighbour] = (),
        roots: Sequence[Path] = (),
    ) -> Material:
        """A place to be explained or changed, with what surrounds it; other files get a quarter.

        `span` is kept whole where it fits; else its middle is left out, and named.
        """
        path = relative_path(snapshot.path, roots) or snapshot.uri
        others = budget // 4 if neighbours else 0
        here = await around(snapshot, span, path, self.counts, budget - others)
        if not neighbours or here.left_out.lines:
            return here
        wanted = await self._snippets(snapshot, span.start, neighbours, roots)
        files, left_out = await self._fitting(wanted, budget - here.tokens)
        lines = {one.snapshot.uri: one.snapshot.lines for one in neighbours}
        parts = [_part(one, lines[one.uri], size) for one, size in files.items()]
        return Material((*parts, *here.parts), here.tokens + sum(files.values()), left_out)

    async def attached(self, texts: Sequence[tuple[str, LineIndex, Span]], budget: int) -> Material:
        """What the user attached to a question, as (path, lines, span)."""
        return await attached(texts, self.counts, budget)

    async def _snippets(
        self,
        snapshot: DocumentSnapshot,
        offset: int,
        neighbours: Sequence[Neighbour],
        roots: Sequence[Path],
    ) -> tuple[Snippet, ...]:
        """The chosen parts: those of before as long as the cursor stays about where it was."""
        line = snapshot.lines.line_of(offset)
        known = frozenset((one.snapshot.uri, one.snapshot.revision) for one in neighbours)
        before = self._chosen.pop(snapshot.uri, None)
        if before is None or before.known != known or abs(line - before.line) > _MOVED:
            found = await asyncio.to_thread(
                choose, snapshot, offset, neighbours, roots, _MOST_SNIPPETS
            )
            kept = before.snippets if before is not None else ()
            before = _Chosen(line, known, _appended(kept, found))
        self._chosen[snapshot.uri] = before
        while len(self._chosen) > _DOCUMENTS:
            del self._chosen[next(iter(self._chosen))]
        return before.snippets

    async def _fitting(
        self, wanted: Sequence[Snippet], budget: int
    ) -> tuple[dict[Snippet, int], LeftOut]:
        """The best snippets that fit together with their tokens, in order; the rest by name."""
        sizes = await self.counts.of(f"{one.path}\n{one.text}" for one in wanted)
        size_of = {one: size + _NAME_TOKENS for one, size in zip(wanted, sizes, strict=True)}
        kept: set[Snippet] = set()
        used = 0
        for one in sorted(wanted, key=lambda snippet: (-snippet.score, snippet.path)):
            if used + size_of[one] <= budget:
                kept.add(one)
                used += size_of[one]
        dropped = [one for one in wanted if one not in kept]
        left_out = LeftOut(
            files=tuple(one.path for one in dropped),
            tokens=sum(size_of[one] for one in dropped),
        )
        return {one: size_of[one] for one in wanted if one in kept}, left_out


def _part(snippet: Snippet, lines: LineIndex, tokens: int) -> Part:
    first, last = lines.line_of(snippet.span.start), lines.line_of(snippet.span.end - 1)
    return Part(snippet.path, snippet.text, first + 1, last + 1, tokens)


def _appended(before: Sequence[Snippet], found: Sequence[Snippet]) -> tuple[Snippet, ...]:
    """The snippets found now; those that were there before keep their places at the front."""
    now = {(one.uri, one.revision, one.span): one for one in found}
    kept = [one for one in before if (one.uri, one.revision, one.span) in now]
    places = {(one.uri, one.revision, one.span) for one in kept}
    # The better stands nearer to the file that is written in.
    new = [one for key, one in now.items() if key not in places]
    return (*kept, *reversed(new))


def _repository(path: Path | None, roots: Sequence[Path]) -> str | None:
    inside = [root for root in roots if path is not None and path.is_relative_to(root)]
    return max(inside, key=lambda root: len(root.parts)).name if inside else None
