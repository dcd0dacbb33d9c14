"""Fine-tuning in miniature: our own model whole, tiny Qwen checkpoints by an adapter."""

import json
import shutil

import msgspec
import numpy as np
import pytest
import torch
from quillon_training.checkpoint import LATEST, load_checkpoint
from quillon_training.cli import main
from quillon_training.corpus import build
from quillon_training.dialogues.records import Call, Dialogue, Message, openai_form
from quillon_training.errors import CheckpointError, ExportError, TrainingError
from quillon_training.export import ModelCard, chat_template, write_gguf, write_model
from quillon_training.finetune import FinetuneSettings, Finetuning
from quillon_training.lora import Adapted, LoraSettings
from quillon_training.model import ModelShape
from quillon_training.own import OwnModel
from quillon_training.pretrain import PretrainSettings, Run
from quillon_training.rendering import Renderer
from quillon_training.sources import python_sources
from quillon_training.supervised import DialogueBatch, DialogueRows, hidden_states
from quillon_training.tokenizer import hugging_face_folder, load_tokenizer, train_tokenizer
from quillon_training.verify import engine_logits, verify_adapter
from transformers import Qwen2Config, Qwen2ForCausalLM, Qwen3ForCausalLM

from quillon.engine.base import Finished, ModelError, Request, Segment
from quillon_testing.engines import engines
from quillon_tools.registry import default_tools

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]
SHAPE = ModelShape(
    vocabulary=600, hidden=64, layers=2, heads=2, kv_heads=1, head_dim=32, feed_forward=128
)
SETTINGS = FinetuneSettings(steps=6, tokens=512, lr=5e-3, warmup=1)
TOOLS = [tool.definition("brief") for tool in default_tools()]
SYMBOLS = ("orders", "prices", "baskets", "names", "rows", "files", "tokens", "keys")


def dialogue(symbol):
    call = Call("search_symbols", {"query": symbol})
    return Dialogue(
        kind="where",
        language="en",
        split="train",
        repository="shop",
        messages=(
            Message("user", f"Where is {symbol}? <tool_call>"),
            Message("assistant", calls=(call,)),
            Message("tool", f"shop/{symbol}.py:3-9 function {symbol}"),
            Message("assistant", f"`{symbol}` is in `shop/{symbol}.py`, line 3."),
        ),
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory, site):
    """A folder with dialogues, a tokenizer, a corpus and a run without any step."""
    folder = tmp_path_factory.mktemp("tuning")
    records = [openai_form(dialogue(symbol), TOOLS) for symbol in SYMBOLS]
    lines = [json.dumps(record) + "\n" for record in records]
    (folder / "dialogues.jsonl").write_text("".join(lines))
    build(python_sources([site]), folder, per_package=10**6, seed=1)
    texts = [*lines, *(path.read_text() for path in site.rglob("*.py"))]
    train_tokenizer(texts, SHAPE.vocabulary).save(str(folder / "tokenizer.json"))
    run = Run(folder / "run", folder / "train", folder / "tokenizer.json")
    run.start(SHAPE, PretrainSettings(length=96, rows_per_batch=2))
    run.save()
    return folder


@pytest.fixture(scope="module", params=["qwen2", "qwen3"])
def checkpoint(request, made, tmp_path_factory):
    """A tiny random checkpoint as Hugging Face has it, and its GGUF."""
    folder = tmp_path_factory.mktemp(request.param)
    tokenizer = load_tokenizer(made / "tokenizer.json")
    torch.manual_seed(5)
    if request.param == "qwen3":
        model = load_checkpoint(made / "run").build_model()
    else:
        model = Qwen2ForCausalLM(qwen2_config())
        for name, value in model.named_parameters():
            if name.endswith("bias"):
                torch.nn.init.normal_(value, std=0.3)
    assert isinstance(model, Qwen2ForCausalLM | Qwen3ForCausalLM)
    model.save_pretrained(folder)
    hugging_face_folder(tokenizer, folder, chat_template())
    (folder / "README.md").write_text("---\nlicense: apache-2.0\n---\nRandom.\n")
    card = ModelCard(name="tiny", version="0", description="Random.")
    write_gguf(
        folder / "base.gguf",
        model.state_dict(),
        SHAPE,
        made / "tokenizer.json",
        kind="f32",
        card=card,
        architecture=request.param,
    )
    return folder


def qwen2_config():
    return Qwen2Config(
        vocab_size=SHAPE.vocabulary,
        hidden_size=SHAPE.hidden,
        num_hidden_layers=SHAPE.layers,
        num_attention_heads=SHAPE.heads,
        num_key_value_heads=SHAPE.kv_heads,
        intermediate_size=SHAPE.feed_forward,
        max_position_embeddings=SHAPE.context,
        rope_parameters={"rope_type": "default", "rope_theta": SHAPE.rope_theta},
        tie_word_embeddings=True,
    )


def own(made):
    return OwnModel(made / "run", load_tokenizer(made / "tokenizer.json"))


def adapted(folder, **settings):
    return Adapted(folder, LoraSettings(rank=4, alpha=16, **settings))


def tuned(made, folder, trainee, **changes):
    settings = msgspec.structs.replace(SETTINGS, **changes)
    training = Finetuning(folder, trainee, made / "dialogues.jsonl", settings)
    training.train(log_every=1)
    return training


def losses(folder):
    return [json.loads(line)["loss"] for line in (folder / "loss.jsonl").read_text().splitlines()]


async def answer(path, **settings):
    """What the engine says to a question; 12 tokens at most."""
    text = "<|im_start|>user\nWhere is orders?<|im_end|>\n<|im_start|>assistant\n"
    request = Request(prompt=(Segment(text, trusted=True),), max_tokens=12)
    async with engines() as made:
        return [event async for event in made.client(path, **settings).generate(request)]


async def test_our_own_model_learns_dialogues_and_answers_in_the_engine(made, tmp_path):
    training = tuned(made, tmp_path / "tune", own(made), steps=12)
    found = losses(tmp_path / "tune")
    assert len(found) == 12
    assert found[-1] < found[0] - 1
    record = json.loads((tmp_path / "tune" / "record.json").read_text())
    assert record["settings"]["seed"] == 1
    assert len(record["data"][0]["sha256"]) == 64
    assert record["versions"]["torch"].startswith("2.")
    finished = load_checkpoint(training.finish())
    path = tmp_path / "tuned.gguf"
    card = ModelCard(name="tuned", version="0", description="A test.")
    write_model(path, finished, made / "tokenizer.json", kind="q8_0", card=card, corpus=made)
    assert (tmp_path / "tuned.gguf.SOURCES.md").read_text().count("| mit |") == 2
    assert json.loads((tmp_path / "tuned.gguf.json").read_text())["settings"]["tensors"]["Q8_0"]
    events = await answer(path)
    assert isinstance(events[-1], Finished)


def test_a_resumed_tuning_is_the_one_that_was_not_interrupted(made, tmp_path):
    whole, first = own(made), own(made)
    tuned(made, tmp_path / "whole", whole)
    stopped = Finetuning(tmp_path / "parts", first, made / "dialogues.jsonl", SETTINGS)
    stopped._interrupt(2, None)
    stopped.train()
    assert (stopped.step, stopped.done) == (0, False)
    stopped._stop = False
    stopped._settings = msgspec.structs.replace(SETTINGS)
    for _ in range(3):
        stopped._pending, stopped._seen = [], 0
        stopped._advance(log_every=100)
    stopped.save()
    again = own(made)
    assert tuned(made, tmp_path / "parts", again).done
    for name, value in whole.state().items():
        torch.testing.assert_close(again.state()[name], value)


def test_only_the_assistant_is_learnt_and_calls_weigh_more(made):
    tokenizer = load_tokenizer(made / "tokenizer.json")
    record = json.loads((made / "dialogues.jsonl").read_text().splitlines()[0])
    rendered = Renderer(tokenizer, call_weight=5.0).dialogue(record["messages"][1:])
    parts = {
        weight: tokenizer.decode(
            [i for i, w in zip(rendered.ids, rendered.weights, strict=True) if w == weight],
            skip_special_tokens=False,
        )
        for weight in (0, 1, 5)
    }
    call = '<tool_call>\n{"name": "search_symbols", "arguments": {"query": "orders"}}\n</tool_call>'
    assert parts[5].startswith(call)
    assert parts[1].endswith("`shop/orders.py`, line 3.<|im_end|>")
    # What users and tools say is not learnt, also where it looks like a call.
    assert "Where is orders? <tool_call>" in parts[0]
    assert "shop/orders.py:3-9 function orders" in parts[0]


def test_an_adapter_answers_in_the_engine_as_in_pytorch(made, checkpoint, tmp_path):
    trainee = adapted(checkpoint)
    before = {name: value.clone() for name, value in trainee.model.state_dict().items()}
    trainee.prepare(SETTINGS, made / "dialogues.jsonl")
    training = tuned(made, tmp_path, trainee, steps=10, lr=2e-2)
    found = losses(tmp_path)
    assert found[-1] < found[0] - 0.1
    for name, value in trainee.model.state_dict().items():
        assert "lora_" in name or torch.equal(value, before[name])
    path = training.finish()
    trainee.model.eval()
    ids = Renderer(trainee.tokenizer).dialogue(
        openai_form(dialogue("orders"), TOOLS)["messages"][1:]
    )
    texts = [ids.ids[:60], ids.ids[30:80]]
    result = verify_adapter(checkpoint / "base.gguf", path, trainee.model, texts, tolerance=0.02)
    assert result.positions == sum(map(len, texts))
    plain = engine_logits(checkpoint / "base.gguf", None, texts)
    changed = engine_logits(checkpoint / "base.gguf", path, texts)
    assert np.abs(plain[0] - changed[0]).max() > 0.5
    with pytest.raises(ExportError, match="does not answer like its source"):
        verify_adapter(
            checkpoint / "base.gguf", None or path, adapted(checkpoint).model, texts, tolerance=0.02
        )


def test_a_resumed_adapter_is_the_one_that_was_not_interrupted(made, checkpoint, tmp_path):
    whole, last = adapted(checkpoint), adapted(checkpoint, seed=9)
    tuned(made, tmp_path / "whole", whole, lr=1e-3)
    tuned(made, tmp_path / "parts", adapted(checkpoint), lr=1e-3)
    # The same folder again, all steps taken: nothing is trained, and what was trained is there.
    tuned(made, tmp_path / "parts", last, lr=1e-3)
    for name, value in whole.state().items():
        torch.testing.assert_close(last.state()[name], value)


def test_checkpointed_layers_give_the_same_gradients(made, checkpoint):
    batch = DialogueRows(
        made / "dialogues.jsonl",
        load_tokenizer(checkpoint / "tokenizer.json"),
        tokens=256,
        seed=1,
    ).batch(0)
    gradients = []
    for checkpointing in (False, True):
        trainee = adapted(checkpoint)
        settings = msgspec.structs.replace(SETTINGS, checkpointing=checkpointing)
        trainee.prepare(settings, made / "dialogues.jsonl")
        trainee.model.train()
        training = Finetuning(made / "never", trainee, made / "dialogues.jsonl", settings)
        hidden = training._hidden(DialogueBatch(batch.prefix, batch.ids, batch.weights))
        if not checkpointing:
            torch.testing.assert_close(hidden, hidden_states(trainee.model, batch))
        hidden.square().sum().backward()
        found = {
            name: value.grad for name, value in trainee.model.named_parameters() if "lora_B" in name
        }
        assert all(value is not None for value in found.values())
        gradients.append(found)
    for name, value in gradients[0].items():
        torch.testing.assert_close(gradients[1][name], value, rtol=2e-3, atol=2e-3)


async def test_an_adapter_changes_what_the_engine_says(made, checkpoint, tmp_path):
    trainee = adapted(checkpoint)
    path = tuned(made, tmp_path, trainee, steps=10, lr=2e-2).finish()
    plain = await answer(checkpoint / "base.gguf")
    changed = await answer(checkpoint / "base.gguf", adapter=str(path))
    assert isinstance(changed[-1], Finished)
    assert changed[1:-1] != plain[1:-1]
    other = tmp_path / "other.gguf"
    card = ModelCard(name="wider", version="0", description="Another model.")
    shape = msgspec.structs.replace(SHAPE, layers=1)
    weights = {
        name: value
        for name, value in load_checkpoint(made / "run").model.items()
        if ".layers.1." not in name
    }
    write_gguf(other, weights, shape, made / "tokenizer.json", kind="f32", card=card)
    with pytest.raises(ModelError, match=r"LoRA adapter .* cannot be used with this model") as said:
        await answer(other, adapter=str(path))
    assert "model.adapter" in str(said.value)
    cut = tmp_path / "cut.gguf"
    cut.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(ModelError, match=r"cut\.gguf"):
        await answer(checkpoint / "base.gguf", adapter=str(cut))


@pytest.fixture
def copied(checkpoint, tmp_path):
    """A copy of the checkpoint, to be damaged."""
    return shutil.copytree(checkpoint, tmp_path / "copy")


def test_a_checkpoint_without_a_licence_is_told(copied):
    (copied / "README.md").write_text("# A model\n")
    with pytest.raises(TrainingError, match="names no licence") as said:
        adapted(copied)
    assert "--licence" in said.value.hint
    named = Adapted(copied, LoraSettings(rank=4), licence="mit")
    assert named.licence == "mit"


def test_a_damaged_checkpoint_is_told(copied):
    weights = copied / "model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CheckpointError, match="cannot be read") as said:
        adapted(copied)
    assert "Download it again" in said.value.hint
    weights.write_bytes(whole)
    config = json.loads((copied / "config.json").read_text())
    (copied / "config.json").write_text(json.dumps(config | {"intermediate_size": 256}))
    with pytest.raises(CheckpointError, match=r"lacks weights that fit|cannot be read"):
        adapted(copied)
    (copied / "config.json").write_text(
        json.dumps(config | {"architectures": ["LlamaForCausalLM"]})
    )
    with pytest.raises(CheckpointError, match="is a LlamaForCausalLM"):
        adapted(copied)
    (copied / "config.json").write_text("{")
    with pytest.raises(CheckpointError, match="is no checkpoint"):
        adapted(copied)


def test_another_chat_template_is_told(made, copied):
    template = copied / "chat_template.jinja"
    template.write_text(template.read_text().replace("<|im_end|>", "<|endoftext|>"))
    with pytest.raises(TrainingError, match="writes tool calls in another form"):
        adapted(copied).prepare(SETTINGS, made / "dialogues.jsonl")


def test_a_tokenizer_of_another_model_is_told(made, copied, tmp_path):
    words = [a + b + c for a in "bdfgklmnprst" for b in "aeiou" for c in "bdfgklmnprst"]
    large = [f"{one} {other}" for one, other in zip(words, reversed(words), strict=True)]
    train_tokenizer(large * 2, 900).save(str(tmp_path / "large.json"))
    shutil.copy(tmp_path / "large.json", copied / "tokenizer.json")
    with pytest.raises(CheckpointError, match="tokenizer does not match the model"):
        adapted(copied)
    with pytest.raises(CheckpointError, match="tokenizer does not match the model"):
        OwnModel(made / "run", load_tokenizer(tmp_path / "large.json"))


def test_a_run_of_another_model_or_rank_is_not_gone_on_with(made, checkpoint, tmp_path):
    tuned(made, tmp_path, adapted(checkpoint), steps=1)
    with pytest.raises(CheckpointError, match="holds a run of an adapter of rank 4"):
        tuned(made, tmp_path, own(made))
    with pytest.raises(CheckpointError, match="holds a run of an adapter of rank 4"):
        tuned(made, tmp_path, Adapted(checkpoint, LoraSettings(rank=2)))


def test_a_loss_that_is_no_number_ends_and_what_was_saved_stays(made, tmp_path):
    tuned(made, tmp_path, own(made), steps=1)
    before = (tmp_path / LATEST).read_bytes()
    with pytest.raises(TrainingError, match=r"loss of step \d+ is nan") as said:
        tuned(made, tmp_path, own(made), steps=60, lr=1e30)
    assert "--lr" in said.value.hint
    assert (tmp_path / LATEST).read_bytes() == before


def test_the_command_line_trains_verifies_and_says_what_is_unclear(
    made, checkpoint, tmp_path, monkeypatch, capsys
):
    dialogues = ["--dialogues", str(made / "dialogues.jsonl")]
    model = ["--model", str(checkpoint), "--rank", "4", "--alpha", "16"]

    def said(*arguments):
        monkeypatch.setattr("sys.argv", ["train", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        output = capsys.readouterr()
        return ended.value.code, output.out, " ".join(output.err.split())

    code, out, err = said("finetune", tmp_path, *dialogues, *model, "--steps", 2, "--threads", 1)
    assert (code, json.loads(out)["steps"]) == (0, 2), err
    assert json.loads((tmp_path / "loss.jsonl").read_text())["minutes_left"] == 0
    base = checkpoint / "base.gguf"
    code, out, err = said("verify-adapter", tmp_path, base, *dialogues, *model)
    assert code == 0, err
    assert json.loads(out)["largest_difference"] < 0.05
    code, _, err = said("finetune", tmp_path / "none", *dialogues)
    assert code == 1
    assert "What to train is not clear" in err
    assert "--model" in err
