"""Suggestions from a scripted model: marked text in, the text with the suggestion out."""

import asyncio
from collections.abc import Sequence

from quillon.assist.inline import Suggester
from quillon.assist.inline_place import Query, Selected
from quillon.assist.inline_reason import Nothing
from quillon.assist.suggestion import Suggestion
from quillon.context.document import snapshot_of
from quillon.engine.script import Script, Step
from quillon.engine.scripted import ScriptedEngine
from quillon.settings import InlineSettings
from quillon.text import Edit, apply_edits
from quillon_testing.markers import Marked, marked_block


class Desk:
    """A suggester with a scripted engine: queries in marked text in, shown text out."""

    def __init__(
        self, *steps: Step | str, language: str = "python", script: Script | None = None, **settings
    ) -> None:
        played = [Step(reply=step) if isinstance(step, str) else step for step in steps]
        self.engine = ScriptedEngine(script or played)
        self.suggester = Suggester()
        self.settings = InlineSettings(**settings)
        self.language = language

    async def answer(
        self, source: str, *, invoked: bool = False, uri: str = "file:///w/a", selected: str = ""
    ) -> Suggestion | Nothing:
        place = marked_block(source)
        document = snapshot_of(uri, place.text, language_id=self.language)
        chosen = Selected(place.selection, selected) if selected else None
        cursor = place.selection.end if selected else place.cursor
        query = Query(document, cursor, invoked, chosen)
        return await self.suggester.suggest(query, self.engine, self.settings)

    async def show(self, source: str, **how) -> str:
        """The document with the suggestion in it, in «»; or the reason why there is none."""
        answer = await self.answer(source, **how)
        if isinstance(answer, Nothing):
            return f"{answer.reason.name} {answer.detail}".rstrip()
        return shown(marked_block(source), answer)

    def start(self, source: str, **how) -> asyncio.Task[str]:
        return asyncio.create_task(self.show(source, **how))


def shown(place: Marked, suggestion: Suggestion) -> str:
    return apply_edits(place.text, [Edit(suggestion.span, f"«{suggestion.text}»")])


async def check_suggestion(
    source: str, reply: str | Sequence[str], *, language: str = "python", **how
) -> str:
    """What is shown where the model writes a reply."""
    return await Desk(Step(reply=reply), language=language).show(source, **how)
