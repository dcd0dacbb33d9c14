"""Cross-entropy of the tied output layer without holding all logits at once."""

from typing import Any

import torch
from torch.nn.functional import log_softmax

CHUNK = 1024


class _ChunkedCrossEntropy(torch.autograd.Function):
    """Weighted sum of -log p(target); gradients are made in the forward pass, chunk by chunk."""

    @staticmethod
    def forward(
        ctx: Any,
        hidden: torch.Tensor,
        output: torch.Tensor,
        targets: torch.Tensor,
        weights: torch.Tensor,
    ) -> torch.Tensor:
        total = hidden.new_zeros((), dtype=torch.float32)
        hidden_gradient = torch.empty_like(hidden)
        # A frozen output layer (LoRA) is large and needs none.
        wanted = ctx.needs_input_grad[1]
        output_gradient = torch.zeros_like(output, dtype=torch.float32) if wanted else None
        for start in range(0, len(hidden), CHUNK):
            part = slice(start, start + CHUNK)
            logs = log_softmax((hidden[part] @ output.T).float(), dim=-1)
            target, weight = targets[part, None], weights[part, None]
            total -= (logs.gather(1, target) * weight).sum()
            gradient = logs.exp_().mul_(weight)
            gradient.scatter_add_(1, target, -weight)
            gradient = gradient.to(hidden.dtype)
            hidden_gradient[part] = gradient @ output
            if output_gradient is not None:
                output_gradient += (gradient.T @ hidden[part]).float()
        ctx.save_for_backward(
            hidden_gradient,
            output_gradient if output_gradient is None else output_gradient.to(output.dtype),
        )
        return total

    @staticmethod
    def backward(
        ctx: Any, *gradients: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor | None, None, None]:
        hidden_gradient, output_gradient = ctx.saved_tensors
        scale = gradients[0]
        output = None if output_gradient is None else output_gradient * scale
        return hidden_gradient * scale, output, None, None


def weighted_cross_entropy(
    hidden: torch.Tensor, output: torch.Tensor, targets: torch.Tensor, weights: torch.Tensor
) -> torch.Tensor:
    """Sum over positions of `weight * -log p(target)`, in nats.

    Shapes: hidden `[n, d]`, output `[vocabulary, d]`, targets and weights `[n]`. Positions of
    weight 0 cost nothing.
    """
    used = weights > 0
    if not bool(used.all()):
        hidden, targets, weights = hidden[used], targets[used], weights[used]
    result: torch.Tensor = _ChunkedCrossEntropy.apply(  # type: ignore[no-untyped-call]
        hidden, output, targets, weights
    )
    return result
