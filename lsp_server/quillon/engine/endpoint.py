"""Where the engine process of one model listens, and the file that tells its clients.

One engine serves every client that asks for the same model file with the same model settings.
Its key is made of both, so a model or adapter that was replaced gets a process of its own.
Everything lies in a directory that only the user can enter: the socket, the state file with the
secret that clients must show, two locks and the log. Where Unix sockets are missing, or their path
would be too long, the process listens on a loopback port that the state file names.
"""

import contextlib
import hashlib
import os
import secrets
import socket
import stat
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec
import platformdirs

from quillon import __version__
from quillon.engine.base import EngineUnavailable
from quillon.engine.wire import PROTOCOL_VERSION
from quillon.settings import ModelSettings

RUNTIME_VARIABLE = "QUILLON_RUNTIME_DIR"
_SOCKET_PATH_LIMIT = 100  # bytes; sockaddr_un holds 104 on macOS and 108 on Linux


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """The places of one engine process.

    `socket_path` is None where the process listens on a loopback port. `lock_path` is held by a
    client while it starts the process, `host_lock_path` by the process while it lives.
    """

    key: str
    directory: Path
    socket_path: Path | None
    state_path: Path
    lock_path: Path
    host_lock_path: Path
    log_path: Path


class HostState(msgspec.Struct, frozen=True, kw_only=True):
    """The state file: who listens where. `token` is the secret of `wire.Hello`."""

    pid: int
    socket: str | None
    port: int | None
    token: str
    version: str


def endpoint_for(model_path: Path, settings: ModelSettings) -> Endpoint:
    """The endpoint of the engine that runs this model with these settings.

    Raises:
        EngineUnavailable: There is no private directory for the socket.
    """
    key = _key(model_path, settings)
    directory = runtime_directory()
    return Endpoint(
        key=key,
        directory=directory,
        socket_path=_socket_path(directory, key),
        state_path=directory / f"{key}.json",
        lock_path=directory / f"{key}.start.lock",
        host_lock_path=directory / f"{key}.lock",
        log_path=directory / f"{key}.log",
    )


def runtime_directory() -> Path:
    """The directory of all endpoints, made where it is missing; only its owner may enter it.

    Raises:
        EngineUnavailable: It cannot be made, or it belongs to somebody else.
    """
    chosen = os.environ.get(RUNTIME_VARIABLE)
    problem = "there is no folder for temporary files that can be written"
    for path in (Path(chosen),) if chosen else _candidates():
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            _check_private(path)
        except OSError as error:
            problem = str(error)
        else:
            return path
    raise EngineUnavailable(
        f"the directory for the engine's socket cannot be used: {problem}; "
        f"set {RUNTIME_VARIABLE} to a directory of your own"
    )


def new_token() -> str:
    """A secret for one life of an engine process."""
    return secrets.token_hex(16)


def write_state(path: Path, state: HostState) -> None:
    """Replace the state file in one step, readable by its owner only."""
    draft = path.with_suffix(f".{os.getpid()}.new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(msgspec.json.encode(state))
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise


def read_state(path: Path) -> HostState | None:
    """What the state file says, or None where there is none or it is not one."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=HostState)
    except (OSError, msgspec.DecodeError, msgspec.ValidationError):
        return None


def _key(model_path: Path, settings: ModelSettings) -> str:
    path = model_path.expanduser().absolute()
    with contextlib.suppress(OSError):
        path = path.resolve()
    # When to exit is no property of the running model: whoever came first has chosen.
    settings = msgspec.structs.replace(settings, path=None, idle_minutes=0.0)
    adapter = _version(Path(settings.adapter)) if settings.adapter else "none"
    parts = (str(path), _version(path), adapter, str(PROTOCOL_VERSION), __version__)
    digest = hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape"))
    digest.update(msgspec.msgpack.encode(settings))
    return digest.hexdigest()[:16]


def _version(path: Path) -> str:
    """What changes when a file is replaced."""
    try:
        facts = path.stat()
    except OSError:
        return "missing"  # the process itself says so, in words for people
    return f"{facts.st_size}:{facts.st_mtime_ns}"


def _socket_path(directory: Path, key: str) -> Path | None:
    if not hasattr(socket, "AF_UNIX"):
        return None
    path = directory / f"{key}.sock"
    return path if len(os.fsencode(path)) <= _SOCKET_PATH_LIMIT else None


def _candidates() -> Iterator[Path]:
    """The session's runtime directory, else one of our own among the temporary files."""
    if not hasattr(os, "getuid") or sys.platform == "darwin":
        yield platformdirs.user_runtime_path("quillon", appauthor=False)
        user = "user"
    else:
        user = str(os.getuid())
        session = Path(os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{user}")
        # A login without a session (ssh, cron, a container) may name one that nobody made.
        # One that was kept from another user's login may not even be looked at.
        named = False
        with contextlib.suppress(OSError):
            named = session.is_dir()
        if named:
            yield session / "quillon"
    with contextlib.suppress(FileNotFoundError):
        yield Path(tempfile.gettempdir()) / f"quillon-{user}"


def _check_private(path: Path) -> None:
    # Windows keeps other users out of a profile's directories by itself.
    if not hasattr(os, "getuid"):
        return
    facts = path.lstat()
    if not stat.S_ISDIR(facts.st_mode) or facts.st_uid != os.getuid():
        raise PermissionError(f"{path} is not a directory of the current user")
    if facts.st_mode & 0o077:
        path.chmod(0o700)
