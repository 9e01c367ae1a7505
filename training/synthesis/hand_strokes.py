"""How a hand draws a traced line: where it lifts the pencil, how far it overshoots, how hard it presses.

Nothing here is left to chance: every decision depends on the polyline and the hand's fields at that place alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np

from .tracing import Polyline, smooth

SMALL = 40.0  # px: a smaller feature, such as an eye or a button, is drawn in one go and without overshoot
OVERSHOOT = 9.0  # px at full roughness and full pressure
_CORNER = math.radians(50)
_ARM = 5  # points on either side by which a corner is measured
_SHORTEST = 26  # points between two lifts
_TAPER = 9.0  # px over which a stroke swells and fades


def sample(field: np.ndarray, points: np.ndarray) -> np.ndarray:
    """A field (H, W) read bilinearly at points (N, 2), x and y in px."""
    x, y = points.T.astype(np.float32)
    return cv2.remap(field, x[None], y[None], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)[0]


@dataclass(frozen=True)
class Manner:
    """How one pass over the lines is drawn.

    Attributes:
        move: displacement (2, H, W), px, added to every point.
        pressure: (H, W), 0..1, of the pencil in mid-stroke.
        presence: (H, W), 0..1, how strongly the pass is drawn, or None for everywhere.
        overshoot: px at full pressure.
        smoothing: points over which the line is simplified.
        lifts: lift the pencil at corners and where the pressure ebbs.
    """

    move: np.ndarray
    pressure: np.ndarray
    presence: np.ndarray | None
    overshoot: float
    smoothing: float = 0.0
    lifts: bool = True


def corners(points: np.ndarray) -> list[int]:
    """Indices where a line of points (N, 2) turns by more than 50 degrees."""
    if len(points) < 4 * _ARM:
        return []
    before = points[_ARM:-_ARM] - points[: -2 * _ARM]
    after = points[2 * _ARM :] - points[_ARM:-_ARM]
    lengths = np.linalg.norm(before, axis=1) * np.linalg.norm(after, axis=1)
    turn = np.arccos(((before * after).sum(1) / np.maximum(lengths, 1e-9)).clip(-1, 1))
    found: list[int] = []
    for i in np.flatnonzero(turn > _CORNER).tolist():
        sharpest = turn[i] >= turn[max(0, i - _ARM) : i + _ARM + 1].max()
        if sharpest and (not found or i + _ARM - found[-1] > _ARM):
            found.append(i + _ARM)
    return found


def lifts(pressure: np.ndarray) -> list[int]:
    """Indices where the pressure along a line (N,) ebbs: local minima below 0.42."""
    inner = pressure[1:-1]
    is_minimum = (inner <= pressure[:-2]) & (inner < pressure[2:]) & (inner < 0.42)
    return (np.flatnonzero(is_minimum) + 1).tolist()


def strokes(line: Polyline, manner: Manner, hand_pressure: np.ndarray, weight: np.ndarray) -> list[np.ndarray]:
    """The strokes that draw one line in one manner.

    Args:
        line: the traced line.
        manner: the pass.
        hand_pressure: the hand's pressure field (H, W), 0..1.
        weight: (N,) factor of the pressure at every point of the line.

    Returns:
        Strokes (M, 3): x, y, pressure.
    """
    points = smooth(line.points, manner.smoothing, line.closed) if manner.smoothing else line.points
    is_small = line.extent < SMALL
    overshoot = 0.0 if is_small else manner.overshoot
    if line.closed and not is_small:
        points, weight = _from_a_natural_start(points, weight, hand_pressure)
    result = []
    for first, last in _runs(points, manner):
        for a, b in _pieces(points[first:last], manner, hand_pressure, is_small):
            piece = slice(first + a, first + b)
            result.append(_stroke(points[piece], weight[piece], manner, hand_pressure, overshoot))
    return [stroke for stroke in result if len(stroke) > 1]


def _from_a_natural_start(
    points: np.ndarray, weight: np.ndarray, hand_pressure: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """A closed line, begun and ended where the hand presses least."""
    start = int(sample(hand_pressure, points).argmin())
    order = np.r_[np.arange(start, len(points)), np.arange(start + 1)]
    return points[order], weight[order]


def _runs(points: np.ndarray, manner: Manner) -> list[tuple[int, int]]:
    """The stretches of a line where the pass is present."""
    if manner.presence is None:
        return [(0, len(points))]
    present = sample(manner.presence, points) > 0.06
    edges = np.flatnonzero(np.diff(np.r_[False, present, False].astype(np.int8)))
    return [(a, b) for a, b in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True) if b - a >= 8]


def _pieces(points: np.ndarray, manner: Manner, hand_pressure: np.ndarray, is_small: bool) -> list[tuple[int, int]]:
    if is_small or not manner.lifts:
        return [(0, len(points))]
    cuts = corners(points)
    for lift in lifts(sample(hand_pressure, points)):
        if all(abs(lift - cut) >= _SHORTEST for cut in (0, *cuts, len(points))):
            cuts.append(lift)
    bounds = [0, *sorted(cuts), len(points) - 1]
    return [(a, b + 1) for a, b in pairwise(bounds) if b > a]


def _stroke(
    points: np.ndarray, weight: np.ndarray, manner: Manner, hand_pressure: np.ndarray, overshoot: float
) -> np.ndarray:
    """One stroke: overshooting at both ends, pressed as the hand presses, displaced as the manner says."""
    if overshoot > 0 and len(points) > 3:
        reach = overshoot * (0.3 + 0.7 * sample(hand_pressure, points[[0, -1]]))
        head = _run_out(points[::-1], float(reach[0]))[::-1]
        tail = _run_out(points, float(reach[1]))
        weight = np.r_[np.full(len(head), weight[0]), weight, np.full(len(tail), weight[-1])]
        points = np.concatenate((head, points, tail))
    keep = np.unique(np.r_[np.arange(0, len(points), 2), len(points) - 1])
    points, weight = points[keep], weight[keep]
    pressure = sample(manner.pressure, points) * weight * (_swell(points) if overshoot > 0 else 1.0)
    if manner.presence is not None:
        pressure *= sample(manner.presence, points)
    moved = points + np.stack([sample(axis, points) for axis in manner.move], axis=1)
    return np.column_stack((moved, pressure))


def _run_out(points: np.ndarray, length: float) -> np.ndarray:
    """Points beyond the last of `points`, straight on for `length` px."""
    direction = points[-1] - points[-min(len(points), 6)]
    direction = direction / max(float(np.hypot(*direction)), 1e-9)
    return points[-1] + direction * np.arange(1.0, length + 1)[:, None]


def _swell(points: np.ndarray) -> np.ndarray:
    """The soft beginning and end of a stroke: a factor per point."""
    walked = np.r_[0.0, np.cumsum(np.hypot(*np.diff(points, axis=0).T))]
    taper = min(_TAPER, walked[-1] / 4 + 1e-6)
    edge = np.minimum(walked, walked[-1] - walked) / taper
    return 0.5 + 0.5 * np.minimum(1.0, edge) ** 0.7
