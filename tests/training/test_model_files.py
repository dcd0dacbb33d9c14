"""Model files: formats through llama.cpp, what they carry, and inputs that are no good."""

import json
import logging
import signal

import gguf
import msgspec
import pytest
import torch
from quillon_training.adopt import adopt
from quillon_training.checkpoint import LATEST, load_checkpoint
from quillon_training.corpus import Corpus, build
from quillon_training.dialogues.records import Call, Dialogue, Message, openai_form
from quillon_training.errors import CheckpointError, CorpusError, ExportError, TrainingError
from quillon_training.export import FORMATS, ModelCard, write_gguf, write_model
from quillon_training.gguf_file import written
from quillon_training.model import SHAPES, ModelShape
from quillon_training.pretrain import PretrainSettings, Run
from quillon_training.recipes import RECIPES, Phase, Recipe, follow
from quillon_training.sharing import write_shared
from quillon_training.sources import python_sources
from quillon_training.tokenizer import load_tokenizer, train_tokenizer
from quillon_training.verify import require_tools, verify_gguf

from quillon.engine.models import EMBEDDED
from quillon_testing.gguf_files import CHAT_MODEL
from quillon_testing.gguf_files import gguf_bytes as header_only
from quillon_tools.registry import default_tools

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]
# Rows of 256 weights, as K-quants need them.
SHAPE = ModelShape(
    vocabulary=360, hidden=256, layers=1, heads=2, kv_heads=1, head_dim=128, feed_forward=256
)
SETTINGS = PretrainSettings(length=64, rows_per_batch=2, batches_per_step=1, warmup=2)
CARD = ModelCard(name="Tiny", version="7", description="A test.", licence="mit")
TOOLS = [tool.definition("brief") for tool in default_tools()]


@pytest.fixture(scope="module")
def made(tmp_path_factory, site):
    folder = tmp_path_factory.mktemp("files")
    build(python_sources([site]), folder, per_package=10**6, seed=1)
    texts = [path.read_text() for path in site.rglob("*.py")]
    train_tokenizer(texts, SHAPE.vocabulary).save(str(folder / "tokenizer.json"))
    run = Run(folder / "run", folder / "train", folder / "tokenizer.json")
    run.start(SHAPE, SETTINGS)
    run.train(threads=1, steps=2, minutes=None)
    return folder


@pytest.mark.parametrize("kind", ["q6_k", "q4_k_m", "iq4_nl"])
def test_a_quantised_file_answers_nearly_as_pytorch_does(made, tmp_path, kind):
    saved = load_checkpoint(made / "run")
    path = tmp_path / "m.gguf"
    write_model(path, saved, made / "tokenizer.json", kind=kind, card=CARD, corpus=made)
    assert sorted(file.name for file in tmp_path.iterdir()) == [
        "m.gguf",
        "m.gguf.SOURCES.md",
        "m.gguf.json",
    ]
    types = json.loads((tmp_path / "m.gguf.json").read_text())["settings"]["tensors"]
    assert {"q6_k": "Q6_K", "q4_k_m": "Q4_K", "iq4_nl": "IQ4_NL"}[kind] in types
    model = saved.build_model(averaged=True).eval()
    parsing = load_tokenizer(made / "tokenizer.json", parse_special=True)
    result = verify_gguf(path, model, parsing, Corpus(made / "heldout"), kind=kind, snippets=12)
    assert result.equal_snippets == 12
    assert result.largest_difference > 0


def test_a_model_file_carries_its_card_its_template_and_its_tokens(made, tmp_path):
    saved = load_checkpoint(made / "run")
    path = tmp_path / "m.gguf"
    write_model(path, saved, made / "tokenizer.json", kind="f16", card=CARD)
    fields = {name: field.contents() for name, field in gguf.GGUFReader(path).fields.items()}
    assert fields["general.name"] == "Tiny"
    assert fields["general.version"] == "7"
    assert fields["general.license"] == "mit"
    assert fields["general.type"] == "model"
    assert fields["general.languages"] == ["en", "zh"]
    assert "<tool_call>" in fields["tokenizer.chat_template"]
    names = fields["tokenizer.ggml.tokens"]
    for key, token in (("pre", "prefix"), ("suf", "suffix"), ("mid", "middle")):
        assert names[fields[f"tokenizer.ggml.fim_{key}_token_id"]] == f"<|fim_{token}|>"
    record = json.loads((tmp_path / "m.gguf.json").read_text())
    assert record["settings"]["training"]["seed"] == 1
    assert record["settings"]["step"] == 2
    assert {"python", "torch", "gguf"} <= set(record["versions"])
    assert record["data"][0]["kind"] == "tokenizer"


def test_a_run_goes_on_from_a_model_file(made, tmp_path):
    saved = load_checkpoint(made / "run")
    path, learnt = tmp_path / "m.gguf", tmp_path / "learnt.json"
    card = msgspec.structs.replace(CARD, description="Trained on 12.5M tokens of code.")
    write_model(path, saved, made / "tokenizer.json", kind="q8_0", card=card)
    assert adopt(path, tmp_path / "run", learnt) == 12_500_000
    assert json.loads(learnt.read_text()) == json.loads((made / "tokenizer.json").read_text())
    begun = load_checkpoint(tmp_path / "run")
    assert (begun.step, begun.tokens, begun.shape) == (0, 12_500_000, SHAPE)
    for name, value in saved.average.items():
        torch.testing.assert_close(begun.model[name], value, rtol=0, atol=2e-3)
    run = Run(tmp_path / "run", made / "train", learnt)
    run.resume(SETTINGS)
    run.train(threads=1, steps=1, minutes=None)
    assert load_checkpoint(tmp_path / "run").step == 1
    with pytest.raises(TrainingError, match="already holds a run"):
        adopt(path, tmp_path / "run", learnt)


@pytest.mark.parametrize("broken", ["text", "cut", "other", "renamed"])
def test_a_file_that_no_run_can_begin_from_is_told(made, tmp_path, broken):
    path = tmp_path / "m.gguf"
    if broken == "text":
        path.write_text("no model\n" * 99)
    elif broken == "cut":
        write_model(
            path, load_checkpoint(made / "run"), made / "tokenizer.json", kind="f16", card=CARD
        )
        path.write_bytes(path.read_bytes()[:-4096])
    elif broken == "renamed":
        saved = load_checkpoint(made / "run")
        write_model(path, saved, made / "tokenizer.json", kind="f16", card=CARD)
        whole = path.read_bytes()
        path.write_bytes(whole.replace(b"blk.0.attn_q.weight", b"blk.0.attn_z.weight"))
    else:
        path.write_bytes(header_only(CHAT_MODEL))
    tokenizer = tmp_path / "tokenizer.json"
    tokenizer.write_text("another one")
    with pytest.raises(CheckpointError, match="no model that a run can begin from") as told:
        adopt(path, tmp_path / "run", tokenizer)
    assert "the one that ships" in told.value.hint
    assert tokenizer.read_text() == "another one"
    assert not (tmp_path / "run" / LATEST).exists()


def test_what_cannot_be_exported_is_told(made, tmp_path):
    saved, path = load_checkpoint(made / "run"), tmp_path / "m.gguf"
    tokenizer = made / "tokenizer.json"
    with pytest.raises(ExportError, match="no format q3") as said:
        write_model(path, saved, tokenizer, kind="q3", card=CARD)
    assert all(kind in said.value.hint for kind in FORMATS)
    nameless = msgspec.structs.replace(CARD, licence=" ")
    with pytest.raises(ExportError, match="names no licence"):
        write_model(path, saved, tokenizer, kind="q6_k", card=nameless)
    with pytest.raises(ExportError, match=r"has no SOURCES\.md"):
        write_model(path, saved, tokenizer, kind="f16", card=CARD, corpus=tmp_path)
    with pytest.raises(ExportError, match="no tokenizer of ours"):
        write_model(path, saved, made / "train" / "sources.json", kind="f16", card=CARD)
    wider = msgspec.structs.replace(SHAPE, vocabulary=361)
    with pytest.raises(ExportError, match="360 tokens for 361"):
        write_gguf(path, saved.model, wider, tokenizer, kind="f16", card=CARD)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_hold_tools_is_told(tmp_path):
    require_tools(EMBEDDED)
    path = tmp_path / "m.gguf"
    path.write_bytes(header_only(CHAT_MODEL | {"tokenizer.ggml.tokens": ["a", "b", "c", "d"]}))
    with pytest.raises(ExportError, match="vocabulary has no <tool_call>"):
        require_tools(path)
    path.write_bytes(header_only(CHAT_MODEL | {"tokenizer.chat_template": "{{ messages }}"}))
    with pytest.raises(ExportError, match="chat template shows the model none"):
        require_tools(path)
    path.write_bytes(b"GGUF")
    with pytest.raises(ExportError, match="cannot be read"):
        require_tools(path)


def test_the_recipe_for_a_gpu_takes_steps_on_a_cpu(made, dialogues, tmp_path):
    """Its widths, optimisers and phases; one layer, few and short rows, a vocabulary of ours."""
    small = {"length": 64, "rows_per_batch": 2, "batches_per_step": 1}
    recipe = RECIPES["gpu"]
    phases = tuple(
        Phase(
            number + 1,
            msgspec.structs.replace(
                phase.settings,
                **small,
                decay_from=number and 1,
                decay_steps=1,
                dialogue_batches=min(1, phase.settings.dialogue_batches),
                dialogue_tokens=256,
            ),
        )
        for number, phase in enumerate(recipe.phases)
    )
    run = Run(tmp_path, made / "train", made / "tokenizer.json", dialogues)
    run.start(
        msgspec.structs.replace(SHAPES[recipe.shape], vocabulary=SHAPE.vocabulary, layers=1),
        phases[0].settings,
    )
    run.save()
    follow(Recipe("gpu", phases), tmp_path, run, threads=1)
    assert run.step == 2
    assert load_checkpoint(tmp_path).shape.hidden == SHAPES["gpu"].hidden


def test_an_interrupted_recipe_goes_on_with_the_same_command(made, dialogues, tmp_path):
    phases = (
        Phase(2, SETTINGS),
        Phase(
            4,
            msgspec.structs.replace(
                SETTINGS, decay_from=2, decay_steps=2, dialogue_batches=1, dialogue_tokens=256
            ),
        ),
    )
    recipe = Recipe("miniature", phases)
    small = msgspec.structs.replace(SHAPES["miniature"], vocabulary=SHAPE.vocabulary)

    def run():
        return Run(tmp_path, made / "train", made / "tokenizer.json", dialogues)

    first = run()
    first.start(small, SETTINGS)
    first.save()
    for at_most in (1, 3):
        with pytest.raises(TrainingError, match=f"Stopped at step {at_most} of 4"):
            follow(recipe, tmp_path, run(), threads=1, at_most=at_most)
    last = run()
    follow(recipe, tmp_path, last, threads=1)
    assert (last.step, last.settings.decay_from) == (4, 2)


class Terminating(logging.Handler):
    """Sends this process a signal when the training says that it is at work."""

    def emit(self, record):
        if "tokens/s" in record.getMessage():
            signal.raise_signal(signal.SIGTERM)


def test_a_signal_ends_a_training_with_a_checkpoint(made, tmp_path):
    run = Run(tmp_path, made / "train", made / "tokenizer.json")
    run.start(SHAPE, SETTINGS)
    handler = Terminating()
    logger = logging.getLogger("quillon_training.pretrain")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        run.train(threads=1, steps=1_000_000, minutes=None, log_every=3)
    finally:
        logger.removeHandler(handler)
        logger.setLevel(logging.NOTSET)
    assert load_checkpoint(tmp_path).step == run.step == 3


@pytest.fixture(scope="module")
def dialogues(tmp_path_factory):
    """JSON Lines with one call, parallel calls, and a wrong call that is not to be learnt."""
    path = tmp_path_factory.mktemp("dialogues") / "dialogues.jsonl"
    find, read = Call("search_symbols", {"query": "total"}), Call("read_file", {"path": "a.py"})
    asked, told = Message("user", "Where is total? 在哪里？"), Message("assistant", "In `a.py`.")
    found = Message("tool", "a.py:1-2 function total")
    talks = [
        (asked, Message("assistant", calls=(find,)), found, told),
        (asked, Message("assistant", calls=(find, read)), found, Message("tool", "x = 1"), told),
        (asked, Message("assistant", calls=(read,), trained=False), found, told),
        (Message("user", "Hello"), Message("assistant", "Hello.")),
    ]
    made = [Dialogue("where", "en", "train", "shop", talk) for talk in talks]
    records = [openai_form(item, TOOLS) for item in made]
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def test_shared_dialogues_have_the_forms_of_other_trainers(dialogues, tmp_path):
    assert write_shared(dialogues, tmp_path) == {"written": 3, "left_out": 1}
    info = json.loads((tmp_path / "dataset_info.json").read_text())["quillon"]
    rows = [json.loads(line) for line in (tmp_path / info["file_name"]).read_text().splitlines()]
    for row in rows:
        assert set(info["columns"].values()) == set(row)
        turns = row["conversations"]
        # Odd turns ask and even ones answer, or LLaMA-Factory skips the dialogue.
        assert {turn["from"] for turn in turns[::2]} <= {"human", "observation"}
        assert {turn["from"] for turn in turns[1::2]} <= {"gpt", "function_call"}
        assert len(turns) % 2 == 0
        assert json.loads(row["tools"]) == TOOLS
    call = {"name": "search_symbols", "arguments": {"query": "total"}}
    assert json.loads(rows[0]["conversations"][1]["value"]) == call
    both = rows[1]["conversations"]
    assert [call["name"] for call in json.loads(both[1]["value"])] == [
        "search_symbols",
        "read_file",
    ]
    assert both[2]["value"].split("\n</tool_response>\n<tool_response>\n")[1] == "x = 1"
    lines = (tmp_path / "messages.jsonl").read_text().splitlines()
    first = json.loads(lines[0])
    assert [message["role"] for message in first["messages"]] == [
        "system",
        "user",
        "assistant",
        "tool",
        "assistant",
    ]
    assert isinstance(first["messages"][2]["tool_calls"][0]["function"]["arguments"], str)
    assert json.loads(first["tools"]) == TOOLS


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{"messages": []}\n', "Line 1 of .* is no dialogue"),
        ("{\n", "Line 1 of .* is no dialogue"),
        ("", "no dialogue to be learnt whole"),
    ],
)
def test_a_file_without_dialogues_is_told(tmp_path, text, problem):
    (tmp_path / "d.jsonl").write_text(text)
    with pytest.raises(CorpusError, match=problem):
        write_shared(tmp_path / "d.jsonl", tmp_path / "shared")


def test_a_tokenizer_that_is_too_large_for_the_model_is_told(made, tmp_path):
    run = Run(tmp_path, made / "train", made / "tokenizer.json")
    with pytest.raises(CheckpointError, match="360 tokens for 300"):
        run.start(msgspec.structs.replace(SHAPE, vocabulary=300), SETTINGS)


def test_a_damaged_checkpoint_is_not_trained_over(made, tmp_path):
    run = Run(tmp_path, made / "train", made / "tokenizer.json")
    run.start(SHAPE, SETTINGS)
    run.save()
    latest = tmp_path / LATEST
    latest.write_bytes(latest.read_bytes()[:2000])
    again = Run(tmp_path, made / "train", made / "tokenizer.json")
    with pytest.raises(CheckpointError, match="no readable checkpoint"):
        again.resume()
    with pytest.raises(TrainingError, match="already holds a run"):
        again.start(SHAPE, SETTINGS)


def test_a_file_that_cannot_be_written_says_why(tmp_path):
    (tmp_path / "full.part").symlink_to("/dev/full")
    with (
        pytest.raises(ExportError, match="No space left") as full,
        written(tmp_path / "full.gguf", "qwen3"),
    ):
        pass
    assert full.value.hint == "Free some disk space."
    (tmp_path / "folder.part").mkdir()
    with (
        pytest.raises(ExportError, match="Is a directory") as other,
        written(tmp_path / "folder.gguf", "qwen3"),
    ):
        pass
    assert "disk space" not in other.value.hint
    assert not list(tmp_path.glob("*.gguf"))
