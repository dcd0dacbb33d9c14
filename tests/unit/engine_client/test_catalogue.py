"""The recommended models: what the table says, and which of them a machine is told to use."""

from pathlib import Path

import pytest

from quillon.engine.catalogue import RECOMMENDED, recommended, recommended_at
from quillon.engine.machine import GIB, Gpu, MachineFacts
from quillon.engine.planning import plan_recommended
from quillon.engine.pull.request import HubFile, parse, place_of


def machine(memory: float, *gpus: Gpu) -> MachineFacts:
    size = int(memory * GIB)
    return MachineFacts(cores=4, memory=size, free_memory=int(size * 0.8), gpus=gpus)


def fitting(facts: MachineFacts) -> list[str]:
    return [model.name for model in RECOMMENDED if plan_recommended(model, facts)]


@pytest.mark.parametrize("model", RECOMMENDED, ids=lambda model: model.name)
def test_an_entry_is_consistent(model):
    assert parse(model.name) == HubFile(model.repo, model.file)
    assert recommended(model.name.upper()) is model
    folder = Path("/models")
    assert recommended_at(model.path(folder), folder) is model
    assert Path(place_of(*model.repo.split("/"), model.file)) == model.path(Path())
    # Q4_K_M takes 4.5 to 6 bits a weight: the smaller the model, the more for its embeddings.
    assert 4.5 < model.size * 8 / model.shape.parameters < 6


def test_a_machine_is_told_what_fits():
    assert fitting(machine(2)) == []
    assert fitting(machine(4)) == ["qwen2.5-coder-1.5b"]
    assert fitting(machine(6)) == ["qwen2.5-coder-1.5b", "qwen2.5-coder-3b", "qwen3-4b"]
    assert fitting(machine(8)) == [model.name for model in RECOMMENDED]


def test_a_graphics_card_takes_a_model_whole():
    card = Gpu("card", free=24 * GIB, total=24 * GIB)
    plans = [plan_recommended(model, machine(16, card)) for model in RECOMMENDED]
    assert [plan and plan.gpu_layers for plan in plans] == [-1] * len(RECOMMENDED)
