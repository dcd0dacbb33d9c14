"""Programs of a newer Debian in a private folder; nothing enters the system and no root is needed.

A private apt reads the mirror that this machine already uses, resolves against an empty package
status (so every library down to libc is fetched) and the packages are unpacked side by side. The
program's ELF header is then pointed at the folder's own loader and libraries. Running it through
`ld.so --library-path` would not do: Neovim and Chromium start themselves again by their own path.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path

import msgspec

from editors.cache import InstallError, run, say

SUITE = "forky"
"""The Debian release that the editors' programs come from."""


class PrivateApt(msgspec.Struct, frozen=True):
    """An apt with its own state below `folder`, on the mirror of this machine."""

    folder: Path
    mirror: str
    architecture: str

    def configure(self) -> None:
        """Write its sources and options, and read the suite's index."""
        for part in ("state/lists/partial", "cache/archives/partial", "none", "log"):
            (self.folder / part).mkdir(parents=True)
        (self.folder / "status").touch()
        keys = sorted(Path("/usr/share/keyrings").glob("debian-archive-*keyring.*"))
        keys += sorted(Path("/usr/share/keyrings").glob("debian-archive-*automatic.*"))
        signed = f"arch={self.architecture} signed-by={','.join(map(str, keys))}"
        (self.folder / "sources.list").write_text(
            f"deb [{signed}] {self.mirror} {SUITE} main\n", encoding="utf-8"
        )
        (self.folder / "apt.conf").write_text(self._options(), encoding="utf-8")
        self.get("-qq", "update")

    def _options(self) -> str:
        folder = self.folder
        user = Path(run(["id", "-un"]).strip()).name
        return f"""\
APT::Architecture "{self.architecture}";
APT::Architectures {{ "{self.architecture}"; }};
APT::Install-Recommends "false";
APT::Sandbox::User "{user}";
APT::Keep-Downloaded-Packages "true";
Dir::State "{folder}/state";
Dir::State::status "{folder}/status";
Dir::Cache "{folder}/cache";
Dir::Etc::sourcelist "{folder}/sources.list";
Dir::Etc::sourceparts "{folder}/none";
Dir::Etc::preferences "{folder}/none/preferences";
Dir::Etc::preferencesparts "{folder}/none";
Dir::Log "{folder}/log";
Debug::NoLocking "true";
Acquire::Languages "none";
Acquire::Retries "3";
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Post-Invoke;
"""

    def get(self, *arguments: str, cwd: Path | None = None) -> str:
        """Run apt-get; a `-c` file is read last, so the machine's proxy settings still count."""
        return run(["apt-get", "-c", self.folder / "apt.conf", *arguments], cwd=cwd)

    def download(self, packages: Sequence[str], into: Path) -> list[str]:
        """Fetch packages and all they depend on; returns the names of the files."""
        plan = self.get("-y", "-s", "install", *packages)
        names = [line.split()[1] for line in plan.splitlines() if line.startswith("Inst ")]
        if not names:
            raise InstallError(f"{SUITE} has none of {', '.join(packages)}")
        into.mkdir(parents=True)
        # `download`, for `install --download-only` runs hooks that may empty the archive folder.
        self.get("-qq", "download", *names, cwd=into)
        return sorted(deb.name for deb in into.glob("*.deb"))


def unpack(packages: Sequence[str], root: Path, work: Path) -> Path:
    """Unpack packages with their libraries into `root`; returns a patchelf for `point_at`."""
    mirrors = run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"]
    ).split()
    mirror = next((line for line in mirrors if line.rstrip("/").endswith("/debian")), None)
    if mirror is None:
        raise InstallError("this machine's apt knows no Debian archive")
    apt = PrivateApt(work / "apt", mirror, run(["dpkg", "--print-architecture"]).strip())
    apt.configure()
    say(f"fetching {' '.join(packages)} of {SUITE}")
    files = apt.download(packages, work / "debs")
    apt.download(["patchelf"], work / "patchelf-debs")
    for source, target in (("debs", root), ("patchelf-debs", work / "tools")):
        target.mkdir(parents=True, exist_ok=True)
        for deb in sorted((work / source).glob("*.deb")):
            run(["dpkg-deb", "-x", deb, target])
    (root / "PACKAGES").write_text("\n".join([*files, ""]), encoding="utf-8")
    _drop_documentation(root)
    return work / "tools"


def _drop_documentation(root: Path) -> None:
    for part in ("doc", "man", "locale", "lintian", "bug", "info", "applications", "icons"):
        shutil.rmtree(root / "usr/share" / part, ignore_errors=True)


def loader(root: Path) -> Path:
    """The dynamic loader below `root`."""
    found = sorted((root / "usr/lib").glob("*-linux-gnu*/ld-linux*.so.*"))
    if not found:
        raise InstallError(f"no dynamic loader in {root}")
    return found[0]


def point_at(root: Path, programs: Sequence[Path], tools: Path) -> None:
    """Make `programs` use the loader and the libraries of `root`."""
    own, tool = loader(root), loader(tools)
    libraries = own.parent
    # RPATH, not RUNPATH: it holds for the libraries' own libraries too.
    search = ":".join(map(str, (libraries, *sorted(libraries.glob("*/")))))
    patch: list[str | Path] = [tool, "--library-path", tool.parent, tools / "usr/bin/patchelf"]
    for program in programs:
        run([*patch, "--set-interpreter", own, "--force-rpath", "--set-rpath", search, program])
