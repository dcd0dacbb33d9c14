"""The engine contract: what the server asks of a model, and what it gets back.

Every implementation (`client` for the local process, `remote` for an OpenAI-compatible server,
`scripted` for tests) offers `Engine`. Values are msgspec structs, so the local wire carries them
as they stand.

Errors:

    EngineError
    ├── ModelError               the model file is missing, broken or unfit
    ├── EngineUnavailable        no engine could be started or reached
    ├── EngineLost               it died or stopped answering during a request; ask again
    ├── PromptTooLong            the prompt and the answer do not fit the context
    ├── ConstraintError          the grammar could not be built or failed while decoding
    └── DeadlineExceeded         the request's deadline passed before it finished
"""

from collections.abc import AsyncIterator, Callable, Sequence
from enum import IntEnum
from typing import Literal, Protocol

import msgspec

CLOSED = "the engine was closed, because its settings changed or the session ends; ask again"


class EngineError(Exception):
    """The engine could not do what was asked; the message is for people."""


class ModelError(EngineError):
    """The model file is missing, broken or unfit for what was asked."""


class EngineUnavailable(EngineError):  # noqa: N818 - reads as the state it reports
    """No engine could be started or reached."""


class EngineLost(EngineError):  # noqa: N818 - reads as the event it reports
    """The engine died or stopped answering while the request ran."""


class PromptTooLong(EngineError):  # noqa: N818 - reads as the state it reports
    """Prompt and answer together exceed the context."""


class ConstraintError(EngineError):
    """The grammar was refused or failed while decoding; the request may be retried without."""


class DeadlineExceeded(EngineError):  # noqa: N818 - the usual name
    """The request's deadline passed before it finished."""


class Priority(IntEnum):
    """Whose work takes the next decode step: the lowest value that waits."""

    INLINE = 0
    ACTION = 1
    CHAT = 2
    WARM = 3


class Segment(msgspec.Struct, frozen=True, array_like=True):
    """A piece of a prompt. Special tokens are parsed only where `trusted` is true.

    Text that comes from a file, a tool or the user is never trusted: `<|im_end|>` in it is plain
    text to the model.
    """

    text: str
    trusted: bool = False


Prompt = tuple[Segment, ...]


class Sampling(msgspec.Struct, frozen=True):
    """How the next token is drawn. `temperature` 0 is greedy and ignores the rest."""

    temperature: float = 0.0
    top_k: int = 0  # 0: off
    top_p: float = 1.0
    min_p: float = 0.0
    presence_penalty: float = 0.0
    seed: int | None = None


class Constraint(msgspec.Struct, frozen=True):
    """A GBNF grammar (root rule `root`) that the answer must follow.

    With `trigger`, plain text or the spelling of a special token such as `<tool_call>`, the
    grammar sleeps until the trigger was generated and then covers what follows, the trigger
    included. Without, it covers the answer from its first token.
    """

    grammar: str
    trigger: str | None = None


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One generation.

    `stop` holds texts that end the answer and are not part of it; end-of-turn tokens of the model
    always end it. `stop_tokens` are spellings of special tokens that end it, compared by id.
    `deadline` is in seconds from acceptance. `draft` is text that the answer probably repeats.
    `logprobs` asks for the log-probability of each generated token.
    `cache_key` names a conversation or document whose key-value cache should be reused.
    """

    prompt: Prompt
    sampling: Sampling = Sampling()
    max_tokens: int = 256
    stop: tuple[str, ...] = ()
    stop_tokens: tuple[str, ...] = ()
    priority: Priority = Priority.CHAT
    constraint: Constraint | None = None
    draft: str | None = None
    logprobs: bool = False
    deadline: float | None = None
    cache_key: str | None = None


class Started(msgspec.Struct, frozen=True, tag="started"):
    """The prompt was tokenised and its evaluation begins; `cached_tokens` need none."""

    prompt_tokens: int
    cached_tokens: int


class Token(msgspec.Struct, frozen=True, array_like=True):
    """One generated token: its id, the bytes it stands for and its log-probability (nats)."""

    id: int
    bytes: bytes
    logprob: float | None = None
    special: bool = False


class Delta(msgspec.Struct, frozen=True, tag="delta"):
    """Text that follows the text before it; never cut inside a character."""

    text: str
    tokens: tuple[Token, ...] = ()


class Usage(msgspec.Struct, frozen=True):
    """Tokens that one generation took."""

    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int


class Timings(msgspec.Struct, frozen=True):
    """Seconds: waiting for a turn, evaluating the prompt, generating; `first_token` from start."""

    queued: float
    prefill: float
    decode: float
    first_token: float


FinishReason = Literal["stop", "length", "cancelled"]


class Finished(msgspec.Struct, frozen=True, tag="finished"):
    """The end of a generation. `length`: cut by `max_tokens` or the context."""

    reason: FinishReason
    usage: Usage
    timings: Timings


Event = Started | Delta | Finished

EngineState = Literal["absent", "downloading", "loading", "ready", "busy", "failed"]
ToolDialect = Literal["hermes", "function_xml", "json"]


class EngineInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What the engine runs. `fim` is false where the vocabulary has no fill-in-the-middle tokens.

    `context` is the number of tokens that one request may use, prompt and answer together.
    `template` is the GGUF's Jinja chat template, or None. `eos`/`bos` are spellings.
    `parameters` counts weights; `embedded` marks the model that ships with Quillon.
    """

    state: EngineState
    model: str = ""
    path: str = ""
    message: str = ""
    architecture: str = ""
    parameters: int = 0
    context: int = 0
    trained_context: int = 0
    template: str | None = None
    bos: str = ""
    eos: str = ""
    fim: bool = False
    tool_call_token: bool = False
    embedded: bool = False
    gpu_layers: int = 0
    threads: int = 0
    batch_threads: int = 0
    tokens_per_second: float = 0.0
    pid: int = 0
    clients: int = 0


class Engine(Protocol):
    """A model that answers requests.

    `generate` yields one `Started`, any number of `Delta` and exactly one `Finished`, or raises
    one `EngineError`. Closing the iterator or cancelling the task that reads it cancels the
    generation within one token or one chunk of the prompt.
    """

    def generate(self, request: Request) -> AsyncIterator[Event]:
        """The events of one generation."""
        ...

    async def count(self, texts: Sequence[str]) -> list[int]:
        """The number of tokens of each text, special tokens not parsed."""
        ...

    async def warm(self, prompt: Prompt, cache_key: str | None = None) -> None:
        """Evaluate a prompt at the lowest priority, so that a later request finds it cached."""
        ...

    async def info(self) -> EngineInfo:
        """What runs, waiting until the model is loaded.

        Raises:
            ModelError: The model cannot be loaded.
            EngineUnavailable: No engine could be started.
        """
        ...

    def state(self) -> EngineInfo:
        """What is known now, without waiting."""
        ...

    def subscribe(
        self, listener: Callable[["EngineInfo", float | None], None]
    ) -> Callable[[], None]:
        """Call `listener(info, fraction)` at each change of state; the result ends that.

        `fraction` is how much of the model is loaded, from 0 to 1, or None.
        """
        ...

    async def aclose(self) -> None:
        """Let go of the engine; running requests end in `EngineLost`."""
        ...
