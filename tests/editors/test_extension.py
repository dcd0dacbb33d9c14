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

ACTIVATION = Path(__file__).parent / "activation.cjs"

_LARGEST = 2 * 1024 * 1024  # bytes of the package
_LARGEST_BUNDLE = 512 * 1024  # bytes that activation reads
_LOADED = frozenset(
    {"vscode", "child_process", "crypto", "fs", "fs/promises", "os", "path", "stream"}
)
"""What of the editor and of Node is loaded at activation. The language client needs more (`net`,
`readline`, `util`): it is evaluated with the first server, and not before.
"""


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return extension.copy(tmp_path_factory.mktemp("extension"))


def test_checks() -> None:
    assert (extension.checked() / "output").exists()


def test_units(sources: Path) -> None:
    assert "# fail 0" in extension.npm("test", sources)


def test_package_is_small_and_complete() -> None:
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


def test_where_it_runs_is_declared() -> None:
    """Beside the files, also in a remote window; and what a folder must not set is named."""
    manifest = json.loads((extension.EXTENSION / "package.json").read_text(encoding="utf-8"))
    assert manifest["extensionKind"] == ["workspace"]
    assert manifest["capabilities"]["virtualWorkspaces"]["supported"] is False
    untrusted = manifest["capabilities"]["untrustedWorkspaces"]
    assert untrusted["supported"] == "limited"
    named = ("interpreter", "installPackage", "model.path", "engine.url", "tools.approval")
    assert {f"quillon.{name}" for name in named} <= set(untrusted["restrictedConfigurations"])


def test_activation_loads_little(tmp_path: Path) -> None:
    """What activation costs without the server is what is read for it: a count cannot flake."""
    with zipfile.ZipFile(extension.packed()) as package:
        bundle = Path(package.extract("extension/dist/extension.js", tmp_path))
    assert bundle.stat().st_size < _LARGEST_BUNDLE
    loaded = json.loads(run(["node", ACTIVATION, bundle]))
    assert {name.removeprefix("node:") for name in loaded} <= _LOADED


def _generator() -> ModuleType:
    file = extension.EXTENSION / "scripts" / "settings.py"
    spec = importlib.util.spec_from_file_location("quillon_extension_settings", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_settings_are_those_of_the_server() -> None:
    generator = _generator()
    manifest_text = (extension.EXTENSION / "package.json").read_text(encoding="utf-8")
    words_text = (extension.EXTENSION / "package.nls.json").read_text(encoding="utf-8")
    manifest, words = json.loads(manifest_text), json.loads(words_text)
    generator.rewritten(manifest, words)
    told = "run `python vscode-extension/scripts/settings.py`"
    # Through JSON, for which tuples are lists.
    assert json.loads(json.dumps(manifest)) == json.loads(manifest_text), told
    assert words == json.loads(words_text), told


def test_lua_is_formatted(sources: Path) -> None:
    script = sources / "scripts" / "lua.mjs"
    run(["node", script, "--check", PLUGIN, LUA], cwd=sources)
