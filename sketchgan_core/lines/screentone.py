"""Screentone: the dots of a print, which stand for a grey, told from what is drawn."""

from __future__ import annotations

import cv2
import numpy as np

from ..fields import blurred
from ..scaling import side

_LEAST = 150  # dots; fewer are drawn
_LARGEST = 1 / 50  # of the side of the picture: a dot is no wider or higher
_NEAR = 0.22  # logarithm of how much nearer or farther than usual the next dot of a screen may be
_THIRD = 1.5  # times the usual distance to the next dot: no farther is the third of a screen
_REGULAR = 0.6  # share of the dots that must lie so
_ALIKE = 3.0  # times larger or smaller than the usual dot


def tone_of_screen(lines: np.ndarray, outlined: bool = False) -> tuple[np.ndarray, np.ndarray] | None:
    """Takes the screentone out of a line image.

    Args:
        lines: (H, W) float32, 0 black .. 1 white.
        outlined: where holes in black are taken out, the black around the outermost stays, with the outline in it.

    Returns:
        The lines without dots; and how dark they make each place, (H, W) float32, 0..1. None where there are none.
    """
    ink = (lines < 0.5).astype(np.uint8)
    dots, holes = _screen(ink), _screen(1 - ink)
    if dots is None and holes is None:
        return None
    rest, tone = lines.copy(), np.zeros_like(lines)
    if dots is not None:
        dot, region, apart = dots
        tone = _mean(dot, region, apart)
        rest[cv2.dilate(dot, np.ones((3, 3), np.uint8)) > 0] = 1
    if holes is not None:
        hole, region, apart = holes
        tone = np.where(region > 0, 1 - _mean(hole, region, apart), tone)
        if outlined:
            reach = 2 * round(apart) + 1
            region = cv2.erode(region, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach)))
        rest[region > 0] = 1
    return rest, tone.astype(np.float32)


def without_screen(lines: np.ndarray) -> np.ndarray:
    """A line image (H, W) without its screentone; as it is where there is none."""
    found = tone_of_screen(lines, outlined=True)
    return lines if found is None else found[0]


def _screen(mark: np.ndarray) -> tuple[np.ndarray, np.ndarray, float] | None:
    """The dots among marks (H, W) uint8, the region they cover, both (H, W) uint8, and px from one to the next."""
    if cv2.connectedComponents(mark, connectivity=4)[0] <= _LEAST:  # which takes half the time
        return None
    _, labels, stats, centres = cv2.connectedComponentsWithStats(mark, connectivity=4)
    largest = max(3.0, _LARGEST * side(mark.shape))
    extent = np.maximum(stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT])
    small = np.flatnonzero((extent <= largest) & (np.arange(len(stats)) > 0))
    if len(small) < _LEAST:
        return None
    area = stats[small, cv2.CC_STAT_AREA]
    small = small[np.abs(np.log(area / np.median(area))) < np.log(_ALIKE)]
    points = centres[small].astype(np.float32)
    if len(points) < _LEAST:
        return None
    index = cv2.flann_Index(points, {"algorithm": 1, "trees": 1})  # type: ignore[attr-defined]
    _, squares = index.knnSearch(points, 4, params={"checks": 64})
    distance = np.sqrt(squares)
    apart = float(np.median(distance[:, 1]))
    # Letters have a neighbour as far away on either side, dots of a screen have four of them.
    in_a_grid = (np.abs(np.log(distance[:, 1] / apart)) < _NEAR) & (distance[:, 3] < _THIRD * apart)
    if in_a_grid.sum() < _LEAST or in_a_grid.mean() < _REGULAR:
        return None
    one_of_many = np.abs(np.log(distance[:, 1] / apart)) < 1.5 * _NEAR
    chosen = np.zeros(len(stats), np.uint8)
    chosen[small[one_of_many]] = 1
    dot = chosen[labels]
    # Dots that touch a line are part of it: the tone goes on to there.
    reach = 2 * round(apart) + 1
    region = cv2.dilate(dot, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach)))
    return dot, region, apart


def _mean(dot: np.ndarray, region: np.ndarray, apart: float) -> np.ndarray:
    """The share of a region (H, W) that is covered by dots, all around each place of it."""
    reach = 2 * round(0.5 * apart) + 1
    covered = cv2.dilate(dot, np.ones((reach, reach), np.uint8)).astype(np.float32)
    share = blurred(dot.astype(np.float32), apart) / (blurred(covered, apart) + np.float32(1e-6))
    inside: np.ndarray = share.clip(0, 1) * region
    return inside
