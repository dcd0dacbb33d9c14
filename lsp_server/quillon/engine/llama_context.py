"""The key-value cache of a model in llama.cpp: several sequences over one pool of cells."""

import ctypes
import sys
import time
from collections.abc import Iterable, Sequence
from typing import Any

import llama_cpp.llama_cpp as lib
import msgspec

from quillon.engine.base import EngineError, ModelError, Request, Token
from quillon.engine.llama import Model, forget_errors, last_error
from quillon.engine.llama_sampler import NativeSampler
from quillon.engine.scheduler import Piece
from quillon.engine.threads import ThreadTuner

_NO_ROOM, _ABORTED = 1, 2  # answers of llama_decode


class ContextSize(msgspec.Struct, frozen=True, kw_only=True):
    """How a context is made: tokens in all, tokens of one request, sequences, threads.

    With 2 or more `most_threads` the number of `threads` is only the first choice.
    """

    cells: int
    context: int
    sequences: int
    batch: int = 512
    threads: int = 1
    batch_threads: int = 1
    most_threads: int = 0


class Context:
    """The key-value cache of a model: the scheduler's backend."""

    def __init__(self, model: Model, size: ContextSize) -> None:
        params = lib.llama_context_default_params()
        params.n_ctx = size.cells
        params.n_batch = params.n_ubatch = size.batch
        params.n_seq_max = size.sequences
        params.n_outputs_max = size.sequences
        params.n_threads = size.threads
        params.n_threads_batch = size.batch_threads
        params.kv_unified = True
        params.no_perf = True
        self._abort_flag = ctypes.create_string_buffer(2)
        self._abort = _flag_reader()
        params.abort_callback = self._abort
        params.abort_callback_data = ctypes.cast(self._abort_flag, ctypes.c_void_p)
        forget_errors()
        self.handle = lib.llama_init_from_model(model.handle, params)
        if not self.handle:
            raise ModelError(
                f"No context of {size.cells} tokens could be made: {last_error()} "
                "Lower the setting model.contextSize."
            )
        self.model = model
        self.context = size.context
        self.cells = int(lib.llama_n_ctx(self.handle))
        self.sequences = size.sequences
        self.batch = size.batch
        self.threads = size.threads
        self._batch_threads = size.batch_threads
        self._tuner = ThreadTuner(size.threads, size.most_threads)
        self._memory = lib.llama_get_memory(self.handle)
        self._batch = lib.llama_batch_init(size.batch, 0, 1)
        self._outputs: list[int] = []
        if model.adapter:
            self._apply_adapter(model.adapter)

    def close(self) -> None:
        """Free the cache."""
        if self.handle:
            lib.llama_batch_free(self._batch)
            lib.llama_free(self.handle)
            self.handle = None

    def interrupt(self) -> None:
        """Stop the running `decode` (on a CPU at once, else at its end); from any thread."""
        self._abort_flag[0] = b"1"

    def rearm(self) -> None:
        """Forget an interrupt that came too late."""
        self._abort_flag[0] = b"\0"

    def decode(self, pieces: Sequence[Piece]) -> bool:
        """Evaluate the pieces; False if it was interrupted.

        After that, and after an error, the sequences may hold a part of the pieces.

        Raises:
            EngineError: llama.cpp failed.
        """
        self._fill(pieces)
        begin = time.perf_counter()
        answer = lib.llama_decode(self.handle, self._batch)
        if answer == 0:
            # A GPU may still be at it; what is measured, and cancelled, is the work itself.
            lib.llama_synchronize(self.handle)
            if self._batch.n_tokens == 1:
                self._tune(time.perf_counter() - begin, pieces[0].sequence)
            return True
        if answer == _ABORTED:
            return False
        if answer == _NO_ROOM:
            raise EngineError("the key-value cache has no room left")
        raise EngineError(f"llama.cpp could not evaluate the text (code {answer})")

    def copy(self, source: int, target: int, length: int) -> None:
        """Let the empty sequence `target` share the first `length` tokens of `source`."""
        lib.llama_memory_seq_cp(self._memory, source, target, 0, length)

    def trim(self, sequence: int, length: int) -> bool:
        """Forget all but the first `length` tokens; False where only 0 is possible."""
        return bool(lib.llama_memory_seq_rm(self._memory, sequence, length, -1))

    def sampler(self, request: Request) -> NativeSampler:
        """A sampler for the request.

        Raises:
            ConstraintError: The grammar cannot be used.
        """
        return NativeSampler(self, request)

    def token(self, token: int, logprob: float | None) -> Token:
        """The token with its bytes."""
        return Token(token, self.model.piece(token), logprob, self.model.is_special(token))

    def ends(self, token: int) -> bool:
        """Whether the model ends its turn with this token."""
        return self.model.ends(token)

    def is_control(self, token: int) -> bool:
        """Whether the token has no text in an answer."""
        return self.model.is_control(token)

    def token_ids(self, spellings: Iterable[str]) -> frozenset[int]:
        """The ids of special tokens; spellings that the vocabulary lacks are left out."""
        special = self.model.special
        return frozenset(special[spelling] for spelling in spellings if spelling in special)

    def output(self, number: int) -> int:
        """The index in the last batch of its `number`-th token with logits."""
        return self._outputs[number]

    def _fill(self, pieces: Sequence[Piece]) -> None:
        batch = self._batch
        self._outputs = []
        at = 0
        for piece in pieces:
            for offset, token in enumerate(piece.tokens):
                batch.token[at] = token
                batch.pos[at] = piece.start + offset
                batch.n_seq_id[at] = 1
                batch.seq_id[at][0] = piece.sequence
                batch.logits[at] = 0
                at += 1
            if piece.logits:
                batch.logits[at - 1] = 1
                self._outputs.append(at - 1)
        batch.n_tokens = at

    def _tune(self, seconds: float, sequence: int) -> None:
        self._tuner.note(seconds, sequence)
        if self._tuner.threads != self.threads:
            self.threads = self._tuner.threads
            lib.llama_set_n_threads(self.handle, self.threads, self._batch_threads)

    def _apply_adapter(self, adapter: Any) -> None:
        adapters = (type(adapter) * 1)(adapter)
        scales = (ctypes.c_float * 1)(1.0)
        if lib.llama_set_adapters_lora(self.handle, adapters, 1, scales) != 0:
            raise ModelError(
                "The LoRA adapter does not fit the model. Set model.adapter to one that was made "
                "for it, or leave it empty."
            )


def _flag_reader() -> Any:
    """A native function that tells whether a byte is set, for use as the abort callback.

    llama.cpp asks it between all nodes of a graph, a thousand times for a token: a Python
    function would cost several percent of the speed. `strlen` of a text of one byte is 1, of an
    empty one 0.
    """
    runtime = ctypes.cdll.msvcrt if sys.platform == "win32" else ctypes.CDLL(None)
    return ctypes.cast(runtime.strlen, lib.ggml_abort_callback)
