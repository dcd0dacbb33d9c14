"""The models that Quillon recommends, by name: where each file is, and what it needs.

Sizes are those that the repositories show, in bytes; a download is checked against what the
server declares for the file, not against this table.
"""

from pathlib import Path

import msgspec


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """What decides how much memory a model takes. `cache` counts bytes per token, kept as f16."""

    parameters: int
    layers: int
    cache: int
    width: int
    vocabulary: int
    context: int


class Recommended(msgspec.Struct, frozen=True, kw_only=True):
    """A model worth using: the name that `model.path` accepts, and the file that it stands for."""

    name: str
    title: str
    purpose: str
    repo: str
    file: str
    size: int
    licence: str
    fim: bool
    shape: Shape

    def path(self, folder: Path) -> Path:
        """Where the file lies below the folder of models once it is pulled."""
        return folder / self.repo / self.file


RECOMMENDED = (
    Recommended(
        name="qwen2.5-coder-1.5b",
        title="Qwen2.5-Coder 1.5B Instruct",
        purpose="ghost text, small machine",
        repo="Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF",
        file="qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
        size=1_120_000_000,
        licence="Apache-2.0",
        fim=True,
        shape=Shape(
            parameters=1_540_000_000,
            layers=28,
            cache=28_672,
            width=10_496,
            vocabulary=151_936,
            context=32_768,
        ),
    ),
    Recommended(
        name="qwen2.5-coder-3b",
        title="Qwen2.5-Coder 3B Instruct",
        purpose="ghost text",
        repo="Qwen/Qwen2.5-Coder-3B-Instruct-GGUF",
        file="qwen2.5-coder-3b-instruct-q4_k_m.gguf",
        size=2_100_000_000,
        licence="Qwen Research, not for commercial use",
        fim=True,
        shape=Shape(
            parameters=3_090_000_000,
            layers=36,
            cache=36_864,
            width=13_056,
            vocabulary=151_936,
            context=32_768,
        ),
    ),
    Recommended(
        name="qwen2.5-coder-7b",
        title="Qwen2.5-Coder 7B Instruct",
        purpose="ghost text, with a GPU",
        repo="Qwen/Qwen2.5-Coder-7B-Instruct-GGUF",
        file="qwen2.5-coder-7b-instruct-q4_k_m.gguf",
        size=4_680_000_000,
        licence="Apache-2.0",
        fim=True,
        shape=Shape(
            parameters=7_620_000_000,
            layers=28,
            cache=57_344,
            width=22_528,
            vocabulary=152_064,
            context=32_768,
        ),
    ),
    Recommended(
        name="qwen3-4b",
        title="Qwen3 4B Instruct 2507",
        purpose="chat and actions",
        repo="unsloth/Qwen3-4B-Instruct-2507-GGUF",
        file="Qwen3-4B-Instruct-2507-Q4_K_M.gguf",
        size=2_500_000_000,
        licence="Apache-2.0",
        fim=False,
        shape=Shape(
            parameters=4_020_000_000,
            layers=36,
            cache=147_456,
            width=12_288,
            vocabulary=151_936,
            context=262_144,
        ),
    ),
)


def recommended(name: str) -> Recommended | None:
    """The recommended model of a name, in whatever case it is written."""
    wanted = name.casefold()
    return next((model for model in RECOMMENDED if model.name == wanted), None)


def recommended_at(path: Path, folder: Path) -> Recommended | None:
    """The recommended model whose file would lie at `path`."""
    return next((model for model in RECOMMENDED if model.path(folder) == path), None)
