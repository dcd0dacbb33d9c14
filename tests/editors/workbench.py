"""A VS Code workbench that a browser can open: code-server with its own Node, from npm alone.

No package script runs; the modules worth having are compiled against the headers that come with
that Node. ripgrep, the terminal and the file watcher are prebuilt inside their packages.
"""

import os
import platform
import shutil
from collections.abc import Mapping
from pathlib import Path

import msgspec

from editors.cache import InstallError, installed, run, say

CODE_SERVER = "4.139.1"
NODE = "24.21.0"
PLAYWRIGHT = "1.65.1"

PINS = (f"code-server {CODE_SERVER}", f"node {NODE}", f"playwright {PLAYWRIGHT}", "layout 1")

_COMPILED = ("@vscode/spdlog", "@vscode/native-watchdog")
"""Without the first no log and no output channel is written."""

_NPM = ("install", "--no-audit", "--no-fund", "--ignore-scripts", "--omit=dev", "--loglevel=error")

_UNUSED = (
    "extensions/copilot",
    "extensions/mermaid-markdown-features",
    "node_modules/@microsoft/mxc-sdk",
    "node_modules/@vscode/windows-process-tree",
    "node_modules/@vscode/sqlite3/deps",
)
"""Of the workbench: what a test of an extension never opens (about 400 MB)."""


class Workbench(msgspec.Struct, frozen=True):
    """An installed workbench."""

    folder: Path

    @property
    def node(self) -> Path:
        """Node 24, which runs the workbench and the driver."""
        return self.folder / "bin" / "node"

    @property
    def server(self) -> Path:
        """The workbench's server."""
        return self.folder / "bin" / "code-server"

    @property
    def extensions(self) -> Path:
        """The workbench's own extensions."""
        return self.folder / "app/node_modules/code-server/lib/vscode/extensions"

    @property
    def tools(self) -> Path:
        """`node_modules` with playwright-core."""
        return self.folder / "tools" / "node_modules"


def workbench() -> Workbench:
    """The workbench, installed when it is not there yet."""
    return Workbench(installed("workbench", PINS, _build))


def _platform() -> str:
    names = {"x86_64": "x64", "aarch64": "arm64"}
    machine = platform.machine()
    if platform.system() != "Linux" or machine not in names:
        raise InstallError(f"no workbench for {platform.platform()}: Linux only")
    return f"linux-{names[machine]}"


def _build(folder: Path) -> None:
    for part in ("node", "app", "tools", "bin"):
        (folder / part).mkdir()
        (folder / part / "package.json").write_text('{"private": true}\n', encoding="utf-8")
    say(f"node {NODE}")
    run(["npm", *_NPM, f"node-{_platform()}@{NODE}"], cwd=folder / "node")
    node = folder / "node" / "node_modules" / f"node-{_platform()}"
    (folder / "bin" / "node").symlink_to(node / "bin" / "node")
    # npm is a script of `/usr/bin/env node`: with this PATH it runs under the pinned Node.
    env = {
        **os.environ,
        "PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "npm_config_nodedir": str(node),
        "npm_config_update_notifier": "false",
    }
    _build_code_server(folder, env)
    say(f"playwright-core {PLAYWRIGHT}")
    run(["npm", *_NPM, f"playwright-core@{PLAYWRIGHT}"], cwd=folder / "tools", env=env)
    for part in ("include", "share"):
        shutil.rmtree(node / part, ignore_errors=True)
    run([folder / "bin" / "code-server", "--version"], env=env)
    say(f"code-server {CODE_SERVER} in {folder}")


def _build_code_server(folder: Path, env: Mapping[str, str]) -> None:
    say(f"code-server {CODE_SERVER}")
    run(
        ["npm", *_NPM, "--omit=optional", f"code-server@{CODE_SERVER}"], cwd=folder / "app", env=env
    )
    server = folder / "app/node_modules/code-server"
    vscode = server / "lib/vscode"
    # Its own install script does the same; `npm ci` refuses its lock file.
    for part in (vscode, vscode / "extensions"):
        run(["npm", *_NPM, "--no-save"], cwd=part, env=env)
    for module in _COMPILED:
        say(f"compiling {module}")
        run(["npm", "rebuild", "--loglevel=error", module], cwd=vscode, env={**env, "JOBS": "2"})
    for ripgrep in vscode.glob("node_modules/@vscode/ripgrep*/bin/**/rg"):
        ripgrep.chmod(0o755)
    for unused in _UNUSED:
        shutil.rmtree(vscode / unused, ignore_errors=True)
    for sdk in vscode.glob("node_modules/@github/copilot-sdk-linux*"):
        shutil.rmtree(sdk, ignore_errors=True)
    start = folder / "bin" / "code-server"
    entry = server / "out/node/entry.js"
    start.write_text(
        f'#!/bin/sh\nexport PATH="{folder}/bin:$PATH"\n'
        f'exec "{folder}/bin/node" "{entry}" --disable-telemetry --disable-update-check "$@"\n',
        encoding="utf-8",
    )
    start.chmod(0o755)
