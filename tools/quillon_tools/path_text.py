"""What a path may look like before anything on disk is asked: text in, plain components out.

Paths come from a model, which may repeat what a hostile file told it. Whatever could mean two
things to two readers is refused with a sentence that says how to write it instead.
"""

import os
import re
import unicodedata
from typing import NoReturn
from urllib.parse import unquote, urlsplit

import msgspec

from quillon_tools.calls import Retry

MAX_PATH_BYTES = 4096
MAX_NAME_BYTES = 255
WINDOWS = os.name == "nt"

_SCHEME = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]+):")
_DRIVE = re.compile(r"^/?[A-Za-z]:")
_ENCODED_TRICK = re.compile(r"%(2f|5c|00)", re.IGNORECASE)
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Cn", "Zl", "Zp"})
_SEPARATOR_LIKE = frozenset("/\\:~")
# Names that Windows opens as devices, whatever their suffix.
_DEVICE_NAME = re.compile(r"^(con|prn|aux|nul|com\d|lpt\d|conin\$|conout\$)(\.|$)", re.IGNORECASE)


class WrittenPath(msgspec.Struct, frozen=True):
    """A path as written: whether it starts at the file system's root, and its components.

    No component is empty, `.` or `..`.
    """

    absolute: bool
    parts: tuple[str, ...]


def read_path_text(text: str) -> WrittenPath:
    """Take a path or a `file://` URI apart.

    Raises:
        Retry: It is no plain path: it holds `..`, `~`, a drive, a host, characters that cannot
            be seen, look-alikes of separators, or it is too long.
    """
    text = text.strip()
    _check_characters(text)
    if len(text.encode("utf-8", "surrogatepass")) > MAX_PATH_BYTES:
        _refuse(text[:60] + "...", f"it is longer than {MAX_PATH_BYTES} bytes")
    if (scheme := _SCHEME.match(text)) and len(scheme[1]) > 1:
        text = _from_uri(text, scheme[1])
        _check_characters(text)
    text = _native(text)
    parts = tuple(part for part in text.split("/") if part not in {"", "."})
    for part in parts:
        _check_component(text, part)
    return WrittenPath(text.startswith("/") or bool(WINDOWS and _DRIVE.match(text)), parts)


def _from_uri(text: str, scheme: str) -> str:
    if scheme.lower() != "file":
        _refuse(text, "only paths and file:// URIs name files of the workspace")
    if _ENCODED_TRICK.search(text):
        _refuse(text, "it hides a separator or a NUL in percent-encoding")
    try:
        uri = urlsplit(text)
    except ValueError:
        _refuse(text, "it is no valid URI")
    if uri.netloc not in {"", "localhost"} or uri.path.startswith("//"):
        _refuse(text, "it names another host")
    if not uri.path.startswith("/"):
        _refuse(text, "a file:// URI holds an absolute path")
    try:
        return unquote(uri.path, errors="strict")
    except UnicodeDecodeError:
        _refuse(text, "its percent-encoding is not UTF-8")


def _native(text: str) -> str:
    """The text with `/` as its only separator."""
    if text.startswith(("//", "\\\\")):
        _refuse(text, "it names a network share")
    if text.startswith("~"):
        _refuse(text, "home folders are outside of the workspace")
    if WINDOWS:  # pragma: no cover - drives and backslashes mean something only there
        text = text.replace("\\", "/")
        return text[1:] if re.match(r"^/[A-Za-z]:", text) else text
    if _DRIVE.match(text):
        _refuse(text, "it names a drive")
    if "\\" in text:
        _refuse(text, "write it with / between the parts")
    return text


def _check_characters(text: str) -> None:
    if (char := unseen(text)) is not None:
        _refuse(text, f"it holds U+{ord(char):04X}, which cannot be seen")


def unseen(text: str) -> str | None:
    """The first character of a name that cannot be seen; None: all can.

    Those are control, format (zero width, direction marks), surrogate and unassigned characters
    and line separators. A file with one in its name is not shown to the model: a name could
    otherwise look like several rows of a listing.
    """
    if text.isascii() and text.isprintable():
        return None
    return next((char for char in text if unicodedata.category(char) in _UNSEEN), None)


def _check_component(text: str, part: str) -> None:
    if part == "..":
        _refuse(text, "write it from the workspace's root, without '..'")
    if len(part.encode()) > MAX_NAME_BYTES:
        _refuse(text[:60] + "...", f"a name in it is longer than {MAX_NAME_BYTES} bytes")
    plain = unicodedata.normalize("NFKC", part)
    if plain.strip() in {".", ".."} or (_SEPARATOR_LIKE & set(plain)) - set(part):
        _refuse(text, "it holds characters that only look like '.', '/', '\\', ':' or '~'")
    if (
        WINDOWS
        and (  # pragma: no cover - streams and device names exist only there
            ":" in part[2:] or part[-1] in ". " or _DEVICE_NAME.match(part)
        )
    ):
        _refuse(text, "it names a device or a stream")


def _refuse(text: str, why: str) -> NoReturn:
    shown = text.encode("unicode_escape").decode("ascii") if not text.isprintable() else text
    raise Retry(f"not a path of this workspace: {shown!r}: {why}")
