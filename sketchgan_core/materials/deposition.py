"""Deposition: how a load of graphite settles on the tooth of the paper."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

FILLING = 1.2  # the valleys fill with this power of the load, entirely at full load
LEVELS = 4097  # of load, at which the mean graphite is tabulated


@dataclass(frozen=True)
class Grade:
    """The lead.

    Attributes:
        density: of the densest graphite, 0..1; the rest of the light is reflected.
        hardness: 0..1; a hard lead touches only the peaks of the tooth, a soft one fills its valleys.
        softness: how the pencil draws with it; see `Controls`.
    """

    density: float = 0.86
    hardness: float = 0.5
    softness: float = 1 / 3


TWO_B = Grade()
GRADES = {
    "2B": TWO_B,
    "4H": Grade(0.62, 0.75, softness=0.0),
    "8B": Grade(0.93, 0.35, softness=2 / 3),
    "charcoal": Grade(0.95, 0.6, softness=1.0),
}


def grade_of(softness: float) -> str:
    """The name of the grade of this softness, or of the nearest."""
    return min(GRADES, key=lambda name: abs(GRADES[name].softness - softness))


def deposit(load: Tensor, paper: Tensor, grade: Grade = TWO_B) -> Tensor:
    """Graphite on the paper.

    A light load touches only the peaks of the tooth, a full one fills the valleys; no load leaves no graphite.

    Args:
        load: any shape, 0..1.
        paper: heights of the same shape, 0..1.
        grade: of the lead.

    Returns:
        Graphite of the same shape, 0 (bare paper) .. the grade's density; differentiable in the load.
    """
    sharpness, veil = 1 + 7.2 * grade.hardness, 0.7 - 0.48 * grade.hardness
    load = load.clamp(0, 1)
    # The lower bound keeps the slope of the roots finite at bare paper.
    bounded = load.clamp(min=1e-4)
    valleys = veil + (1 - veil) * bounded**FILLING
    reached_height = 1 - 1.22 * bounded**0.7
    touched = torch.sigmoid(sharpness * (paper - reached_height))
    return grade.density * (load * bounded**-0.1 * (valleys + (1.06 - valleys) * touched)).clamp(max=1)


def darkness_of(load: np.ndarray, grade: Grade = TWO_B) -> np.ndarray:
    """The graphite that a load (H, W) leaves, averaged over all heights of the tooth."""
    level = np.asarray(load * np.float32(LEVELS - 1))
    level += np.float32(0.5)
    return _mean_graphite(grade).take(np.clip(level, 0, LEVELS - 1, out=level).astype(np.intp))


def load_of(darkness: np.ndarray, grade: Grade = TWO_B) -> np.ndarray:
    """The load (H, W) that leaves this mean graphite; the inverse of `darkness_of`."""
    return np.interp(darkness, _mean_graphite(grade), np.linspace(0, 1, LEVELS, dtype=np.float32)).astype(np.float32)


@lru_cache(maxsize=16)
def _mean_graphite(grade: Grade) -> np.ndarray:
    # The heights of every paper are uniform in 0..1.
    load, height = torch.linspace(0, 1, LEVELS)[:, None], torch.linspace(0, 1, 256)[None]
    return deposit(load.expand(-1, 256), height.expand(LEVELS, -1), grade).mean(1).numpy()
