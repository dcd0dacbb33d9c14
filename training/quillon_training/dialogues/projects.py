"""Small projects with tests to run: functions that work or not, under names drawn at random."""

import random
from pathlib import Path

from quillon_training.dialogues.repository import Repository, symbols_of

# Name, parameter, a right and a wrong body, what a test gives and what it expects.
FUNCTIONS = (
    ("total", "values", ("return sum(values)", "return sum(values[1:])"), "[1, 2, 3]", "6"),
    ("largest", "values", ("return max(values)", "return min(values)"), "[4, 9, 2]", "9"),
    (
        "average",
        "values",
        ("return sum(values) / len(values)", "return sum(values) // len(values)"),
        "[1, 2]",
        "1.5",
    ),
    ("count_words", "text", ("return len(text.split())", "return len(text)"), '"a b c"', "3"),
    ("is_even", "number", ("return number % 2 == 0", "return number % 2"), "4", "True"),
    ("reverse", "text", ("return text[::-1]", "return text[::1]"), '"abc"', '"cba"'),
    ("first", "items", ("return items[0]", "return items[1]"), "[7]", "7"),
    ("last", "items", ("return items[-1]", "return items[len(items)]"), "[7, 8]", "8"),
    (
        "unique",
        "items",
        ("return sorted(set(items))", "return sorted(items)"),
        "[2, 1, 2]",
        "[1, 2]",
    ),
    (
        "slug",
        "title",
        ('return title.lower().replace(" ", "-")', 'return title.replace(" ", "-")'),
        '"Big News"',
        '"big-news"',
    ),
    (
        "get_price",
        "prices",
        ('return prices["price"]', 'return prices["cost"]'),
        '{"price": 3}',
        "3",
    ),
    ("parse_number", "text", ("return int(text)", "return text"), '"12"', "12"),
    (
        "join_names",
        "names",
        ('return ", ".join(names)', 'return "".join(names)'),
        '["a", "b"]',
        '"a, b"',
    ),
    ("double", "number", ("return number * 2", "return number ** 2"), "3", "6"),
    (
        "middle",
        "items",
        ("return items[len(items) // 2]", "return items[len(items) / 2]"),
        "[1, 5, 9]",
        "5",
    ),
    ("initial", "name", ("return name[0].upper()", "return name.upper()"), '"ada"', '"A"'),
    ("add_tax", "price", ("return price + price // 5", "return price + price // 0"), "10", "12"),
    (
        "flatten",
        "rows",
        ("return [item for row in rows for item in row]", "return rows"),
        "[[1], [2]]",
        "[1, 2]",
    ),
)
PACKAGES = (
    "shop",
    "bank",
    "library",
    "weather",
    "garden",
    "school",
    "kitchen",
    "music",
    "travel",
    "fleet",
    "clinic",
    "museum",
)
MODULES = (
    "orders",
    "prices",
    "text",
    "lists",
    "numbers",
    "names",
    "items",
    "report",
    "parser",
    "catalog",
    "stats",
    "format",
)
_ENDINGS = ("", "", "_of", "_for", "_value", "_from", "_in")
_BROKEN = 0.3


def make_project(folder: Path, rng: random.Random) -> Repository:
    """A package of two or three modules, each with a test file, on disk in `folder`."""
    package = rng.choice(PACKAGES)
    (folder / package).mkdir(parents=True)
    (folder / "tests").mkdir()
    (folder / package / "__init__.py").write_text("")
    (folder / "pyproject.toml").write_text(
        f'[project]\nname = "{package}"\nversion = "1.0"\n\n'
        '[tool.pytest.ini_options]\npythonpath = ["."]\n'
    )
    paths = []
    healthy = rng.random() < _BROKEN
    for module in rng.sample(MODULES, rng.randint(1, 3)):
        source, test = _module(package, module, healthy, rng)
        for path, text in ((f"{package}/{module}.py", source), (f"tests/test_{module}.py", test)):
            (folder / path).write_text(text)
            paths.append(path)
    symbols = [symbol for path in paths for symbol in symbols_of((folder / path).read_text(), path)]
    return Repository(package, folder, tuple(paths), tuple(symbols))


def _module(package: str, module: str, healthy: bool, rng: random.Random) -> tuple[str, str]:  # noqa: FBT001
    """The texts of a module and of its tests."""
    source, tests, names = [f'"""The {module} of the {package}."""\n'], [], []
    for base, parameter, bodies, given, expected in rng.sample(FUNCTIONS, rng.randint(2, 4)):
        name = base + rng.choice(_ENDINGS)
        names.append(name)
        wrong = not healthy and rng.random() < _BROKEN
        source.append(f"\n\ndef {name}({parameter}):\n    {bodies[wrong]}\n")
        tests.append(f"\n\ndef test_{name}():\n    assert {name}({given}) == {expected}\n")
    imported = ", ".join(sorted(names))
    return "".join(source), f"from {package}.{module} import {imported}\n" + "".join(tests)
