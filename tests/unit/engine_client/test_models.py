import os
import shutil
from pathlib import Path

import pytest
from inline_snapshot import snapshot

from quillon.engine.base import ModelError
from quillon.engine.models import (
    EMBEDDED,
    dialect_of,
    list_models,
    resolve_model,
    verify,
    verify_adapter,
)
from quillon.settings import ModelSettings, Settings
from quillon_testing.gguf_files import CHAT_MODEL, gguf_bytes, write_gguf

ADVICE = (
    "Set model.path or QUILLON_MODEL to a GGUF file of a text model, "
    "or leave both empty for the embedded model."
)


def refused(path: Path) -> str:
    """What `verify` says, the folder and the general advice shortened."""
    with pytest.raises(ModelError) as caught:
        verify(path)
    return str(caught.value).replace(str(path), "FILE").replace(ADVICE, "ADVICE")


def chosen(path: str | None) -> Settings:
    return Settings(model=ModelSettings(path=path))


@pytest.mark.parametrize(
    ("setting", "environ", "path", "source"),
    [
        ("/s.gguf", {"QUILLON_MODEL": "/e.gguf"}, Path("/s.gguf"), "settings"),
        (None, {"QUILLON_MODEL": "/e.gguf"}, Path("/e.gguf"), "environment"),
        ("", {"QUILLON_MODEL": ""}, EMBEDDED, "embedded"),
        (None, {}, EMBEDDED, "embedded"),
        ("a.gguf", {}, Path.cwd() / "a.gguf", "settings"),
        ("~/a.gguf", {}, Path.home() / "a.gguf", "settings"),
    ],
)
def test_the_model_is_the_settings_else_the_environments_else_ours(setting, environ, path, source):
    model = resolve_model(chosen(setting), environ)
    assert (model.path, model.source) == (path, source)
    assert model.embedded == (path == EMBEDDED)


def test_a_home_that_does_not_exist():
    with pytest.raises(ModelError, match="names no home folder"):
        resolve_model(chosen("~no-such-user-here/m.gguf"), {})


def test_the_embedded_model_is_fit():
    assert verify(EMBEDDED).architecture == "qwen3"


def test_missing(tmp_path: Path):
    assert refused(tmp_path / "m.gguf") == snapshot("There is no model file at FILE. ADVICE")


def test_a_folder(tmp_path: Path):
    assert refused(tmp_path) == snapshot(
        "The model path FILE is a folder, and a GGUF file is needed. ADVICE"
    )


def test_a_fifo(tmp_path: Path):
    os.mkfifo(tmp_path / "m.gguf")
    assert refused(tmp_path / "m.gguf") == snapshot(
        "The model path FILE is no regular file (a pipe, a socket or a device). ADVICE"
    )


def test_unreadable(tmp_path: Path):
    # A loop of links cannot be read by root either.
    (tmp_path / "m.gguf").symlink_to("m.gguf")
    assert refused(tmp_path / "m.gguf") == snapshot(
        "The model file FILE cannot be reached: Too many levels of symbolic links. ADVICE"
    )


def test_a_text_file(tmp_path: Path):
    (tmp_path / "m.gguf").write_text("see the README")
    assert refused(tmp_path / "m.gguf") == snapshot(
        "The model file FILE is a text file: a GGUF file is needed. ADVICE"
    )


def test_cut_off_weights(tmp_path: Path):
    (tmp_path / "m.gguf").write_bytes(gguf_bytes()[:-60])
    assert refused(tmp_path / "m.gguf") == snapshot(
        "The model file FILE is cut off: it should have 736 bytes and has 676. Download it again."
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"general__architecture": "clip"}, "is the image part of a model (clip)"),
        ({"general__architecture": "whisper"}, "is a speech recogniser (whisper)"),
        ({"general__architecture": "nomic-bert"}, "is an embedding model (nomic-bert)"),
        ({"general__architecture": "flux"}, "is an image generator (flux)"),
        ({"general__type": "adapter"}, "is a LoRA adapter: set it as model.adapter"),
        ({"qwen3__pooling_type": 3}, "is an embedding or ranking model (qwen3)"),
        ({"tokenizer__ggml__tokens": None}, "is no text model (qwen3): it has no tokenizer"),
        ({"general__architecture": None}, "is no text model: it has no tokenizer"),
    ],
)
def test_models_of_another_kind(tmp_path: Path, changes, message: str):
    assert message in refused(write_gguf(tmp_path / "m.gguf", **changes))


def test_a_vocabulary_alone(tmp_path: Path):
    (tmp_path / "m.gguf").write_bytes(gguf_bytes(tensors={}))
    assert refused(tmp_path / "m.gguf") == snapshot(
        "The file FILE holds a vocabulary but no weights. ADVICE"
    )


def write_parts(folder: Path, *numbers: int) -> list[Path]:
    """Parts of a model of three, of which only the first has the metadata of a model."""
    paths = []
    for number in numbers:
        metadata = CHAT_MODEL if number == 1 else {}
        path = folder / f"m-{number:05}-of-00003.gguf"
        paths.append(write_gguf(path, metadata, split__count=3, split__no=number - 1))
    return paths


def test_all_parts_of_a_split_model(tmp_path: Path):
    first, second, _ = write_parts(tmp_path, 1, 2, 3)
    assert verify(first).architecture == "qwen3"
    assert refused(second) == snapshot(
        "The file FILE is a later part of a model. Choose m-00001-of-00003.gguf."
    )
    second.write_bytes(second.read_bytes()[:-1])
    assert "-00002-of-00003.gguf is cut off" in refused(first)


def test_missing_parts(tmp_path: Path):
    (first,) = write_parts(tmp_path, 1)
    assert refused(first) == snapshot(
        "The model FILE has 3 parts, and 2 are missing from its folder: "
        "m-00002-of-00003.gguf, m-00003-of-00003.gguf. Download them."
    )


def test_a_renamed_part(tmp_path: Path):
    (first,) = write_parts(tmp_path, 1)
    assert refused(first.rename(tmp_path / "model.gguf")) == snapshot(
        "The file FILE is one of 3 parts of a model, but its name does not end in "
        "-00001-of-00003.gguf. Give all parts their original names."
    )


def test_an_adapter(tmp_path: Path):
    adapter = write_gguf(tmp_path / "a.gguf", {}, general__type="adapter")
    verify_adapter(adapter)
    with pytest.raises(ModelError, match="is no LoRA adapter"):
        verify_adapter(EMBEDDED)


@pytest.mark.parametrize(
    ("template", "dialect"),
    [
        (None, "json"),
        ("{{ messages }}", "json"),
        ("<tool_call>{}</tool_call>", "hermes"),
        ("<tool_call>\n<function=", "function_xml"),
    ],
)
def test_the_dialect_follows_from_the_template(template, dialect):
    assert dialect_of(template) == dialect


def test_the_list_has_the_chosen_the_embedded_and_the_folders(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    folder = tmp_path / "quillon" / "models"
    folder.mkdir(parents=True)
    write_gguf(folder / "a.gguf")
    write_parts(folder, 1, 2, 3)
    os.mkfifo(folder / "pipe.gguf")
    shutil.copy(EMBEDDED, tmp_path / "mine.gguf")
    models = list_models(chosen(str(tmp_path / "mine.gguf")), {})
    assert [(m.path.name, m.source, m.parameters, m.problem is None) for m in models] == snapshot(
        [
            ("mine.gguf", "settings", 5771264, True),
            ("quillon-tiny-q8_0.gguf", "embedded", 5771264, True),
            ("a.gguf", "folder", 136, True),
            ("m-00001-of-00003.gguf", "folder", 408, True),
            ("pipe.gguf", "folder", 0, False),
        ]
    )


def test_the_list_tells_what_is_wrong_with_the_chosen_one(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    missing, embedded = list_models(chosen(str(tmp_path / "none.gguf")), {})
    assert "There is no model file at" in missing.problem
    assert embedded.problem is None


def test_the_embedded_model_is_listed_once():
    first, *others = list_models(chosen(None), {})
    assert first.path == EMBEDDED
    assert EMBEDDED not in [model.path for model in others]


class TestNames:
    @pytest.fixture
    def folder(self, tmp_path, monkeypatch):
        monkeypatch.setenv("QUILLON_MODELS", str(tmp_path / "models"))
        monkeypatch.chdir(tmp_path)
        (tmp_path / "models/o/r").mkdir(parents=True)
        return tmp_path / "models"

    def path(self, text: str) -> Path:
        return resolve_model(chosen(text), {}).path

    def test_a_recommended_name_that_is_not_pulled_says_how(self, folder):
        path = self.path("Qwen3-4B")
        assert path == folder / "unsloth/Qwen3-4B-Instruct-2507-GGUF" / path.name
        with pytest.raises(ModelError, match="`quillon model pull qwen3-4b` downloads it"):
            verify(path)

    def test_a_pulled_file_is_named_as_it_was_pulled_or_by_its_stem(self, folder):
        file = write_gguf(folder / "o/r/Small-Q4.gguf")
        assert self.path("o/r:Small-Q4.gguf") == file
        assert self.path("small-q4") == file

    def test_a_file_goes_before_a_stem(self, folder, tmp_path):
        write_gguf(folder / "o/r/small.gguf")
        write_gguf(tmp_path / "small")
        assert self.path("small") == tmp_path / "small"

    def test_a_stem_of_two_files_is_refused(self, folder):
        write_gguf(folder / "small.gguf")
        write_gguf(folder / "o/r/small.gguf")
        with pytest.raises(ModelError, match="small names several models: "):
            self.path("small")

    def test_what_names_nothing_is_a_path(self, folder, tmp_path):
        assert self.path("o/r:../../secret.gguf") == tmp_path / "o/r:../../secret.gguf"
        assert self.path("nothing") == tmp_path / "nothing"
