"""Augmentation of one window (H, W, len(CHANNELS)) uint8: cheap, and decided by a seeded random generator."""

from __future__ import annotations

import cv2
import numpy as np

from .stacks import CHANNELS, CONTROLS

SKETCH, INK, REACH = (CHANNELS.index(name) for name in ("sketch", "ink", "reach"))
TAKE, ROUGHNESS, SHADING = (CHANNELS.index(name) for name in ("take", "roughness", "shading"))
MARKS = [CHANNELS.index(name) for name in ("ink", "take", "restated", "construction", "hatch", "tone")]
GROUND = [CHANNELS.index(name) for name in ("paper", "pressure", "noise", *CONTROLS)]


def affine_matrix(rng: np.random.Generator, size: int, source: int) -> np.ndarray:
    """Rotation, scale and shear: a map (2, 3) of a square window of `size` px to the middle of one of `source` px."""
    angle, shear = np.deg2rad(rng.uniform(-15, 15)), rng.uniform(-0.08, 0.08)
    scale = np.exp(rng.uniform(-0.15, 0.15))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) / scale
    matrix = turn @ np.array([[1, shear], [0, 1]])
    centre, source_centre = np.full(2, (size - 1) / 2), np.full(2, (source - 1) / 2)
    return np.hstack([matrix, (source_centre - matrix @ centre)[:, None]])


def warp(source: np.ndarray, matrix: np.ndarray, size: int) -> np.ndarray:
    """`source` resampled under `matrix` (window to source), (size, size, channels).

    Beyond an edge the drawing is mirrored, plan and strokes alike.
    """
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    # cubic keeps the grain that linear interpolation would blur, and takes four channels at a time
    groups = [
        cv2.warpAffine(
            np.ascontiguousarray(source[..., first : first + 4]), matrix, (size, size),
            flags=flags, borderMode=cv2.BORDER_REFLECT_101,
        )
        for first in range(0, source.shape[2], 4)
    ]  # fmt: skip
    return np.concatenate([group.reshape(size, size, -1) for group in groups], axis=2)


def overlap(below: np.ndarray, above: np.ndarray) -> np.ndarray:
    """Two drawings on one sheet: marks add up, graphite multiplies, the ground is the one with the greater reach."""
    both = below.copy()
    both[..., MARKS] = np.maximum(below[..., MARKS], above[..., MARKS])
    both[..., SKETCH] = cv2.multiply(below[..., SKETCH], above[..., SKETCH], scale=1 / 255)
    both[..., REACH] = np.maximum(below[..., REACH], above[..., REACH])
    nearer = above[..., REACH] > below[..., REACH]
    for channel in GROUND:
        np.copyto(both[..., channel], above[..., channel], where=nearer)
    return both


def change_thickness(window: np.ndarray, rng: np.random.Generator) -> None:
    """Thin, thicken, soften or grey the input lines in place; the target stays, for the hand draws them all alike."""
    ink = np.ascontiguousarray(window[..., INK])
    change = rng.integers(4)
    if change < 2:
        side = int(rng.integers(2, 4))
        morph = cv2.erode if change == 0 else cv2.dilate
        ink = morph(ink, np.ones((side, side), np.uint8))
    elif change == 2:
        ink = cv2.GaussianBlur(ink, (0, 0), rng.uniform(0.4, 1.0))
    if change == 3 or rng.random() < 0.3:
        ink = cv2.convertScaleAbs(ink, alpha=rng.uniform(0.6, 1.0))
    window[..., INK] = ink


def finish(window: np.ndarray) -> None:
    """Put the finished sketch in the place of the input, in place: a drawing that needs nothing is to be left alone.

    It is planned as lines are at no roughness and no shading: one take, in place, and nothing added.
    """
    graphite = 255 - window[..., SKETCH]
    window[..., MARKS] = 0
    window[..., INK] = window[..., TAKE] = graphite
    window[..., ROUGHNESS] = window[..., SHADING] = 0


def turn(window: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One of the eight flips and quarter turns: exact, so always allowed."""
    quarter_turns, flip = int(rng.integers(4)), rng.random() < 0.5
    window = np.rot90(window, quarter_turns)
    return window[:, ::-1] if flip else window
