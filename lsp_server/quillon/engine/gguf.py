"""The header of a GGUF file: metadata and tensor sizes, read in milliseconds without its weights.

Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md, versions 2 and 3. The file is
read, never mapped: one that shrinks while it is read (a download that starts again) would kill
the process. A file is input like any other: every length is checked against the file before it
is used, and nothing but `GgufError` is raised.
"""

import os
import stat
import struct
from itertools import repeat
from pathlib import Path

import msgspec

from quillon.engine.base import ModelError
from quillon.engine.gguf_types import FILE_TYPES, SCALARS, TENSOR_BLOCKS, not_gguf

MAX_HEADER = 128 * 1024 * 1024  # bytes; 256k tokens and their merges take about 15 MiB
MAX_STRINGS = 8 * 1024 * 1024  # elements of all text arrays together
MAX_ITEMS = 1024 * 1024  # metadata entries, tensors
KEPT_STRING = 1024 * 1024  # bytes of text that is kept; the longest templates have 30 KB
MAX_DIMENSIONS = 8
READ_SIZE = 4 * 1024 * 1024

FIM_TOKENS = ("<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>")
SOUGHT_TOKENS = (*FIM_TOKENS, "<tool_call>")

_STRING, _ARRAY = 8, 9
_U32 = struct.Struct("<I")
_U64 = struct.Struct("<Q")
_TENSOR_END = struct.Struct("<IQ")
_DEFAULT_ALIGNMENT = 32


class GgufError(ModelError):
    """The file is no GGUF that can be read; the message says why, without the path."""


class Tensors(msgspec.Struct, frozen=True):
    """All tensors of a file: how many, their elements per type id, and where their data ends.

    `end` is the offset in bytes after the last tensor's data, as far as the types are known.
    """

    count: int
    elements: dict[int, int]
    end: int


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """What a GGUF file says about itself.

    `metadata` holds numbers and texts; `arrays` the lengths of arrays; `tokens` those of
    `SOUGHT_TOKENS` that the vocabulary has. `size` is the file's size in bytes.
    """

    version: int
    size: int
    metadata: dict[str, int | float | bool | str]
    arrays: dict[str, int]
    tokens: frozenset[str]
    tensors: Tensors

    def text(self, key: str) -> str:
        """A text of the metadata, empty where there is none."""
        value = self.metadata.get(key)
        return value if isinstance(value, str) else ""

    def number(self, key: str) -> int:
        """A whole number of the metadata, 0 where there is none."""
        value = self.metadata.get(key)
        return value if isinstance(value, int) else 0

    @property
    def architecture(self) -> str:
        """The architecture's name, such as `qwen3`."""
        return self.text("general.architecture")

    @property
    def name(self) -> str:
        """The model's own name, or an empty text."""
        return self.text("general.name")

    @property
    def trained_context(self) -> int:
        """Tokens that the model was trained to attend to."""
        return self.number(f"{self.architecture}.context_length")

    @property
    def template(self) -> str | None:
        """The Jinja chat template."""
        return self.text("tokenizer.chat_template") or None

    @property
    def vocabulary(self) -> int:
        """The number of tokens."""
        return self.arrays.get("tokenizer.ggml.tokens", 0)

    @property
    def parameters(self) -> int:
        """The number of weights in this file."""
        return sum(self.tensors.elements.values())

    @property
    def quantisation(self) -> str:
        """How the weights are stored, such as `Q4_K_M`; the commonest type where it is unsaid."""
        file_type = self.metadata.get("general.file_type")
        if isinstance(file_type, int) and file_type in FILE_TYPES:
            return FILE_TYPES[file_type]
        elements = self.tensors.elements
        commonest = max(elements, key=elements.__getitem__, default=-1)
        return TENSOR_BLOCKS[commonest][0] if commonest in TENSOR_BLOCKS else "unknown"

    @property
    def fim(self) -> bool:
        """Whether the vocabulary has tokens to fill in the middle."""
        if all(token in self.tokens for token in FIM_TOKENS):
            return True
        places = ("pre", "suf", "mid")
        return all(f"tokenizer.ggml.fim_{place}_token_id" in self.metadata for place in places)

    @property
    def is_truncated(self) -> bool:
        """Whether the file ends before its tensors do."""
        return self.tensors.end > self.size


def read_header(path: Path) -> Header:
    """The header of a GGUF file.

    Raises:
        GgufError: The file cannot be read or is not a GGUF file of a known version.
    """
    # Without O_NONBLOCK, opening a FIFO would wait for a writer.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        descriptor = os.open(path, flags)
        with os.fdopen(descriptor, "rb", buffering=0) as file:
            facts = os.fstat(descriptor)
            if not stat.S_ISREG(facts.st_mode):
                raise GgufError("is not a regular file")
            return _read(_Cursor(file.fileno(), facts.st_size))
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise GgufError(f"cannot be read: {reason}") from error


class _Cursor:
    """Reads forward through the file; `data` holds what was read so far."""

    def __init__(self, descriptor: int, size: int) -> None:
        self._descriptor = descriptor
        self.size = size
        self.data = bytearray()
        self.at = 0
        self._strings_left = MAX_STRINGS

    def need(self, end: int) -> None:
        """Have the bytes before offset `end` in `data`."""
        if end <= len(self.data):
            return
        if end > self.size:
            raise GgufError(f"is cut off: its header needs {end} bytes, the file has {self.size}")
        if end > MAX_HEADER:
            raise GgufError(f"is damaged: its header says that it has over {MAX_HEADER} bytes")
        while len(self.data) < end:
            chunk = os.read(self._descriptor, max(READ_SIZE, end - len(self.data)))
            if not chunk:
                raise GgufError("became shorter while it was read")
            self.data += chunk

    def take(self, count: int) -> int:
        """Step over `count` bytes and return where they start."""
        start = self.at
        self.need(start + count)
        self.at = start + count
        return start

    def u32(self) -> int:
        value: int = _U32.unpack_from(self.data, self.take(4))[0]
        return value

    def u64(self) -> int:
        value: int = _U64.unpack_from(self.data, self.take(8))[0]
        return value

    def count(self, what: str, least_bytes: int) -> int:
        """A number of things that each take at least `least_bytes`."""
        value = self.u64()
        if value > MAX_ITEMS or value * least_bytes > self.size - self.at:
            raise GgufError(f"is damaged: it says that it has {value} {what}")
        return value

    def string(self) -> bytes:
        length = self.u64()
        start = self.take(length)
        return bytes(self.data[start : start + length])

    def skip_strings(self, count: int) -> None:
        """Step over `count` texts; the loop that takes the time of a large vocabulary."""
        self._strings_left -= count
        if self._strings_left < 0 or count * 8 > self.size - self.at:
            raise GgufError(f"is damaged: it says that a list has {count} texts")
        unpack, data, at = _U64.unpack_from, self.data, self.at
        steps = repeat(None, count)
        while True:
            try:
                for _ in steps:
                    at += 8 + unpack(data, at)[0]
            except (struct.error, OverflowError):  # more is to be read, or nothing is left
                self.need(at + 8)
                at += 8 + unpack(data, at)[0]
            else:
                break
        self.need(at)
        self.at = at


def _read(cursor: _Cursor) -> Header:
    version = _read_version(cursor)
    tensor_count = cursor.count("tensors", 24)
    metadata: dict[str, int | float | bool | str] = {}
    arrays: dict[str, int] = {}
    tokens: frozenset[str] = frozenset()
    for _ in range(cursor.count("metadata entries", 13)):
        key = cursor.string().decode("utf-8", "replace")
        kind = cursor.u32()
        if kind == _ARRAY:
            start = cursor.at
            arrays[key] = _skip_array(cursor)
            if key == "tokenizer.ggml.tokens":
                tokens = _find_tokens(cursor.data, start, cursor.at)
        elif kind == _STRING:
            metadata[key] = _kept(cursor.string())
        else:
            metadata[key] = _scalar(cursor, kind)
    return Header(
        version=version,
        size=cursor.size,
        metadata=metadata,
        arrays=arrays,
        tokens=tokens,
        tensors=_read_tensors(cursor, tensor_count, metadata.get("general.alignment")),
    )


def _read_version(cursor: _Cursor) -> int:
    if cursor.size == 0:
        raise GgufError("is empty")
    cursor.need(min(cursor.size, 512))
    if not cursor.data.startswith(b"GGUF"):
        raise GgufError(not_gguf(bytes(cursor.data[:512])))
    cursor.take(4)
    version = cursor.u32()
    if version not in {2, 3}:
        if version & 0xFFFF == 0:
            raise GgufError("is a GGUF file for big-endian machines")
        raise GgufError(f"is a GGUF file of version {version}; versions 2 and 3 can be read")
    return version


def _kept(value: bytes) -> str:
    return value.decode("utf-8", "replace") if len(value) <= KEPT_STRING else ""


def _scalar(cursor: _Cursor, kind: int) -> int | float | bool:
    if kind not in SCALARS:
        raise GgufError(f"is damaged: it holds a value of the unknown type {kind}")
    layout = SCALARS[kind]
    value: int | float | bool = layout.unpack_from(cursor.data, cursor.take(layout.size))[0]
    return value


def _skip_array(cursor: _Cursor) -> int:
    """Step over an array and return its length."""
    kind, length = cursor.u32(), cursor.u64()
    if kind == _STRING:
        cursor.skip_strings(length)
    elif kind in SCALARS:
        cursor.take(length * SCALARS[kind].size)
    else:
        raise GgufError(f"is damaged: it holds a list of the unknown type {kind}")
    return length


def _find_tokens(data: bytearray, start: int, end: int) -> frozenset[str]:
    # A token's text stands behind its length, which tells it from a longer token that holds it.
    return frozenset(
        token
        for token in SOUGHT_TOKENS
        if data.find(_U64.pack(len(token)) + token.encode(), start, end) >= 0
    )


def _read_tensors(cursor: _Cursor, count: int, alignment: object) -> Tensors:
    elements: dict[int, int] = {}
    end = 0
    for _ in range(count):
        cursor.string()
        dimensions = cursor.u32()
        if dimensions > MAX_DIMENSIONS:
            raise GgufError(f"is damaged: a tensor has {dimensions} dimensions")
        number = 1
        for _ in range(dimensions):
            number *= cursor.u64()
        kind, offset = _TENSOR_END.unpack_from(cursor.data, cursor.take(_TENSOR_END.size))
        elements[kind] = elements.get(kind, 0) + number
        _, block, size = TENSOR_BLOCKS.get(kind, ("", 1, 0))
        end = max(end, offset + -(-number // block) * size)
    step = alignment if isinstance(alignment, int) and alignment > 0 else _DEFAULT_ALIGNMENT
    start = -(-cursor.at // step) * step
    return Tensors(count=count, elements=elements, end=start + end if count else cursor.at)
