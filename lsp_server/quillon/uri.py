"""URIs and paths: the editor names documents by URI, the workspace by path.

Only `file:` URIs name a path. Everything else (`untitled:`, `vscode-notebook-cell:`, `git:`,
`vscode-remote:` and so on) is a document without a file; its text is what the editor sent.
"""

import os
import re
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath
from urllib.parse import quote, unquote, urlsplit

_DRIVE = re.compile(r"/?[A-Za-z]:(?=[/\\]|$)")
_WINDOWS = os.name == "nt"


def path_of_uri(uri: str, *, windows: bool = _WINDOWS) -> Path | None:
    """The path that a URI names on this machine; None where it names none.

    Drive letters are upper case, whatever the editor sends. A host is a UNC share on Windows and
    nothing of this machine elsewhere, `localhost` excepted.
    """
    try:
        parts = urlsplit(uri)
    except ValueError:  # such as an unclosed bracket in the host
        return None
    path = unquote(parts.path, errors="surrogateescape")
    if parts.scheme.lower() != "file" or not path.startswith("/") or "\0" in path:
        return None
    host = "" if parts.netloc.lower() == "localhost" else unquote(parts.netloc)
    if not windows:
        return Path(path) if not host else None
    if host:
        return Path(PureWindowsPath(f"//{host}{path}"))
    if _DRIVE.match(path):
        return Path(PureWindowsPath(path[1].upper() + path[2:]))
    return None


def uri_of_path(path: PurePath) -> str:
    """The URI of an absolute path, written as VS Code writes it (`file:///c%3A/a%20b.py`).

    Raises:
        ValueError: The path is relative.
    """
    if not path.is_absolute():
        raise ValueError(f"{path} is no absolute path")
    text = path.as_posix() if isinstance(path, PureWindowsPath) else str(PurePosixPath(path))
    host = ""
    if text.startswith("//"):
        host, _, text = text[2:].partition("/")
        text = "/" + text
    elif _DRIVE.match(text):
        text = "/" + text[0].lower() + text[1:]
    raw = text.encode("utf-8", "surrogateescape")
    return f"file://{quote(host)}{quote(raw, safe='/')}"


def uri_key(uri: str) -> str:
    """A spelling under which equal URIs are equal: editors encode `:` and letters differently."""
    key = unquote(uri, errors="surrogateescape")
    if key[:5].lower() != "file:":
        return key
    key = "file:" + key[5:]
    drive = _DRIVE.match(key, 7)
    return key[:7] + drive[0].lower() + key[drive.end() :] if drive else key
