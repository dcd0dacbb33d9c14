"""The VS Code extension, built and packed outside the repository."""

import hashlib
import os
import shutil
import tempfile
from pathlib import Path

from editors.cache import compiled, installed, run, say
from editors.headless import REPOSITORY

EXTENSION = REPOSITORY / "vscode-extension"
_MADE_HERE = ("node_modules", "dist", "out", "*.vsix")


def modules() -> Path:
    """`node_modules` with what builds, checks and tests the extension."""
    lock = (EXTENSION / "package-lock.json").read_bytes()
    pins = (f"lock {hashlib.sha256(lock).hexdigest()}",)
    return installed("extension-modules", pins, _install) / "node_modules"


def _install(folder: Path) -> None:
    say("installing the packages that build the extension")
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copy(EXTENSION / name, folder)
    run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=folder)


def copy(folder: Path) -> Path:
    """A copy of the extension's sources in `folder`, ready for its npm scripts."""
    target = folder / "vscode-extension"
    shutil.copytree(EXTENSION, target, ignore=shutil.ignore_patterns(*_MADE_HERE))
    (target / "node_modules").symlink_to(modules())
    return target


def npm(script: str, folder: Path) -> str:
    """Run one of the extension's npm scripts."""
    env = {
        **os.environ,
        "NODE_COMPILE_CACHE": str(compiled()),
        "npm_config_update_notifier": "false",
    }
    return run(["npm", "run", "--silent", script], cwd=folder, env=env)


def checked() -> Path:
    """Proof that `npm run check` passes for the sources as they are now; it takes half a minute."""
    return installed("extension-checked", (f"sources {_digest()}",), _check)


def _check(folder: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="quillon-extension-") as work:
        (folder / "output").write_text(npm("check", copy(Path(work))), encoding="utf-8")


def packed() -> Path:
    """The packed extension, built from the sources as they are now."""
    return installed("extension", (f"sources {_digest()}",), _pack) / "quillon.vsix"


def _digest() -> str:
    digest = hashlib.sha256()
    for folder, folders, names in os.walk(EXTENSION):
        folders[:] = sorted(name for name in folders if name not in _MADE_HERE)
        for name in sorted(names):
            file = Path(folder, name)
            if file.suffix != ".vsix":
                digest.update(str(file.relative_to(EXTENSION)).encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def _pack(folder: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="quillon-extension-") as work:
        sources = copy(Path(work))
        npm("package", sources)
        shutil.copy(sources / "quillon.vsix", folder)
