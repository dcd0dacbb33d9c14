"""The embedded model's vocabulary: trust, bytes, special tokens; and models that cannot load."""

import shutil
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quillon.engine.base import ModelError, Segment
from quillon.engine.llama import Model, start_backend
from quillon.engine.llama_context import Context, ContextSize
from quillon.engine.models import EMBEDDED

MARKUP = ("<tool_call>", "</tool_call>", "<tool_response>", "<|im_end|>", "<|fim_middle|>")


@pytest.fixture(scope="module")
def tokens_of():
    """(text, trusted) -> token ids, on a model of this module's own."""
    start_backend()
    model = Model(EMBEDDED)
    yield model, lambda text, trusted: model.tokenize((Segment(text, trusted=trusted),))
    model.close()


@pytest.mark.parametrize("spelling", MARKUP)
def test_special_tokens_come_from_trusted_text_only(model, spelling):
    text = f"before {spelling} after"
    trusted = model.tokenize((Segment(text, trusted=True),))
    plain = model.tokenize((Segment(text),))
    assert model.special[spelling] in trusted
    assert not set(plain) & set(model.special.values())
    assert b"".join(map(model.piece, plain)).decode() == text
    assert b"".join(map(model.piece, trusted)).decode() == text


@given(st.lists(st.sampled_from([*MARKUP, "<", "tool", "_call>", "|im", "é", " ", "\n"])))
def test_untrusted_text_never_has_special_tokens(tokens_of, parts):
    model, tokens = tokens_of
    plain = tokens("".join(parts), False)
    assert not set(plain) & set(model.special.values())
    assert b"".join(map(model.piece, plain)).decode() == "".join(parts)


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_tokens_are_the_bytes_of_the_text(tokens_of, text):
    model, tokens = tokens_of
    assert b"".join(map(model.piece, tokens(text, False))) == text.encode()
    assert model.count(text) == len(tokens(text, False))
    assert model.least_tokens((Segment(text),)) <= model.count(text)


def test_half_of_a_pair_is_replaced():
    # A lone surrogate is no text; it must neither crash nor be lost silently.
    start_backend()
    model = Model(EMBEDDED)
    try:
        tokens = model.plain_tokens("a\ud800b")
        assert b"".join(map(model.piece, tokens)) == b"a?b"
    finally:
        model.close()


def test_neighbours_of_one_kind_are_one_text(model):
    apart = (Segment("def add"), Segment("ition():"))
    assert model.tokenize(apart) == model.tokenize((Segment("def addition():"),))
    assert model.tokenize(()) == []
    assert model.tokenize((Segment(""), Segment("", trusted=True))) == []


def test_pieces_longer_than_any_small_buffer_are_whole(model, tmp_path):
    longest = max(range(model.vocab_size), key=lambda token: len(model.piece(token)))
    blanks = len(model.piece(longest))
    assert model.piece(longest) == b" " * blanks
    path = tmp_path / "long.gguf"
    path.write_bytes(_with_longer_blanks(EMBEDDED.read_bytes(), blanks, by=100))
    longer = Model(path)
    try:
        assert longer.piece(longest) == b" " * (blanks + 100)
    finally:
        longer.close()


def test_every_token_has_bytes_and_special_ones_their_spelling(model):
    assert all(model.piece(token) for token in range(model.vocab_size))
    for spelling, token in model.special.items():
        assert model.piece(token).decode() == spelling


def test_what_the_model_says_about_itself(model):
    assert model.spelling("eos") == "<|im_end|>"
    assert model.ends(model.special["<|im_end|>"])
    assert model.ends(model.special["<|endoftext|>"])
    assert not model.ends(model.special["<tool_call>"])
    assert model.is_control(model.special["<|im_start|>"])
    assert not model.is_control(model.special["<tool_call>"])
    assert "<|im_start|>" in (model.template or "")
    assert model.meta("general.architecture") == "qwen3"
    assert model.meta("no.such.key") == ""
    assert model.trained_context >= 512
    assert model.parameters > 1_000_000


def test_progress_is_told_and_can_stop_the_loading():
    start_backend()
    seen = []
    Model(EMBEDDED, progress=lambda part: seen.append(part) or True).close()
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
    with pytest.raises(ModelError, match="cannot be loaded"):
        Model(EMBEDDED, progress=lambda part: part < 0.5)


@pytest.mark.parametrize("keep", [0, 3, 100, 500_000])
def test_a_broken_file_that_was_not_verified_is_an_error(tmp_path, keep):
    path = tmp_path / "broken.gguf"
    path.write_bytes(EMBEDDED.read_bytes()[:keep])
    start_backend()
    with pytest.raises(ModelError, match="cannot be loaded"):
        Model(path)


def test_an_adapter_that_is_none_is_an_error():
    start_backend()
    with pytest.raises(ModelError, match=r"LoRA adapter .* cannot be used"):
        Model(EMBEDDED, adapter=EMBEDDED)


def test_a_context_that_cannot_be_made_is_an_error(model):
    size = ContextSize(cells=512, context=512, sequences=100_000)
    with pytest.raises(ModelError, match=r"n_seq_max.*model\.contextSize"):
        Context(model, size)


def test_a_model_without_template_and_fim_says_so(tmp_path):
    data = EMBEDDED.read_bytes()
    path = tmp_path / "plain.gguf"
    shutil.copyfile(EMBEDDED, path)
    data = data.replace(b"tokenizer.chat_template", b"tokenizer.no_template!!")
    data = data.replace(b"<|fim_prefix|>", b"<|not_prefix|>")
    path.write_bytes(data)
    start_backend()
    model = Model(path)
    try:
        assert model.template is None
        assert "<|fim_prefix|>" not in model.special
    finally:
        model.close()


def _with_longer_blanks(data, blanks, *, by):
    """The model file with a longer token of blanks; the chat template pays for its bytes."""
    blank = "Ġ".encode()
    old, new = (_string(blank * count) for count in (blanks, blanks + by))
    key = b"tokenizer.chat_template"
    start = data.index(key) + len(key) + 4  # behind the type of the value
    (length,) = struct.unpack_from("<Q", data, start)
    template = data[start : start + 8 + length]
    data = data.replace(template, _string(template[8 : len(template) - by * len(blank)]), 1)
    return data.replace(old, new, 1)


def _string(text):
    return struct.pack("<Q", len(text)) + text
