"""HTTP to the one remote server: the only module that knows httpx.

Proxies of the environment are ignored and redirects are not followed, so that nothing but the
server of the settings is ever contacted.
"""

import os
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import msgspec

from quillon.engine.base import EngineError, EngineLost, EngineUnavailable
from quillon.engine.remote_server import KEY_VARIABLE, refusal

_CONNECT = 5.0  # seconds
_READ = 300.0  # seconds without a byte; a long prompt on a slow machine takes minutes
_NO_SUCH_PATH = {404, 405, 501}
_OK = 200
_LOADING = 503
_MAX_ERROR = 100_000  # bytes of an error's body that are read


class PathMissing(EngineUnavailable):
    """The server does not offer this part of the interface."""


class StillLoading(EngineUnavailable):
    """The server is up and its model is not."""


class RemoteHttp:
    """Requests below `url`, or below its root: `url` without `/v1`."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self.root = self.url.removesuffix("/v1")
        if not self.url.startswith(("http://", "https://")):
            raise EngineUnavailable(
                f"engine.url is {url!r}; it must be an address such as http://127.0.0.1:8080/v1"
            )
        key = os.environ.get(KEY_VARIABLE)
        self._client = httpx.AsyncClient(
            headers={"Authorization": f"Bearer {key}"} if key else {},
            timeout=httpx.Timeout(_READ, connect=_CONNECT),
            trust_env=False,
            follow_redirects=False,
        )

    async def fetch(self, url: str, body: dict[str, Any] | None = None) -> Any:
        """The JSON that the server answers to a GET, or to a POST of `body`.

        Raises:
            PathMissing: It has no such path.
            EngineError: It cannot be reached, or refuses.
        """
        with self._translated():
            if body is None:
                response = await self._client.get(url)
            else:
                response = await self._client.post(url, content=_encode(body), headers=_JSON)
        if response.status_code != _OK:
            raise self._refused(response.status_code, response.text)
        try:
            return msgspec.json.decode(response.content)
        except msgspec.DecodeError as error:
            raise EngineUnavailable(f"{url} did not answer in JSON: {error}") from error

    async def stream(self, url: str, body: dict[str, Any]) -> AsyncGenerator[bytes, None]:
        """The bytes that the server sends as they come.

        Raises:
            EngineError: As `fetch`; `EngineLost` once the answer has begun.
        """
        request = self._client.stream("POST", url, content=_encode(body), headers=_JSON)
        with self._translated():
            async with request as response:
                if response.status_code != _OK:
                    raise self._refused(response.status_code, await _error_text(response))
                async for chunk in response.aiter_bytes():
                    yield chunk

    async def aclose(self) -> None:
        """Close all connections; what runs on them ends in `EngineLost`."""
        await self._client.aclose()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise EngineUnavailable(
                f"the remote server {self.url} cannot be reached: {error or 'no answer'}; "
                "is it running, and is engine.url right?"
            ) from error
        except httpx.TimeoutException as error:
            raise EngineLost(
                f"the remote server {self.url} sent nothing for {_READ:g} seconds"
            ) from error
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
            raise EngineLost(
                f"the connection to {self.url} broke: {error or type(error).__name__}"
            ) from error

    def _refused(self, status: int, text: str) -> EngineError:
        if status in _NO_SUCH_PATH and "model" not in text:
            return PathMissing(str(refusal(status, text, self.url)))
        if status == _LOADING and "oading" in text:
            return StillLoading(f"{self.url} is loading its model")
        return refusal(status, text, self.url)


_JSON = {"Content-Type": "application/json"}


def _encode(body: dict[str, Any]) -> bytes:
    try:
        return msgspec.json.encode(body)
    except UnicodeEncodeError:  # a lone surrogate, which JSON from an editor may carry
        text = msgspec.to_builtins(body)
        return msgspec.json.encode(_without_surrogates(text))


def _without_surrogates(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {key: _without_surrogates(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_surrogates(item) for item in value]
    return value


async def _error_text(response: httpx.Response) -> str:
    body = b""
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > _MAX_ERROR:
            break
    return body.decode("utf-8", "replace")
