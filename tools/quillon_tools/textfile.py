"""Bytes of a file as text: encodings, binary files and lines."""

import codecs
import re

import msgspec

from quillon_tools.calls import Failed

_PROBE = 8192
_LINE_END = re.compile(r"\r\n|\n|\r")
# A text in a legacy encoding has few control characters, and no more than this share of them.
_MAX_CONTROLS = 0.02
# A text of UTF-8 has at least so many characters beyond ASCII for every one that is broken. Texts
# in legacy encodings have next to none: hardly two of their letters look like one of UTF-8.
_MIN_WHOLE = 4
_BEYOND_ASCII = bytes(range(128, 256))
_CONTROLS = bytes(set(range(32)) - {7, 8, 9, 10, 12, 13, 27})
# The longer mark first: UTF-32's begins like UTF-16's.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class Decoded(msgspec.Struct, frozen=True):
    """Text and the encoding it was in. `note` tells the model what is not as usual.

    Where it is not `exact`, broken characters were replaced: the text must not be written back.
    """

    text: str
    encoding: str
    note: str = ""
    exact: bool = True


def decode(raw: bytes, name: str) -> Decoded:
    """The text of a file.

    A byte order mark decides; else UTF-8, of which a few characters may be broken; else Latin-1,
    which every byte sequence is. A note says what is not UTF-8.

    Raises:
        Failed: The file is binary.
    """
    for mark, encoding in _MARKS:
        if raw.startswith(mark):
            return _decoded(raw, encoding, name)
    if is_binary(raw):
        raise Failed(f"{name} is a binary file ({len(raw)} bytes) and has no text to show")
    found = _decoded(raw, "utf-8", name)
    if found.exact or _is_mostly_utf8(raw, found.text):
        return found
    return Decoded(raw.decode("latin-1"), "latin-1", f"{name} is not UTF-8; read as Latin-1")


def _decoded(raw: bytes, encoding: str, name: str) -> Decoded:
    try:
        return Decoded(raw.decode(encoding), encoding)
    except UnicodeDecodeError:
        note = f"{name} is not valid {encoding}; broken characters show as \ufffd"
        return Decoded(raw.decode(encoding, "replace"), encoding, note, exact=False)


def _is_mostly_utf8(raw: bytes, text: str) -> bool:
    """Whether most of what is not ASCII is UTF-8; `text` has U+FFFD for what is not."""
    shown = text.count("\ufffd")
    broken = shown - raw.count("\ufffd".encode())
    ascii_only = len(raw.translate(None, _BEYOND_ASCII))
    return len(text) - ascii_only - shown >= broken * _MIN_WHOLE


def in_utf8(raw: bytes) -> bytes:
    """The text of a file in UTF-8, as `decode` reads it; a binary file's bytes as they are."""
    if raw.isascii():
        return raw
    try:
        decoded = decode(raw, "")
    except Failed:
        return raw
    unchanged = decoded.exact and decoded.encoding == "utf-8"
    return raw if unchanged else decoded.text.encode("utf-8", "replace")


def is_binary(raw: bytes) -> bool:
    """Whether bytes without a byte order mark are no text: a NUL, or many control characters."""
    probe = raw[:_PROBE]
    if b"\0" in probe:
        return True
    controls = len(probe) - len(probe.translate(None, _CONTROLS))
    return controls > len(probe) * _MAX_CONTROLS


def lines_of(text: str) -> list[str]:
    """The lines without their ends, which are LF, CR LF or CR.

    An end at the end of the text starts no line.
    """
    lines = _LINE_END.split(text)
    if lines[-1] == "":
        lines.pop()
    return lines


def whole(text: str) -> str:
    """The text with `?` for half characters (lone surrogates), which UTF-8 has no form for."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")
