"""Deposition: how a load of graphite settles on the tooth of the paper."""

from __future__ import annotations

import torch
from torch import Tensor

SHARPNESS = 7.0  # how suddenly a peak of the tooth takes graphite as the load grows
VEIL = 0.30  # the share of graphite that a load leaves even in the valleys


def deposit(load: Tensor, paper: Tensor) -> Tensor:
    """Graphite on the paper.

    A light load touches only the peaks of the tooth, a full one fills the valleys; no load leaves no graphite.

    Args:
        load: any shape, 0..1.
        paper: heights of the same shape, 0..1.

    Returns:
        Graphite of the same shape, 0 (bare paper) .. 1 (black); differentiable in the load.
    """
    load = load.clamp(0, 1)
    # The lower bound keeps the slope of the roots finite at bare paper.
    bounded = load.clamp(min=1e-4)
    reached_height = 1 - 1.22 * bounded**0.7
    touched = torch.sigmoid(SHARPNESS * (paper - reached_height))
    return (load * bounded**-0.1 * (VEIL + (1.06 - VEIL) * touched)).clamp(max=1)
