"""The Neovim plugin, in a real Neovim."""

from pathlib import Path

import pytest

from editors.headless import LUA, Surroundings, run_scenario, server_command

pytestmark = pytest.mark.xdist_group("editors")


@pytest.fixture
def surroundings(tmp_path: Path) -> Surroundings:
    made = Surroundings(tmp_path)
    made.create()
    return made


@pytest.mark.parametrize("name", sorted(path.stem for path in (LUA / "pure").glob("*.lua")))
def test_without_a_server(name: str, surroundings: Surroundings):
    done = run_scenario(LUA / "pure" / f"{name}.lua", surroundings, server_command())
    assert done.returncode == 0, done.stdout
    assert done.stdout.endswith("passed\n"), done.stdout
