"""The packages whose code the embedded model has never seen; they alone can judge it.

The list is that of the training, by name; a test compares the two.
"""

from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from quillon.eval.outcomes import EvalError

HELD_OUT = frozenset(
    {
        *("arrow", "attrs", "blinker", "cachetools", "click", "flask", "httpx", "itsdangerous"),
        *("jinja2", "jsonschema", "loguru", "markupsafe", "marshmallow", "more-itertools"),
        *("networkx", "parso", "pendulum", "pluggy", "prompt-toolkit", "requests", "rich"),
        *("sortedcontainers", "starlette", "tabulate", "traitlets", "trio", "typer", "urllib3"),
        *("watchdog", "werkzeug"),
    }
)
_LARGEST = 100_000  # bytes of a file
_COPIES = frozenset({"_vendor", "vendor", "vendored", "third_party", "__pycache__"})


def held_out_files(folder: Path) -> Iterator[tuple[Path, Path]]:
    """The Python files of the held-out packages in `folder`, each after its root.

    `folder` is a `site-packages`, or holds one such folder for each package.

    Raises:
        EvalError: There are none.
    """
    roots = [folder, *sorted(path for path in _folders(folder))]
    found = False
    for root in roots:
        for distribution in metadata.distributions(path=[str(root)]):
            name = str(distribution.metadata["Name"]).lower().replace("_", "-")
            if name not in HELD_OUT:
                continue
            for file in sorted(distribution.files or []):
                path = Path(str(distribution.locate_file(file)))
                if _usable(path, root):
                    found = True
                    yield root, path
    if not found:
        raise EvalError(
            f"No held-out package is installed in {folder}. Name a site-packages folder that has "
            "some of them, such as click, flask or requests."
        )


def _folders(folder: Path) -> list[Path]:
    try:
        return [path for path in folder.iterdir() if path.is_dir()]
    except OSError as error:
        raise EvalError(f"The folder {folder} cannot be read: {error.strerror}.") from error


def _usable(path: Path, root: Path) -> bool:
    if path.suffix != ".py" or not path.is_file() or ".." in path.parts:
        return False
    inside = path.relative_to(root).parts if path.is_relative_to(root) else path.parts
    return not _COPIES.intersection(inside) and path.stat().st_size <= _LARGEST
