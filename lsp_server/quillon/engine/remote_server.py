"""What an OpenAI-compatible server is, what it runs, and how a request is put to it.

Known by name: llama-server, vLLM and Ollama, which say more about their model and take more
options than the common interface has. Anything else gets the common interface.

Sources: https://platform.openai.com/docs/api-reference/completions, the README of
`llama.cpp/tools/server`, vLLM's "OpenAI-Compatible Server", Ollama's `docs/api.md`.
"""

import re
from typing import Any, Literal

import msgspec

from quillon.engine.base import (
    ConstraintError,
    EngineError,
    EngineInfo,
    EngineUnavailable,
    Prompt,
    PromptTooLong,
    Request,
)
from quillon.engine.script import CHAT_TEMPLATE

ServerKind = Literal["llama-server", "vllm", "ollama", "other"]

DEFAULT_CONTEXT = 8192  # where the server does not tell; Ollama is asked for it
KEY_VARIABLE = "QUILLON_API_KEY"

_NO_ENTRY = {401, 403}
_NOT_FOUND = 404
_OWNERS: dict[str, ServerKind] = {"llamacpp": "llama-server", "vllm": "vllm", "library": "ollama"}
_CHATML = re.compile(r"<\|im_start\|>(\w+)\n(.*?)<\|im_end\|>\n?", re.DOTALL)
_OPEN_TURN = re.compile(r"<\|im_start\|>assistant\n(.*)", re.DOTALL)
# Spellings of special tokens, as Qwen's and Llama's vocabularies have them.
_SPELLING = re.compile(r"<(?=\|[^|<>\s]{1,40}\|>|/?tool_(?:call|response)>|/?s>|/?think>)")
_TEXT_RUN = re.compile(r"[^\W\d]+|\s+")
_TOO_LONG = re.compile(
    r"context (length|size|window)|exceeds? the available|too long|maximum.{0,20}tokens",
    re.IGNORECASE,
)
_BAD_GRAMMAR = re.compile(r"grammar|structured output|guided", re.IGNORECASE)


class RemoteModel(msgspec.Struct, frozen=True, kw_only=True):
    """The server and the model that it runs. `chat_only`: it has no plain completions."""

    kind: ServerKind = "other"
    name: str = ""
    context: int = DEFAULT_CONTEXT
    trained_context: int = 0
    parameters: int = 0
    template: str | None = None
    fim: bool = False
    tokenizes: bool = False
    chat_only: bool = False

    def info(self, url: str) -> EngineInfo:
        """The model as the engine contract describes one."""
        return EngineInfo(
            state="ready",
            model=self.name,
            path=url,
            message=f"{self.name} at {url}",
            parameters=self.parameters,
            context=self.context,
            trained_context=self.trained_context,
            template=self.template,
            eos="<|im_end|>",
            fim=self.fim and not self.chat_only,
        )


def kind_of(models: list[dict[str, Any]]) -> ServerKind:
    """The server, by what it says about who owns its models."""
    return next((_OWNERS[o] for m in models if (o := m.get("owned_by")) in _OWNERS), "other")


def template_for(name: str) -> str | None:
    """A template for a model whose own the server does not tell."""
    return CHAT_TEMPLATE if re.search(r"qwen|hermes", name, re.IGNORECASE) else None


def prompt_text(prompt: Prompt) -> str:
    """The prompt as one text, in which only trusted segments spell special tokens.

    The server parses special tokens everywhere. So the others get an invisible character behind
    their `<`: the model reads nearly the same text, and it cannot end a turn or open a call.
    """
    return "".join(
        segment.text if segment.trusted else _SPELLING.sub("<\u200b", segment.text)
        for segment in prompt
    )


def estimate_tokens(text: str) -> int:
    """Tokens of a text, rather too many: two letters or four blanks make one, others are one each.

    Measured on Qwen's tokenizer, code has about 3.5 characters to a token.
    """
    total, at = 0, 0
    for run in _TEXT_RUN.finditer(text):
        total += len(text[at : run.start()].encode("utf-8", "replace"))
        size = len(run.group().encode("utf-8", "replace"))
        total += -(-size // 4) if run.group().isspace() else -(-size // 2)
        at = run.end()
    return total + len(text[at:].encode("utf-8", "replace"))


def payload(request: Request, model: RemoteModel) -> tuple[str, dict[str, Any]]:
    """Where below the base URL to post a request, and its body.

    Raises:
        ConstraintError: The server knows no grammars of this form.
        EngineUnavailable: The server only chats, and the prompt is no conversation.
    """
    if request.constraint is not None and model.kind != "llama-server":
        raise ConstraintError("the remote server takes no GBNF grammars")
    text = prompt_text(request.prompt)
    if model.kind == "ollama":
        return "/api/generate", _ollama(text, request, model)
    body: dict[str, Any] = {
        "model": model.name,
        "max_tokens": max(1, request.max_tokens),
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": request.sampling.temperature,
        "top_p": request.sampling.top_p,
        "presence_penalty": request.sampling.presence_penalty,
        "seed": request.sampling.seed,
        "stop": [*request.stop, *request.stop_tokens] or None,
    }
    if model.kind in {"llama-server", "vllm"}:
        body |= {"top_k": request.sampling.top_k, "min_p": request.sampling.min_p}
    if model.kind == "vllm":
        # Else special tokens are left out of the text, and stops on them never match.
        body["skip_special_tokens"] = False
    if request.constraint is not None:
        body |= _grammar(request.constraint.grammar, request.constraint.trigger)
    if model.chat_only:
        body["messages"] = chat_messages(text)
        path = "/chat/completions"
    else:
        body["prompt"] = text
        body["logprobs"] = 1 if request.logprobs else None
        path = "/completions"
    return path, {key: value for key, value in body.items() if value is not None}


def chat_messages(text: str) -> list[dict[str, str]]:
    """The messages of a ChatML conversation that ends where the assistant answers.

    Raises:
        EngineUnavailable: The text is not one.
    """
    at, messages = 0, []
    while match := _CHATML.match(text, at):
        messages.append({"role": match[1], "content": match[2]})
        at = match.end()
    if not messages or not _OPEN_TURN.fullmatch(text, at):
        raise EngineUnavailable(
            "the remote server has no /completions, so it can only chat; use llama-server, "
            "vLLM or Ollama for suggestions"
        )
    return messages


def refusal(status: int, text: str, url: str) -> EngineError:
    """The error of ours that an HTTP status and its body stand for."""
    said = _message(text)
    if status in _NO_ENTRY:
        return EngineUnavailable(f"{url} refuses us ({status}): set {KEY_VARIABLE} to its key")
    if status == _NOT_FOUND:
        return EngineUnavailable(
            f"{url} answered 404: {said}; check engine.url (it usually ends in /v1) and "
            "engine.remoteModel"
        )
    if _TOO_LONG.search(said):
        return PromptTooLong(f"{url} says: {said}")
    if _BAD_GRAMMAR.search(said):
        return ConstraintError(f"{url} says: {said}")
    return EngineUnavailable(f"{url} answered {status}: {said}")


def _message(text: str) -> str:
    """The message in an error's body, whatever form it has."""
    try:
        value = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text[:200].strip() or "nothing"
    for key in ("error", "message", "detail"):
        if isinstance(value, dict) and key in value:
            value = value[key]
    return str(value)[:500]


def _grammar(grammar: str, trigger: str | None) -> dict[str, Any]:
    if trigger is None:
        return {"grammar": grammar}
    return {
        "grammar": grammar,
        "grammar_lazy": True,
        "grammar_triggers": [{"type": 1, "value": trigger}],  # 1: a word
        "preserved_tokens": [trigger],
    }


def _ollama(text: str, request: Request, model: RemoteModel) -> dict[str, Any]:
    options: dict[str, Any] = {
        "num_ctx": model.context,
        "num_predict": max(1, request.max_tokens),
        "temperature": request.sampling.temperature,
        "top_k": request.sampling.top_k,
        "top_p": request.sampling.top_p,
        "min_p": request.sampling.min_p,
        "presence_penalty": request.sampling.presence_penalty,
        "stop": [*request.stop, *request.stop_tokens],
    }
    if request.sampling.seed is not None:
        options["seed"] = request.sampling.seed
    return {"model": model.name, "prompt": text, "raw": True, "stream": True, "options": options}
