"""The corpus on disk: texts, their paths and packages, and where all of it comes from.

`texts.bin` is all texts in UTF-8, one after another; `documents.jsonl` has one record per text
(path, package, language, offset and length in bytes, SHA-256 of the text); `sources.json` and
`SOURCES.md` list packages with their licences. Held-out packages go to a folder of their own.
"""

import hashlib
import logging
import random
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec
import numpy as np

from quillon_training.errors import CorpusError
from quillon_training.heldout import held_out
from quillon_training.neardup import NearDuplicates
from quillon_training.quality import usable
from quillon_training.sources import Source

log = logging.getLogger(__name__)


class Document(msgspec.Struct, frozen=True):
    """One text of the corpus; `offset` and `size` are in bytes of `texts.bin`."""

    path: str
    package: str
    language: str
    offset: int
    size: int
    sha256: str


class SourceRecord(msgspec.Struct, frozen=True):
    """What the list of sources says about a package; `size` is in characters."""

    name: str
    version: str
    licence: str
    ecosystem: str
    files: int
    size: int


class Corpus:
    """A corpus folder opened for reading."""

    def __init__(self, folder: Path) -> None:
        try:
            lines = (folder / "documents.jsonl").read_bytes().splitlines()
            self.documents = [msgspec.json.decode(line, type=Document) for line in lines]
            self._texts = np.memmap(folder / "texts.bin", np.uint8, "r")
        except (OSError, ValueError, msgspec.DecodeError) as error:
            raise CorpusError(
                f"{folder} holds no corpus: {error}", "Build one with `quillon_training corpus`."
            ) from error
        if self.documents and self.documents[-1].offset + self.documents[-1].size != len(
            self._texts
        ):
            raise CorpusError(
                f"{folder} is incomplete", "Build it again with `quillon_training corpus`."
            )

    def __len__(self) -> int:
        return len(self.documents)

    def text(self, index: int) -> str:
        """The text of a document."""
        document = self.documents[index]
        return bytes(self._texts[document.offset : document.offset + document.size]).decode()


class _Writer:
    """Appends texts to a corpus folder."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._texts = (folder / "texts.bin").open("wb")
        self._documents = (folder / "documents.jsonl").open("wb")
        self._offset = 0
        self.sources: list[SourceRecord] = []

    def add(self, source: Source, accepted: list[tuple[str, str]]) -> None:
        for path, text in accepted:
            data = text.encode()
            record = Document(
                path=path,
                package=source.name,
                language=_language(path),
                offset=self._offset,
                size=len(data),
                sha256=hashlib.sha256(data).hexdigest(),
            )
            self._texts.write(data)
            self._documents.write(msgspec.json.encode(record) + b"\n")
            self._offset += len(data)
        if accepted:
            size = sum(len(text) for _, text in accepted)
            self.sources.append(
                SourceRecord(
                    source.name,
                    source.version,
                    source.licence,
                    source.ecosystem,
                    len(accepted),
                    size,
                )
            )

    def close(self) -> None:
        self._texts.close()
        self._documents.close()
        self.sources.sort(key=lambda source: (source.ecosystem, source.name))
        (self.folder / "sources.json").write_bytes(
            msgspec.json.format(msgspec.json.encode(self.sources), indent=1)
        )
        (self.folder / "SOURCES.md").write_text(source_list(self.sources), encoding="utf-8")


def build(sources: Iterable[Source], folder: Path, *, per_package: int, seed: int) -> Counter[str]:
    """Write the training and held-out corpora of `sources`; counts of files kept and dropped.

    `per_package` caps the characters taken from one package, so that none sets the style. Held-out
    packages are read first: what is nearly equal to one of their files is not trained on.
    """
    ordered = sorted(sources, key=lambda source: not held_out(source.name, source.ecosystem))
    if not ordered:
        raise CorpusError("No package was found.", "Name folders with --packages or --npm.")
    counts: Counter[str] = Counter()
    known, seen_packages = NearDuplicates(), set[tuple[str, str]]()
    training, evaluation = _Writer(folder / "train"), _Writer(folder / "heldout")
    for source in ordered:
        if (source.ecosystem, source.name) in seen_packages:
            continue
        seen_packages.add((source.ecosystem, source.name))
        kept_out = held_out(source.name, source.ecosystem)
        accepted = list(_accepted(source, known, per_package, seed, counts))
        (evaluation if kept_out else training).add(source, accepted)
        log.info("%s: %d files", source.name, len(accepted))
    training.close()
    evaluation.close()
    return counts


def _accepted(
    source: Source, known: NearDuplicates, limit: int, seed: int, counts: Counter[str]
) -> Iterator[tuple[str, str]]:
    """Pairs of path and text, in a random order that is the same for the same seed."""
    files = list(source.files)
    random.Random(f"{seed} {source.name}").shuffle(files)  # noqa: S311 - no secret
    taken = 0
    for name, path in files:
        if taken >= limit:
            counts["over the package's limit"] += 1
            continue
        try:
            text = path.read_text(encoding="utf-8").replace("\r\n", "\n")
        except (OSError, UnicodeDecodeError):
            counts["unreadable"] += 1
            continue
        if not usable(text, path.suffix):
            counts["not usable"] += 1
        elif not known.add_if_new(text):
            counts["near-duplicate"] += 1
        else:
            counts["kept"] += 1
            taken += len(text)
            yield name, text


def source_list(sources: list[SourceRecord]) -> str:
    """The list of sources and licences as Markdown."""
    lines = [
        "# Sources of the training text",
        "",
        "| package | version | ecosystem | licence | files | characters |",
        "|---|---|---|---|---|---|",
    ]
    for source in sources:
        cells = (source.name, source.version, source.ecosystem, source.licence)
        lines.append(f"| {' | '.join(cells)} | {source.files} | {source.size} |")
    return "\n".join(lines) + "\n"


def _language(path: str) -> str:
    suffix = Path(path).suffix
    if suffix == ".py":
        return "python"
    return "typescript" if suffix in (".ts", ".tsx", ".mts") else "javascript"
