"""Clean-up of extracted lines: specks, short strokes and gaps; and one width for all of them."""

from __future__ import annotations

import math

import cv2
import numpy as np

from ..scaling import side
from .settings import LineSettings
from .thickness import skeleton

_FAINT = 0.04  # ink that still belongs to a stroke beside it
_MARK = 0.5
_LOOK_BACK = 8.0  # px at 1024 over which the direction of a stroke's end is taken
_TOWARDS = 0.5  # cosine between that direction and the gap
_SOLID = 8.0  # px at 1024: half the width from which ink is an area and not a line
_SHARP_SIDE = 2048  # px: smaller pictures are stroked anew at twice their size, for smoother edges


def tidy(lines: np.ndarray, settings: LineSettings, clean: bool = False) -> np.ndarray:
    """Removes specks and short strokes, bridges gaps, and strokes all lines at one width, as far as asked for.

    Args:
        lines: (H, W) float32, 0 black .. 1 white.
        settings: specks, minimum_length, close_gaps and uniform_width are used here.
        clean: remove no specks: what looks like one was drawn, or the original extractor left it.
    """
    scale = side(lines.shape) / 1024
    specks = 0.0 if clean else settings.specks * scale**2
    length, gap = settings.minimum_length * scale, settings.close_gaps * scale
    if specks or length:
        lines = _without_small(lines, specks, length)
    if gap:
        lines = _bridged(lines, gap, scale)
    return _stroked(lines, settings.uniform_width, scale) if settings.uniform_width else lines


def _without_small(lines: np.ndarray, specks: float, length: float) -> np.ndarray:
    """Lines without the pieces of less ink than `specks` px, or shorter than `length` px."""
    ink = 1 - lines
    count, label, stats, _ = cv2.connectedComponentsWithStats((ink > _FAINT).astype(np.uint8), connectivity=8)
    amount = np.bincount(label.ravel(), ink.ravel(), count)
    extent = stats[:, [cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT]].max(axis=1)
    small = (amount < specks) | (extent < length)
    small[0] = False
    return np.where(small[label], np.float32(1), lines)


def _bridged(lines: np.ndarray, gap: float, scale: float) -> np.ndarray:
    """Lines with a stroke drawn wherever two end towards each other no more than `gap` px apart."""
    ink = 1 - lines
    mask = (ink > _MARK).astype(np.uint8)
    thin = skeleton(mask)
    rows, columns = np.nonzero(_ends(thin))
    if len(rows) < 2:
        return lines
    ends = np.column_stack((columns, rows)).astype(np.float32)
    headings = np.stack(
        [
            _heading(thin, x, y, max(3, round(_LOOK_BACK * scale)))
            for x, y in zip(columns.tolist(), rows.tolist(), strict=True)
        ]
    )
    half_width = cv2.distanceTransform(mask, cv2.DIST_L2, 5)[rows, columns]
    reach = gap + 2 * half_width
    canvas = np.zeros(ink.shape, np.uint8)
    free = np.ones(len(ends), bool)
    for distance, first, second in sorted(_pairs(ends, headings, reach)):
        if free[first] and free[second] and distance > 0:
            free[first] = free[second] = False
            width = max(1, round(2 * min(half_width[first], half_width[second]) - 1))
            here, there = (np.rint(16 * ends[end]).astype(int).tolist() for end in (first, second))
            cv2.line(canvas, here, there, 255, width, cv2.LINE_AA, 4)
    return np.minimum(lines, 1 - canvas.astype(np.float32) / 255)


def _heading(thin: np.ndarray, x: int, y: int, back: int) -> np.ndarray:
    """The direction (x, y) in which a stroke leaves its end, of length 1."""
    top, left = max(0, y - back), max(0, x - back)
    window = thin[top : y + back + 1, left : x + back + 1]
    # Only the stroke itself, not what passes beside it.
    _, label = cv2.connectedComponents(window, connectivity=8)
    rows, columns = np.nonzero(label == label[y - top, x - left])
    away = np.array([x - left - columns.mean(), y - top - rows.mean()], np.float32)
    return away / max(float(np.hypot(*away)), 1e-6)


def _pairs(ends: np.ndarray, headings: np.ndarray, reach: np.ndarray) -> list[tuple[float, int, int]]:
    """(distance, end, end) of the strokes that end towards each other within reach."""
    found = []
    order = np.argsort(ends[:, 1], kind="stable")
    sorted_rows = ends[order, 1]
    for place, first in enumerate(order):
        last = int(np.searchsorted(sorted_rows, ends[first, 1] + reach[first], "right"))
        others = order[place + 1 : last]
        way = ends[others] - ends[first]
        distance = np.maximum(np.hypot(way[:, 0], way[:, 1]), 1e-6)
        way /= distance[:, None]
        facing = (way @ headings[first] > _TOWARDS) & ((way * headings[others]).sum(1) < -_TOWARDS)
        for other in np.flatnonzero(facing & (distance <= reach[first])):
            found.append((float(distance[other]), int(first), int(others[other])))
    return found


def _stroked(lines: np.ndarray, width: float, scale: float) -> np.ndarray:
    """Every line drawn anew from its centre at `width` px, in its own darkness; solid areas stay."""
    if not (lines < 1).any():
        return lines
    height, across = lines.shape
    sharp = 2 if side(lines.shape) <= _SHARP_SIDE else 1
    ink = 1 - lines
    if sharp > 1:
        ink = cv2.resize(ink, (sharp * across, sharp * height), interpolation=cv2.INTER_CUBIC).clip(0, 1)
    nearby = cv2.dilate(ink, np.ones((5, 5), np.uint8))
    mask = (ink > np.maximum(0.1, 0.5 * nearby)).astype(np.uint8)
    thin = skeleton(mask)
    depths = cv2.distanceTransform(mask, cv2.DIST_L2, 5)[thin > 0]
    # Where all is ink, its middle is infinitely far from the paper.
    half_width, broadest = np.quantile(np.minimum(depths, max(mask.shape)), (0.5, 0.9)) if len(depths) else (1.0, 1.0)
    radius = max(2, round(max(_SOLID * scale * sharp, 2.5 * half_width, 1.3 * broadest)))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    solid = cv2.morphologyEx(mask, cv2.MORPH_OPEN, disc)
    thin = _pruned(thin, math.ceil(half_width))
    distance, nearest = cv2.distanceTransformWithLabels(1 - thin, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    darkness = np.zeros(int(nearest.max()) + 1, np.float32)
    # The darkness of a stretch of the stroke, or its thin ends would be drawn as pale beads.
    stretch = cv2.dilate(ink, np.ones((9 * sharp, 9 * sharp), np.uint8))
    darkness[nearest[thin > 0]] = stretch[thin > 0]
    # The steps of the pixel grid are smoothed out of the centre line.
    distance = cv2.GaussianBlur(distance, (0, 0), 0.6 * sharp) - 0.4
    drawn = darkness[nearest] * np.clip(sharp * width / 2 + 0.5 - distance, 0, 1)
    drawn = np.maximum(drawn, ink * solid)
    if sharp > 1:
        drawn = cv2.resize(drawn, (across, height), interpolation=cv2.INTER_AREA)
    return (1 - drawn.clip(0, 1)).astype(np.float32)


def _pruned(thin: np.ndarray, length: int) -> np.ndarray:
    """Centre lines (H, W) without their twigs of up to `length` px; a line no longer than that in all stays."""
    kernel = np.ones((3, 3), np.uint8)
    pruned = thin
    for _ in range(length):
        pruned = pruned * (1 - _ends(pruned))
    tips = _ends(pruned)
    for _ in range(length):
        tips = cv2.dilate(tips, kernel) * thin
        pruned = pruned | tips
    count, label = cv2.connectedComponents(thin, connectivity=8)
    left = np.zeros(count, bool)
    left[label[pruned > 0]] = True
    return np.where(left[label], pruned, thin)


def _ends(thin: np.ndarray) -> np.ndarray:
    """The pixels (H, W) of centre lines that have no more than one neighbour: 1 there, else 0."""
    neighbours = cv2.filter2D(thin, cv2.CV_8U, np.ones((3, 3), np.uint8), borderType=cv2.BORDER_CONSTANT)
    return ((thin > 0) & (neighbours <= 2)).astype(np.uint8)
