"""Tables of the GGUF format: value types, tensor types, file types, and what else a file may be.

Source: the type enumerations of llama.cpp (`ggml_type`, `llama_ftype`).
"""

import struct
from collections.abc import Callable

# Value type -> layout. 8 is text and 9 an array; both are read apart.
SCALARS: dict[int, struct.Struct] = {
    kind: struct.Struct("<" + code)
    for kind, code in {
        0: "B",
        1: "b",
        2: "H",
        3: "h",
        4: "I",
        5: "i",
        6: "f",
        7: "?",
        10: "Q",
        11: "q",
        12: "d",
    }.items()
}

# Tensor type -> name, weights per block, bytes per block.
TENSOR_BLOCKS: dict[int, tuple[str, int, int]] = {
    0: ("F32", 1, 4),
    1: ("F16", 1, 2),
    2: ("Q4_0", 32, 18),
    3: ("Q4_1", 32, 20),
    6: ("Q5_0", 32, 22),
    7: ("Q5_1", 32, 24),
    8: ("Q8_0", 32, 34),
    10: ("Q2_K", 256, 84),
    11: ("Q3_K", 256, 110),
    12: ("Q4_K", 256, 144),
    13: ("Q5_K", 256, 176),
    14: ("Q6_K", 256, 210),
    16: ("IQ2_XXS", 256, 66),
    17: ("IQ2_XS", 256, 74),
    18: ("IQ3_XXS", 256, 98),
    19: ("IQ1_S", 256, 50),
    20: ("IQ4_NL", 32, 18),
    21: ("IQ3_S", 256, 110),
    22: ("IQ2_S", 256, 82),
    23: ("IQ4_XS", 256, 136),
    24: ("I8", 1, 1),
    25: ("I16", 1, 2),
    26: ("I32", 1, 4),
    27: ("I64", 1, 8),
    28: ("F64", 1, 8),
    29: ("IQ1_M", 256, 56),
    30: ("BF16", 1, 2),
    34: ("TQ1_0", 256, 54),
    35: ("TQ2_0", 256, 66),
    39: ("MXFP4", 32, 17),
    40: ("NVFP4", 64, 36),
    41: ("Q1_0", 128, 18),
}

# `general.file_type` -> name.
FILE_TYPES: dict[int, str] = {
    0: "F32",
    1: "F16",
    2: "Q4_0",
    3: "Q4_1",
    7: "Q8_0",
    8: "Q5_0",
    9: "Q5_1",
    10: "Q2_K",
    11: "Q3_K_S",
    12: "Q3_K_M",
    13: "Q3_K_L",
    14: "Q4_K_S",
    15: "Q4_K_M",
    16: "Q5_K_S",
    17: "Q5_K_M",
    18: "Q6_K",
    19: "IQ2_XXS",
    20: "IQ2_XS",
    21: "Q2_K_S",
    22: "IQ3_XS",
    23: "IQ3_XXS",
    24: "IQ1_S",
    25: "IQ4_NL",
    26: "IQ3_S",
    27: "IQ3_M",
    28: "IQ2_S",
    29: "IQ2_M",
    30: "IQ4_XS",
    31: "IQ1_M",
    32: "BF16",
    36: "TQ1_0",
    37: "TQ2_0",
    38: "MXFP4_MOE",
    39: "NVFP4",
    40: "Q1_0",
}

_TEXT = bytes({7, 8, 9, 10, 12, 13, 27} | set(range(0x20, 0x100)))


# What a file that is not GGUF may be, and what to do about it; the first that holds is said.
_OTHERS: tuple[tuple[Callable[[bytes], bool], str], ...] = (
    (
        lambda start: start.startswith(b"version https://git-lfs"),
        "is only a Git LFS pointer to the model: run `git lfs pull` where it lies",
    ),
    (
        lambda start: start.lstrip().lower().startswith((b"<!doctype", b"<html")),
        "is a web page, so its download went wrong: download the model again",
    ),
    (
        lambda start: start.startswith(b"PK\x03\x04"),
        "is a ZIP archive or a PyTorch checkpoint: a GGUF file is needed",
    ),
    (
        lambda start: start[8:10] == b'{"',
        "is a safetensors file: convert it to GGUF, or download its GGUF form",
    ),
    (
        lambda start: start.startswith((b"lmgg", b"tjgg", b"fmgg", b"algg")),
        "is in the older format GGML: download the model as GGUF",
    ),
    (
        lambda start: not start.strip(b"\0"),
        "holds nothing but zeros here, so its download was not finished",
    ),
    (
        lambda start: not start.translate(None, _TEXT),
        "is a text file: a GGUF file is needed",
    ),
)


def not_gguf(start: bytes) -> str:
    """What a file that starts like this is instead of a GGUF file, as the end of a sentence."""
    for holds, meaning in _OTHERS:
        if holds(start):
            return meaning
    return "is not a GGUF file: it does not start with the letters GGUF"
