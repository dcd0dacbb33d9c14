"""The Hugging Face Hub: which files a repository has, and what it declares about them.

The only module that knows huggingface_hub. That library finds the address, the token and the
declared checksum; the download itself is ours, because its own does not compare checksums.
"""

import contextlib
import os
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

# Read when the library is loaded: it would report and fetch things that nobody asked for.
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
os.environ.setdefault("HF_HUB_DISABLE_UPDATE_CHECK", "1")

from huggingface_hub import HfApi, get_hf_file_metadata, get_token, hf_hub_url
from huggingface_hub.errors import (  # type: ignore[attr-defined]
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    HTTPError,  # of whichever HTTP library it uses
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from quillon import __version__
from quillon.engine.pull.events import PullError
from quillon.engine.pull.request import HubFile, Remote, hub_address, place_of
from quillon.engine.pull.unreachable import unreachable

_SHA256 = re.compile(r"[0-9a-f]{64}")
_SHARD = re.compile(r"(?P<stem>.+)-(?P<number>\d{5})-of-(?P<count>\d{5})\.gguf", re.IGNORECASE)
_MOST_PARTS = 200
_SECONDS = 30.0
_LISTED = 12


def declared(request: HubFile) -> list[Remote]:
    """All parts of a model, as the Hub declares them, the first one first.

    Raises:
        PullError: There is no such file, it may not be read, or the Hub cannot be asked.
    """
    with _translated(request):
        name = request.file
        if not name.lower().endswith(".gguf"):
            name = _choose(request)
        return [_declared(request, part) for part in _parts(name)]


def _declared(request: HubFile, name: str) -> Remote:
    place = place_of(*request.repo.split("/"), *name.split("/"))
    endpoint, token = hub_address(), get_token()
    url = hf_hub_url(request.repo, name, revision=request.revision, endpoint=endpoint)
    found = get_hf_file_metadata(
        url,
        token=token or False,
        timeout=_SECONDS,
        library_name="quillon",
        library_version=__version__,
        endpoint=endpoint,
    )
    # An address with the commit, so that what is resumed tomorrow is the same file.
    revision = found.commit_hash or request.revision
    etag = found.etag or ""
    return Remote(
        label=f"{request.repo}:{name}",
        url=hf_hub_url(request.repo, name, revision=revision, endpoint=endpoint),
        file=place,
        size=found.size,
        # Large files are named after their SHA-256, small ones after git's sum.
        sha256=etag if _SHA256.fullmatch(etag) else None,
        version=etag or found.commit_hash,
        token=token,
    )


def _choose(request: HubFile) -> str:
    """The one GGUF file of a repository whose name has the wanted part, such as `Q4_K_M`."""
    api = HfApi(endpoint=hub_address(), library_name="quillon", library_version=__version__)
    info = api.model_info(request.repo, revision=request.revision, timeout=_SECONDS)
    names = [file.rfilename for file in info.siblings or ()]
    # The parts of a model count as its first one.
    files = [name for name in names if name.lower().endswith(".gguf") and _is_first(name)]
    if not files:
        raise PullError(
            f"The repository {request.repo} has no GGUF files. Repositories of GGUF files mostly "
            "have names that end in -GGUF."
        )
    fitting = [name for name in files if request.file.lower() in name.lower()]
    if len(fitting) == 1:
        return fitting[0]
    listed = ", ".join((fitting or files)[:_LISTED])
    raise PullError(
        f"Say which file of {request.repo} you want, as {request.repo}:FILE. There are: {listed}."
    )


def _is_first(name: str) -> bool:
    shard = _SHARD.fullmatch(name)
    return shard is None or int(shard["number"]) == 1


def _parts(name: str) -> list[str]:
    shard = _SHARD.fullmatch(name)
    if shard is None:
        return [name]
    count = int(shard["count"])
    if not 0 < count <= _MOST_PARTS:
        raise PullError(f"{name} names {count} parts; a model has 1 to {_MOST_PARTS}.")
    return [f"{shard['stem']}-{number:05}-of-{count:05}.gguf" for number in range(1, count + 1)]


@contextlib.contextmanager
def _translated(request: HubFile) -> Iterator[None]:
    """The library's errors as sentences; the more special come first."""
    login = "Get a token at https://huggingface.co/settings/tokens and set HF_TOKEN to it."
    try:
        yield
    except OfflineModeIsEnabled as error:
        raise PullError("HF_HUB_OFFLINE is set, so nothing is downloaded. Unset it.") from error
    except GatedRepoError as error:
        raise PullError(
            f"{request.repo} is gated: accept its terms on its page on the Hub. {login}"
        ) from error
    except RepositoryNotFoundError as error:
        raise PullError(
            f"The Hub has no repository {request.repo}, or it is private. Check the name. If it "
            f"is private: {login}"
        ) from error
    except RevisionNotFoundError as error:
        raise PullError(f"{request.repo} has no revision {request.revision}.") from error
    except EntryNotFoundError as error:
        raise PullError(
            f"{request.repo} has no file {request.file}. `quillon model pull {request.repo}` lists "
            "its files."
        ) from error
    except HFValidationError as error:
        raise PullError(f"{request.repo} is no name of a repository: {error}") from error
    except HfHubHTTPError as error:
        raise _refused(request, error.response.status_code, login) from error
    except HTTPError as error:
        raise unreachable(urlsplit(hub_address()).netloc, error) from error


def _refused(request: HubFile, status: int, login: str) -> PullError:
    if status in {401, 403}:
        return PullError(f"The Hub does not let you read {request.repo} (status {status}). {login}")
    if status == 404:  # noqa: PLR2004 - the number everybody knows
        return PullError(f"The Hub has no {request.repo}:{request.file}. Check the names.")
    return PullError(f"The Hub answered status {status} for {request.repo}. Try again later.")
