"""Drawing papers as periodic height fields."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from ..choices import PAPER
from ..planning.hand import smooth_noise, tile_to

PERIOD = 512

# Of each of `choices.PAPERS`: fine and coarse correlation length of the tooth, in pixels, and its random stream.
TOOTH = {"cartridge": (0.5, 1.1, 1), "smooth": (0.4, 0.8, 0), "rough": (0.9, 2.2, 2)}
EVEN = "even"  # no tooth at all: on it a sketch shows how much graphite was laid where, and nothing of the paper


@lru_cache(maxsize=len(TOOTH) + 1)
def _height_field(kind: str) -> np.ndarray:
    if kind == EVEN:
        return np.full((PERIOD, PERIOD), 0.5, np.float32)
    fine, coarse, stream = TOOTH[kind]
    rng = np.random.default_rng(stream)
    relief = 0.75 * smooth_noise(rng, fine, PERIOD) + 0.5 * smooth_noise(rng, coarse, PERIOD)
    # Ranks instead of heights, so that every load reaches exactly its own share of the tooth.
    ranks = np.empty(relief.size, dtype=np.float32)
    ranks[relief.ravel().argsort(kind="stable")] = np.linspace(0, 1, relief.size, dtype=np.float32)
    return ranks.reshape(relief.shape)


def paper(height: int, width: int, kind: str = PAPER, seed: int = 0, top: int = 0) -> np.ndarray:
    """A sheet of paper, or a band of it.

    Args:
        height, width: size in pixels.
        kind: smooth, cartridge or rough; or even, for training.
        seed: which part of the endless sheet lies under the drawing.
        top: the row of the sheet at which the band begins.

    Returns:
        Heights (H, W), float32, uniform in 0..1 (even paper: all 0.5); periodic over 512 px and anchored to image
        coordinates.

    Raises:
        ValueError: unknown kind.
    """
    if kind not in (*TOOTH, EVEN):
        raise ValueError(f"unknown paper {kind!r}; choose one of {', '.join(TOOTH)}")
    down, along = np.random.default_rng((int(seed) & 0xFFFFFFFF, 97)).integers(0, PERIOD, 2).tolist()
    return tile_to(np.roll(_height_field(kind), (down - top, along), (0, 1)), height, width)
