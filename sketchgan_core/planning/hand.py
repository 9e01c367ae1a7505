"""The hand: the seeded random fields that make a drawing come out one way and no other.

Every field is periodic over PERIOD pixels and anchored to image coordinates, so a pixel gets the same value
whatever the size of the image around it, and a seed is a take.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import torch

PERIOD = 1024
SLANT = math.radians(-52)  # the way a right hand hatches

# Independent random streams of one seed; the numbers are part of what a seed means, so they never change.
_WOBBLE, _PRESSURE, _NOISE, _TABLE = range(4)


def smooth_noise(rng: np.random.Generator, scale: float, size: int = PERIOD) -> np.ndarray:
    """Periodic Gaussian-filtered white noise (size, size), zero mean, unit deviation, correlation `scale` px."""
    frequency = torch.fft.fftfreq(size)
    falloff = torch.exp(-2 * (math.pi * scale * frequency) ** 2)
    spectrum = torch.fft.rfft2(torch.from_numpy(rng.standard_normal((size, size), dtype=np.float32)))
    field = torch.fft.irfft2(spectrum * falloff[:, None] * falloff[None, : size // 2 + 1], s=(size, size))
    field -= field.mean()
    smooth: np.ndarray = (field / field.std(correction=0)).numpy()
    return smooth


def tile_to(field: np.ndarray, height: int, width: int) -> np.ndarray:
    """A periodic field (..., P, P) laid over an image of (height, width)."""
    if height <= field.shape[-2] and width <= field.shape[-1]:
        return field[..., :height, :width]
    rows, columns = field.shape[-2:]
    laid = np.empty((*field.shape[:-2], height, width), field.dtype)
    for top in range(0, height, rows):
        for left in range(0, width, columns):
            part = laid[..., top : top + rows, left : left + columns]
            part[...] = field[..., : part.shape[-2], : part.shape[-1]]
    return laid


@lru_cache(maxsize=64)
def _basis(stream: int, scale: float, index: int) -> np.ndarray:
    return smooth_noise(np.random.default_rng((stream, index, round(scale * 1000))), scale)


class Hand:
    """One take of the hand.

    The smooth fields of a seed are a few fixed fields, shifted and mixed by the seed: as random as fresh ones,
    without a Fourier transform for each.
    """

    def __init__(self, seed: int) -> None:
        self.seed = int(seed) & 0xFFFFFFFF

    def _field(self, stream: int, scale: float, part: int = 0) -> np.ndarray:
        rng = np.random.default_rng((self.seed, stream, round(scale * 1000), part))
        shifts = rng.integers(0, PERIOD, (2, 2))
        angle = rng.uniform(0, 2 * np.pi)
        first, second = (
            np.roll(_basis(stream, scale, index), shift, (0, 1)) for index, shift in enumerate(shifts.tolist())
        )
        first *= np.float32(np.cos(angle))
        second *= np.float32(np.sin(angle))
        first += second
        return first

    def wobble(self, height: int, width: int, scale: float, part: int = 0) -> np.ndarray:
        """Displacement field (2, H, W), x then y, unit deviation, correlation `scale` px."""
        fields = np.empty((2, PERIOD, PERIOD), np.float32)
        for axis in (0, 1):
            fields[axis] = self._field(_WOBBLE, scale, 2 * part + axis)
        return tile_to(fields, height, width)

    def drift(self, height: int, width: int, scale: float, part: int = 0) -> np.ndarray:
        """The first component (H, W) of `wobble` alone."""
        return tile_to(self._field(_WOBBLE, scale, 2 * part), height, width)

    def pressure(self, height: int, width: int) -> np.ndarray:
        """How hard the hand presses (H, W): 0..1, mean 0.5, swelling and fading over some 60 px."""
        field = 1 / (1 + np.exp(-1.7 * self._field(_PRESSURE, 30.0)))
        return tile_to(field.astype(np.float32), height, width)

    def noise(self, height: int, width: int) -> np.ndarray:
        """White Gaussian noise (H, W), unit deviation: what is left to chance in a stroke."""
        field = np.random.default_rng((self.seed, _NOISE)).standard_normal((PERIOD, PERIOD), dtype=np.float32)
        return tile_to(field, height, width)

    def table(self, part: int, size: int = 4096) -> np.ndarray:
        """Uniform random numbers (size,) in 0..1, to look up by a stroke's number."""
        return np.random.default_rng((self.seed, _TABLE, part)).random(size, dtype=np.float32)
