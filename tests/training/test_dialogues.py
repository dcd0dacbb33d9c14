import itertools
import json
import re
import shutil

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

import msgspec
import torch
from quillon_training.cli import main
from quillon_training.corpus import build
from quillon_training.curve import read_losses
from quillon_training.dialogues.generate import Plan, generate, packages
from quillon_training.dialogues.records import openai_form
from quillon_training.dialogues.scenarios import mended
from quillon_training.dialogues.wording import Wordings
from quillon_training.errors import TrainingError
from quillon_training.export import chat_template
from quillon_training.heldout import held_out
from quillon_training.model import ModelShape, build_model
from quillon_training.pretrain import PretrainSettings, Run
from quillon_training.rendering import Renderer
from quillon_training.sources import python_sources
from quillon_training.supervised import DialogueMixture, DialogueRows, hidden_states
from quillon_training.tokenizer import SPECIAL_TOKENS, load_tokenizer, train_tokenizer

from quillon.assist.chat import SYSTEM_PROMPT
from quillon.prompt.messages import Message
from quillon.prompt.template import ChatTemplate
from quillon_tools.calls import ToolCall
from quillon_tools.registry import default_tools

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]
SHAPE = ModelShape(
    vocabulary=600, hidden=64, layers=2, heads=2, kv_heads=1, head_dim=32, feed_forward=128
)
TOOLS = [tool.definition("brief") for tool in default_tools()]


@pytest.fixture(scope="module")
def made(market):
    plan = Plan(split="train", per_repository=240, repositories=1, seed=3)
    return list(generate([market], plan))


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory, made):
    path = tmp_path_factory.mktemp("tokenizer") / "tokenizer.json"
    texts = [message.content for dialogue in made for message in dialogue.messages]
    train_tokenizer([*texts, json.dumps(TOOLS)], 600).save(str(path))
    return path


def test_held_out_packages_are_talked_about_in_evaluation_only(market, made):
    assert [name for name, _ in packages([market], "train")] == ["market"]
    assert [name for name, _ in packages([market], "heldout")] == ["flask"]
    assert not any(held_out(dialogue.repository, "python") for dialogue in made)
    assert "flask" not in json.dumps([openai_form(item, TOOLS) for item in made])


def test_calls_were_really_answered(made):
    kinds = {dialogue.kind for dialogue in made}
    assert {"where", "show", "talk", "tests", "unclear"} <= kinds
    for dialogue in made:
        answers = [message for message in dialogue.messages if message.role == "tool"]
        assert len(answers) == len(dialogue.calls)
        last = dialogue.messages[-1]
        assert last.role == "assistant"
        assert all(fact in last.content for fact in dialogue.facts)


def test_wordings_for_evaluation_are_not_trained_on():
    seen, unseen = Wordings(), Wordings(unseen=True)
    for intent in ("where", "grep", "tests", "unclear"):
        for language in ("en", "zh"):
            assert not set(seen.sentences(intent, language)) & set(
                unseen.sentences(intent, language)
            )


def test_rendering_is_what_the_product_sends_token_by_token(made, tokenizer):
    reader = load_tokenizer(tokenizer)
    renderer, template = Renderer(reader), ChatTemplate(chat_template())
    definitions = [tool.definition("brief") for tool in default_tools()]
    for dialogue in made:
        form = openai_form(dialogue, TOOLS)
        system, *messages = form["messages"]
        ids = renderer.system(system["content"], form["tools"]) + renderer.dialogue(messages).ids
        prompt = template.render(
            [Message("system", SYSTEM_PROMPT), *_as_sent(dialogue)],
            definitions if dialogue.tools else (),
            generation=False,
        )
        assert template.problem is None
        assert ids == [token for segment in prompt for token in _tokens(reader, segment)]


def test_general_questions_are_answered_without_a_tool(made):
    general = [item for item in made if item.kind == "general"]
    assert general
    assert not any(item.calls for item in general)
    assert all(item.tools for item in general)


def _as_sent(dialogue):
    """The dialogue's messages as a conversation of the product holds them."""
    waiting, number = [], 0
    for message in dialogue.messages:
        calls = []
        for call in message.calls:
            number += 1
            calls.append(ToolCall(f"call_{number}", call.name, call.arguments))
        waiting += [call.id for call in calls]
        answered = waiting.pop(0) if message.role == "tool" else None
        yield Message(message.role, message.content, tuple(calls), answered)


def _tokens(reader, segment):
    """What the engine makes of a segment: special tokens only where it is trusted."""
    tags = "|".join(re.escape(token) for token in SPECIAL_TOKENS)
    for part in re.split(f"({tags})", segment.text) if segment.trusted else [segment.text]:
        if segment.trusted and part in SPECIAL_TOKENS:
            yield SPECIAL_TOKENS.index(part)
        else:
            yield from reader.encode(part, add_special_tokens=False).ids


def test_only_what_the_assistant_says_is_learnt(made, tokenizer):
    renderer = Renderer(load_tokenizer(tokenizer))
    reader = load_tokenizer(tokenizer)
    dialogue = next(item for item in made if item.kind == "where")
    rendered = renderer.dialogue(openai_form(dialogue, TOOLS)["messages"][1:])
    learnt = [i for i, w in zip(rendered.ids, rendered.weights, strict=True) if w]
    text = reader.decode(learnt, skip_special_tokens=False)
    assert re.fullmatch(
        r'<tool_call>\n\{"name": "search_symbols", .*\}\n</tool_call><\|im_end\|>.*<\|im_end\|>',
        text,
        re.DOTALL,
    )


async def test_the_first_words_of_an_answer_weigh_as_a_call_does(played, tokenizer):
    renderer = Renderer(load_tokenizer(tokenizer), call_weight=5, context_weight=0.5)
    dialogue = await anext(played(mended))
    rendered = renderer.dialogue(openai_form(dialogue, TOOLS)["messages"][1:])
    assert set(rendered.weights) == {0, 0.5, 1, 5}
    # the mistake that is made to be mended has weight 0, as have the words that open an answer
    kinds = [weight for weight, _ in itertools.groupby(rendered.weights)]
    assert kinds == [0.5, 0, 0.5, 0, 5, 1, 0, 0.5, 0, 5, 1, 0]


def test_rows_may_stand_late_in_a_conversation(made, tokenizer, tmp_path):
    path = tmp_path / "dialogues.jsonl"
    path.write_text("".join(json.dumps(openai_form(item, TOOLS)) + "\n" for item in made))
    mixture = DialogueMixture(shifted=1, farthest=300, joined=0)
    rows = DialogueRows(path, load_tokenizer(tokenizer), tokens=512, seed=1, mixture=mixture)
    batch = rows.batch(0)
    assert 1 <= batch.shift <= 300
    model = build_model(SHAPE, seed=1)
    near = hidden_states(model, msgspec.structs.replace(batch, shift=0))
    far = hidden_states(model, batch)
    assert near.shape == far.shape
    assert not torch.allclose(near, far)


def test_the_beginning_of_a_long_dialogue_is_learnt(made, tokenizer):
    renderer = Renderer(load_tokenizer(tokenizer))
    item = next(item for item in made if item.kind == "show")
    _, *messages = openai_form(item, TOOLS)["messages"]
    whole = renderer.dialogue(messages)
    assert renderer.beginning(messages, len(whole.ids)) == whole
    until_last = renderer.beginning(messages, len(whole.ids) - 1)
    assert until_last == renderer.dialogue(messages[:-2])
    assert messages[-3]["tool_calls"]
    assert until_last.ids == whole.ids[: len(until_last.ids)]
    assert any(until_last.weights)
    assert renderer.beginning(messages, 3) is None


def test_a_cheaper_prefix_learns_nothing(made, tokenizer, tmp_path):
    path = tmp_path / "dialogues.jsonl"
    path.write_text("".join(json.dumps(openai_form(item, TOOLS)) + "\n" for item in made))
    mixture = DialogueMixture(prefix_learns=0, longest=200, joined=0)
    rows = DialogueRows(path, load_tokenizer(tokenizer), tokens=1024, seed=1, mixture=mixture)
    batch = rows.batch(0)
    assert batch.ids.shape[1] <= 256
    model = build_model(SHAPE, seed=1)
    hidden_states(model, batch).sum().backward()
    words = model.model.embed_tokens.weight.grad.abs().sum(1)
    alone = sorted(set(batch.prefix.tolist()) - set(batch.ids.flatten().tolist()))
    assert alone
    assert not words[alone].any()


@pytest.fixture(scope="module")
def branch(market, made, tokenizer, tmp_path_factory):
    """A run of one step on code alone, and what its decay needs: settings and dialogues."""
    root = tmp_path_factory.mktemp("branch")
    build(python_sources([market]), root, per_package=10**6, seed=1)
    path = root / "dialogues.jsonl"
    path.write_text("".join(json.dumps(openai_form(item, TOOLS)) + "\n" for item in made))
    constant = PretrainSettings(length=96, rows_per_batch=8, batches_per_step=1, warmup=1)
    run = Run(root / "stable", root / "train", tokenizer)
    run.start(SHAPE, constant)
    run.train(threads=1, steps=1, minutes=None, log_every=1)
    decay = msgspec.structs.replace(
        constant, decay_from=1, decay_steps=4, dialogue_batches=2, dialogue_tokens=512
    )

    def go_on(folder, *, until, settings=decay):
        if not folder.exists():
            shutil.copytree(root / "stable", folder)
        run = Run(folder, root / "train", tokenizer, path if settings else None)
        run.resume(settings)
        run.train(threads=1, steps=until, minutes=None, log_every=1)
        return run

    return go_on


def test_the_decay_learns_dialogues_and_code_together(branch, tmp_path):
    branch(tmp_path / "run", until=3)
    before, first, last = read_losses(tmp_path / "run" / "loss.jsonl")
    assert before.dialogue_loss is None
    assert first.dialogue_loss > 4
    assert last.lr < first.lr < before.lr
    assert first.tokens > before.tokens + 96 * 8  # dialogues are counted too
    with pytest.raises(TrainingError, match="ask for dialogues"):
        branch(tmp_path / "run", until=4, settings=None)


def test_an_interrupted_decay_goes_on_at_its_step(branch, tmp_path):
    whole = branch(tmp_path / "whole", until=4)
    branch(tmp_path / "parts", until=2)
    parts = branch(tmp_path / "parts", until=4)
    for name, value in whole.model.state_dict().items():
        torch.testing.assert_close(parts.model.state_dict()[name], value)


def test_the_command_line_says_what_to_do(monkeypatch, capsys, tokenizer, tmp_path):
    arguments = ["pretrain", str(tmp_path / "run"), "--corpus", str(tmp_path)]
    monkeypatch.setattr("sys.argv", ["train", *arguments, "--tokenizer", str(tokenizer)])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    said = " ".join(capsys.readouterr().err.split())
    assert "holds no corpus" in said
    assert "Build one with" in said


def test_a_shared_system_prompt_changes_nothing(made, tokenizer, tmp_path):
    path = tmp_path / "dialogues.jsonl"
    path.write_text("".join(json.dumps(openai_form(item, TOOLS)) + "\n" for item in made))
    rows = DialogueRows(path, load_tokenizer(tokenizer), tokens=2048, seed=1)
    batch = rows.batch(2)
    assert (batch.ids == rows.batch(2).ids).all()
    model = build_model(SHAPE, seed=1)
    shared = hidden_states(model, batch)
    whole = torch.cat([batch.prefix.expand(len(batch.ids), -1), batch.ids], dim=1)
    plain = model.model(input_ids=whole).last_hidden_state[:, len(batch.prefix) :]
    torch.testing.assert_close(shared, plain, rtol=1e-3, atol=1e-3)
    shared.sum().backward()
    assert model.model.layers[0].self_attn.k_proj.weight.grad is not None
