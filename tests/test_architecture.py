"""Drift from the architecture fails here: sizes, names, versions, generated sections."""

import ast
import json
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from quillon import __version__
from quillon_testing.protocol_page import PAGE, page
from quillon_testing.readme import READMES, with_sections

ROOT = Path(__file__).parent.parent
SOURCES = sorted(
    path
    for root in ("lsp_server", "tools", "training")
    for path in (ROOT / root).rglob("*.py")
    if not {"__pycache__", "sample"} & set(path.parts)
)
MODULE_LIMIT = 400  # lines
FUNCTION_LIMIT = 50  # lines, docstring included
UNNAMES = {"utils", "util", "common", "core", "helpers", "helper", "managers", "services", "misc"}


def tracked_files() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True
    ).stdout.split(b"\0")
    return [ROOT / name.decode() for name in listed if name and (ROOT / name.decode()).is_file()]


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_modules_and_functions_stay_small(path):
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= MODULE_LIMIT, "split the module by what it knows"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = node.end_lineno - node.lineno + 1
            assert length <= FUNCTION_LIMIT, f"{node.name} has {length} lines"


def test_modules_are_named_after_what_they_know():
    assert [p for p in SOURCES if p.stem in UNNAMES or p.parent.name in UNNAMES] == []


def test_import_roots_are_no_packages():
    # A workspace's own folder `tools/` would otherwise be importable under our name.
    assert not (ROOT / "lsp_server" / "__init__.py").exists()
    assert not (ROOT / "tools" / "__init__.py").exists()


def test_public_functions_have_docstrings():
    missing = []
    for path in SOURCES:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in tree.body:
            public = isinstance(
                node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
            ) and not node.name.startswith("_")
            if public and not ast.get_docstring(node):
                missing.append(f"{path.relative_to(ROOT)}: {node.name}")
    assert missing == []


def test_versions_agree():
    extension = json.loads((ROOT / "vscode-extension" / "package.json").read_text("utf-8"))
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert extension["version"] == __version__
    assert re.search(rf"^## (\[?{re.escape(__version__)}\]?|Unreleased)", changelog, re.MULTILINE)


def test_nothing_of_a_machine_or_a_registry_is_committed():
    # Spelled apart, so that this file does not find itself.
    words = ["files.python" + "hosted", "pypi" + ".org", "registry.npm" + "js", "deb.deb" + "ian"]
    wrong = []
    for path in tracked_files():
        content = path.read_bytes()
        if b"\0" in content[:8000]:
            continue
        wrong += [f"{path.relative_to(ROOT)}: {w}" for w in words if w.encode() in content]
    assert wrong == []


@pytest.mark.parametrize("readme", READMES, ids=lambda path: path.name)
def test_the_readme_is_generated_from_the_code(readme):
    assert readme.read_text("utf-8") == with_sections(readme), "run `make docs`"


def test_the_page_of_the_protocol_is_generated_from_the_code():
    assert PAGE.read_text("utf-8") == page(), "run `make docs`"


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md", "CONTRIBUTING.md"])
def test_the_page_of_the_protocol_is_found(name):
    assert "docs/protocol.md" in (ROOT / name).read_text("utf-8")


def test_what_builds_the_project_and_llama_cpp_is_locked():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    wanted = {*project["build-system"]["requires"], *project["dependency-groups"]["build"]}
    names = {re.match(r"[\w-]+", requirement)[0] for requirement in wanted}
    locked = re.findall(
        r"^([\w-]+)==", (ROOT / "requirements-build.lock").read_text(), re.MULTILINE
    )
    assert names - set(locked) == set(), "run `make lock`"
