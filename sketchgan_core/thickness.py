"""Thicker and thinner lines, by fractions of a pixel, without losing one."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

import cv2
import numpy as np

# The eight neighbours of a pixel as the bits of a byte, clockwise from the one above it.
_NEIGHBOURS = np.array([[128, 1, 2], [64, 0, 4], [32, 16, 8]], np.float32)


def change_thickness(lines: np.ndarray, pixels: float) -> np.ndarray:
    """Makes every line wider or narrower, half on each side.

    A line that is narrower than what is taken away stays as a thread one pixel wide, so nothing is lost or broken.

    Args:
        lines: (H, W) float32, 0 black .. 1 white.
        pixels: added to the width; negative takes away, 0 gives the lines back as they are.
    """
    if pixels == 0:
        return lines
    ink = 1 - lines
    radius = abs(pixels) / 2
    if pixels > 0:
        return 1 - _between_discs(cv2.dilate, ink, radius)
    thread = _peel((ink > 0.5).astype(np.uint8), math.ceil(radius)) * ink
    return 1 - np.maximum(_between_discs(cv2.erode, ink, radius), thread)


def _between_discs(
    morphology: Callable[[np.ndarray, np.ndarray], np.ndarray], ink: np.ndarray, radius: float
) -> np.ndarray:
    """A dilation or erosion by a disc of any radius, mixed of the two whole ones beside it."""
    whole = math.floor(radius)
    share = radius - whole
    low, high = (ink if size == 0 else morphology(ink, _disc(size)) for size in (whole, whole + 1))
    return ((1 - share) * low + share * high).astype(np.float32)


def _disc(radius: int) -> np.ndarray:
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))


def _peel(mask: np.ndarray, layers: int) -> np.ndarray:
    """A mask (H, W) of 0 and 1 without its outer layers; what is one pixel wide stays, and stays connected.

    After Zhang and Suen, "A fast parallel algorithm for thinning digital patterns", 1984.
    """
    for _ in range(layers):
        for removable in _removable():
            code = cv2.filter2D(mask, cv2.CV_8U, _NEIGHBOURS, borderType=cv2.BORDER_CONSTANT)
            mask = mask * (1 - cv2.LUT(code, removable))
    return mask


@lru_cache(maxsize=1)
def _removable() -> tuple[np.ndarray, np.ndarray]:
    """For each of the two half steps: neighbours' bits -> 1 where the pixel may go."""
    bits = (np.arange(256)[:, None] >> np.arange(8)) & 1
    count = bits.sum(1)
    rises = ((bits == 0) & (np.roll(bits, -1, 1) == 1)).sum(1)
    simple = (count >= 2) & (count <= 6) & (rises == 1)
    up, right, down, left = bits[:, 0], bits[:, 2], bits[:, 4], bits[:, 6]
    first = simple & (up * right * down == 0) & (right * down * left == 0)
    second = simple & (up * right * left == 0) & (up * down * left == 0)
    return first.astype(np.uint8), second.astype(np.uint8)
