"""Make many dialogues: repositories by name, kinds by weight, two languages, three splits."""

import asyncio
import logging
import random
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import msgspec

from quillon_tools.registry import default_tools
from quillon_training.dialogues.checking import CHECKING, TESTING
from quillon_training.dialogues.projects import make_project
from quillon_training.dialogues.recorder import Bench, Scene
from quillon_training.dialogues.records import Dialogue, Language, Split, openai_form
from quillon_training.dialogues.repository import Repository, make_repository
from quillon_training.dialogues.scenarios import LOOKING, Scenario
from quillon_training.dialogues.talking import TALKING
from quillon_training.dialogues.wording import Wordings
from quillon_training.errors import CorpusError
from quillon_training.heldout import held_out
from quillon_training.sources import python_sources

log = logging.getLogger(__name__)

_CHINESE = 0.25
_TRIES = 4
# One project with tests for so many repositories; its runs are few and its dialogues many.
_REPOSITORIES_PER_PROJECT = 3


class Plan(msgspec.Struct, frozen=True):
    """How many dialogues to make of each repository, and for what."""

    split: Split = "train"
    per_repository: int = 60
    repositories: int = 100
    seed: int = 1


def packages(folders: list[Path], split: Split) -> list[tuple[str, Path]]:
    """Names and folders of the packages of permissive licences that a split may use."""
    found: dict[Path, str] = {}
    for source in python_sources(folders):
        if held_out(source.name, "python") != (split == "heldout"):
            continue
        for name, path in source.files:
            top = name.partition("/")[0]
            if name == f"{top}/__init__.py" and not top.startswith("_"):
                found.setdefault(path.parent, source.name)
    return [(name, path) for path, name in found.items()]


def generate(folders: list[Path], plan: Plan) -> Iterator[Dialogue]:
    """The dialogues of a plan; the same seed on the same packages gives the same ones."""
    rng = random.Random(f"{plan.seed} {plan.split}")  # noqa: S311 - no secret
    choice = packages(folders, plan.split)
    if not choice:
        raise CorpusError("No package to talk about was found.", "Name folders with --packages.")
    rng.shuffle(choice)
    wordings = Wordings(unseen=plan.split != "train")
    made = 0
    for name, package in choice:
        if made == plan.repositories:
            return
        with tempfile.TemporaryDirectory(prefix="quillon-") as folder:
            try:
                repository = make_repository(name, package, Path(folder), rng)
            except CorpusError:
                continue
            kinds = LOOKING | CHECKING | TALKING
            yield from asyncio.run(
                _of(repository, kinds, wordings, plan.per_repository, plan.split, rng)
            )
        if made % _REPOSITORIES_PER_PROJECT == 0:
            with tempfile.TemporaryDirectory(prefix="quillon-") as folder:
                project = make_project(Path(folder), rng)
                yield from asyncio.run(
                    _of(project, TESTING, wordings, plan.per_repository // 2, plan.split, rng)
                )
        made += 1
        log.info("%d of %d repositories: %s", made, plan.repositories, name)


async def _of(
    repository: Repository,
    kinds: dict[str, tuple[Scenario, float]],
    wordings: Wordings,
    count: int,
    split: Split,
    rng: random.Random,
) -> list[Dialogue]:
    """`count` dialogues about one repository, fewer where scenarios do not fit."""
    bench = Bench(repository)
    if split != "train":
        await bench.look()
    weights = [weight for _, weight in kinds.values()]
    dialogues = []
    for _ in range(count):
        scenario, _weight = rng.choices(list(kinds.values()), weights)[0]
        language: Language = "zh" if rng.random() < _CHINESE else "en"
        for _try in range(_TRIES):
            dialogue = await scenario(Scene(bench, wordings, language, split, rng))
            if dialogue is not None:
                dialogues.append(dialogue)
                break
    return dialogues


def write_dialogues(dialogues: Iterator[Dialogue], path: Path) -> Counter[str]:
    """Write JSON Lines; how many of each kind there are."""
    tools = [tool.definition("brief") for tool in default_tools()]
    counts: Counter[str] = Counter()
    with path.open("wb") as file:
        for dialogue in dialogues:
            file.write(msgspec.json.encode(openai_form(dialogue, tools)) + b"\n")
            counts[dialogue.kind] += 1
    return counts
