"""The command line as processes, as a person or a script runs it."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from quillon.cli import main
from quillon_testing.engines import end_engines

DEADLINE = 60.0  # seconds; machines that run tests are shared and slow
SAMPLE = Path(__file__).parents[2] / "lsp_server" / "quillon" / "sample"


class Ended(msgspec.Struct, frozen=True):
    """A command that has ended."""

    status: int
    out: str
    err: str

    @property
    def lines(self) -> list[Any]:
        """The JSON Lines of the output."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def sentence(self) -> str:
        """What went wrong, in the one sentence that a failed command leaves on stderr."""
        assert "Traceback" not in self.err
        said = self.err.strip()
        assert said.startswith("quillon: "), said
        assert "\n" not in said
        return said.removeprefix("quillon: ")


class CommandLine:
    """Runs `quillon` in a folder, with a state and engines of its own."""

    def __init__(self, folder: Path, home: Path) -> None:
        self.folder = folder
        self.home = home

    def start(self, *words: str | bytes, **more: Any) -> "subprocess.Popen[bytes]":
        """A running command; with `under`, one that a line of the shell starts as "$@"."""
        environment = {
            **os.environ,
            "QUILLON_RUNTIME_DIR": str(self.home / "run"),
            "QUILLON_STATE_DIR": str(self.home / "state"),
            "QUILLON_CONFIG_DIR": str(self.home / "config"),
            "XDG_DATA_HOME": str(self.home / "data"),
            "COLUMNS": "200",
            **more.pop("over", {}),
        }
        environment.pop("QUILLON_MODEL", None)
        streams = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        under = more.pop("under", None)
        options: dict[str, Any] = {**streams, "cwd": self.folder, "env": environment, **more}
        shell = ["/bin/sh", "-c", under, "sh"] if under else []
        return subprocess.Popen([*shell, sys.executable, "-I", "-m", "quillon", *words], **options)

    def __call__(self, *words: str | bytes, given: bytes = b"", **more: Any) -> Ended:
        """A command that has ended."""
        deadline = more.pop("deadline", DEADLINE)
        with self.start(*words, **more) as process:
            try:
                out, err = process.communicate(given or None, timeout=deadline)
            finally:
                process.kill()
        return Ended(process.returncode, (out or b"").decode(), (err or b"").decode())


@pytest.fixture(scope="session")
def home() -> Iterator[Path]:
    """Where the engines of all these tests live; none is left at the end."""
    # Not `tmp_path`: the path of a Unix socket has room for about 100 bytes.
    path = Path(tempfile.mkdtemp(prefix="quillon-")).resolve()
    yield path
    end_engines(path)
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def project(tmp_path) -> Path:
    """A copy of the sample project."""
    return Path(shutil.copytree(SAMPLE, tmp_path / "shop-project"))


@pytest.fixture
def quillon(project, home) -> CommandLine:
    """The command line in the sample project."""
    return CommandLine(project, home)


@pytest.fixture
def config(tmp_path):
    """Writes the user's settings, and a script of replies; gives what a command needs for them."""
    folder = tmp_path / "config"
    folder.mkdir()

    def write(settings, *replies):
        script = tmp_path / "script.json"
        steps = [{"reply": reply} if isinstance(reply, str) else reply for reply in replies]
        script.write_text(json.dumps({"steps": steps}))
        engine = {"kind": "scripted", "script": str(script)} if replies else {}
        value = settings if isinstance(settings, str) else json.dumps({"engine": engine} | settings)
        (folder / "settings.json").write_text(value)
        return {"over": {"QUILLON_CONFIG_DIR": str(folder)}}

    write.file = folder / "settings.json"
    return write


@pytest.fixture
def here(project, home, monkeypatch, capfd):
    """The command line inside this process, in the sample project: for what starts nothing."""
    monkeypatch.chdir(project)
    monkeypatch.setenv("QUILLON_RUNTIME_DIR", str(home / "run"))
    monkeypatch.setenv("QUILLON_STATE_DIR", str(home / "state"))
    monkeypatch.setenv("QUILLON_CONFIG_DIR", str(home / "config"))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.delenv("QUILLON_MODEL", raising=False)

    def run(*words: str, over: Mapping[str, str] | None = None) -> Ended:
        for name, value in (over or {}).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "argv", ["quillon", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capfd.readouterr()
        return Ended(int(ended.value.code or 0), out, err)

    return run
