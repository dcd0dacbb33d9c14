import os
import re
import struct
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from inline_snapshot import snapshot

from quillon.engine.gguf import GgufError, Header, read_header
from quillon.engine.models import EMBEDDED
from quillon_testing.gguf_files import CHAT_MODEL, gguf_bytes, text, write_gguf

START = b"GGUF" + struct.pack("<I", 3)


def problem(path: Path) -> str:
    with pytest.raises(GgufError) as caught:
        read_header(path)
    return str(caught.value)


def test_a_header_tells_what_the_model_is(tmp_path: Path):
    header = read_header(write_gguf(tmp_path / "m.gguf"))
    facts = (header.name, header.architecture, header.quantisation, header.parameters)
    assert facts == ("test model", "qwen3", "Q8_0", 136)
    assert (header.trained_context, header.vocabulary, header.version) == (2048, 4, 3)
    assert header.template == "{{ messages }}<tool_call>"
    assert header.tokens == {"<tool_call>", "<|fim_prefix|>"}
    assert not header.fim
    assert not header.is_truncated


def test_the_embedded_model():
    header = read_header(EMBEDDED)
    assert (header.architecture, header.quantisation, header.fim) == ("qwen3", "Q8_0", True)
    assert header.tensors.end == header.size == EMBEDDED.stat().st_size
    assert "<tool_call>" in header.tokens


def test_fim_by_token_ids(tmp_path: Path):
    ids = {f"tokenizer__ggml__fim_{place}_token_id": 1 for place in ("pre", "suf", "mid")}
    assert read_header(write_gguf(tmp_path / "m.gguf", **ids)).fim


def test_quantisation_without_a_file_type_is_the_commonest(tmp_path: Path):
    path = write_gguf(tmp_path / "m.gguf", general__file_type=None)
    assert read_header(path).quantisation == "Q8_0"


def test_a_large_vocabulary_is_stepped_over(tmp_path: Path):
    tokens = [f"token{number}" * (number % 9) for number in range(150_000)]
    tokens[149_999] = "<|fim_middle|>"
    path = write_gguf(
        tmp_path / "m.gguf", tokenizer__ggml__tokens=tokens, tokenizer__ggml__merges=tokens
    )
    header = read_header(path)
    assert (header.vocabulary, header.arrays["tokenizer.ggml.merges"]) == (150_000, 150_000)
    assert header.tokens == {"<|fim_middle|>"}


def test_a_token_that_holds_a_sought_one_is_not_it(tmp_path: Path):
    path = write_gguf(tmp_path / "m.gguf", tokenizer__ggml__tokens=["x<tool_call>"])
    assert read_header(path).tokens == set()


def test_missing_weights_are_seen(tmp_path: Path):
    path = tmp_path / "m.gguf"
    path.write_bytes(gguf_bytes()[:-1])
    assert read_header(path).is_truncated


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"hello, this is a README", "is a text file"),
        (b"\x7fELF\x02\x01\x01\x00\x03\x01", "does not start with the letters GGUF"),
        (b"PK\x03\x04rest", "is a ZIP archive or a PyTorch checkpoint"),
        (b"\x40\0\0\0\0\0\0\0" + b'{"a":1}', "is a safetensors file"),
        (b"version https://git-lfs.github.com/spec/v1\noid", "Git LFS pointer"),
        (b"\n<!DOCTYPE html><title>404", "is a web page"),
        (b"lmgg\x01\0\0\0", "is in the older format GGML"),
        (bytes(64), "holds nothing but zeros"),
        (b"GGU", "is a text file"),
        (b"GGUF", "is cut off"),
        (START, "is cut off"),
        (b"GGUF" + struct.pack("<I", 1), "is a GGUF file of version 1"),
        (b"GGUF" + struct.pack("<I", 9), "is a GGUF file of version 9"),
        (b"GGUF" + struct.pack(">I", 3), "for big-endian machines"),
        (START + struct.pack("<QQ", 2**63, 0), "has 9223372036854775808 tensors"),
        (START + struct.pack("<QQ", 0, 2**40), "has 1099511627776 metadata entries"),
        (START + struct.pack("<QQQ", 0, 1, 2**62) + bytes(20), "is cut off"),
        (START + struct.pack("<QQ", 0, 1) + text("k") + struct.pack("<I", 99), "unknown type 99"),
        (
            START + struct.pack("<QQ", 0, 1) + text("k") + struct.pack("<IIQ", 9, 8, 2**61),
            "a list has 2305843009213693952 texts",
        ),
        (
            START + struct.pack("<QQ", 0, 1) + text("k") + struct.pack("<IIQ", 9, 12, 2**63),
            "is cut off",
        ),
        (
            START + struct.pack("<QQ", 0, 1) + text("k") + struct.pack("<IIQ", 9, 9, 1),
            "a list of the unknown type 9",
        ),
        (
            START + struct.pack("<QQ", 1, 0) + text("t") + struct.pack("<I", 2**31) + bytes(9),
            "a tensor has 2147483648 dimensions",
        ),
        (
            START
            + struct.pack("<QQ", 0, 1)
            + text("k")
            + struct.pack("<IIQQ", 9, 8, 1, 2**64 - 1)
            + bytes(9),
            "is cut off",
        ),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, content: bytes, message: str):
    path = tmp_path / "m.gguf"
    path.write_bytes(content)
    assert re.search(re.escape(message), problem(path))


def test_a_fifo_does_not_block(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe")
    assert problem(tmp_path / "pipe") == "is not a regular file"


def test_what_cannot_be_opened(tmp_path: Path):
    assert problem(tmp_path / "none") == snapshot("cannot be read: No such file or directory")
    assert problem(Path("a\0b")) == snapshot("cannot be read: embedded null byte")
    assert problem(tmp_path) == snapshot("cannot be read: Is a directory")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.data())
def test_no_damage_raises_anything_else(tmp_path: Path, data: st.DataObject):
    content = bytearray(gguf_bytes(CHAT_MODEL))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(4, len(content) - 1))
        content[at] = data.draw(st.sampled_from([0, 1, 8, 9, 12, 127, 255]))
    path = tmp_path / "m.gguf"
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    try:
        header = read_header(path)
    except GgufError:
        return
    assert isinstance(header, Header)
    assert header.quantisation
    assert header.parameters >= 0
