"""A running VS Code workbench with the extension, in folders of its own.

Starting one takes longer than most scenarios, and loading its page longer than any: all scenarios
share one, and those that can a window, too.
"""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from editors.cache import compiled, run
from editors.chromium import chromium
from editors.driver import DRIVERS, Driver
from editors.extension import packed
from editors.guard import guarded
from editors.headless import Surroundings
from editors.workbench import Workbench, workbench

START_SECONDS = 600

USER_SETTINGS: dict[str, Any] = {
    "security.workspace.trust.enabled": False,
    "chat.disableAIFeatures": True,
    "workbench.startupEditor": "none",
    "workbench.welcomePage.walkthroughs.openOnInstall": False,
    "workbench.tips.enabled": False,
    "workbench.editor.enablePreview": False,
    "workbench.reduceMotion": "on",
    "workbench.preferredDarkColorTheme": "Dark Modern",
    "workbench.preferredLightColorTheme": "Light Modern",
    "window.autoDetectColorScheme": True,
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


BUILT_IN = ("log", "markdown-basics", "python", "theme-defaults", "theme-seti")
"""Each of the other hundred is read at every start, and some run."""

PYTHON_ENVIRONMENTS = Path(__file__).parent / "python_environments"
"""What stands for the Python extension."""


class Editor:
    """A workbench that listens, and a browser for it."""

    def __init__(self, address: str, surroundings: Surroundings, bench: Workbench) -> None:
        self.address = address
        self.surroundings = surroundings
        self._bench = bench
        self._driver: Driver | None = None
        self._browsers = 0

    @property
    def data(self) -> Path:
        """The workbench's own folder."""
        return self.surroundings.folder / "data"

    def drive(
        self,
        scenario: str,
        window: str,
        pictures: Path,
        machine: Mapping[str, Any],
        **given: str,
    ) -> str | None:
        """Play a scenario with the machine's settings; None or what failed.

        Scenarios that name the same window follow each other in it, and have a workspace in common.
        `given` is for the scenario; `language` is the workbench's.
        """
        pictures.mkdir(parents=True, exist_ok=True)
        # Settings of scope `machine` count only from there: the workbench is a remote window.
        machines = {"quillon.interpreter": sys.executable, **machine}
        asked = {
            "scenario": scenario,
            "workspace": str(self.surroundings.workspace / window),
            "pictures": str(pictures),
            "settings": {"User": USER_SETTINGS, "Machine": machines},
        }
        return self.open_browser().play({**asked, **given})

    def open_browser(self) -> Driver:
        """The browser, opened when it is not open yet."""
        if self._driver is not None and self._driver.ended:
            self.close()
            self._browsers += 1
        if self._driver is None:
            tools = {
                "NODE_COMPILE_CACHE": str(compiled()),
                "QUILLON_TEST_DATA": str(self.data),
                "QUILLON_TEST_TOOLS": str(self._bench.tools),
                "QUILLON_TEST_CHROMIUM": str(chromium()),
                "QUILLON_TEST_PROFILE": str(self.surroundings.folder / f"profile-{self._browsers}"),
            }
            self._driver = Driver(
                [str(self._bench.node), str(DRIVERS / "drive.mjs"), self.address],
                {**self.surroundings.environment(), **tools},
                self.surroundings.folder / "driver.log",
            )
        return self._driver

    def close(self) -> None:
        """End the browser."""
        if self._driver is not None:
            self._driver.close()
        self._driver = None

    def log(self) -> str:
        """The last words of the extension's newest log."""
        found = (self.data / "logs").glob("**/quillon.quillon/Quillon.log")
        newest = max(found, key=lambda file: file.stat().st_mtime, default=None)
        return "" if newest is None else newest.read_text(errors="replace")[-6000:]


def _know_chinese(data: Path) -> None:
    """Register a language pack without words: the workbench has its language then."""
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
def running(surroundings: Surroundings) -> Iterator[Editor]:
    """A workbench; it is gone at the end."""
    bench = workbench()
    data = surroundings.folder / "data"
    data.mkdir()
    config = surroundings.folder / "code-server.yaml"
    config.write_text("bind-addr: 127.0.0.1:0\nauth: none\ncert: false\n", encoding="utf-8")
    common = [
        *(str(bench.server), "--config", str(config), "--user-data-dir", str(data)),
        *("--extensions-dir", str(surroundings.folder / "extensions")),
        *("--builtin-extensions-dir", str(_built_in(bench, surroundings.folder / "built in"))),
    ]
    # No gallery: nothing is looked up outside. And as from a terminal: else each window would ask a
    # shell for its PATH, and get that of this machine.
    env = {
        **surroundings.environment(),
        "EXTENSIONS_GALLERY": "{}",
        "VSCODE_CLI": "1",
        "PATH": _search_path(surroundings.folder),
        "NODE_COMPILE_CACHE": str(compiled()),
    }
    run([*common, "--install-extension", packed()], env=env)
    _know_chinese(data)
    command = [
        *common,
        *("--auth", "none", "--bind-addr", "127.0.0.1:0"),
        *("--disable-getting-started-override", "--disable-proxy"),
    ]
    with guarded(surroundings), _listening(command, env) as address:
        editor = Editor(address, surroundings, bench)
        try:
            yield editor
        finally:
            editor.close()


@contextlib.contextmanager
def _listening(command: list[str], env: Mapping[str, str]) -> Iterator[str]:
    """A server's address; it is gone at the end."""
    process = subprocess.Popen(
        command,
        env=dict(env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        text=True,
        errors="replace",
    )
    try:
        yield _address(process)
    finally:
        _end(process)


def _built_in(bench: Workbench, folder: Path) -> Path:
    """A folder with those extensions of the workbench's own that scenarios need."""
    folder.mkdir()
    for name in BUILT_IN:
        (folder / name).symlink_to(bench.extensions / name)
    (folder / PYTHON_ENVIRONMENTS.name).symlink_to(PYTHON_ENVIRONMENTS)
    return folder


def _search_path(folder: Path) -> str:
    """A PATH with one Python that makes environments, no other, and without any Quillon."""
    own, others = folder / "bin", folder / "programs"
    own.mkdir()
    others.mkdir()
    (own / "python3").symlink_to(Path(sys.base_prefix) / "bin" / "python3")
    for entry in os.environ.get("PATH", os.defpath).split(os.pathsep):
        for program in Path(entry).glob("*") if Path(entry).is_absolute() else ():
            known = (others / program.name).is_symlink()
            if not known and not program.name.startswith(("python", "quillon")):
                (others / program.name).symlink_to(program)
    return os.pathsep.join([str(own), str(others)])


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
