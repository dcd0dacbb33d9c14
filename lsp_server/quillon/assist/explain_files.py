"""Explanations as read-only files, for editors that show no documents but files.

Neovim and others open whatever file `window/showDocument` names, and know nothing of
`workspace/textDocumentContent`. A file in the cache folder of the user is shown like any other,
highlighted as Markdown, outside of the workspace and out of every file list; read-only, because
nobody reads what is written into it.
"""

import re
from pathlib import Path

import platformdirs

from quillon.assist.explain import Explanation

_KEPT = 50
_NAME = re.compile(r"[^\w.-]+")


class ExplanationNotWritten(Exception):  # noqa: N818 - says what happened
    """The file could not be written; the message says why, for people."""

    for_people = True


def folder_of_explanations() -> Path:
    """Where they are: in the user's cache, readable by nobody else."""
    return platformdirs.user_cache_path("quillon", appauthor=False) / "explanations"


def write_explanation(explanation: Explanation, folder: Path) -> Path:
    """Write an explanation to a new read-only file; the oldest files go.

    Raises:
        ExplanationNotWritten: The folder cannot be written.
    """
    name = _NAME.sub("-", explanation.title).strip("-.").lower() or "explanation"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = _new_file(folder, name[:60], explanation.markdown)
    except OSError as error:
        raise ExplanationNotWritten(
            f"The explanation could not be written to {folder}: {error.strerror or error}"
        ) from error
    _prune(folder)
    return path


def _new_file(folder: Path, name: str, markdown: str) -> Path:
    """A file under the next free number: another server may be writing, too."""
    number = 1 + max((_number(path) for path in folder.glob("*.md")), default=0)
    while True:
        path = folder / f"{number:04d}-{name}.md"
        try:
            with path.open("x", encoding="utf-8", errors="replace", newline="\n") as file:
                file.write(markdown)
        except FileExistsError:
            number += 1
        except OSError:
            path.unlink(missing_ok=True)  # a full disk leaves half of it
            raise
        else:
            path.chmod(0o444)
            return path


def _number(path: Path) -> int:
    head = path.name.split("-", 1)[0]
    return int(head) if head.isdecimal() else 0


def _prune(folder: Path) -> None:
    """Remove all but the latest; one that cannot be removed stays."""
    for path in sorted(folder.glob("*.md"), key=_number)[:-_KEPT]:
        try:
            path.unlink()
        except OSError:
            continue
