"""The whole pipeline in miniature: texts in, a GGUF that answers like PyTorch out."""

import re

import msgspec
import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")
pytest.importorskip("datasketch")

import numpy as np
import torch
from quillon_training.checkpoint import load_checkpoint
from quillon_training.compression import measure
from quillon_training.corpus import Corpus, build
from quillon_training.errors import CheckpointError, ExportError, TrainingError
from quillon_training.evaluate import evaluate_fim
from quillon_training.examples import ExampleMaker, Mixture
from quillon_training.export import ModelCard, write_gguf
from quillon_training.loss import weighted_cross_entropy
from quillon_training.model import SHAPES, build_model, grow
from quillon_training.optim import learning_rate, orthogonalised
from quillon_training.pretrain import PretrainSettings, Run
from quillon_training.rows import Rows, StreamState
from quillon_training.sources import python_sources
from quillon_training.tokenizer import (
    END_OF_TEXT,
    FIM_MIDDLE,
    FIM_PREFIX,
    FIM_SUFFIX,
    MAX_TOKEN_BYTES,
    SPECIAL_TOKENS,
    load_tokenizer,
    sample_texts,
    train_tokenizer,
)
from quillon_training.verify import verify_gguf

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]
SETTINGS = PretrainSettings(length=96, rows_per_batch=4, batches_per_step=1, warmup=4, lr=1e-2)


@pytest.fixture(scope="module")
def made(site, tmp_path_factory):
    folder = tmp_path_factory.mktemp("pipeline")
    build(python_sources([site]), folder, per_package=10**6, seed=1)
    texts = sample_texts(Corpus(folder / "train"), 40, seed=1)
    train_tokenizer(texts, SHAPES["miniature"].vocabulary).save(str(folder / "tokenizer.json"))
    return folder


def start(made, run):
    training = Run(run, made / "train", made / "tokenizer.json")
    training.start(SHAPES["miniature"], SETTINGS)
    return training


def test_special_tokens_come_first_and_in_text_are_text(made):
    tokenizer = load_tokenizer(made / "tokenizer.json")
    assert [tokenizer.id_to_token(i) for i in range(len(SPECIAL_TOKENS))] == list(SPECIAL_TOKENS)
    text = "a = '<|im_end|><tool_call>'\n"
    assert min(tokenizer.encode(text).ids) >= len(SPECIAL_TOKENS)
    assert tokenizer.decode(tokenizer.encode(text).ids) == text
    parsing = load_tokenizer(made / "tokenizer.json", parse_special=True)
    assert SPECIAL_TOKENS.index("<|im_end|>") in parsing.encode(text).ids


def test_no_token_joins_punctuation_with_letters_or_is_too_long(made):
    tokenizer = load_tokenizer(made / "tokenizer.json")
    for index in range(len(SPECIAL_TOKENS), tokenizer.get_vocab_size()):
        token = tokenizer.decode([index])
        assert not re.search(r"[^\w\s\ufffd]\w|\w[^\w\s\ufffd]|_[a-zA-Z]|[a-zA-Z]_", token), token
        assert len(token.encode()) <= MAX_TOKEN_BYTES


def test_an_end_token_follows_every_middle(made):
    tokenizer = load_tokenizer(made / "tokenizer.json")
    corpus = Corpus(made / "train")
    mixture = Mixture(fim=1.0, middle_weight=2.0)
    rows = Rows(corpus, ExampleMaker(tokenizer, mixture, 128), length=128, characters=330, seed=1)
    holes = 0
    for _ in range(40):
        ids, weights = rows.next_row()
        for at in np.flatnonzero(ids == FIM_MIDDLE):
            holes += 1
            end = at + 1 + int(np.argmax(ids[at + 1 :] == END_OF_TEXT))
            assert ids[end] == END_OF_TEXT
            assert (weights[at + 1 : end + 1] == 2.0).all()
            assert not set(ids[at + 1 : end]) & {FIM_PREFIX, FIM_SUFFIX, FIM_MIDDLE}
    assert holes > 20


def test_a_resumed_stream_goes_on_with_the_next_row(made):
    tokenizer, corpus = load_tokenizer(made / "tokenizer.json"), Corpus(made / "train")

    def stream(state=None):
        maker = ExampleMaker(tokenizer, Mixture(), 64)
        return Rows(corpus, maker, length=64, characters=160, seed=3, state=state)

    whole = stream()
    expected = [whole.next_row()[0] for _ in range(30)]
    first = stream()
    for _ in range(11):
        first.next_row()
    saved = msgspec.convert(msgspec.to_builtins(first.state), StreamState)
    resumed = stream(saved)
    for row in expected[11:]:
        assert (resumed.next_row()[0] == row).all()


def test_a_resumed_run_is_the_run_that_was_not_interrupted(made, tmp_path):
    whole = start(made, tmp_path / "whole")
    whole.train(threads=1, steps=6, minutes=None)
    start(made, tmp_path / "parts").train(threads=1, steps=3, minutes=None)
    again = Run(tmp_path / "parts", made / "train", made / "tokenizer.json")
    again.resume()
    again.train(threads=1, steps=6, minutes=None)
    for name, value in whole.model.state_dict().items():
        torch.testing.assert_close(again.model.state_dict()[name], value)


def test_a_damaged_checkpoint_falls_back_to_the_one_before(made, tmp_path):
    training = start(made, tmp_path)
    training.train(threads=1, steps=1, minutes=None)
    training.train(threads=1, steps=2, minutes=None)
    latest = tmp_path / "latest.pt"
    latest.write_bytes(latest.read_bytes()[:1000])
    assert load_checkpoint(tmp_path).step == 1
    (tmp_path / "previous.pt").unlink()
    with pytest.raises(CheckpointError, match="no readable checkpoint"):
        load_checkpoint(tmp_path)
    with pytest.raises(TrainingError, match="already holds a run"):
        start(made, tmp_path)


@pytest.mark.parametrize("kind", ["f16", "q8_0"])
def test_a_trained_model_answers_alike_in_llama_cpp(made, tmp_path, kind):
    pytest.importorskip("llama_cpp")
    training = start(made, tmp_path)
    training.train(threads=1, steps=30, minutes=None)
    saved = load_checkpoint(tmp_path)
    path = tmp_path / "model.gguf"
    card = ModelCard(name="Miniature", version="0", description="A test.")
    tokenizer = made / "tokenizer.json"
    write_gguf(path, saved.average, saved.shape, tokenizer, kind=kind, card=card)
    model = saved.build_model(averaged=True).eval()
    parsing = load_tokenizer(tokenizer, parse_special=True)
    corpus = Corpus(made / "heldout")
    result = verify_gguf(path, model, parsing, corpus, kind=kind, snippets=50)
    assert result.equal_snippets == 50
    reports, holes = evaluate_fim(path, load_tokenizer(tokenizer), corpus, holes=4)
    assert [report.order for report in reports] == ["psm", "spm"]
    assert len(holes) == 4


def test_bits_per_byte_of_a_model_that_knows_nothing(made):
    model = build_model(SHAPES["miniature"], seed=1)
    tokenizer = load_tokenizer(made / "tokenizer.json")
    result = measure(model, tokenizer, Corpus(made / "heldout"), files=1, length=96)
    assert result.tokens == 79
    assert abs(result.loss - np.log(SHAPES["miniature"].vocabulary)) < 0.3
    assert 1 < result.bits_per_byte < 9


def test_a_tokenizer_of_another_model_is_refused(made, tmp_path):
    model = build_model(SHAPES["cpu"], seed=1)
    with pytest.raises(ExportError, match="does not match the model"):
        write_gguf(
            tmp_path / "m.gguf",
            model.state_dict(),
            SHAPES["cpu"],
            made / "tokenizer.json",
            kind="q8_0",
            card=ModelCard(name="x", version="0", description=""),
        )


def test_the_chunked_loss_is_cross_entropy():
    torch.manual_seed(0)
    hidden = torch.randn(2500, 16, requires_grad=True)
    output = torch.randn(40, 16, requires_grad=True)
    targets, weights = torch.randint(0, 40, (2500,)), torch.randint(0, 3, (2500,)).float()
    plain = (
        torch.nn.functional.cross_entropy(hidden @ output.T, targets, reduction="none") * weights
    ).sum()
    expected = torch.autograd.grad(plain, (hidden, output))
    chunked = weighted_cross_entropy(hidden, output, targets, weights)
    found = torch.autograd.grad(chunked, (hidden, output))
    torch.testing.assert_close(chunked, plain)
    for ours, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)


def test_orthogonal_updates_have_singular_values_near_one():
    torch.manual_seed(0)
    values = torch.linalg.svdvals(orthogonalised(torch.randn(24, 64)))
    assert values.min() > 0.5
    assert values.max() < 1.3


def test_the_schedule_warms_up_stays_and_decays():
    rates = [learning_rate(s, peak=1.0, warmup=4, decay_from=10, decay_steps=10) for s in range(21)]
    assert rates[0] == 0.25
    assert rates[4:10] == [1.0] * 6
    assert rates[9:] == sorted(rates[9:], reverse=True)
    assert rates[19] == 0


def test_a_grown_model_repeats_its_layers():
    model = build_model(SHAPES["miniature"], seed=1)
    grown, shape = grow(model, SHAPES["miniature"], 2)
    assert shape.layers == 4
    weights = grown.state_dict()
    name = "model.layers.{}.mlp.up_proj.weight"
    assert torch.equal(weights[name.format(3)], weights[name.format(1)])
