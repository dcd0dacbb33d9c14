"""llama.cpp through llama-cpp-python's low-level API: a loaded model and its vocabulary.

This module, `llama_context` and `llama_sampler` are the only ones that call llama_cpp. What they
make belongs to one thread, the decode thread, with one exception: `Model.tokenize` and
`Model.count` read nothing but the immutable vocabulary, and may be called from any thread while
the model lives.
"""

import ctypes
import logging
import re
import sys
from collections import deque
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import llama_cpp.llama_cpp as lib

from quillon.engine.base import EngineError, ModelError, Prompt
from quillon.engine.machine import Gpu

logger = logging.getLogger(__name__)

_CONTROL = 1 << 3  # llama_token_attr
_USER_DEFINED = 1 << 4
_MARKUP = re.compile(r"[<\[].+[>\]]", re.DOTALL)
_GPU, _INTEGRATED_GPU = 1, 2  # ggml_backend_dev_type
_LOG_DEBUG = 1  # thousands of lines for each context
_LOG_LEVELS = {3: logging.WARNING, 4: logging.ERROR}  # ggml_log_level
_HARMLESS = (
    # The cells are for several requests; none of them gets more than was trained.
    "possible training context overflow",
    # What an interrupt looks like.
    "ggml_backend_sched_graph_compute_async failed with error 1",
    "failed to compute graph, compute status: 1",
    "removing memory module entries for seq_id",
    "llama_decode: failed to decode, ret = 2",
)
_error_lines: deque[str] = deque(maxlen=8)


class Model:
    """A GGUF file in memory and its vocabulary.

    `progress` hears the loaded fraction and stops the loading by returning False.

    Raises:
        ModelError: llama.cpp cannot load the file, or the loading was stopped.
    """

    def __init__(
        self,
        path: Path,
        *,
        gpu_layers: int = 0,
        adapter: Path | None = None,
        progress: Callable[[float], bool] = lambda _: True,
    ) -> None:
        forget_errors()
        params = lib.llama_model_default_params()
        params.n_gpu_layers = gpu_layers
        # A reference must live as long as llama.cpp may call it.
        self._progress = lib.llama_progress_callback(lambda fraction, _: progress(fraction))
        params.progress_callback = self._progress
        self.handle = lib.llama_model_load_from_file(_path_bytes(path), params)
        if not self.handle:
            raise ModelError(f"The model {path} cannot be loaded: {last_error()}")
        self.vocab = lib.llama_model_get_vocab(self.handle)
        self.vocab_size: int = lib.llama_vocab_n_tokens(self.vocab)
        self.adapter = self._load_adapter(adapter) if adapter else None
        self._pieces: dict[int, bytes] = {}
        self.special: dict[str, int] = {}
        self.steering: list[int] = []  # control tokens that do not end the turn
        self._plain_cut: re.Pattern[str] | None = None
        self._longest = 1  # bytes of a token, at most
        self._read_vocabulary()

    def close(self) -> None:
        """Free the weights; nothing of the model may be used afterwards."""
        if self.handle:
            lib.llama_model_free(self.handle)
            self.handle = None

    def tokenize(self, prompt: Prompt) -> list[int]:
        """The tokens of a prompt; special ones come from trusted segments only."""
        tokens: list[int] = []
        text, trusted = "", False
        # Neighbours of the same kind are one text to the tokenizer, as their author meant them.
        for segment in prompt:
            if segment.trusted != trusted and text:
                tokens += self._tokens(text, special=trusted)
                text = ""
            text, trusted = text + segment.text, segment.trusted
        tokens += self._tokens(text, special=trusted)
        if tokens and lib.llama_vocab_get_add_bos(self.vocab):
            bos = lib.llama_vocab_bos(self.vocab)
            if tokens[0] != bos:
                tokens.insert(0, bos)
        return tokens

    def least_tokens(self, prompt: Prompt) -> int:
        """A number that `tokenize` reaches at least, found without tokenising."""
        size = sum(len(segment.text.encode("utf-8", "replace")) for segment in prompt)
        return size // self._longest

    def count(self, text: str) -> int:
        """The number of tokens of a text without special ones."""
        return len(self.plain_tokens(text))

    def plain_tokens(self, text: str) -> list[int]:
        """The tokens of a text that is not trusted."""
        return self._tokens(text, special=False)

    def piece(self, token: int) -> bytes:
        """The bytes that a token stands for; special tokens are spelled out."""
        known = self._pieces.get(token)
        if known is None:
            known = self._pieces[token] = self._spell(token)
        return known

    def ends(self, token: int) -> bool:
        """Whether the model ends its turn with this token."""
        return bool(lib.llama_vocab_is_eog(self.vocab, token))

    def is_control(self, token: int) -> bool:
        """Whether the token steers the model and is no text."""
        return bool(lib.llama_vocab_is_control(self.vocab, token))

    def is_special(self, token: int) -> bool:
        """Whether the token can only come from trusted text."""
        return bool(lib.llama_vocab_get_attr(self.vocab, token) & (_CONTROL | _USER_DEFINED))

    def meta(self, key: str) -> str:
        """A value of the file's metadata as text, empty where there is none."""
        read = partial(lib.llama_model_meta_val_str, self.handle, key.encode())
        size = read(None, 0)
        if size < 0:
            return ""
        buffer = ctypes.create_string_buffer(size + 1)
        read(buffer, size + 1)
        return buffer.value.decode("utf-8", "replace")

    @property
    def template(self) -> str | None:
        """The Jinja chat template."""
        return self.meta("tokenizer.chat_template") or None

    @property
    def parameters(self) -> int:
        """The number of weights."""
        return int(lib.llama_model_n_params(self.handle))

    @property
    def trained_context(self) -> int:
        """Tokens that the model was trained to attend to."""
        return int(lib.llama_model_n_ctx_train(self.handle))

    def spelling(self, kind: str) -> str:
        """The spelling of the vocabulary's `bos` or `eos` token, empty where it has none."""
        token = getattr(lib, f"llama_vocab_{kind}")(self.vocab)
        return self.piece(token).decode("utf-8", "replace") if token >= 0 else ""

    def _load_adapter(self, path: Path) -> Any:
        forget_errors()
        adapter = lib.llama_adapter_lora_init(self.handle, _path_bytes(path))
        if not adapter:
            self.close()
            raise ModelError(
                f"The LoRA adapter {path} cannot be used with this model: {last_error()} "
                "Set model.adapter to one that was made for it, or leave it empty."
            )
        return adapter

    def _read_vocabulary(self) -> None:
        markup = []
        for token in range(self.vocab_size):
            attributes = lib.llama_vocab_get_attr(self.vocab, token)
            text = lib.llama_vocab_get_text(self.vocab, token)
            self._longest = max(self._longest, len(text))
            if attributes & (_CONTROL | _USER_DEFINED):
                spelling = text.decode("utf-8", "replace")
                self.special[spelling] = token
                if attributes & _CONTROL:
                    if not self.ends(token):
                        self.steering.append(token)
                elif _MARKUP.fullmatch(spelling):
                    markup.append(re.escape(spelling[1:]))
        if markup:
            # llama.cpp finds user-defined tokens such as <tool_call> even where special ones are
            # not parsed. Text of this shape is cut behind its first character, so that it stays
            # the plain text it is.
            self._plain_cut = re.compile(rf"(?<=[<\[])(?={'|'.join(markup)})")

    def _tokens(self, text: str, *, special: bool) -> list[int]:
        if special or self._plain_cut is None:
            return self._raw_tokens(text, special=special)
        tokens: list[int] = []
        for part in self._plain_cut.split(text):
            tokens += self._raw_tokens(part, special=False)
        return tokens

    def _raw_tokens(self, text: str, *, special: bool) -> list[int]:
        if not text:
            return []
        data = text.encode("utf-8", "replace")
        buffer = (lib.llama_token * (len(data) + 8))()
        count = lib.llama_tokenize(
            self.vocab,
            data,
            len(data),
            buffer,
            len(buffer),
            False,  # noqa: FBT003 - a C function: no beginning-of-text token
            special,
        )
        if count < 0:
            raise EngineError(f"llama.cpp could not tokenise a text of {len(data)} bytes")
        return list(buffer[:count])

    def _spell(self, token: int) -> bytes:
        size = 64
        while True:
            buffer = ctypes.create_string_buffer(size)
            count = lib.llama_token_to_piece(self.vocab, token, buffer, size, 0, True)  # noqa: FBT003
            if count >= 0:
                return buffer.raw[:count]
            size = -count


def start_backend() -> None:
    """Make llama.cpp ready, its messages going to this process's log."""
    lib.llama_log_set(_log, None)
    lib.llama_backend_init()


def graphics_devices() -> tuple[Gpu, ...]:
    """The devices that llama.cpp can put layers on, with their free memory."""
    if not lib.llama_supports_gpu_offload():
        return ()
    try:
        base, registry = _ggml("ggml-base"), _ggml("ggml")
        registry.ggml_backend_dev_get.restype = ctypes.c_void_p
        registry.ggml_backend_dev_count.restype = ctypes.c_size_t
        devices = [
            _device(base, ctypes.c_void_p(registry.ggml_backend_dev_get(ctypes.c_size_t(number))))
            for number in range(registry.ggml_backend_dev_count())
        ]
    except (OSError, AttributeError) as error:
        logger.warning("the memory of graphics devices is unknown: %s", error)
        return ()
    return tuple(device for device in devices if device is not None)


def last_error() -> str:
    """What llama.cpp complained about since `forget_errors`, as one line."""
    return "; ".join(_error_lines) or "llama.cpp gave no reason."


def forget_errors() -> None:
    """What llama.cpp complained about so far has nothing to do with what comes."""
    _error_lines.clear()


def _device(base: ctypes.CDLL, handle: ctypes.c_void_p) -> Gpu | None:
    kind = base.ggml_backend_dev_type(handle)
    if kind not in {_GPU, _INTEGRATED_GPU}:
        return None
    free, total = ctypes.c_size_t(), ctypes.c_size_t()
    base.ggml_backend_dev_memory(handle, ctypes.byref(free), ctypes.byref(total))
    base.ggml_backend_dev_description.restype = ctypes.c_char_p
    name = base.ggml_backend_dev_description(handle) or b"GPU"
    unified = kind == _INTEGRATED_GPU or sys.platform == "darwin"
    return Gpu(name.decode("utf-8", "replace"), free.value, total.value, unified)


def _ggml(name: str) -> ctypes.CDLL:
    """A library of llama.cpp's that is already loaded."""
    folder = Path(lib.__file__).parent / "lib"
    for pattern in (f"lib{name}.so", f"lib{name}.dylib", f"{name}.dll"):
        if (folder / pattern).exists():
            return ctypes.CDLL(str(folder / pattern))
    raise OSError(f"{name} is not in {folder}")


def _on_log(level: int, text: bytes | None, _: object) -> None:
    line = (text or b"").decode("utf-8", "replace").rstrip()
    if not line or level == _LOG_DEBUG:
        return
    if any(harmless in line for harmless in _HARMLESS):
        level = 0
    if level in _LOG_LEVELS:
        _error_lines.append(line)
    logger.log(_LOG_LEVELS.get(level, logging.DEBUG), "%s", line)


_log = lib.llama_log_callback(_on_log)


def _path_bytes(path: Path) -> bytes:
    # llama.cpp opens files by UTF-8 names on Windows and by bytes elsewhere.
    return str(path).encode("utf-8", "surrogateescape")
