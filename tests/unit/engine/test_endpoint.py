"""Where an engine process listens: keys, private directories, the state file."""

import os
from pathlib import Path

import pytest

from quillon.engine.base import EngineUnavailable
from quillon.engine.endpoint import (
    RUNTIME_VARIABLE,
    HostState,
    endpoint_for,
    read_state,
    runtime_directory,
    write_state,
)
from quillon.settings import ModelSettings

STATE = HostState(pid=7, socket="/run/x.sock", port=None, token="t0k3n", version="1")  # noqa: S106 - not one


@pytest.fixture
def directory(tmp_path, monkeypatch):
    monkeypatch.setenv(RUNTIME_VARIABLE, str(tmp_path / "run"))
    return tmp_path / "run"


def key(model, **settings):
    return endpoint_for(model, ModelSettings(**settings)).key


def test_all_places_are_in_a_directory_that_only_its_owner_enters(directory, tmp_path):
    endpoint = endpoint_for(tmp_path / "model.gguf", ModelSettings())
    assert endpoint.directory == directory
    assert directory.stat().st_mode & 0o777 == 0o700
    places = {endpoint.state_path, endpoint.lock_path, endpoint.host_lock_path, endpoint.log_path}
    assert len(places) == 4
    assert {place.parent for place in places} == {directory}


def test_one_model_with_the_same_settings_has_one_endpoint(directory, tmp_path):
    model = tmp_path / "model.gguf"
    model.write_bytes(b"GGUF")
    link = tmp_path / "link.gguf"
    link.symlink_to(model)
    assert key(model) == key(link) == key(model, path=str(model)) == key(model, idle_minutes=1)
    assert key(model) != key(model, context_size=4096)
    assert key(model) != key(tmp_path / "missing.gguf")


def test_a_replaced_model_file_has_another_endpoint(directory, tmp_path):
    model = tmp_path / "model.gguf"
    model.write_bytes(b"GGUF")
    before = key(model)
    model.write_bytes(b"GGUF2")
    assert key(model) != before


def test_an_adapter_and_a_replaced_one_have_endpoints_of_their_own(directory, tmp_path):
    model, adapter = tmp_path / "model.gguf", tmp_path / "adapter.gguf"
    model.write_bytes(b"GGUF")
    adapter.write_bytes(b"GGUF")
    before = key(model, adapter=str(adapter))
    assert before not in {key(model), key(model, adapter=str(tmp_path / "missing.gguf"))}
    adapter.write_bytes(b"GGUF2")
    assert key(model, adapter=str(adapter)) != before


def test_a_directory_that_others_may_enter_is_closed(directory):
    directory.mkdir(mode=0o777)
    directory.chmod(0o777)
    assert runtime_directory() == directory
    assert directory.stat().st_mode & 0o077 == 0


def test_a_link_is_no_private_directory(directory, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    directory.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(EngineUnavailable, match=f"set {RUNTIME_VARIABLE}"):
        runtime_directory()


def test_a_file_in_its_place_is_told(directory):
    directory.write_text("")
    with pytest.raises(EngineUnavailable, match="cannot be used"):
        runtime_directory()


def test_a_login_without_a_session_gets_a_temporary_directory(monkeypatch, tmp_path):
    monkeypatch.delenv(RUNTIME_VARIABLE, raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "nobody-made-it"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert runtime_directory() == tmp_path / f"quillon-{os.getuid()}"


def test_a_session_directory_that_cannot_be_looked_at_is_none(monkeypatch, tmp_path):
    monkeypatch.delenv(RUNTIME_VARIABLE, raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / ("long" * 100)))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert runtime_directory() == tmp_path / f"quillon-{os.getuid()}"


def test_without_any_folder_for_temporary_files_it_says_so(monkeypatch, tmp_path):
    monkeypatch.delenv(RUNTIME_VARIABLE, raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "nobody-made-it"))
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.setattr("tempfile._candidate_tempdir_list", lambda: [str(tmp_path / "nowhere")])
    with pytest.raises(EngineUnavailable, match="no folder for temporary files"):
        runtime_directory()


def test_a_session_has_its_own_directory(monkeypatch, tmp_path):
    monkeypatch.delenv(RUNTIME_VARIABLE, raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    assert runtime_directory() == tmp_path / "quillon"


def test_a_path_too_long_for_a_socket_has_none(monkeypatch, tmp_path):
    monkeypatch.setenv(RUNTIME_VARIABLE, str(tmp_path / ("deep" * 25)))
    assert endpoint_for(Path("model.gguf"), ModelSettings()).socket_path is None


def test_the_state_file_is_read_back_and_nobody_else_reads_it(tmp_path):
    path = tmp_path / "state.json"
    write_state(path, STATE)
    write_state(path, STATE)
    assert read_state(path) == STATE
    assert path.stat().st_mode & 0o077 == 0
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff\xfe", b'{"pid": "x"}', b"[1"])
def test_a_damaged_state_file_is_none(tmp_path, content):
    path = tmp_path / "state.json"
    path.write_bytes(content)
    assert read_state(path) is None
    assert read_state(tmp_path / "missing.json") is None
