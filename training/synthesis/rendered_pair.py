"""One training pair: a drawing, at a random place and line width, and the pencil's drawing of it.

All randomness comes from (seed, index) alone, so a pair is the same whichever process makes it, and whenever.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import cv2
import numpy as np

from sketchgan_core.lines.prepare import prepare_lines
from sketchgan_core.materials.paper import EVEN
from sketchgan_core.planning import plan
from sketchgan_core.planning.controls import Controls
from sketchgan_core.planning.drawing_size import line_width as width_of
from sketchgan_core.planning.light import Light, read_light, weigh_lines

from ..data.chance import sample_controls
from ..data.plan_version import KEY
from . import BRUSH, TONE, pictures, vector
from .pencil import draw, lay_on_paper
from .sources import Drawing
from .tracing import ink_mask
from .vector import REFERENCE_WIDTH, Transform

ATTEMPTS = 12  # drawings tried for one pair
_INK = (0.008, 0.22)  # share of the image that is ink in a usable drawing
_SOLID = 0.08  # share of the image that may be solid black
_LEAST_INK = 0.01  # of a cropped view
_LEAST_LINES = 0.004  # of a picture whose lines were extracted
_EXTRACTED = 0.45  # share of the pictures whose lines are extracted, as from any picture, not the artwork's own
# Where the paper's tooth breaks a stroke, nothing is learned of how evenly it was laid; hence the even paper.
_PAPERS = {"cartridge": 0.4, "smooth": 0.1, "rough": 0.1, EVEN: 0.4}


@dataclass(frozen=True)
class RenderedPair:
    """Attributes:
    line: (size, size) uint8, the input.
    sketch: (size, size) uint8, the target: graphite on pure white.
    tone: (size, size, 3) uint8 RGB, the picture whose light is drawn, or None.
    record: the line of the manifest, without the name.
    skipped: keys of the drawings tried before and found unusable.
    """

    line: np.ndarray
    sketch: np.ndarray
    tone: np.ndarray | None
    record: dict[str, Any]
    skipped: list[str]


@dataclass(frozen=True)
class _View:
    """A placed drawing: its lines and the same at the reference width, (size, size) float32, and their width, px.

    For coloured artwork, the picture as well, (size, size, 3) uint8 RGB.
    """

    lines: np.ndarray
    reference: np.ndarray
    line_width: float
    picture: np.ndarray | None = None


class Unusable(Exception):
    """The drawing does not make a good pair."""


def make_pair(
    sources: Sequence[Sequence[Drawing]], seed: int, index: int, size: int, brush: str = BRUSH, tone: float = TONE
) -> RenderedPair | None:
    """Pair number `index` of a data set.

    Args:
        sources: drawings of every source; the sources take turns.
        seed: of the data set.
        index: 0, 1, ...
        size: side of the images, px.
        brush: preset to draw with.
        tone: share of the pairs of vector drawings that are of a picture with tone.

    Returns:
        The pair, or None when ATTEMPTS drawings in a row were unusable.
    """
    skipped: list[str] = []
    source = sources[index % len(sources)]
    for attempt, drawing in enumerate(_candidates(source, seed, index, len(sources))):
        rng = np.random.default_rng((seed, index, attempt))
        behind = source[int(rng.integers(len(source)))]
        try:
            if drawing.is_vector():
                view = _vector_view(drawing, rng, size, behind if rng.random() < tone else None)
            else:
                view = _raster_view(drawing, rng, size)
            line, sketch, told = _render(view, rng, brush)
        except Unusable:
            skipped.append(drawing.key)
            continue
        about = {"source": drawing.key, "drawing": drawing.key, "licence": drawing.licence}
        return RenderedPair(line, sketch, view.picture, {**about, **told}, skipped)
    return None


def _candidates(drawings: Sequence[Drawing], seed: int, index: int, sources: int) -> Iterator[Drawing]:
    order = np.random.default_rng((seed, index % sources)).permutation(len(drawings))
    for attempt in range(min(ATTEMPTS, len(drawings))):
        # The stride leads far from the neighbours, so that a replacement is not the next pair's drawing.
        yield drawings[order[(index // sources + attempt * (len(drawings) // ATTEMPTS + 1)) % len(drawings)]]


def _render(view: _View, rng: np.random.Generator, brush: str) -> tuple[np.ndarray, np.ndarray, dict[str, Any]]:
    """Line image and sketch of a view, and what the manifest says of how they were made."""
    controls = sample_controls(rng, with_tone=view.picture is not None)
    if brush != BRUSH:  # then there is one hand, whatever the grade
        controls = replace(controls, softness=Controls().softness)
    take = int(rng.integers(2**31))
    paper = str(rng.choice(list(_PAPERS), p=list(_PAPERS.values())))
    style: dict[str, Any] = {"paper": paper, "brush": brush}
    light, extracted = None, False
    if view.picture is not None:
        pixels = view.picture.astype(np.float32) / 255
        light = read_light(pixels, float(controls.detail))
        extracted = bool(rng.random() < _EXTRACTED)
        style |= {"tone": True, "extracted": extracted}
        if extracted:
            view = _extracted(view.picture, pixels, light)
    style["line_width"] = round(view.line_width, 3)
    line = _in_bytes(view.lines) if extracted else _worn(view.lines, rng)
    load = draw(line.astype(np.float32) / 255, view.reference, controls, take, brush, light)
    told = {
        KEY: plan.PLAN_VERSION,
        "seed": take,
        "controls": {name: float(value) for name, value in asdict(controls).items()},
        "style": style,
    }
    return line, _in_bytes(lay_on_paper(load, paper, take)), told


def _extracted(picture: np.ndarray, pixels: np.ndarray, light: Light) -> _View:
    """A picture with the lines found in it: broken, grey, each as firm as the edge it stands for."""
    lines = weigh_lines(prepare_lines(pixels, "photo", device="cpu").lines, light)
    if ink_mask(1 - lines).mean() < _LEAST_LINES:
        raise Unusable("hardly a line found")
    return _View(lines, lines, width_of(lines), picture)


def _vector_view(drawing: Drawing, rng: np.random.Generator, size: int, behind: Drawing | None) -> _View:
    """A placed SVG drawing; also as a picture, if another drawing is given to be `behind` it."""
    shapes = _shapes(drawing)
    marks = vector.marks(shapes)
    if not marks:
        raise Unusable("nothing visible")
    fitted = 0.86 * size
    _check(vector.render(marks, size, (fitted, fitted, 0.07 * size, 0.07 * size)))
    points = np.concatenate([polygon for mark in marks for polygon in mark.polygons])
    transform = _placement(rng, size, points)
    reference = vector.render(marks, size, transform)
    if ink_mask(1 - reference).mean() < _LEAST_INK:
        raise Unusable("hardly a line in view")
    width = float(np.exp(rng.uniform(np.log(1.0), np.log(5.0))))
    lines = vector.render(marks, size, transform, width)
    black = (plan.solid(1 - reference) > 0.3).sum()
    # Where broad lines run together, the drawing can no longer be read from them: take thinner ones.
    while width > REFERENCE_WIDTH and (plan.solid(1 - lines) > 0.3).sum() > 1.2 * black + size / 4:
        width = max(REFERENCE_WIDTH, 0.75 * width)
        lines = vector.render(marks, size, transform, width)
    picture = None if behind is None else pictures.paint(shapes, _ground(behind), reference, transform, rng)
    return _View(lines, reference, width, picture)


def _ground(drawing: Drawing) -> list[vector.ColourShape]:
    """The shapes of a drawing that is to be out of focus behind another; none if it has no colours."""
    try:
        return _shapes(drawing) if drawing.is_vector() else []
    except Unusable:
        return []


def _shapes(drawing: Drawing) -> list[vector.ColourShape]:
    try:
        return vector.parse_colours(drawing.svg())
    except ValueError as error:
        raise Unusable(str(error)) from error


def _raster_view(drawing: Drawing, rng: np.random.Generator, size: int) -> _View:
    """As `_vector_view`; the lines keep the width they were drawn with, give or take a pixel."""
    grey = drawing.raster()
    rows, columns = np.nonzero(ink_mask(1 - grey))
    if not len(rows):
        raise Unusable("an empty page")
    low, extent = np.array((columns.min(), rows.min())), max(float(np.ptp(columns)), float(np.ptp(rows)), 1.0)
    points = (np.column_stack((columns, rows)) - low) / extent
    points += 0.5 - np.ptp(points, axis=0) / 2
    shift = 0.5 - np.array((np.ptp(columns), np.ptp(rows))) / (2 * extent)
    scale_x, scale_y, offset_x, offset_y = _placement(rng, size, points[:: max(1, len(points) // 5000)])
    matrix = np.array(
        [
            [scale_x / extent, 0, offset_x + scale_x * (shift[0] - low[0] / extent)],
            [0, scale_y / extent, offset_y + scale_y * (shift[1] - low[1] / extent)],
        ]
    )
    shrink = extent / abs(scale_x)
    blurred = cv2.GaussianBlur(grey, (0, 0), 0.45 * shrink) if shrink > 1.2 else grey
    placed = cv2.warpAffine(blurred, matrix, (size, size), flags=cv2.INTER_LINEAR, borderValue=1.0)
    _check(placed)
    kernel = np.ones((2, 2), np.uint8)
    choice = int(rng.integers(-1, 2))
    lines = cv2.erode(placed, kernel) if choice > 0 else cv2.dilate(placed, kernel) if choice < 0 else placed
    if ink_mask(1 - lines).sum() < 0.6 * ink_mask(1 - placed).sum():
        lines = placed
    mask = ink_mask(1 - lines)
    width = 2 * float(cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 5)[mask].mean())
    return _View(lines, placed, width)


def _placement(rng: np.random.Generator, size: int, points: np.ndarray) -> Transform:
    """Where the unit square of a drawing goes, in px: mostly the whole drawing, sometimes an enlarged part of it."""
    mirrored = rng.random() < 0.5
    if rng.random() < 0.72:
        scale = size * rng.uniform(0.7, 0.95)
        x, y = (size - scale) * rng.uniform(0.1, 0.9, 2)
    else:
        scale = size * rng.uniform(1.2, 2.2)
        focus = points[rng.integers(len(points))]
        if mirrored:
            focus = np.array((1 - focus[0], focus[1]))
        x, y = size * rng.uniform(0.3, 0.7, 2) - scale * focus
    return (-scale, scale, x + scale, y) if mirrored else (scale, scale, x, y)


def _check(lines: np.ndarray) -> None:
    """Refuse a drawing that is nearly empty or mostly black."""
    ink = 1 - lines
    share = float(ink_mask(ink).mean())
    if not _INK[0] < share < _INK[1]:
        raise Unusable(f"{share:.1%} of the image is ink")
    if float((plan.solid(ink) > 0.3).mean()) > _SOLID:
        raise Unusable("mostly solid black")


def _worn(lines: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Lines as they come from scanners and extractors, 8 bit: sometimes grey, sometimes soft."""
    grey, soft = rng.random(2) < (0.3, 0.25)
    level, sigma = rng.uniform(0.35, 1.0), rng.uniform(0.4, 1.0)
    if soft:
        lines = cv2.GaussianBlur(lines, (0, 0), sigma)
    return _in_bytes(1 - (1 - lines) * (level if grey else 1.0))


def _in_bytes(image: np.ndarray) -> np.ndarray:
    return np.round(image.clip(0, 1) * 255).astype(np.uint8)
