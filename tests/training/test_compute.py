"""One code base for a CPU and a GPU: bf16 and compiled passes, tried on the CPU in miniature."""

import json

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")
pytest.importorskip("datasketch")

import torch
from quillon_training.checkpoint import load_checkpoint
from quillon_training.cli import _compute
from quillon_training.compute import Compute, multiplies_bf16
from quillon_training.corpus import Corpus, build
from quillon_training.curve import read_losses
from quillon_training.errors import TrainingError
from quillon_training.model import SHAPES
from quillon_training.optim import orthogonalised
from quillon_training.pretrain import PretrainSettings, Run
from quillon_training.sources import python_sources
from quillon_training.tokenizer import sample_texts, train_tokenizer

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]
SETTINGS = PretrainSettings(
    length=96, rows_per_batch=4, batches_per_step=1, warmup=4, lr=1e-2, dialogue_batches=1
)
TALK = [
    {"role": "system", "content": "You help."},
    {"role": "user", "content": "hello"},
    {"role": "assistant", "content": "Hello! What is it?"},
]


@pytest.fixture(scope="module")
def made(site, tmp_path_factory):
    folder = tmp_path_factory.mktemp("compute")
    build(python_sources([site]), folder, per_package=10**6, seed=1)
    texts = sample_texts(Corpus(folder / "train"), 40, seed=1)
    train_tokenizer(texts, SHAPES["miniature"].vocabulary).save(str(folder / "tokenizer.json"))
    row = json.dumps({"messages": TALK, "tools": []})
    (folder / "dialogues.jsonl").write_text(f"{row}\n" * 3)
    return folder


def trained(made, folder, compute, steps):
    run = Run(
        folder,
        made / "train",
        made / "tokenizer.json",
        made / "dialogues.jsonl",
        compute=compute,
    )
    if folder.exists():
        run.resume()
    else:
        run.start(SHAPES["miniature"], SETTINGS)
    run.train(threads=1, steps=steps, minutes=None, log_every=1)
    return run


def test_bf16_learns_and_keeps_fp32_weights(made, tmp_path):
    run = trained(made, tmp_path / "run", Compute(bf16=True), 12)
    losses = read_losses(tmp_path / "run" / "loss.jsonl")
    assert losses[-1].loss < losses[0].loss
    assert losses[-1].dialogue_loss < losses[0].dialogue_loss
    assert {value.dtype for value in run.model.state_dict().values()} == {torch.float32}
    precise = trained(made, tmp_path / "precise", Compute(bf16=False), 1)
    rough = trained(made, tmp_path / "rough", Compute(bf16=True), 1)
    one, other = (each.model.model.embed_tokens.weight for each in (precise, rough))
    assert not torch.equal(one, other)
    torch.testing.assert_close(one, other, rtol=0, atol=3e-2)


def test_a_compiled_pass_computes_the_same(made, tmp_path):
    plain = trained(made, tmp_path / "plain", Compute(bf16=False), 2)
    eager = Compute(bf16=False, compiled="eager")
    compiled = trained(made, tmp_path / "compiled", eager, 2)
    for name, value in plain.model.state_dict().items():
        torch.testing.assert_close(compiled.model.state_dict()[name], value, rtol=1e-3, atol=1e-3)
    assert set(load_checkpoint(tmp_path / "compiled").model) == set(plain.model.state_dict())


def test_a_checkpoint_goes_on_in_another_precision(made, tmp_path):
    trained(made, tmp_path / "run", Compute(bf16=True), 2)
    assert trained(made, tmp_path / "run", Compute(bf16=False), 4).step == 4


def test_what_suits_a_device_is_chosen(monkeypatch):
    module = torch.nn.Linear(2, 2)
    assert Compute().forward(module) is module
    assert Compute(compiled="eager").forward(module) is not module
    assert Compute(device="auto").torch_device().type in {"cpu", "cuda"}
    with Compute(bf16=False).autocast():
        assert module(torch.ones(1, 2)).dtype == torch.float32
    with Compute(bf16=True).autocast():
        assert module(torch.ones(1, 2)).dtype == torch.bfloat16
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(TrainingError, match="no GPU"):
        Compute(device="cuda").torch_device()


@pytest.mark.parametrize(
    ("has", "chosen"),
    [
        ({"avx2": True}, torch.float32),
        ({"avx512_bf16": True, "avx512_f": True}, torch.bfloat16),
        ({"amx_bf16": True}, torch.bfloat16),
    ],
)
def test_bf16_is_chosen_where_the_processor_multiplies_it(monkeypatch, has, chosen):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: has)
    multiplies_bf16.cache_clear()
    try:
        with Compute().autocast():
            assert torch.nn.Linear(2, 2)(torch.ones(1, 2)).dtype == chosen
        matrix = orthogonalised(torch.eye(3)[:2])
        assert matrix.dtype == torch.float32
        torch.testing.assert_close(matrix @ matrix.T, torch.eye(2), rtol=0, atol=0.4)
    finally:
        multiplies_bf16.cache_clear()


def test_options_become_a_choice():
    assert _compute("auto", bf16=None, compiled=None) == Compute("auto")
    assert _compute("cpu", bf16=True, compiled=True) == Compute("cpu", True, "inductor")
    assert _compute("cpu", bf16=None, compiled=False).compiled == ""
    with pytest.raises(TrainingError, match="no device tpu"):
        _compute("tpu", bf16=None, compiled=None)
