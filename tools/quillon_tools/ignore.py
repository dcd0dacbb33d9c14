"""Which files searches leave out: ignore files at every level, and folders nobody searches."""

import msgspec
import pathspec
import re2  # type: ignore[import-untyped]  # the package has no types

# In the order of precedence, the strongest last.
IGNORE_FILES = (".gitignore", ".ignore")
MAX_IGNORE_BYTES = 200_000
# Of one file; what compiles them takes time by their number, and gives up at some thousands.
MAX_PATTERNS = 1000

_FOLDERS = frozenset(
    {
        ".git",
        ".hg",
        ".svn",
        ".jj",
        "node_modules",
        "bower_components",
        "__pycache__",
        ".venv",
        "venv",
        ".tox",
        ".nox",
        ".eggs",
        ".mypy_cache",
        ".ruff_cache",
        ".pytest_cache",
        ".hypothesis",
        ".gradle",
        ".terraform",
        ".next",
        ".cache",
        "site-packages",
    }
)


class _Level(msgspec.Struct, frozen=True):
    depth: int
    spec: pathspec.GitIgnoreSpec


class IgnoreRules(msgspec.Struct, frozen=True):
    """The rules that hold in one folder: its own ignore files' and those above it.

    Patterns are Git's: the last that matches decides, and deeper files outrank higher ones.
    """

    levels: tuple[_Level, ...] = ()

    def entering(self, depth: int, sources: list[str]) -> "IgnoreRules":
        """The rules in a folder at `depth` below the root, with its own files' texts added."""
        levels = [_Level(depth, spec) for source in sources if (spec := _spec(source)) is not None]
        return IgnoreRules((*self.levels, *levels)) if levels else self

    def ignores(self, parts: tuple[str, ...], *, folder: bool) -> bool:
        """Whether a path below the root, seen in the rules' folder, is left out."""
        if folder and parts[-1] in _FOLDERS:
            return True
        end = "/" if folder else ""
        for level in reversed(self.levels):
            decision = level.spec.check_file("/".join(parts[level.depth :]) + end).include
            if decision is not None:
                return decision
        return False


def _spec(source: str) -> pathspec.GitIgnoreSpec | None:
    lines = [line for line in source.splitlines() if line.strip() and not line.startswith("#")]
    lines = lines[:MAX_PATTERNS]
    # One by one only where one of them is wrong: that takes longer.
    return _compiled(lines) or _compiled([line for line in lines if _is_pattern(line)])


def _compiled(lines: list[str]) -> pathspec.GitIgnoreSpec | None:
    try:
        # RE2, because a repository's patterns must not be able to take exponential time.
        return pathspec.GitIgnoreSpec.from_lines(lines, backend="re2") if lines else None
    except (ValueError, re2.error):  # wrong, or together too large
        return None


def _is_pattern(line: str) -> bool:
    return _compiled([line]) is not None  # git skips what it cannot read, such as a lone "!"
