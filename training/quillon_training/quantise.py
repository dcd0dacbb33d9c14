"""Quantised GGUF files through llama.cpp: K-quants where a tensor's rows allow them."""

import ctypes
import os
from collections import Counter, deque
from pathlib import Path

import gguf

from quillon_training.errors import ExportError

# Bytes of a K-quant's rows come in blocks of 256 weights; llama.cpp takes the next larger simple
# type for rows of another width.
_FILE_TYPES = {
    "q4_k_m": "LLAMA_FTYPE_MOSTLY_Q4_K_M",
    "q5_k_m": "LLAMA_FTYPE_MOSTLY_Q5_K_M",
    "q6_k": "LLAMA_FTYPE_MOSTLY_Q6_K",
    "iq4_nl": "LLAMA_FTYPE_MOSTLY_IQ4_NL",
}
QUANTISED = tuple(_FILE_TYPES)


def quantise(source: Path, target: Path, kind: str, *, threads: int = 1) -> dict[str, int]:
    """Write `source` (F32 or F16) as `kind`; how many tensors have which type.

    Raises:
        ExportError: llama.cpp cannot read the source or write the target.
    """
    import llama_cpp.llama_cpp as lib  # noqa: PLC0415 - absent where nothing is quantised

    complaints: deque[str] = deque(maxlen=4)

    def listen(level: int, text: bytes | None, _: object) -> None:
        if level == _ERROR and text:
            complaints.append(text.decode("utf-8", "replace").strip())

    listener = lib.llama_log_callback(listen)
    lib.llama_log_set(listener, None)
    parameters = lib.llama_model_quantize_default_params()
    parameters.ftype = getattr(lib, _FILE_TYPES[kind])
    parameters.nthread = threads
    temporary = target.with_suffix(".part")
    try:
        failed = lib.llama_model_quantize(
            os.fsencode(source), os.fsencode(temporary), ctypes.byref(parameters)
        )
    finally:
        lib.llama_log_set(_silent(lib), None)
    if failed:
        temporary.unlink(missing_ok=True)
        raise ExportError(
            f"llama.cpp could not write {target} as {kind}: {'; '.join(complaints) or failed}",
            "Free some disk space, and export the F16 file again.",
        )
    temporary.replace(target)
    return tensor_types(target)


def tensor_types(path: Path) -> dict[str, int]:
    """How many tensors of a GGUF have which type."""
    return dict(Counter(tensor.tensor_type.name for tensor in gguf.GGUFReader(path).tensors))


_ERROR = 4  # ggml_log_level
_callbacks: list[object] = []  # llama.cpp keeps the pointer for as long as it runs


def _silent(lib: object) -> object:
    if not _callbacks:
        _callbacks.append(lib.llama_log_callback(lambda *_: None))  # type: ignore[attr-defined]
    return _callbacks[0]
