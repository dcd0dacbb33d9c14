"""Proposals of a scripted model: marked text in, the text after the edit out."""

from pathlib import Path

from quillon.assist.actions import ActionKind, offers
from quillon.assist.actions_run import Surroundings, propose
from quillon.assist.edits import Changed, Created
from quillon.context.diagnostics import Diagnostic
from quillon.context.document import DocumentSnapshot, snapshot_of
from quillon.engine.script import Script, Step
from quillon.engine.scripted import ScriptedEngine
from quillon.text import apply_edits
from quillon_testing.markers import marked_block


def read_file(path: Path) -> DocumentSnapshot:
    """A file as a document."""
    return snapshot_of(path.as_uri(), path.read_text(), path=path)


class Desk:
    """A folder, a document in it, and a model that answers what the test says."""

    def __init__(self, folder: Path, *, can_create: bool = True, chinese: bool = False) -> None:
        self.folder = folder
        self.engine = ScriptedEngine()
        self.around = Surroundings((folder,), read_file, chinese, can_create)
        self.told = ""

    async def propose(
        self,
        kind: ActionKind,
        source: str,
        answer: str | Step | Script,
        *,
        name: str = "a.py",
    ) -> Changed | Created:
        place = marked_block(source)
        document = snapshot_of("file:///a", place.text, path=self.folder / name)
        problems = [Diagnostic(place.selection, 0, 0, "name 'x' is not defined", source="lint")]
        offer = next(o for o in offers(document, place.selection, problems) if o.kind is kind)
        step = Step(reply=answer) if isinstance(answer, str) else answer
        self.engine = ScriptedEngine([step] if isinstance(step, Step) else step)
        return await propose(self.engine, document, offer, self.around, self._tell)

    async def text(self, kind: ActionKind, source: str, answer: str, **how) -> str:
        """The text after the proposal; that of a new file with its name above."""
        proposal = await self.propose(kind, source, answer, **how)
        if isinstance(proposal, Created):
            return f"{proposal.path.relative_to(self.folder)}:\n{proposal.text}"
        return apply_edits(proposal.snapshot.text, proposal.edits)

    def _tell(self, text: str) -> None:
        self.told += text
