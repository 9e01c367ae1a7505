"""Draws a plan with pencil strokes: lines, restated lines, construction and shading."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import cv2
import numpy as np
import torch

from sketchgan_core.materials.deposition import deposit, grade_of
from sketchgan_core.materials.paper import paper
from sketchgan_core.planning import plan
from sketchgan_core.planning.controls import Controls
from sketchgan_core.planning.light import Light
from sketchgan_core.planning.strokes import THICK, WIDTH

from . import BRUSH
from .hand_strokes import OVERSHOOT, Manner, sample, strokes
from .mypaint import Brush, Canvas
from .tracing import Polyline, ink_mask, smooth, trace

SUPERSAMPLING = 2
_BROAD = 1.9  # px: a line with a greater half-width takes several strokes side by side
_APART = 1.1  # px between the strokes of a broad line: the paper is seen between them
_CROSSING = 15  # points along a line within which it crosses another
_DOT = 3.0  # px: a shorter line is a dot
_DOT_POINTS = 20
_SMUDGE = 2.2  # px over which a finger rubs
_FAINTEST = 0.08  # least ink of a line that is drawn: extracted lines are as faint as the edges they stand for


@dataclass(frozen=True)
class Lead:
    """What draws like one grade of lead.

    Attributes:
        brush: libmypaint preset.
        radius: times the preset's; that of the 2B is a line of 2 to 3 px.
        gain: how much it lays down for the same pressure.
        smudged: 0..1, how much of the shading is rubbed, and lies as a haze about its strokes.
        scatter: see `Brush`. Crumbs that lie anywhere cannot be learned, and would come out as a blur.
    """

    brush: str
    radius: float
    gain: float = 1.0
    smudged: float = 0.0
    scatter: float | None = None


LEADS = {
    "2B": Lead(BRUSH, 1.3),
    "4H": Lead("deevad/4H_pencil", 1.2, 5.0),
    "8B": Lead("tanda/pencil-8b", 2.2, 1.0, 0.5, 0.6),
    "charcoal": Lead("classic/charcoal", 2.0, 1.0, 0.5, 1.15),
}


def draw(
    lines: np.ndarray,
    reference: np.ndarray,
    controls: Controls,
    seed: int,
    brush: str = BRUSH,
    light: Light | None = None,
) -> np.ndarray:
    """Draw a line image in pencil, without the side of the lead, which is laid only when a trained pencil is used.

    Args:
        lines: (H, W) float32, 0 black .. 1 white: what the generator will see.
        reference: the same drawing at the reference line width, to trace the strokes from.
        controls: numbers, not maps; their softness decides the lead.
        seed: of the hand.
        brush: libmypaint preset to draw with in the place of the 2B's.
        light: of the picture that the lines come from.

    Returns:
        Load (H, W) float32, 0..1.
    """
    height, width = lines.shape
    lead = LEADS[grade_of(float(controls.softness))]
    if lead.brush == BRUSH:
        lead = replace(lead, brush=brush)
    gain = lead.gain * (2.7 + 2.0 * float(controls.darkness))
    thick, under, over = all_strokes(lines, reference, controls, seed, light)
    thicker = lead.radius * THICK / WIDTH
    # What is rubbed lies under the lines, which are drawn last and stay sharp.
    shading = [(thick, thicker), (under, lead.radius)]
    passes = [shading, [(over, lead.radius)]] if lead.smudged else [[*shading, (over, lead.radius)]]
    bare = np.ones((height * SUPERSAMPLING, width * SUPERSAMPLING), np.float32)
    for number, drawn in enumerate(passes):
        with Canvas(*bare.shape) as canvas:
            for drawn_alike, radius in drawn:
                with Brush(lead.brush, SUPERSAMPLING, radius, lead.scatter) as pencil:
                    for stroke in drawn_alike:
                        pencil.stroke(canvas, stroke)
            left = np.exp(-gain * canvas.alpha())
        if lead.smudged and number == 0:
            left += np.float32(lead.smudged) * (cv2.GaussianBlur(left, (0, 0), SUPERSAMPLING * _SMUDGE) - left)
        bare *= left
    return cv2.resize(1 - bare, (width, height), interpolation=cv2.INTER_AREA)


def lay_on_paper(load: np.ndarray, kind: str, seed: int) -> np.ndarray:
    """The sketch (H, W), 0 black .. 1 white, that a load (H, W) leaves on a paper of this kind."""
    height, width = load.shape
    relief = np.ascontiguousarray(paper(height, width, kind, seed))
    return 1 - deposit(torch.from_numpy(load), torch.from_numpy(relief)).numpy()


def all_strokes(
    lines: np.ndarray, reference: np.ndarray, controls: Controls, seed: int, light: Light | None = None
) -> tuple[list[np.ndarray], list[np.ndarray], list[np.ndarray]]:
    """Every stroke (N, 3) in the order in which it is drawn, arguments as for `draw`.

    Returns:
        Thick strokes of shading; construction and the thin ones; and the lines over them.
    """
    height, width = lines.shape
    ink = 1 - lines
    # Of a solid only the rim is a line; its inside is shaded.
    mask = ink_mask(ink, _FAINTEST) & (plan.inside_of_solids(ink) < 0.5)
    filled = plan.solid(ink) > 0.3
    polylines = trace((ink_mask(1 - reference, _FAINTEST) & ~filled) | (mask & filled))

    pressed = plan.pressure(lines, controls, seed, light)
    moves = {of: plan.displacement(of, controls, seed, height, width) for of in ("take", "restated", "construction")}
    presence = plan.presence(ink, controls, seed)
    roughness = float(controls.roughness)
    darkness = float(controls.darkness)
    base = (0.38 + 0.5 * darkness) * (0.38 + 0.85 * pressed)
    take = Manner(moves["take"], base, None, OVERSHOOT * roughness)
    restated = Manner(moves["restated"], 0.85 * base, presence["restated"], OVERSHOOT * roughness)
    faint = (0.15 + 0.15 * pressed).astype(np.float32)
    construction = Manner(
        moves["construction"], faint, presence["construction"], 2 * OVERSHOOT * roughness, smoothing=6.0, lifts=False
    )

    weigh = _Weight(ink, mask)
    under: list[np.ndarray] = []
    for line in polylines:
        if len(line.points) > 30:
            under += strokes(line, construction, pressed, np.ones(len(line.points)))
    thin, thick = (
        [stroke * (1, 1, 0.34 + 0.36 * darkness) for stroke in alike]
        for alike in plan.strokes(lines, controls, seed, light)
    )
    under += thin
    over: list[np.ndarray] = []
    for manner in (take, restated):
        for line in polylines:
            half_width, weight = weigh(line)
            if line.extent < _DOT:
                dot = _dot(line, float(half_width.mean()))
                over += strokes(dot, manner, pressed, np.full(_DOT_POINTS, weight.mean()))
                continue
            # The second statement of a broad line is one stroke: more would blot it.
            for parallel, firmness in _bundle(line, half_width) if manner is take else [(line, 1.0)]:
                over += strokes(parallel, manner, pressed, firmness * weight)
    return thick, under, over


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
        # A line is no broader where it crosses another.
        half_width = smooth(_opened(sample(self._half_width, line.points))[:, None], 3.0)[:, 0]
        firmness = np.clip(1 + 0.2 * (half_width - 1.5), 1.0, 1.4)  # a broad line is pressed harder
        return half_width, firmness * (0.2 + 0.8 * sample(self._ink, line.points) ** 0.6)


def _opened(values: np.ndarray) -> np.ndarray:
    """Values (N,) along a line, without peaks that are shorter than _CROSSING points."""
    opened: np.ndarray = cv2.morphologyEx(values[:, None], cv2.MORPH_OPEN, np.ones((_CROSSING, 1), np.uint8))[:, 0]
    return opened


def _bundle(line: Polyline, half_width: np.ndarray) -> list[tuple[Polyline, float]]:
    """A broad line as parallel ones that follow its width, and how firm each is; any other line as it is."""
    broad = float(np.median(half_width))
    if broad <= _BROAD or len(line.points) < 4:
        return [(line, 1.0)]
    tangent = np.gradient(smooth(line.points, 2.0, line.closed), axis=0)
    tangent /= np.maximum(np.linalg.norm(tangent, axis=1, keepdims=True), 1e-9)
    normal = np.column_stack((-tangent[:, 1], tangent[:, 0]))
    count = 1 + math.ceil((broad - 1.0) / _APART)
    reach = np.maximum(half_width - 0.9, 0)[:, None]
    across = np.linspace(-1, 1, count)
    firmness = np.where(across > 0.99, 1.0, np.where(across < -0.99, 0.8, 0.7))
    return [
        (Polyline(line.points + t * reach * normal, line.closed), float(firm))
        for t, firm in zip(across, firmness, strict=True)
    ]


def _dot(line: Polyline, radius: float) -> Polyline:
    """A dot as a small spiral."""
    turns = np.linspace(0, 1, _DOT_POINTS)
    spread = max(radius - 0.6, 0.3) * turns
    angle = 4 * math.pi * turns
    spiral = line.points.mean(0) + np.column_stack((spread * np.cos(angle), spread * np.sin(angle)))
    return Polyline(spiral, closed=False)
