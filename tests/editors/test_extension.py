"""The VS Code extension's own checks and unit tests, its package, and its generated settings."""

import importlib.util
import json
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

from editors import extension
from editors.cache import run
from editors.headless import LUA, PLUGIN

_LARGEST = 2 * 1024 * 1024  # bytes of the package


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return extension.copy(tmp_path_factory.mktemp("extension"))


def test_checks(sources: Path):
    extension.npm("check", sources)


def test_units(sources: Path):
    assert "# fail 0" in extension.npm("test", sources)


def test_package_is_small_and_complete():
    vsix = extension.packed()
    with zipfile.ZipFile(vsix) as package:
        names = set(package.namelist())
    assert vsix.stat().st_size < _LARGEST
    assert {
        "extension/dist/extension.js",
        "extension/dist/chat.js",
        "extension/dist/chat.css",
        "extension/package.nls.zh-cn.json",
        "extension/l10n/bundle.l10n.zh-cn.json",
    } <= names
    assert not [name for name in names if "node_modules" in name or name.endswith(".ts")]


def _generator() -> ModuleType:
    file = extension.EXTENSION / "scripts" / "settings.py"
    spec = importlib.util.spec_from_file_location("quillon_extension_settings", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_settings_are_those_of_the_server():
    generator = _generator()
    manifest_text = (extension.EXTENSION / "package.json").read_text(encoding="utf-8")
    words_text = (extension.EXTENSION / "package.nls.json").read_text(encoding="utf-8")
    manifest, words = json.loads(manifest_text), json.loads(words_text)
    generator.rewritten(manifest, words)
    told = "run `python vscode-extension/scripts/settings.py`"
    # Through JSON, for which tuples are lists.
    assert json.loads(json.dumps(manifest)) == json.loads(manifest_text), told
    assert words == json.loads(words_text), told


def test_lua_is_formatted(sources: Path):
    script = sources / "scripts" / "lua.mjs"
    run(["node", script, "--check", PLUGIN, LUA], cwd=sources)
