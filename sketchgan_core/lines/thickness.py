"""Thicker and thinner lines, by fractions of a pixel, without losing any line."""

from __future__ import annotations

import math
from functools import lru_cache

import cv2
import numpy as np

# The eight neighbours of a pixel as the bits of a byte, clockwise from the one above it.
_NEIGHBOURS = np.array([[128, 1, 2], [64, 0, 4], [32, 16, 8]], np.float32)


def change_thickness(lines: np.ndarray, pixels: float, rows: int = 1024) -> np.ndarray:
    """Makes every line wider or narrower, half on each side, by the distance from its edge.

    The edge is where the ink is half of the line's own, found between pixels by the ink of the pixel beside it. A line
    that is narrower than what is taken away stays as a thread one pixel wide, so nothing is lost or broken.

    Args:
        lines: (H, W) float32, 0 black .. 1 white.
        pixels: added to the width; negative takes away, 0 returns the lines as they are.
        rows: how many are computed at once; this does not change the result.
    """
    if pixels == 0:
        return lines
    radius = abs(pixels) / 2
    halo = 2 * math.ceil(radius) + 8
    changed = np.empty_like(lines)
    for top in range(0, lines.shape[0], rows):
        first, bottom = max(0, top - halo), min(top + rows, lines.shape[0])
        ink = 1 - lines[first : bottom + halo]
        changed[top:bottom] = 1 - _changed(ink, pixels / 2)[top - first : bottom - first]
    return changed


def _changed(ink: np.ndarray, radius: float) -> np.ndarray:
    """Ink (H, W) whose lines reach `radius` px further on each side, or less far."""
    darkness = cv2.dilate(ink, np.ones((5, 5), np.uint8))
    share = ink / np.maximum(darkness, 0.05)
    inside = (share > 0.5) & (ink > 0.05)
    if inside.all() or not inside.any():
        return ink
    # Distance from the edge, negative within the line; the ink beyond the edge tells where between two pixels it lies.
    outwards, last = _nearest(inside, np.stack([share, darkness]))
    inwards, first = _nearest(~inside, share[None])
    distance = np.where(inside, 0.5 - inwards - first[0], outwards + 0.5 - last[0])
    # Smooths out the steps of the pixel grid.
    distance = cv2.GaussianBlur(distance, (0, 0), 0.8)
    tone = last[1]
    drawn = tone * np.clip(radius + 0.5 - distance, 0, 1)
    if radius > 0:
        return np.maximum(ink, drawn)
    thread = _peel(inside.astype(np.uint8), math.ceil(-radius)) * ink
    return np.maximum(np.minimum(ink, drawn), thread)


def _nearest(mask: np.ndarray, planes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The distance of each pixel to the nearest where `mask` is true, and the planes (P, H, W) as they are there."""
    distance, label = cv2.distanceTransformWithLabels(
        (~mask).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    table = np.zeros((len(planes), int(label.max()) + 1), np.float32)
    table[:, label[mask]] = planes[:, mask]
    return distance, table[:, label]


def skeleton(mask: np.ndarray) -> np.ndarray:
    """The centre lines, one pixel wide, of a mask (H, W) of 0 and 1."""
    while True:
        thinner = _peel(mask, 4)
        if np.array_equal(thinner, mask):
            return mask
        mask = thinner


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
