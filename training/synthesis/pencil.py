"""Draws a plan with pencil strokes: lines, restated lines, construction, hatching and solid blacks."""

from __future__ import annotations

import math

import cv2
import numpy as np
import torch

from sketchgan_core import plan
from sketchgan_core.controls import Controls
from sketchgan_core.deposition import deposit
from sketchgan_core.paper import paper

from . import BRUSH
from .hand_strokes import OVERSHOOT, Manner, sample, strokes
from .mypaint import Brush, Canvas
from .tracing import Polyline, ink_mask, smooth, trace

SUPERSAMPLING = 2
RADIUS = 1.3  # of the preset's: a line of 2 to 3 px
_BROAD = 1.9  # px: a line with a greater half-width takes several strokes side by side
_DOT = 3.0  # px: a shorter line is a dot
_DOT_POINTS = 20
_FILL_ANGLES = (-50.0, 18.0)  # degrees: the two crossing passes of a solid black
_FILL_GAP = 1.9  # px


def draw(lines: np.ndarray, reference: np.ndarray, controls: Controls, seed: int, brush: str = BRUSH) -> np.ndarray:
    """Draw a line image in pencil.

    Args:
        lines: (H, W) float32, 0 black .. 1 white: what the generator will see.
        reference: the same drawing at the reference line width, to trace the strokes from.
        controls: numbers, not maps.
        seed: of the hand.
        brush: libmypaint preset.

    Returns:
        Load (H, W) float32, 0..1.
    """
    height, width = lines.shape
    darkness = float(controls.darkness)
    with Canvas(height * SUPERSAMPLING, width * SUPERSAMPLING) as canvas, Brush(brush, SUPERSAMPLING, RADIUS) as pencil:
        for stroke in all_strokes(lines, reference, controls, seed):
            pencil.stroke(canvas, stroke)
        alpha = canvas.alpha()
    load = 1 - np.exp(-(4.0 + 2.0 * darkness) * alpha)
    return cv2.resize(load, (width, height), interpolation=cv2.INTER_AREA)


def lay_on_paper(load: np.ndarray, kind: str, seed: int) -> np.ndarray:
    """The sketch (H, W), 0 black .. 1 white, that a load (H, W) leaves on a paper of this kind."""
    height, width = load.shape
    relief = np.ascontiguousarray(paper(height, width, kind, seed))
    return 1 - deposit(torch.from_numpy(load), torch.from_numpy(relief)).numpy()


def all_strokes(lines: np.ndarray, reference: np.ndarray, controls: Controls, seed: int) -> list[np.ndarray]:
    """Every stroke (N, 3) of the drawing in the order in which it is drawn; arguments as for `draw`."""
    height, width = lines.shape
    ink = 1 - lines
    mask = ink_mask(ink)
    solid = (plan.solid(ink) > 0.3) & mask
    drawn = ink_mask(1 - reference) & ~solid
    polylines = trace(drawn)

    pressed = plan.pressure(lines, controls, seed)
    moves = plan.displacements(controls, seed, height, width)
    presence = plan.presence(ink, controls, seed)
    roughness = float(controls.roughness)
    darkness = float(controls.darkness)
    base = (0.38 + 0.5 * darkness) * (0.55 + 0.6 * pressed)
    take = Manner(moves["take"], base, None, OVERSHOOT * roughness)
    restated = Manner(moves["restated"], 0.85 * base, presence["restated"], OVERSHOOT * roughness)
    faint = (0.15 + 0.15 * pressed).astype(np.float32)
    construction = Manner(
        moves["construction"], faint, presence["construction"], 2 * OVERSHOOT * roughness, smoothing=6.0, lifts=False
    )

    weigh = _Weight(ink, mask)
    result = []
    for line in polylines:
        if len(line.points) > 30:
            result += strokes(line, construction, pressed, np.ones(len(line.points)))
    hatching = plan.strokes(lines, controls, seed)
    result += [stroke * (1, 1, 0.34 + 0.36 * darkness) for stroke in hatching]
    result += _fill(solid, (0.8 + 0.2 * darkness) * ink, take)
    for manner in (take, restated):
        for line in polylines:
            half_width, weight = weigh(line)
            if line.extent < _DOT:
                dot = _dot(line, float(half_width.mean()))
                result += strokes(dot, manner, pressed, np.full(_DOT_POINTS, weight.mean()))
                continue
            # The second statement of a broad line is one stroke: more would blot it.
            for parallel in _bundle(line, half_width) if manner is take else [line]:
                result += strokes(parallel, manner, pressed, weight)
    return result


class _Weight:
    """Reads from the line image how broad and how grey a traced line is."""

    def __init__(self, ink: np.ndarray, mask: np.ndarray) -> None:
        # The traced centre may be a pixel off the crest of the line, hence the largest nearby.
        nearby = np.ones((3, 3), np.uint8)
        distance = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 5) - 0.5
        self._half_width = cv2.dilate(distance, nearby)
        self._ink = cv2.dilate(ink, nearby)

    def __call__(self, line: Polyline) -> tuple[np.ndarray, np.ndarray]:
        """(half-width in px, factor of the pressure) at every point of the line."""
        half_width = smooth(sample(self._half_width, line.points)[:, None], 3.0)[:, 0]
        firmness = np.clip(1 + 0.2 * (half_width - 1.5), 1.0, 1.4)  # a broad line is pressed harder
        return half_width, firmness * (0.55 + 0.45 * sample(self._ink, line.points))


def _bundle(line: Polyline, half_width: np.ndarray) -> list[Polyline]:
    """A broad line as parallel ones that follow its width; any other line as it is."""
    broad = float(np.median(half_width))
    if broad <= _BROAD or len(line.points) < 4:
        return [line]
    tangent = np.gradient(smooth(line.points, 2.0, line.closed), axis=0)
    tangent /= np.maximum(np.linalg.norm(tangent, axis=1, keepdims=True), 1e-9)
    normal = np.column_stack((-tangent[:, 1], tangent[:, 0]))
    count = 1 + math.ceil((broad - 1.0) / 0.8)
    reach = np.maximum(half_width - 0.9, 0)[:, None]
    return [Polyline(line.points + t * reach * normal, line.closed) for t in np.linspace(-1, 1, count)]


def _dot(line: Polyline, radius: float) -> Polyline:
    """A dot as a small spiral."""
    turns = np.linspace(0, 1, _DOT_POINTS)
    spread = max(radius - 0.6, 0.3) * turns
    angle = 4 * math.pi * turns
    spiral = line.points.mean(0) + np.column_stack((spread * np.cos(angle), spread * np.sin(angle)))
    return Polyline(spiral, closed=False)


def _disc(radius: int) -> np.ndarray:
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))


def _fill(solid: np.ndarray, ink: np.ndarray, manner: Manner) -> list[np.ndarray]:
    """Solid blacks: two dense crossing passes, then the edge."""
    if not solid.any():
        return []
    inside = cv2.erode(solid.astype(np.uint8), _disc(1))
    result = []
    for angle in _FILL_ANGLES:
        for run in _scan(inside, math.radians(angle)):
            result.append(_press(run, manner, 0.95, ink))
    contours, _ = cv2.findContours(inside, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    for contour in contours:
        if len(contour) > 8:
            edge = smooth(contour[:, 0].astype(np.float64), 1.0, closed=True)
            result.append(_press(np.concatenate((edge, edge[:3])), manner, 0.8, ink))
    return result


def _scan(inside: np.ndarray, angle: float) -> list[np.ndarray]:
    """Parallel straight lines across a mask: point lists (N, 2), one for each stretch inside."""
    ys, xs = np.nonzero(inside)
    along = np.array((math.cos(angle), math.sin(angle)))
    across = np.array((-along[1], along[0]))
    positions = np.column_stack((xs, ys))
    u, v = positions @ along, positions @ across
    # The lattice is anchored to the image, so that a neighbouring solid does not shift it.
    us = np.arange(math.floor(u.min() / 2) * 2, u.max() + 2, 2.0)
    vs = np.arange(math.floor(v.min() / _FILL_GAP) * _FILL_GAP, v.max() + _FILL_GAP, _FILL_GAP)
    grid = us[None, :, None] * along + vs[:, None, None] * across
    columns, rows = np.round(grid).astype(int).reshape(-1, 2).T
    height, width = inside.shape
    on_image = (columns >= 0) & (columns < width) & (rows >= 0) & (rows < height)
    hit = np.zeros(len(rows), bool)
    hit[on_image] = inside[rows[on_image], columns[on_image]] > 0
    edges = np.diff(np.pad(hit.reshape(grid.shape[:2]), ((0, 0), (1, 1))).astype(np.int8), axis=1)
    result = []
    for row in range(len(vs)):
        firsts, lasts = np.flatnonzero(edges[row] == 1), np.flatnonzero(edges[row] == -1)
        result += [grid[row, a:b] for a, b in zip(firsts, lasts, strict=True) if b - a >= 2]
    return result


def _press(points: np.ndarray, manner: Manner, pressure: float, ink: np.ndarray) -> np.ndarray:
    """A stroke of a solid area, which presses as firmly as the area is dark."""
    moved = points + np.stack([sample(axis, points) for axis in manner.move], axis=1)
    return np.column_stack((moved, pressure * sample(ink, points) ** 1.5))
