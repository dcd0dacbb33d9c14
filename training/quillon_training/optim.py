"""Muon for matrices, AdamW for the rest, under one warm-up/stable/decay learning rate."""

from collections.abc import Callable, Iterable
from typing import Any

import torch

from quillon_training.compute import multiplies_bf16

# Coefficients of the quintic Newton-Schulz iteration (Keller Jordan, "Muon", 2024).
_A, _B, _C = 3.4445, -4.7750, 2.0315
_ITERATIONS = 5
# An orthogonal update times 0.2 * sqrt(max(rows, columns)) has the size of an AdamW update, so that
# both share one learning rate (Liu et al. 2025, arXiv:2502.16982).
_MATCH_ADAMW = 0.2


def orthogonalised(matrix: torch.Tensor) -> torch.Tensor:
    """About the nearest semi-orthogonal matrix; in bf16 where the device multiplies it fast."""
    work = matrix.bfloat16() if multiplies_bf16(matrix.device.type) else matrix.float()
    tall = work.shape[0] > work.shape[1]
    if tall:
        work = work.T
    work = work / (work.norm() + 1e-7)
    for _ in range(_ITERATIONS):
        square = work @ work.T
        work = _A * work + (_B * square + _C * square @ square) @ work
    result: torch.Tensor = (work.T if tall else work).to(matrix.dtype)
    return result


class Muon(torch.optim.Optimizer):
    """Momentum whose matrix is orthogonalised before each step; for 2-D parameters only."""

    def __init__(
        self,
        parameters: Iterable[torch.nn.Parameter],
        *,
        lr: float,
        momentum: float = 0.95,
        weight_decay: float = 0.1,
    ) -> None:
        super().__init__(parameters, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """One step; `closure` is not supported."""
        del closure
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._update(parameter, parameter.grad, group)

    def _update(
        self, parameter: torch.nn.Parameter, gradient: torch.Tensor, group: dict[str, Any]
    ) -> None:
        state = self.state[parameter]
        if "momentum_buffer" not in state:
            state["momentum_buffer"] = torch.zeros_like(parameter)
        buffer = state["momentum_buffer"]
        buffer.lerp_(gradient, 1 - group["momentum"])
        update = orthogonalised(torch.lerp(gradient, buffer, group["momentum"]))
        size = _MATCH_ADAMW * max(parameter.shape) ** 0.5
        parameter.mul_(1 - group["lr"] * group["weight_decay"])
        parameter.add_(update, alpha=-group["lr"] * size)


def optimizers(
    model: torch.nn.Module, *, lr: float, weight_decay: float
) -> list[torch.optim.Optimizer]:
    """Muon for the layers' matrices; AdamW for embeddings and norms (norms without decay)."""
    matrices: list[torch.nn.Parameter] = []
    embeddings: list[torch.nn.Parameter] = []
    vectors: list[torch.nn.Parameter] = []
    for name, parameter in model.named_parameters():
        if parameter.dim() < 2:  # noqa: PLR2004
            vectors.append(parameter)
        else:
            (embeddings if "embed" in name else matrices).append(parameter)
    adamw = torch.optim.AdamW(
        [{"params": embeddings, "weight_decay": 0.01}, {"params": vectors, "weight_decay": 0.0}],
        lr=lr,
        betas=(0.9, 0.95),
        eps=1e-10,
    )
    return [Muon(matrices, lr=lr, weight_decay=weight_decay), adamw]


def learning_rate(
    step: int, *, peak: float, warmup: int, decay_from: int | None, decay_steps: int
) -> float:
    """Linear warm-up, constant, then `1 - sqrt` decay to zero.

    Source: Hägele et al. 2024, arXiv:2405.18392.
    """
    if step < warmup:
        return peak * (step + 1) / warmup
    if decay_from is None or step < decay_from:
        return peak
    share = min(1.0, (step - decay_from + 1) / decay_steps)
    return peak * float(1 - share**0.5)
