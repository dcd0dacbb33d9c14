"""The Neovim plugin, in a real Neovim."""

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from editors.headless import (
    LUA,
    PLUGIN,
    Surroundings,
    editor_command,
    editor_environment,
    run_installed,
    run_scenario,
    server_command,
    temporary_surroundings,
)
from editors.scripts import engine_settings
from editors.terminal import terminal
from quillon.engine.models import EMBEDDED
from quillon_testing.gguf_files import never_ending


@pytest.fixture
def surroundings() -> Iterator[Surroundings]:
    with temporary_surroundings() as made:
        yield made


@pytest.mark.parametrize("name", sorted(path.stem for path in (LUA / "pure").glob("*.lua")))
def test_without_a_server(name: str, surroundings: Surroundings) -> None:
    done = run_scenario(LUA / "pure" / f"{name}.lua", surroundings, server_command())
    assert done.returncode == 0, done.stdout
    assert done.stdout.endswith("passed\n"), done.stdout


@pytest.mark.parametrize("name", sorted(path.stem for path in (LUA / "server").glob("*.lua")))
def test_on_the_scripted_engine(name: str, surroundings: Surroundings) -> None:
    scripted(LUA / "server" / f"{name}.lua", surroundings)


def test_a_conversation_of_another_editor(surroundings: Surroundings) -> None:
    for name in ("asks", "opens"):
        scripted(LUA / "restored" / f"{name}.lua", surroundings)


def test_a_slow_model(surroundings: Surroundings) -> None:
    scripted(LUA / "models" / "loading.lua", surroundings, loadGate="load")


def scripted(script: Path, surroundings: Surroundings, **more: Any) -> None:
    """Run a scenario on the scripted engine, whose requests and gates it can see."""
    folder = surroundings.folder
    requests = folder / "requests.jsonl"
    settings = engine_settings(folder, record=str(requests), **more)
    given = {"QUILLON_TEST_REQUESTS": str(requests), "QUILLON_TEST_GATES": str(folder / "gates")}
    done = run_scenario(script, surroundings, server_command({"engine": settings}), given)
    assert done.returncode == 0, done.stdout
    assert done.stdout.endswith("passed\n"), done.stdout


def test_without_a_model(surroundings: Surroundings) -> None:
    command = server_command({"model": {"path": str(surroundings.folder / "gone.gguf")}})
    done = run_scenario(LUA / "models" / "gone.lua", surroundings, command)
    assert done.returncode == 0, done.stdout
    assert done.stdout.endswith("passed\n"), done.stdout


def test_in_chinese(surroundings: Surroundings) -> None:
    command = server_command({"engine": engine_settings(surroundings.folder)})
    given = in_chinese(surroundings)
    done = run_scenario(LUA / "languages" / "chinese.lua", surroundings, command, given)
    assert done.returncode == 0, done.stdout
    assert done.stdout.endswith("passed\n"), done.stdout


def in_chinese(surroundings: Surroundings) -> dict[str, str]:
    """The variables of a Neovim whose language is Chinese."""
    # A language without its data is none: this has the data of C.UTF-8 under its own name.
    shutil.copytree("/usr/lib/locale/C.utf8", surroundings.folder / "locales/zh_CN.utf8")
    return {"LC_ALL": "zh_CN.UTF-8", "LOCPATH": str(surroundings.folder / "locales")}


@pytest.mark.parametrize(
    ("configuration", "place"),
    [("packpath", "home/data/nvim/site/pack/quillon/start/quillon"), ("lazy", "checkout/nvim")],
)
def test_as_it_is_installed(configuration: str, place: str, surroundings: Surroundings) -> None:
    plugin = Path(shutil.copytree(PLUGIN, surroundings.folder / place))
    script = LUA / "installed" / "attach.lua"
    user = LUA / "configurations" / f"{configuration}.lua"
    done = run_installed(script, surroundings, user, plugin)
    assert done.returncode == 0, done.stdout
    assert done.stdout.endswith("passed\n"), done.stdout


BROKEN = {
    "missing": None,
    "dying": "import sys; sys.exit('ImportError: the disk ate it')",
    "garbage": "import sys; print('Hello, this is no language server.', flush=True);"
    "'lsp' in sys.argv and sys.stdin.read()",
}


@pytest.mark.parametrize("name", sorted(BROKEN))
def test_without_a_working_server(name: str, surroundings: Surroundings) -> None:
    program = surroundings.folder / "quillon-of-the-user"
    code = BROKEN[name]
    if code is not None:
        program.write_text(f"#!{sys.executable} -I\n{code}\n", encoding="utf-8")
        program.chmod(0o755)
    done = run_scenario(LUA / "broken" / f"{name}.lua", surroundings, [str(program), "lsp"])
    assert done.returncode == 0, done.stdout
    assert done.stdout.endswith("passed\n"), done.stdout


def test_on_the_embedded_model(surroundings: Surroundings) -> None:
    # However unsure the small model is: this is about the editor.
    command = server_command({"inline": {"minConfidence": 0}})
    endless = never_ending(surroundings.folder / "endless.gguf", EMBEDDED)
    given = {"QUILLON_TEST_ENDLESS": str(endless)}
    for name, more in (("embedded", given), ("restored", in_chinese(surroundings))):
        done = run_scenario(LUA / "embedded" / f"{name}.lua", surroundings, command, more)
        assert done.returncode == 0, done.stdout
        assert done.stdout.endswith("passed\n"), done.stdout


def test_in_a_terminal(surroundings: Surroundings) -> None:
    file = surroundings.workspace / "a.py"
    file.write_text("x = 1\n", encoding="utf-8")
    command = server_command({"engine": engine_settings(surroundings.folder)})
    start = [*editor_command(), "--cmd", "let g:quillon_test_enable = 1", str(file)]
    environment = editor_environment(surroundings, command)
    with terminal(start, surroundings.workspace, environment) as screen:
        screen.wait_for("x = 1")
        screen.command(":set statusline=%{v:lua.require'quillon.status'.line()}")
        screen.wait_for("Quillon: ready")
        screen.type("Godef add(")
        keep(screen.wait_for("return a + b"), "ghost")
        screen.keys("Tab")
        screen.wait_for("def add(a, b):")
        screen.keys("Escape")
        screen.command(":Quillon chat What does add do?")
        keep(screen.wait_for("That is all."), "chat")
        screen.keys("Escape")
        screen.command(":wa | qa!")
        screen.wait_for_end()
    assert file.read_text(encoding="utf-8") == "x = 1\ndef add(a, b):\n    return a + b\n"


def keep(screen: str, name: str) -> None:
    """Keep a screen for people to look at."""
    folder = os.environ.get("QUILLON_TEST_PICTURES")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        Path(folder, f"terminal-{name}.txt").write_text(screen, encoding="utf-8")
