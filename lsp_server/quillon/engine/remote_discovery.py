"""Finds out what a remote server runs, and counts tokens with it where it can."""

from typing import Any

import msgspec

from quillon.engine.base import EngineUnavailable
from quillon.engine.remote_http import PathMissing, RemoteHttp
from quillon.engine.remote_server import (
    DEFAULT_CONTEXT,
    RemoteModel,
    kind_of,
    template_for,
)
from quillon.settings import Settings

_SHOWN = 10  # names of models in a message


async def discover(http: RemoteHttp, settings: Settings) -> RemoteModel:
    """The server and the model that the settings name, or else its first.

    Raises:
        EngineUnavailable: It cannot be reached, or does not have that model.
    """
    try:
        listed = await http.fetch(f"{http.url}/models")
    except PathMissing:
        listed = {}
    models = [entry for entry in _list(listed, "data") if isinstance(entry, dict)]
    entry = _choose(models, settings.engine.remote_model, http.url)
    model = RemoteModel(kind=kind_of(models), name=_text(entry, "id"))
    try:
        model = await _details(http, model, entry, settings.model.context_size)
    except PathMissing:
        # A version, or a relay in front, that lacks what its kind usually has.
        model = msgspec.structs.replace(model, kind="other", template=template_for(model.name))
    chosen = settings.model.context_size
    if chosen is not None:
        model = msgspec.structs.replace(model, context=min(chosen, model.context))
    return model


async def tokenize(
    http: RemoteHttp, model: RemoteModel, text: str, *, special: bool = False
) -> int:
    """The number of tokens of a text; special tokens count as one where `special`.

    Raises:
        PathMissing: The server does not tell.
    """
    url = f"{http.root}/tokenize"
    if model.kind == "llama-server":
        body = {"content": text, "add_special": False, "parse_special": special}
    else:
        body = {"model": model.name, "prompt": text, "add_special_tokens": False}
    answer = await http.fetch(url, body)
    if isinstance(answer, dict) and isinstance(answer.get("count"), int):
        return int(answer["count"])
    return len(_list(answer, "tokens"))


def _choose(models: list[dict[str, Any]], name: str | None, url: str) -> dict[str, Any]:
    if not models:
        return {"id": name or "default"}
    if name is None:
        return models[0]
    for entry in models:
        if entry.get("id") in {name, f"{name}:latest"}:
            return entry
    names = ", ".join(_text(entry, "id") for entry in models[:_SHOWN])
    raise EngineUnavailable(
        f"{url} has no model {name!r}; set engine.remoteModel to one of: {names}"
    )


async def _details(
    http: RemoteHttp, model: RemoteModel, entry: dict[str, Any], context: int | None
) -> RemoteModel:
    if model.kind == "llama-server":
        return await _llama_server(http, model, entry)
    if model.kind == "ollama":
        return await _ollama(http, model, context)
    model = msgspec.structs.replace(
        model,
        template=template_for(model.name),
        context=_number(entry, "max_model_len") or DEFAULT_CONTEXT,
        trained_context=_number(entry, "max_model_len"),
    )
    return await _with_fim(http, model) if model.kind == "vllm" else model


async def _llama_server(http: RemoteHttp, model: RemoteModel, entry: dict[str, Any]) -> RemoteModel:
    props = await http.fetch(f"{http.root}/props")
    defaults = props.get("default_generation_settings") if isinstance(props, dict) else None
    meta = entry.get("meta")
    model = msgspec.structs.replace(
        model,
        template=_text(props, "chat_template") or template_for(model.name),
        context=_number(defaults, "n_ctx") or DEFAULT_CONTEXT,
        trained_context=_number(meta, "n_ctx_train"),
        parameters=_number(meta, "n_params"),
    )
    return await _with_fim(http, model)


async def _ollama(http: RemoteHttp, model: RemoteModel, context: int | None) -> RemoteModel:
    shown = await http.fetch(f"{http.root}/api/show", {"model": model.name})
    facts = shown.get("model_info") if isinstance(shown, dict) else None
    trained = _number(facts, f"{_text(facts, 'general.architecture')}.context_length")
    wanted = context or DEFAULT_CONTEXT
    return msgspec.structs.replace(
        model,
        template=template_for(model.name),
        context=min(wanted, trained or wanted),
        trained_context=trained,
        parameters=_number(facts, "general.parameter_count"),
        fim="insert" in _list(shown, "capabilities"),
    )


async def _with_fim(http: RemoteHttp, model: RemoteModel) -> RemoteModel:
    """The model with `fim` and `tokenizes`: a token of its own is one token."""
    model = msgspec.structs.replace(model, tokenizes=True)
    try:
        length = await tokenize(http, model, "<|fim_middle|>", special=True)
    except PathMissing:
        return msgspec.structs.replace(model, tokenizes=False)
    return msgspec.structs.replace(model, fim=length == 1)


def _text(value: Any, key: str) -> str:
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, str) else ""


def _number(value: Any, key: str) -> int:
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, int) and found > 0 else 0


def _list(value: Any, key: str) -> list[Any]:
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, list) else []
