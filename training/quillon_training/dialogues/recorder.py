"""Runs the product's tools and keeps the conversation that led to them."""

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from quillon_tools.calls import ToolCall
from quillon_tools.live import Live
from quillon_tools.policy import ApprovalRequest, Decision, Policy
from quillon_tools.registry import default_tools
from quillon_tools.toolset import Toolset
from quillon_tools.workspace import Problem, Workspace
from quillon_training.dialogues.records import Call, Dialogue, Language, Message, Split
from quillon_training.dialogues.repository import Repository, Symbol
from quillon_training.dialogues.wording import Wordings


class Problems:
    """The diagnostics that an editor would hold; filled by a scenario."""

    def __init__(self) -> None:
        self.rows: list[Problem] = []

    def problems(self, path: Path | None) -> Sequence[Problem]:
        """The problems of a file, or of all."""
        return [row for row in self.rows if path is None or row.path == path]


class Bench:
    """One repository with the tools opened on it."""

    def __init__(self, repository: Repository) -> None:
        self.repository = repository
        self.problems = Problems()
        workspace = Workspace([repository.root], diagnostics=self.problems)
        self.refusal: str | None = None
        self.allowed = True
        self.live: Live = {}
        self._runs: dict[tuple[Any, bool, str | None], str] = {}
        self._toolset = Toolset(workspace, default_tools(), policy=Policy(self._approve))

    async def look(self) -> None:
        """Find out what the workspace has, as the product does; for evaluation."""
        await self.run(Call("search_symbols", {"query": self.repository.name}))
        self.live = await self._toolset.turn().live()

    async def run(self, call: Call) -> str:
        """What the model would be told after this call; a test run is made once and kept."""
        kept = (call.arguments.get("target"), self.allowed, self.refusal)
        if call.name == "run_tests" and kept in self._runs:
            return self._runs[kept]
        result = await self._toolset.execute(ToolCall("call_1", call.name, call.arguments))
        if call.name == "run_tests":
            self._runs[kept] = result.text
        return result.text

    async def _approve(self, _request: ApprovalRequest) -> Decision:
        return Decision("once") if self.allowed else Decision("deny", self.refusal)


class Scene:
    """A dialogue in the making: who speaks which language about which repository."""

    def __init__(
        self, bench: Bench, wordings: Wordings, language: Language, split: Split, rng: random.Random
    ) -> None:
        self.bench, self.language, self.rng = bench, language, rng
        self.repository = bench.repository
        self._wordings, self._split = wordings, split
        self._messages: list[Message] = []

    def ask(self, intent: str, **values: object) -> None:
        """The user makes a request of this intent."""
        self.say(self._wordings.request(intent, self.language, self.rng, **values))

    def say(self, text: str) -> None:
        """The user says this."""
        self._messages.append(Message("user", text))

    async def call(self, *calls: Call, trained: bool = True) -> list[str]:
        """The assistant calls tools, all in one message; what they answered."""
        self._messages.append(Message("assistant", "", calls, trained))
        answers = [await self.bench.run(call) for call in calls]
        self._messages += [Message("tool", answer) for answer in answers]
        return answers

    def answer(self, kind: str, text: str, *facts: str, tools: bool = True) -> Dialogue:
        """The assistant's last words; `facts` are what they must contain to be right."""
        self._messages.append(Message("assistant", text))
        return Dialogue(
            kind=kind,
            language=self.language,
            split=self._split,
            repository=self.repository.name,
            messages=tuple(self._messages),
            facts=facts,
            tools=tools,
            live=self.bench.live,
        )

    @property
    def unseen(self) -> bool:
        """Whether wordings kept for evaluation are used."""
        return self._split != "train"

    def symbol(self) -> Symbol:
        """A random symbol; its bare name in half of the cases is used by scenarios."""
        return self.rng.choice(self.repository.symbols)

    def path(self) -> str:
        """A random file."""
        return self.rng.choice(self.repository.paths)

    def either(self, english: str, chinese: str) -> str:
        """The text in the conversation's language."""
        return chinese if self.language == "zh" else english
