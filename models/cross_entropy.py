"""Cross-entropy through the frozen output matrix, whose logits never exist all at once."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


class _ChunkedCrossEntropy(torch.autograd.Function):
    """Cross-entropy through the frozen output matrix, a few rows at a time.

    The gradient with respect to the states is computed in the forward pass, so that the logits of a whole batch
    (tokens x vocabulary) never exist at once.
    """

    @staticmethod
    def forward(
        ctx: Any, states: Tensor, head: Tensor, targets: Tensor, weights: Tensor, rows: int
    ) -> Tensor:
        total = states.new_zeros(())
        gradient = torch.empty_like(states)
        for start in range(0, states.shape[0], rows):
            part = slice(start, start + rows)
            logits = states[part].to(head.dtype) @ head.T
            target, weight = targets[part], weights[part, None]
            if target.is_floating_point():  # small differences, which halved digits would drown
                logits, teacher_logits = logits.float(), (target.to(head.dtype) @ head.T).float()
                wanted = torch.softmax(teacher_logits, dim=1)
                total -= ((torch.log_softmax(logits, dim=1) * wanted).sum(1, keepdim=True) * weight).sum()
                p = (torch.softmax(logits, dim=1) - wanted).to(head.dtype)
            else:
                p = torch.softmax(logits, dim=1)
                total += (_negative_log_likelihood(p, logits, target[:, None]) * weight).sum()
                p[torch.arange(len(p)), target] -= 1.0
            gradient[part] = (p @ head) * weight
        ctx.save_for_backward(gradient)
        return total

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor | None, ...]:
        (gradient,) = ctx.saved_tensors
        return gradient * upstream, None, None, None, None


def _negative_log_likelihood(p: Tensor, logits: Tensor, target: Tensor) -> Tensor:
    """Return -log of the targets' probabilities, (N, 1); from the logits where ``p`` underflows."""
    nll = -p.gather(1, target).float().log()
    rows = nll.isinf()[:, 0]
    if rows.any():
        far = logits[rows].float()
        nll[rows] = torch.logsumexp(far, dim=1, keepdim=True) - far.gather(1, target[rows])
    return nll


def cross_entropy(states: Tensor, head: Tensor, targets: Tensor, weights: Tensor, rows: int = 256) -> Tensor:
    """Return the weighted sum of the tokens' cross-entropy in nats.

    Args:
        states: (N, width) normed states; the gradient flows to these only.
        head: (vocab, width) frozen output matrix.
        targets: (N,) int64 next tokens; or (N, width) states of a teacher, whose distributions are the targets (Hinton
            et al. 2015, Distilling the Knowledge in a Neural Network).
        weights: (N,) float; zero where a token does not count.
        rows: states handled at a time.
    """
    # torch gives `Function.apply` no types
    result: Tensor = _ChunkedCrossEntropy.apply(states, head, targets, weights, rows)  # type: ignore[no-untyped-call]
    return result
