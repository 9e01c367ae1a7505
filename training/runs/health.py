"""Whether a run is still learning, and up to which checkpoint it certainly was."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from ..errors import Diverged
from ..learning.loop import Step

# A run has diverged when one of these grows to so many times its lowest value so far.
WATCHED = "loss/fidelity"  # in every step
DIVERGED = {WATCHED: 10.0, "validation/l1_1px/generator": 3.0}
GRADIENT = "gradient/generator"


@dataclass
class Health:
    """Attributes:
    log_crops: after so many, the mean loss is compared with the lowest so far.
    crops_per_step: of all processes together.
    good_at: crops up to which checkpoints are known to be good: their weights have been measured.
    lowest: the lowest value of each watched number so far.
    since: the watched numbers of the steps since the last comparison.
    """

    log_crops: int
    crops_per_step: int
    good_at: int
    lowest: dict[str, float]
    since: dict[str, list[Tensor]] = field(default_factory=lambda: {WATCHED: [], GRADIENT: []})

    def check(self, step: Step) -> None:
        """Take in a step.

        Raises:
            Diverged: the loss has exploded.
        """
        for name, values in self.since.items():
            values.append(step.scalars[name].float())
        if step.crops // self.log_crops == (step.crops - self.crops_per_step) // self.log_crops:
            return
        gradients, losses = (torch.stack(self.since[name]) for name in (GRADIENT, WATCHED))
        # Every step had a gradient, and none a loss that has exploded.
        steady = ((gradients > 0) | (losses == 0)) & torch.isfinite(gradients)
        steady &= losses <= DIVERGED[WATCHED] * self.lowest.get(WATCHED, math.inf)
        for values in self.since.values():
            values.clear()
        # Steps whose loss is not finite are counted by `Training`, which knows when there are too many.
        if torch.isfinite(losses).any():
            self._compare(WATCHED, float(losses[torch.isfinite(losses)].mean()))
        if steady.all():
            # A loss is that of the weights before the step; what the step made of them is not known yet.
            self.good_at = step.crops - self.crops_per_step

    def check_validation(self, crops: int, scalars: Mapping[str, float], bad_steps: int) -> bool:
        """Take in what validation has measured at `crops`; returns whether the weights are good.

        Raises:
            Diverged: a measure has exploded.
        """
        for name in DIVERGED:
            if name in scalars:
                self._compare(name, scalars[name])
        if not bad_steps:
            self.good_at = crops
        return not bad_steps

    def _compare(self, name: str, value: float) -> None:
        lowest = self.lowest.get(name, math.inf)
        if not value <= DIVERGED[name] * lowest:
            raise Diverged(f"{name} has risen to {value:.3g}, from {lowest:.3g} at its lowest")
        self.lowest[name] = min(lowest, value)
