"""Fill-in-the-middle prompts with Qwen's tokens, for one file or a whole repository.

Formats: the Qwen2.5-Coder technical report (repository level, figure 4) and the Qwen3-Coder
README (file level). The answer is the text between prefix and suffix.
"""

from collections.abc import Sequence

import msgspec

from quillon.engine.base import Prompt, Segment

FIM_PREFIX = Segment("<|fim_prefix|>", trusted=True)
FIM_SUFFIX = Segment("<|fim_suffix|>", trusted=True)
FIM_MIDDLE = Segment("<|fim_middle|>", trusted=True)
REPO_NAME = Segment("<|repo_name|>", trusted=True)
FILE_SEP = Segment("<|file_sep|>", trusted=True)

# A model that is done writes one of these; one that is not done may run on into the next file.
FIM_STOP_TOKENS = (
    "<|endoftext|>",
    "<|fim_prefix|>",
    "<|fim_suffix|>",
    "<|fim_middle|>",
    "<|fim_pad|>",
    "<|repo_name|>",
    "<|file_sep|>",
    "<|im_start|>",
    "<|im_end|>",
)


class ContextFile(msgspec.Struct, frozen=True):
    """A file, or a part of one, that the model sees before the file to be completed."""

    path: str
    text: str


def fim_prompt(
    prefix: str,
    suffix: str,
    *,
    path: str | None = None,
    repository: str | None = None,
    files: Sequence[ContextFile] = (),
) -> Prompt:
    """A prompt whose answer belongs between `prefix` and `suffix`.

    With `path` the prompt has the repository form: its name, then `files` in the order given,
    then the file itself; `path` and those of `files` are relative, with forward slashes. What
    changes least should come first, so that its evaluation is reused while a user types.
    """
    parts: list[Segment] = []
    if path is not None:
        parts += [REPO_NAME, Segment(f"{_name(repository or 'repository')}\n")]
        for file in files:
            parts += [FILE_SEP, Segment(f"{_name(file.path)}\n{_closed(file.text)}")]
        parts += [FILE_SEP, Segment(f"{_name(path)}\n")]
    parts += [FIM_PREFIX, Segment(prefix), FIM_SUFFIX, Segment(suffix), FIM_MIDDLE]
    return tuple(part for part in parts if part.text)


def _name(text: str) -> str:
    """A name on one line, ended by its caller: line ends inside would fake a file's content."""
    return " ".join(text.split()) or "unnamed"


def _closed(text: str) -> str:
    return text if text.endswith("\n") else text + "\n"
