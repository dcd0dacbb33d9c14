"""What a training needs: libraries, memory, numbers, a run, and a recipe that fits."""

import sys

import pytest
import torch
from quillon_training.checkpoint import load_checkpoint, save_state
from quillon_training.cli import main
from quillon_training.errors import CheckpointError, TrainingError
from quillon_training.machine import require_memory
from quillon_training.memory import out_of_memory_said, require_finite
from quillon_training.model import SHAPES, model_config, parameter_count
from quillon_training.recipes import RECIPES
from transformers import Qwen3ForCausalLM

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]


def test_numbers_and_memory_that_run_out_are_told():
    require_finite(1.0, 3)
    with pytest.raises(TrainingError, match="loss of step 3 is nan") as said:
        require_finite(float("nan"), 3)
    assert "--lr" in said.value.hint
    with pytest.raises(TrainingError, match="Memory ran out") as said, out_of_memory_said():
        torch.empty(1 << 50)
    assert "--tokens" in said.value.hint
    with pytest.raises(RuntimeError, match="shape"), out_of_memory_said():
        torch.zeros(2).reshape(3)
    with pytest.raises(TrainingError, match=r"of memory are free, 1000000\.0 are needed"):
        require_memory(1e6)


def test_a_file_that_is_no_run_is_told(tmp_path):
    save_state(tmp_path, {"step": 1})
    with pytest.raises(CheckpointError, match="is no checkpoint of a run"):
        load_checkpoint(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(CheckpointError, match="cannot be written"):
        save_state(tmp_path / "file", {"step": 1})


def test_a_missing_library_is_named(monkeypatch, capsys, tmp_path):
    monkeypatch.setitem(sys.modules, "torch", None)  # as Python sees what is not installed
    arguments = ["export", str(tmp_path), str(tmp_path / "m.gguf"), "--tokenizer", "t.json"]
    monkeypatch.setattr("sys.argv", ["train", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    said = " ".join(capsys.readouterr().err.split())
    assert ended.value.code == 1
    assert "torch is not installed" in said
    assert "pip install '.[training]'" in said


def test_recipes_fit_their_machines():
    for recipe in RECIPES.values():
        steps = [phase.until for phase in recipe.phases]
        assert steps == sorted(steps)
        last = recipe.phases[-1]
        assert last.settings.decay_from + last.settings.decay_steps == last.until
        assert last.settings.dialogue_batches > 0
    with torch.device("meta"):
        gpu = load_shape("gpu")
        cpu = load_shape("cpu")
    assert 34 / 32 * gpu < 64 << 20  # bytes of Q8_0
    assert 34 / 32 * cpu < 40_000_000


def load_shape(name):
    model = Qwen3ForCausalLM(model_config(SHAPES[name]))
    model.tie_weights()
    return parameter_count(model)
