"""Where the tests of a file belong, and what they are written in, for each language."""

from collections.abc import Iterator, Sequence
from pathlib import Path, PurePath
from typing import Literal

import msgspec


class SuiteStyle(msgspec.Struct, frozen=True):
    """How a language's tests are written. `inside`: in the tested file itself."""

    family: Literal["python", "script", "go", "rust", "java"]
    framework: str
    inside: bool = False


_STYLES = {
    "python": SuiteStyle("python", "pytest"),
    "javascript": SuiteStyle("script", "the test framework of the project, such as Vitest or Jest"),
    "typescript": SuiteStyle("script", "the test framework of the project, such as Vitest or Jest"),
    "typescriptreact": SuiteStyle("script", "the test framework of the project, such as Vitest"),
    "go": SuiteStyle("go", "the package testing"),
    "rust": SuiteStyle("rust", "#[test] functions", inside=True),
    "java": SuiteStyle("java", "JUnit 5"),
}
_SCRIPT_MARKS = (".test", ".spec")


def suite_style(language: str) -> SuiteStyle | None:
    """The style of a language, by its id; None where no convention is known."""
    return _STYLES.get(language)


def is_test_file(path: PurePath) -> bool:
    """Whether a file holds tests, by its name."""
    stem = path.stem
    if path.suffix in (".py", ".pyi"):
        return stem.startswith("test_") or stem.endswith("_test") or stem == "conftest"
    if path.suffix == ".go":
        return stem.endswith("_test")
    if path.suffix == ".java":
        return stem.endswith(("Test", "Tests", "IT"))
    return stem.endswith(_SCRIPT_MARKS) or "__tests__" in path.parts


def file_for_tests(path: Path, style: SuiteStyle, roots: Sequence[Path]) -> tuple[Path, bool]:
    """The file for the tests of `path`, and whether it exists.

    The first that exists of the places where they may be, else the place where a new one
    belongs. Looks at the disk.
    """
    if style.inside:
        return path, True
    root = _root(path, roots)
    places = list(_places(path, style, root))
    existing = next((place for place in places if place.is_file()), None)
    if existing is not None:
        return existing, True
    # A folder for tests is used where the project has one; else the tests stand beside the code.
    fitting = (p for p in places if p.parent != path.parent and p.parent.is_dir())
    if style.family == "java":
        return places[0], False
    return next(fitting, path.parent / places[-1].name), False


def needs_new_file(path: Path, language: str, roots: Sequence[Path]) -> bool:
    """Whether tests of `path` can only go into a file that has to be made. Looks at the disk."""
    style = suite_style(language)
    return style is not None and not file_for_tests(path, style, roots)[1]


def _root(path: Path, roots: Sequence[Path]) -> Path:
    around = [root for root in roots if path.is_relative_to(root)]
    return max(around, key=lambda root: len(root.parts), default=path.parent)


def _places(path: Path, style: SuiteStyle, root: Path) -> Iterator[Path]:
    """Where tests of `path` may be, the usual places first, beside the file last."""
    folder = path.parent
    if style.family == "go":
        yield folder / f"{path.stem}_test.go"
    elif style.family == "script":
        for mark in _SCRIPT_MARKS:
            name = f"{path.stem}{mark}{path.suffix}"
            yield from (folder / "__tests__" / name, root / "test" / name, root / "tests" / name)
        yield from (folder / f"{path.stem}{mark}{path.suffix}" for mark in reversed(_SCRIPT_MARKS))
    elif style.family == "java":
        inner = folder.parts
        if "main" in inner:
            at = len(inner) - 1 - inner[::-1].index("main")
            folder = Path(*inner[:at], "test", *inner[at + 1 :])
        yield folder / f"{path.stem}Test.java"
        yield path.parent / f"{path.stem}Test.java"
    else:
        name = f"test_{path.stem}.py"
        inside = _without_source_folder(folder.relative_to(root))
        for tests in (root / "tests", root / "test"):
            yield from (tests / name, tests / inside / name, tests / "unit" / name)
            yield tests / Path(*inside.parts[1:]) / name
        yield folder / "tests" / name
        yield folder / name


def _without_source_folder(inner: Path) -> Path:
    return Path(*inner.parts[1:]) if inner.parts[:1] in (("src",), ("lib",)) else inner


def import_name(path: Path, roots: Sequence[Path]) -> str:
    """The dotted name by which Python code imports `path`.

    Folders without `__init__.py` above it are not part of the name, as for a file in `src/`.
    """
    parts = [] if path.stem == "__init__" else [path.stem]
    folder, root = path.parent, _root(path, roots)
    while folder != root and (folder / "__init__.py").is_file():
        parts.append(folder.name)
        folder = folder.parent
    return ".".join(reversed(parts))
