"""Many windows of one workbench at once, and what they take."""

from pathlib import Path

import msgspec

from editors.code_server import running
from editors.headless import temporary_surroundings
from editors.scenarios import drive


class Megabytes(msgspec.Struct, frozen=True, rename="camel"):
    """Memory of the parts; what processes share is counted once."""

    engine: int
    servers: int
    extension_hosts: int


class Figures(msgspec.Struct, frozen=True):
    """Seconds until the windows were ready, suggested something, and had all answered."""

    windows: int
    loaded: tuple[float, ...]
    suggested: tuple[float, ...]
    answered: float
    megabytes: Megabytes


def open_windows(count: int) -> str:
    """Open the windows and use each; what it took, for people.

    Raises:
        AssertionError: A window did not do what it should; the message says which and what.
    """
    with temporary_surroundings() as made, running(made) as editor:
        file = made.folder / "figures.json"
        # However unsure the small model is: this is about the windows.
        settings = {"quillon.inline.minConfidence": 0}
        drive(editor, "many", "many", settings, count=str(count), figures=str(file))
        return _described(msgspec.json.decode(Path(file).read_bytes(), type=Figures))


def _described(figures: Figures) -> str:
    used = figures.megabytes
    return (
        f"{figures.windows} windows, each with a server of its own, and one engine\n"
        f"ready after         {_range(figures.loaded)} s each, one after the other\n"
        f"first suggestion    {_range(figures.suggested)} s\n"
        f"all answers         {figures.answered:.1f} s, asked at the same time\n"
        f"memory in MB        engine {used.engine}, servers {used.servers}, "
        f"extension hosts {used.extension_hosts}\n"
    )


def _range(seconds: tuple[float, ...]) -> str:
    return f"{min(seconds):.1f} to {max(seconds):.1f}"
