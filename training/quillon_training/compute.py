"""Where a training computes, in which precision, and whether its forward pass is compiled."""

from contextlib import AbstractContextManager, nullcontext
from functools import cache
from typing import Any, Literal

import msgspec
import torch

from quillon_training.errors import TrainingError

Device = Literal["auto", "cpu", "cuda"]


class Compute(msgspec.Struct, frozen=True):
    """A device with what suits it; None: bf16 where it is fast, `torch.compile` on a GPU only.

    Weights, gradients and optimisers stay fp32; `bf16` is autocast of the forward pass. `compiled`
    names a backend of `torch.compile`, "" none.
    """

    device: Device = "cpu"
    bf16: bool | None = None
    compiled: str | None = None

    def torch_device(self) -> torch.device:
        """The device itself.

        Raises:
            TrainingError: A GPU is asked for and there is none that torch can use.
        """
        available = torch.cuda.is_available()
        if self.device == "cuda" and not available:
            raise TrainingError(
                "torch finds no GPU here",
                "Train with --device cpu, or install a build of torch for the GPU's driver.",
            )
        chosen = "cuda" if self.device != "cpu" and available else "cpu"
        if chosen == "cuda":
            torch.set_float32_matmul_precision("high")
        return torch.device(chosen)

    def autocast(self) -> AbstractContextManager[Any]:
        """What the forward pass runs in."""
        device = self.torch_device()
        wanted = multiplies_bf16(device.type) if self.bf16 is None else self.bf16
        if not wanted:
            return nullcontext()
        return torch.autocast(device.type, dtype=torch.bfloat16)

    def forward(self, module: torch.nn.Module) -> Any:
        """The module as batches of one shape go through it; its parameters are the same."""
        gpu = self.torch_device().type == "cuda"
        backend = ("inductor" if gpu else "") if self.compiled is None else self.compiled
        return torch.compile(module, backend=backend, dynamic=False) if backend else module


@cache
def multiplies_bf16(device: str) -> bool:
    """Whether a device multiplies matrices of bf16 faster than of fp32.

    A CPU without instructions for it emulates them, and is far slower; with them (AVX-512 BF16,
    AMX) a step on code took half of the time.
    """
    if device == "cuda":
        return True
    found = torch.cpu.get_capabilities()
    return any(bool(found.get(name)) for name in ("avx512_bf16", "amx_bf16"))
