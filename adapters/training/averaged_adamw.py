"""AdamW at a constant rate, the average of its steps, and the state from which a later round goes on.

What a round hands over to be served is the average of the values over the steps so far, the later ones counting most
(polynomial-decay averaging, Shamir & Zhang 2013, eq. 3). It does for the noise of a constant rate what cooling the rate
to nothing does, and costs no step. So training never has to be cooled and warmed up again, which is what makes an
adapter forget (Gupta et al. 2023): the next round goes on from the values as they were.
"""

from __future__ import annotations

from typing import Final

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor
from torch.optim.adamw import adamw

_WEIGHT_DECAY: Final = 0.01
_WARMUP_STEPS: Final = 15  # in which the rate rises, once in the life of an adapter
_DECAY_ORDER: Final = 3  # a step counts in the average by about the third power of its number
#: The average forgets no more slowly than after so many steps, some 5,000 tokens. Over all steps it is 2 % better on
#: text that stays what it is, and loses a quarter of the gain where a new topic begins.
_WINDOW_STEPS: Final = 40
_HALVES: Final = {"values": torch.float16, "exp_avg": torch.bfloat16, "exp_avg_sq": torch.bfloat16}


class AveragedAdamW:
    """AdamW (Loshchilov & Hutter 2019) for one tensor, by torch's function for it, and the average of its values.

    torch's class of that name loads torch's compiler, which takes as long as torch itself: two seconds of each round.

    Attributes:
        values: (n,) the values that are trained.
        average: (n,) their average over the steps so far.
        state: the optimizer's own, by torch's names: the number of steps, and the moments (n,).
    """

    def __init__(self, values: Tensor) -> None:
        self.values = values
        self.average = values.clone()
        self.state = {
            "step": torch.tensor(0.0),
            "exp_avg": torch.zeros_like(values),
            "exp_avg_sq": torch.zeros_like(values),
        }

    @property
    def steps(self) -> int:
        """Steps so far, those of earlier rounds included."""
        return int(self.state["step"])

    def step(self, learning_rate: float) -> None:
        """Change the values by their gradient, which is dropped, and take the values into the average."""
        gradient, self.values.grad = self.values.grad, None
        if gradient is None:
            return
        with torch.no_grad():
            adamw(
                [self.values],
                [gradient],
                [self.state["exp_avg"]],
                [self.state["exp_avg_sq"]],
                [],
                [self.state["step"]],
                fused=True,
                amsgrad=False,
                beta1=0.9,
                beta2=0.98,
                lr=learning_rate * min((self.steps + 1) / _WARMUP_STEPS, 1.0),
                weight_decay=_WEIGHT_DECAY,
                eps=1e-8,
                maximize=False,
            )
            share = (_DECAY_ORDER + 1) / (min(self.steps, _WINDOW_STEPS) + _DECAY_ORDER)
            self.average.lerp_(self.values, share)

    def tensors(self) -> dict[str, Tensor]:
        """Return all that the next step depends on, by name."""
        return {"values": self.values, "average": self.average, **self.state}

    def restore(self, tensors: dict[str, Tensor]) -> None:
        """Go on from what :meth:`tensors` returned; what is not among them stays."""
        with torch.no_grad():
            for name, tensor in self.tensors().items():
                if name in tensors:
                    tensor.copy_(tensors[name])

    def to_bytes(self) -> bytes:
        """Return what the next round goes on from as a safetensors file in half precision.

        The average is not in it: it is the adapter.
        """
        kept = self.tensors()
        halves = {name: kept[name].to(kind) for name, kind in _HALVES.items()}
        return safetensors.torch.save({**halves, "step": kept["step"]})

    def go_on(self, blob: bytes) -> None:
        """Go on from what :meth:`to_bytes` returned; from the values alone where that is of another shape, or torn."""
        try:
            kept = safetensors.torch.load(blob)
        except SafetensorError:
            return
        if {name: tensor.shape for name, tensor in kept.items()} == {
            name: tensor.shape for name, tensor in self.tensors().items() if name != "average"
        }:
            self.restore(kept)
