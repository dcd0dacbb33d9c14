"""Find the packages on this machine whose source code may be read: Python and npm packages."""

import email
import json
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from quillon_training.licences import permissive_licence

PYTHON_SUFFIXES = (".py",)
SCRIPT_SUFFIXES = (".js", ".mjs", ".cjs", ".jsx", ".ts", ".tsx", ".mts")
# Copies of other projects inside a package: they carry licences of their own.
_FOREIGN = {"_vendor", "vendor", "vendored", "third_party", "_vendored_packages", "node_modules"}
_SCRIPT_FOLDERS_SKIPPED = {
    "dist",
    "umd",
    "min",
    "bundles",
    "fesm2022",
    "es2015",
    "esm5",
    "locale",
    "locales",
}


class Source(msgspec.Struct, frozen=True):
    """One package: what it is called, what its licence is, and its files (absolute paths)."""

    name: str
    version: str
    licence: str
    ecosystem: str
    files: tuple[tuple[str, Path], ...]
    """Pairs of a path as its repository would name it and where it lies on this machine."""


def python_sources(folders: list[Path]) -> Iterator[Source]:
    """Installed distributions found in `folders` (site-packages or `pip --target` folders)."""
    for folder in folders:
        for info in sorted(folder.glob("*.dist-info")):
            metadata = info / "METADATA"
            if not metadata.is_file():
                continue
            message = email.message_from_bytes(metadata.read_bytes())
            classifiers = [
                text.rpartition("::")[2]
                for text in message.get_all("Classifier") or []
                if text.startswith("License")
            ]
            licence = permissive_licence(
                [
                    message.get("License-Expression") or "",
                    " AND ".join(classifiers),
                    message.get("License") or "",
                ]
            )
            if licence is None:
                continue
            yield Source(
                name=str(message["Name"]).lower().replace("_", "-"),
                version=str(message["Version"]),
                licence=licence,
                ecosystem="python",
                files=tuple(_recorded_files(folder, info)),
            )


def package_folders(folders: list[Path]) -> list[Path]:
    """Each folder itself where it holds installed packages, else the folders in it."""
    found: list[Path] = []
    for folder in folders:
        installed = any(folder.glob("*.dist-info"))
        found += (
            [folder] if installed else sorted(path for path in folder.iterdir() if path.is_dir())
        )
    return found


def standard_library() -> Source:
    """Python's own standard library, without its tests of generated data and site-packages."""
    root = Path(sysconfig.get_paths()["stdlib"])
    skipped = {"site-packages", "lib2to3", "idlelib", "encodings", "__pycache__"}
    files = [
        (path.relative_to(root).as_posix(), path)
        for path in sorted(root.rglob("*.py"))
        if not skipped.intersection(path.relative_to(root).parts)
    ]
    return Source(
        name="python-standard-library",
        version=sysconfig.get_python_version(),
        licence="psf-2.0",
        ecosystem="python",
        files=tuple(files),
    )


def npm_sources(node_modules: list[Path]) -> Iterator[Source]:
    """Packages under `node_modules` folders, nested ones included, each version once."""
    seen: set[tuple[str, str]] = set()
    for folder in node_modules:
        for manifest in sorted(folder.rglob("package.json")):
            package = manifest.parent
            if (
                package.parent.name != "node_modules"
                and package.parent.parent.name != "node_modules"
            ):
                continue
            source = _npm_source(package, _json(manifest))
            if source is not None and (source.name, source.version) not in seen:
                seen.add((source.name, source.version))
                yield source


def _npm_source(package: Path, manifest: dict[str, Any]) -> Source | None:
    name, version, licence = manifest.get("name"), manifest.get("version"), manifest.get("license")
    if isinstance(licence, dict):
        licence = licence.get("type")
    if not (isinstance(name, str) and isinstance(version, str) and isinstance(licence, str)):
        return None
    permitted = permissive_licence([licence.strip("()")])
    if permitted is None:
        return None
    files = [
        (f"{name}/{path.relative_to(package).as_posix()}", path)
        for path in sorted(package.rglob("*"))
        if path.suffix in SCRIPT_SUFFIXES
        and not path.name.endswith((".d.ts", ".d.mts"))
        and not (_FOREIGN | _SCRIPT_FOLDERS_SKIPPED).intersection(
            path.relative_to(package).parts[:-1]
        )
    ]
    return Source(
        name=name, version=version, licence=permitted, ecosystem="npm", files=tuple(files)
    )


def _recorded_files(folder: Path, info: Path) -> Iterator[tuple[str, Path]]:
    """The Python files that a distribution's RECORD names."""
    record = info / "RECORD"
    if not record.is_file():
        return
    for line in record.read_text(encoding="utf-8", errors="replace").splitlines():
        name = line.rsplit(",", 2)[0].strip('"')
        if not name.endswith(PYTHON_SUFFIXES) or name.startswith(".."):
            continue
        if _FOREIGN.intersection(Path(name).parts):
            continue
        yield name, folder / name


def _json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}
