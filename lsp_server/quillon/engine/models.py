"""Which GGUF file is the model, whether it can be one, and which ones there are.

The order: the setting `model.path`, the variable `QUILLON_MODEL`, the model that ships with
Quillon. Setting and variable hold a path, or the name of a model that `quillon model pull` brought.
Everything here reads files: callers on the event loop use a thread.
"""

import os
import re
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal

import msgspec
import platformdirs

from quillon.engine.base import ModelError, ToolDialect
from quillon.engine.catalogue import recommended, recommended_at
from quillon.engine.gguf import GgufError, Header, read_header
from quillon.settings import Settings

MODEL_VARIABLE = "QUILLON_MODEL"
FOLDER_VARIABLE = "QUILLON_MODELS"
EMBEDDED = Path(__file__).resolve().parent.parent / "models" / "quillon-tiny-q8_0.gguf"

Source = Literal["settings", "environment", "embedded", "folder"]

_SHARD = re.compile(r"^(?P<stem>.+)-(?P<number>\d{5})-of-(?P<count>\d{5})\.gguf$", re.DOTALL)
_PULLED = re.compile(r"(?P<repo>[\w.-]+/[\w.-]+):(?P<file>[^:]+\.gguf)", re.IGNORECASE)
_STEM = re.compile(r"[\w.+=@,()~ -]+(?<!\.gguf)")
_MAX_SHARDS = 1000
_NOT_TEXT = {
    "clip": "the image part of a model",
    "whisper": "a speech recogniser",
    "wavtokenizer-dec": "a speech synthesiser",
    "bert": "an embedding model",
    "modern-bert": "an embedding model",
    "nomic-bert": "an embedding model",
    "nomic-bert-moe": "an embedding model",
    "neo-bert": "an embedding model",
    "jina-bert-v2": "an embedding model",
    "jina-bert-v3": "an embedding model",
    "eurobert": "an embedding model",
    "gemma-embedding": "an embedding model",
    "llama-embed": "an embedding model",
    "t5": "an encoder-decoder model",
    "t5encoder": "an encoder",
    "flux": "an image generator",
    "sd1": "an image generator",
    "sd3": "an image generator",
    "sdxl": "an image generator",
    "qwen_image": "an image generator",
    "wan": "a video generator",
    "dream": "a diffusion language model",
    "llada": "a diffusion language model",
    "llada-moe": "a diffusion language model",
    "rnd1": "a diffusion language model",
}
_NOT_MODEL = {
    "adapter": "a LoRA adapter: set it as model.adapter, beside a model",
    "mmproj": "the image part of a model",
    "imatrix": "a matrix for quantising",
}


class ModelFile(msgspec.Struct, frozen=True):
    """The model to run, and where the choice came from."""

    path: Path
    source: Source

    @property
    def embedded(self) -> bool:
        """Whether it is the model that ships with Quillon."""
        return self.path == EMBEDDED


class ModelSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the list of models; `problem` says why one cannot be used.

    `size` counts bytes of all parts, `context` tokens of the training.
    """

    path: Path
    source: Source
    name: str
    architecture: str = ""
    parameters: int = 0
    quantisation: str = ""
    size: int = 0
    context: int = 0
    chat_template: bool = False
    fim: bool = False
    dialect: ToolDialect | None = None
    problem: str | None = None


def resolve_model(settings: Settings, environ: Mapping[str, str]) -> ModelFile:
    """The model that the settings, else the environment, else the installation name.

    Raises:
        ModelError: The path names a home folder that does not exist, or several models.
    """
    if settings.model.path:
        return ModelFile(_named(settings.model.path), "settings")
    if environ.get(MODEL_VARIABLE):
        return ModelFile(_named(environ[MODEL_VARIABLE]), "environment")
    return ModelFile(EMBEDDED, "embedded")


def models_folder() -> Path:
    """The user's own folder of models: QUILLON_MODELS, else a default; it may be missing."""
    if os.environ.get(FOLDER_VARIABLE):
        return _absolute(os.environ[FOLDER_VARIABLE])
    return platformdirs.user_data_path("quillon", appauthor=False) / "models"


def verify(path: Path) -> Header:
    """The header of a file that can be run as a text model.

    Raises:
        ModelError: It cannot; the message says what was found and what to do.
    """
    _check_file(path)
    header = _header(path)
    parts = _parts(path, header)
    problem = _unfit(header)
    if problem:
        raise ModelError(f"The file {path} {problem}. {_advice(path)}")
    for part in parts:
        if part != path:
            _check_file(part)
            _header(part)
    return header


def verify_adapter(path: Path) -> None:
    """Check that a file is a LoRA adapter.

    Raises:
        ModelError: It is not; the message says what was found and what to do.
    """
    try:
        _check_file(path)
        header = _header(path)
    except ModelError as error:
        raise ModelError(f"The LoRA adapter of model.adapter is of no use. {error}") from error
    if header.text("general.type") != "adapter":
        raise ModelError(
            f"The file {path} is no LoRA adapter. Set model.adapter to a GGUF file of type "
            "`adapter`, or leave it empty."
        )


def dialect_of(template: str | None) -> ToolDialect:
    """The form of tool calls that a chat template asks for, by its tags."""
    if template is None or "<tool_call>" not in template:
        return "json"
    return "function_xml" if "<function=" in template else "hermes"


def summarise(model: ModelFile) -> ModelSummary:
    """What a model file says about itself; problems are told, not raised."""
    try:
        header = verify(model.path)
        parts = [_header(part) for part in _parts(model.path, header)]
    except ModelError as error:
        return ModelSummary(
            path=model.path, source=model.source, name=model.path.stem, problem=str(error)
        )
    return ModelSummary(
        path=model.path,
        source=model.source,
        name=header.name or model.path.stem,
        architecture=header.architecture,
        parameters=sum(part.parameters for part in parts),
        quantisation=header.quantisation,
        size=sum(part.size for part in parts),
        context=header.trained_context,
        chat_template=header.template is not None,
        fim=header.fim,
        dialect=dialect_of(header.template),
    )


def list_models(settings: Settings, environ: Mapping[str, str]) -> list[ModelSummary]:
    """The chosen model first, then the embedded one and those in the user's folder."""
    found = [resolve_model(settings, environ), ModelFile(EMBEDDED, "embedded")]
    found += [ModelFile(path, "folder") for path in _in_folder(models_folder())]
    unique = {model.path: model for model in reversed(found)}
    return [summarise(model) for model in dict.fromkeys(unique[model.path] for model in found)]


def _named(text: str) -> Path:
    """The path that a text is, or that it names: recommended, `owner/repository:file`, a stem."""
    folder = models_folder()
    known = recommended(text)
    if known is not None:
        return known.path(folder)
    pulled = _PULLED.fullmatch(text)
    if pulled is not None and ".." not in text:
        return folder / pulled["repo"] / pulled["file"]
    path = _absolute(text)
    if _STEM.fullmatch(text) is None or path.is_file():
        return path
    fitting = [file for file in _in_folder(folder) if file.stem.casefold() == text.casefold()]
    if len(fitting) > 1:
        listed = ", ".join(map(str, fitting))
        raise ModelError(f"{text} names several models: {listed}. Write one of these paths.")
    return fitting[0] if fitting else path


def _absolute(path: str) -> Path:
    try:
        return Path(path).expanduser().absolute()
    except RuntimeError as error:
        raise ModelError(f"The model path {path} names no home folder that is there.") from error


def _in_folder(folder: Path) -> Iterator[Path]:
    try:
        paths = sorted(folder.rglob("*.gguf"))
    except OSError:
        return
    for path in paths:
        shard = _SHARD.match(path.name)
        if shard is None or int(shard["number"]) == 1:
            yield path


def _check_file(path: Path) -> None:
    """Refuse what is missing or no file, before it is opened: opening a FIFO would wait."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise ModelError(f"There is no model file at {path}. {_advice(path)}") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise ModelError(
            f"The model file {path} cannot be reached: {reason}. {_advice(path)}"
        ) from error
    if stat.S_ISDIR(mode):
        raise ModelError(
            f"The model path {path} is a folder, and a GGUF file is needed. {_advice(path)}"
        )
    if not stat.S_ISREG(mode):
        raise ModelError(
            f"The model path {path} is no regular file (a pipe, a socket or a device). "
            f"{_advice(path)}"
        )


def _header(path: Path) -> Header:
    try:
        header = read_header(path)
    except GgufError as error:
        raise ModelError(f"The model file {path} {error}. {_advice(path)}") from error
    if header.is_truncated:
        raise ModelError(
            f"The model file {path} is cut off: it should have {header.tensors.end:,} bytes and "
            f"has {header.size:,}. Download it again."
        )
    return header


def _unfit(header: Header) -> str | None:
    """Why a well-formed GGUF file is no text model, as the end of a sentence."""
    kind, architecture = header.text("general.type"), header.architecture
    if kind in _NOT_MODEL:
        return f"is {_NOT_MODEL[kind]}"
    if architecture in _NOT_TEXT:
        return f"is {_NOT_TEXT[architecture]} ({architecture}), and a text model is needed"
    if header.number(f"{architecture}.pooling_type") > 0:
        return f"is an embedding or ranking model ({architecture}), and a text model is needed"
    if not architecture or not header.vocabulary:
        named = f" ({architecture})" if architecture else ""
        return f"is no text model{named}: it has no tokenizer"
    # The first part of a split model may hold no tensors.
    if header.tensors.count == 0 and header.number("split.count") <= 1:
        return "holds a vocabulary but no weights"
    return None


def _parts(path: Path, header: Header) -> list[Path]:
    """All files of a model that is split into several, in order.

    Raises:
        ModelError: One is missing, or `path` is not the first.
    """
    count = header.number("split.count")
    if count <= 1:
        return [path]
    shard = _SHARD.match(path.name)
    if shard is None or count > _MAX_SHARDS or int(shard["count"]) != count:
        raise ModelError(
            f"The file {path} is one of {count} parts of a model, but its name does not end in "
            f"-00001-of-{count:05}.gguf. Give all parts their original names."
        )
    parts = [
        path.with_name(f"{shard['stem']}-{number:05}-of-{count:05}.gguf")
        for number in range(1, count + 1)
    ]
    if path != parts[0]:
        raise ModelError(f"The file {path} is a later part of a model. Choose {parts[0].name}.")
    missing = [part.name for part in parts if not part.exists()]
    if missing:
        raise ModelError(
            f"The model {path} has {count} parts, and {len(missing)} are missing from its "
            f"folder: {', '.join(missing[:5])}. Download them."
        )
    return parts


def _advice(path: Path) -> str:
    if path == EMBEDDED:
        return "It is part of Quillon: install Quillon again."
    known = recommended_at(path, models_folder())
    if known is not None:
        return f"`quillon model pull {known.name}` downloads it."
    return (
        "Set model.path or QUILLON_MODEL to a GGUF file of a text model, "
        "or leave both empty for the embedded model."
    )
