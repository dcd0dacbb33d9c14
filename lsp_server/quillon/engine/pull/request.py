"""What the user asks for, as a file on a server: a name, a repository's file, or an address."""

import os
import re
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit, urlunsplit

import msgspec

from quillon.engine.catalogue import RECOMMENDED, recommended
from quillon.engine.pull.events import PullError

HUB = "https://huggingface.co"

_REPO = re.compile(r"(?P<repo>[\w.-]+/[\w.-]+)(?:@(?P<revision>[\w./-]+))?(?::(?P<file>.+))?")
_HUB_PATH = re.compile(
    r"/(?P<repo>[\w.-]+/[\w.-]+)/(?:resolve|blob)/(?P<revision>[^/]+)/(?P<file>.+)"
)
_PART = re.compile(r"[\w+=@,()~-][\w.+=@,()~ -]*")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_LONGEST_NAME = 200


class HubFile(msgspec.Struct, frozen=True):
    """A file of a repository on the Hub; `file` may be a part of its name, or empty."""

    repo: str
    file: str
    revision: str = "main"


class Remote(msgspec.Struct, frozen=True, kw_only=True):
    """A file on a server. `label` names it to people and holds no secret; `file` is its place.

    `version` tells one content of the address from another, where neither size nor sum does.
    """

    label: str
    url: str
    file: PurePosixPath
    size: int | None = None
    sha256: str | None = None
    version: str | None = None
    token: str | None = None

    def known_as(self, sha256: str) -> "Remote":
        """The same file with a checksum that the user knows.

        Raises:
            PullError: It is none, or not the one that the server declares.
        """
        wanted = sha256.strip().lower()
        if _SHA256.fullmatch(wanted) is None:
            raise PullError(f"{sha256!r} is no SHA-256 checksum: that has 64 hexadecimal digits.")
        if self.sha256 not in {None, wanted}:
            raise PullError(
                f"The server declares the checksum {self.sha256} for {self.label}, and you expect "
                f"{wanted}: it is another file, so nothing is downloaded."
            )
        return msgspec.structs.replace(self, sha256=wanted)


def hub_address() -> str:
    """The address of the Hub: HF_ENDPOINT, where a mirror is used."""
    return (os.environ.get("HF_ENDPOINT") or HUB).rstrip("/")


def parse(what: str) -> HubFile | Remote:
    """What to download.

    Raises:
        PullError: It is no name, no file of a repository and no address.
    """
    known = recommended(what)
    if known is not None:
        return HubFile(known.repo, known.file)
    if "://" in what:
        return _of_address(what)
    match = _REPO.fullmatch(what)
    if match is not None and ".." not in what:
        return HubFile(match["repo"], match["file"] or "", match["revision"] or "main")
    if Path(what).expanduser().is_file():
        raise PullError(f"{what} is a file on this machine: set model.path to it.")
    names = ", ".join(model.name for model in RECOMMENDED)
    raise PullError(
        f"There is no recommended model {what!r}. Recommended: {names}. Others are given as "
        "owner/repository:file.gguf of the Hugging Face Hub, or as an https:// address."
    )


def place_of(*parts: str) -> PurePosixPath:
    """A path below the folder of models, of names that a server or a user gave.

    Raises:
        PullError: A name is one that would lead elsewhere, or the last is no GGUF file's.
    """
    for part in parts:
        if not _PART.fullmatch(part) or len(part) > _LONGEST_NAME:
            raise PullError(f"{part!r} cannot be the name of a model's file or folder.")
    if not parts[-1].lower().endswith(".gguf"):
        raise PullError(
            f"{parts[-1]} is no GGUF file by its name. Quillon runs models in the GGUF format; "
            "their files end in .gguf."
        )
    return PurePosixPath(*parts)


def _of_address(address: str) -> HubFile | Remote:
    try:
        split = urlsplit(address)
        host, port = split.hostname or "", split.port
    except ValueError as error:
        raise PullError(f"{address!r} is no address: {error}.") from error
    if split.scheme not in {"http", "https"} or not host:
        raise PullError(
            f"{address!r} is no address of the web: it begins with https:// or http://."
        )
    on_hub = _HUB_PATH.fullmatch(split.path)
    if on_hub and host in {urlsplit(HUB).hostname, urlsplit(hub_address()).hostname}:
        return HubFile(on_hub["repo"], unquote(on_hub["file"]), unquote(on_hub["revision"]))
    shown = f"[{host}]" if ":" in host else host
    where = f"{shown}:{port}" if port else shown
    # What stands before the host or behind the question mark may be a secret.
    label = urlunsplit((split.scheme, where, split.path, "", ""))
    folder = re.sub(r"[^\w.-]", "_", where)
    name = unquote(split.path.rsplit("/", 1)[-1])
    return Remote(label=label, url=address, file=place_of(folder, name))
