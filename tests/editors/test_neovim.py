"""The Neovim plugin, in a real Neovim."""

from collections.abc import Iterator

import pytest

from editors.headless import LUA, Surroundings, run_scenario, server_command, temporary_surroundings
from editors.scripts import engine_settings

pytestmark = pytest.mark.xdist_group("editors")


@pytest.fixture
def surroundings() -> Iterator[Surroundings]:
    with temporary_surroundings() as made:
        yield made


@pytest.mark.parametrize("name", sorted(path.stem for path in (LUA / "pure").glob("*.lua")))
def test_without_a_server(name: str, surroundings: Surroundings):
    done = run_scenario(LUA / "pure" / f"{name}.lua", surroundings, server_command())
    assert done.returncode == 0, done.stdout
    assert done.stdout.endswith("passed\n"), done.stdout


@pytest.mark.parametrize("name", sorted(path.stem for path in (LUA / "server").glob("*.lua")))
def test_on_the_scripted_engine(name: str, surroundings: Surroundings):
    command = server_command({"engine": engine_settings(surroundings.folder)})
    done = run_scenario(LUA / "server" / f"{name}.lua", surroundings, command)
    assert done.returncode == 0, done.stdout
    assert done.stdout.endswith("passed\n"), done.stdout
