"""Small real repositories to run the tools on: a part of an installed package, laid out anew."""

import ast
import random
import shutil
import warnings
from importlib.resources import files
from pathlib import Path

import msgspec

from quillon_training.errors import CorpusError

_MOST_FILES = 40
_MOST_BYTES = 40_000
_LAYOUTS = ("", "", "src", "lib")
_OWN_NAME = 0.5  # of the repositories, whose package keeps its name
_TESTS = 0.15  # of the files, which lie as tests


class Symbol(msgspec.Struct, frozen=True):
    """A function, method or class; lines are counted from 1, both ends included."""

    name: str
    kind: str
    path: str
    first: int
    last: int
    summary: str
    parameters: tuple[str, ...]


class Repository(msgspec.Struct, frozen=True):
    """A workspace on disk and what is known of it; paths are relative to `root`."""

    name: str
    root: Path
    paths: tuple[str, ...]
    symbols: tuple[Symbol, ...]
    texts: tuple[str, ...] = ()
    """Files without code."""

    def text(self, path: str) -> str:
        """A file's text."""
        return (self.root / path).read_text("utf-8")


def make_repository(name: str, package: Path, folder: Path, rng: random.Random) -> Repository:
    """Copy up to 40 Python files of `package` below `folder`, and read their symbols.

    Raises:
        CorpusError: The package has fewer than three files that can be used.
    """
    found = [path for path in sorted(package.rglob("*.py")) if _usable(path)]
    rng.shuffle(found)
    base = folder / rng.choice(_LAYOUTS)
    own = package.name if rng.random() < _OWN_NAME else "/".join(_folders(rng))
    paths: list[str] = []
    symbols: list[Symbol] = []
    for path in found[:_MOST_FILES]:
        target = base / own / path.relative_to(package)
        if rng.random() < _TESTS:
            target = folder / "tests" / f"test_{path.stem.strip('_')}.py"
        if target.exists():
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
        relative = target.relative_to(folder).as_posix()
        paths.append(relative)
        symbols += symbols_of(target.read_text("utf-8"), relative)
    if len(paths) < 3 or not symbols:  # noqa: PLR2004
        raise CorpusError(f"{package} has too few files", "Name a larger package.")
    return Repository(
        name, folder, tuple(paths), tuple(symbols), _write_texts(folder, name, paths, symbols, rng)
    )


def _folders(rng: random.Random) -> list[str]:
    """One to three nested folders as people name them: a path must be copied, and not known."""
    text = files("quillon_training").joinpath("data/folders.txt").read_text("utf-8")
    return rng.sample(text.split(), rng.choice((1, 1, 2, 3)))


def _write_texts(
    folder: Path, name: str, paths: list[str], symbols: list[Symbol], rng: random.Random
) -> tuple[str, ...]:
    """The files of a repository that hold no code, with words of its own docstrings."""
    said = [symbol.summary for symbol in symbols if symbol.summary][:20] or [name]
    title, guide = name.replace("_", " "), rng.choice(("guide", "usage", "install", "faq", "api"))
    texts = {
        "README.md": f"# {title}\n\n{rng.choice(said)}\n\nSee `{rng.choice(paths)}`.\n",
        "pyproject.toml": f'[project]\nname = "{name}"\nversion = "1.0"\n',
        f"docs/{guide}.md": f"# {guide.title()} of {title}\n\n{rng.choice(said)}\n",
        rng.choice(("CHANGELOG.md", "CONTRIBUTING.md", "docs/index.rst", "notes.txt")): (
            f"{rng.choice(said)}\n"
        ),
        rng.choice(("setup.cfg", "Makefile", "requirements.txt", "config.json")): f"# {name}\n",
    }
    for path, text in texts.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, "utf-8")
    return tuple(texts)


def symbols_of(text: str, path: str) -> list[Symbol]:
    """The classes, functions and methods of a module; methods are named `Class.method`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module = ast.parse(text)
    found: list[Symbol] = []
    _collect(module.body, "", path, found)
    return found


def _collect(body: list[ast.stmt], owner: str, path: str, found: list[Symbol]) -> None:
    for node in body:
        if isinstance(node, ast.ClassDef):
            found.append(_symbol(node, node.name, "class", path, ()))
            if not owner:
                _collect(node.body, node.name, path, found)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            if node.name.startswith("__"):
                continue
            names = [argument.arg for argument in node.args.posonlyargs + node.args.args]
            parameters = tuple(name for name in names if name not in ("self", "cls"))
            name = f"{owner}.{node.name}" if owner else node.name
            kind = "method" if owner else "function"
            found.append(_symbol(node, name, kind, path, parameters))


def _symbol(
    node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef,
    name: str,
    kind: str,
    path: str,
    parameters: tuple[str, ...],
) -> Symbol:
    summary = (ast.get_docstring(node) or "").strip().split("\n\n")[0]
    return Symbol(
        name,
        kind,
        path,
        node.lineno,
        node.end_lineno or node.lineno,
        " ".join(summary.split()),
        parameters,
    )


def _usable(path: Path) -> bool:
    if path.stat().st_size > _MOST_BYTES or not {"_vendor", "vendor"}.isdisjoint(path.parts):
        return False
    try:
        text = path.read_text("utf-8")
        ast.parse(text)
    except (OSError, ValueError, SyntaxError, RecursionError):
        return False
    return len(text.splitlines()) > 5  # noqa: PLR2004
