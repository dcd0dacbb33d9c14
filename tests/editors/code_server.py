"""A running VS Code workbench with the extension, in folders of its own.

Starting one takes longer than most scenarios, so several share it: each has a workspace of its own,
and the settings that it asks for.
"""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from editors.cache import run
from editors.chromium import chromium
from editors.extension import packed
from editors.headless import Surroundings
from editors.workbench import Workbench, workbench

START_SECONDS = 600
SCENARIO_SECONDS = 3600
"""A whole scenario on a busy machine; each wait inside has its own, shorter deadline."""

DRIVERS = Path(__file__).parent / "workbench"

USER_SETTINGS: dict[str, Any] = {
    "security.workspace.trust.enabled": False,
    "chat.disableAIFeatures": True,
    "workbench.startupEditor": "none",
    "workbench.welcomePage.walkthroughs.openOnInstall": False,
    "workbench.tips.enabled": False,
    "workbench.editor.enablePreview": False,
    "workbench.reduceMotion": "on",
    "workbench.secondarySideBar.defaultVisibility": "hidden",
    "extensions.ignoreRecommendations": True,
    "extensions.webWorker": False,
    "extensions.autoUpdate": False,
    "extensions.autoCheckUpdates": False,
    "telemetry.telemetryLevel": "off",
    "update.mode": "none",
    "git.enabled": False,
    "editor.quickSuggestions": {"other": "off", "comments": "off", "strings": "off"},
    "editor.suggestOnTriggerCharacters": False,
    "editor.parameterHints.enabled": False,
    "editor.wordBasedSuggestions": "currentDocument",
    "editor.minimap.enabled": False,
    "editor.cursorBlinking": "solid",
    "files.insertFinalNewline": False,
    "window.commandCenter": False,
}
"""Brackets close and lines indent themselves, as for every user."""


Done = subprocess.CompletedProcess[str]


class Editor(msgspec.Struct, frozen=True):
    """A workbench that listens."""

    address: str
    process: int
    surroundings: Surroundings
    bench: Workbench

    @property
    def data(self) -> Path:
        """The workbench's own folder."""
        return self.surroundings.folder / "data"

    def configure(self, machine: Mapping[str, Any]) -> None:
        """Set the machine's settings; the user's are as at first."""
        # Settings of scope `machine` count only from there: the workbench is a remote window.
        settings = {"quillon.interpreter": sys.executable, **machine}
        for name, value in (("User", USER_SETTINGS), ("Machine", settings)):
            (self.data / name).mkdir(parents=True, exist_ok=True)
            file = self.data / name / "settings.json"
            file.write_text(json.dumps(value), encoding="utf-8")

    def drive(
        self, scenario: str, pictures: Path, **extra: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a scenario in a browser, in a workspace of its own; its output tells what failed."""
        pictures.mkdir(parents=True, exist_ok=True)
        workspace = self.surroundings.workspace / scenario
        workspace.mkdir()
        for log in (self.data / "logs").glob("*"):
            shutil.rmtree(log, ignore_errors=True)
        return subprocess.run(
            [
                self.bench.node,
                DRIVERS / "drive.mjs",
                *(scenario, self.address, workspace, pictures),
            ],
            env={
                **self.surroundings.environment(),
                "QUILLON_TEST_DATA": str(self.data),
                "QUILLON_TEST_TOOLS": str(self.bench.tools),
                "QUILLON_TEST_CHROMIUM": str(chromium()),
                "QUILLON_TEST_PROFILE": str(self.surroundings.folder / "profile"),
                **extra,
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=SCENARIO_SECONDS,
            check=False,
        )

    def log(self) -> str:
        """The last words of the extension's log."""
        found = sorted((self.data / "logs").glob("**/quillon.quillon/Quillon.log"))
        return "\n".join(file.read_text(errors="replace")[-6000:] for file in found)


def _speak_chinese(data: Path) -> None:
    """Register a language pack without words: it makes the workbench's language Chinese."""
    words = data / "main.i18n.json"
    words.write_text(json.dumps({"version": "1.0.0", "contents": {}}), encoding="utf-8")
    pack = {
        "hash": "quillon",
        "label": "中文(简体)",
        "extensions": [{"extensionIdentifier": {"id": "quillon.chinese"}, "version": "1.0.0"}],
        "translations": {"vscode": str(words)},
    }
    (data / "languagepacks.json").write_text(json.dumps({"zh-cn": pack}), encoding="utf-8")


@contextlib.contextmanager
def running(surroundings: Surroundings, *, language: str = "en") -> Iterator[Editor]:
    """A workbench; it is gone at the end."""
    bench = workbench()
    data = surroundings.folder / "data"
    data.mkdir()
    config = surroundings.folder / "code-server.yaml"
    config.write_text("bind-addr: 127.0.0.1:0\nauth: none\ncert: false\n", encoding="utf-8")
    common = [
        *(str(bench.server), "--config", str(config), "--user-data-dir", str(data)),
        *("--extensions-dir", str(surroundings.folder / "extensions")),
    ]
    # No gallery: nothing is looked up outside.
    env = {
        **surroundings.environment(),
        "EXTENSIONS_GALLERY": "{}",
        "PATH": _search_path(surroundings.folder / "bin"),
    }
    run([*common, "--install-extension", packed()], env=env)
    if language == "zh-cn":
        _speak_chinese(data)
    command = [
        *common,
        *("--auth", "none", "--bind-addr", "127.0.0.1:0"),
        *("--disable-getting-started-override", "--disable-proxy", "--locale", language),
    ]
    process = subprocess.Popen(
        command,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        text=True,
        errors="replace",
    )
    try:
        yield Editor(_address(process), process.pid, surroundings, bench)
    finally:
        _end(process)


def _search_path(folder: Path) -> str:
    """A PATH with a Python that makes environments, and without any Quillon."""
    folder.mkdir()
    (folder / "python3.11").symlink_to(Path(sys.base_prefix) / "bin" / "python3")
    others = os.environ.get("PATH", os.defpath).split(os.pathsep)
    kept = [entry for entry in others if not Path(entry, "quillon").exists()]
    return os.pathsep.join([str(folder), *kept])


def _address(process: subprocess.Popen[str]) -> str:
    """The address that the server names in its output; the rest of it is drained."""
    assert process.stdout is not None
    lines: list[str] = []
    found = threading.Event()

    def read() -> None:
        for line in process.stdout or ():
            lines.append(line)
            if "HTTP server listening on" in line:
                found.set()
        found.set()

    threading.Thread(target=read, daemon=True).start()
    deadline = time.monotonic() + START_SECONDS
    found.wait(max(0.0, deadline - time.monotonic()))
    match = re.search(r"listening on (http://\S+?)/?\s", "".join(lines))
    if match is None:
        raise AssertionError(f"the workbench did not start: {''.join(lines)[-2000:]}")
    return match[1]


def _end(process: subprocess.Popen[str]) -> None:
    """End the server with the extension hosts and language servers below it."""
    for number, seconds in ((signal.SIGTERM, 15), (signal.SIGKILL, 15)):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            continue
        break
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    if process.stdout is not None:
        process.stdout.close()
