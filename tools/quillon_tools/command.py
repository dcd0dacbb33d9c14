"""A program that would be run: an argument vector, never a shell's command line."""

import secrets
import shlex
import tempfile
from collections.abc import Callable
from pathlib import Path

import msgspec

from quillon_tools.confinement import ConfinedPath
from quillon_tools.visible import visible

# In an argument, stands for the path of a temporary file. No file and no argument of a model can
# have a NUL in its name, so nothing else is taken for it.
REPORT = "\0report\0"


def _new_report() -> str:
    # Nobody can guess the folder and be there first; it is made when the program is run.
    return str(Path(tempfile.gettempdir()) / f"quillon-{secrets.token_hex(16)}" / "report")


class Finished(msgspec.Struct, frozen=True):
    """How a program ended.

    `code` is its exit status, negative for a signal, None where it was stopped. `output` is what
    it wrote to both streams, cut in the middle; `left_out` counts the bytes cut. `seconds` is how
    long it ran. `report` is the text of the report file it was asked to write, or empty.
    """

    code: int | None
    output: str
    left_out: int
    seconds: float
    report: str = ""

    @property
    def timed_out(self) -> bool:
        """Whether the time limit ended it."""
        return self.code is None


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """What a tool asks to have run, as a value that can be shown and approved.

    `argv` starts with an absolute path. `folder` is the working directory. `environment` is added
    to the user's. `read` turns the end into the result's text. Where `REPORT` stands in an
    argument, the program is given `report`, a temporary file that it may write a report to.
    """

    argv: tuple[str, ...]
    folder: ConfinedPath
    read: Callable[[Finished], str]
    seconds: float
    environment: dict[str, str] = {}
    output_bytes: int = 400_000
    report: str = msgspec.field(default_factory=_new_report)

    @property
    def vector(self) -> tuple[str, ...]:
        """The arguments that the program is started with."""
        return tuple(part.replace(REPORT, self.report) for part in self.argv)

    @property
    def wants_report(self) -> bool:
        """Whether the program is given a file for a report."""
        return self.vector != self.argv

    @property
    def preview(self) -> str:
        """What is approved: the argument vector and the working directory, a line each."""
        return self._shown(self.vector)

    @property
    def identity(self) -> str:
        """The preview without the name of the temporary file, which is another one every time."""
        return self._shown(self.argv)

    def _shown(self, vector: tuple[str, ...]) -> str:
        return f"{visible(shlex.join(vector))}\nin {visible(str(self.folder.real))}"

    @property
    def is_of_workspace(self) -> bool:
        """Whether the program lies in the workspace, so that starting it runs its code."""
        return Path(self.argv[0]).is_relative_to(self.folder.root.real)
