"""SVG artwork as colouring-book lines: shapes are painted in order, so that later ones hide earlier ones."""

from __future__ import annotations

import io
import logging
from dataclasses import dataclass

import cv2
import numpy as np
from svgelements import SVG, Close, Color, Line, Move, Path, Shape

logging.getLogger("svgelements").setLevel(logging.CRITICAL)

REFERENCE_WIDTH = 2.2  # px: the line width at which strokes are traced
_CURVE_STEPS = 12
_DARK = 60  # luminance below which a filled shape is a solid black
_MAX_POINTS = 120_000
_SUPERSAMPLING = 4
_FRACTION_BITS = 4

Transform = tuple[float, float, float, float]  # scale x, scale y, offset x, offset y


@dataclass(frozen=True)
class Mark:
    """One painting step in the unit square of a drawing.

    Attributes:
        polygons: (N, 2) arrays, 0..1.
        closed: one flag per polygon.
        fill: 0 black, 255 paper, None unfilled.
        outline: draw the border of the fill.
        stroke: grey level 0..255 of the stroke, or None.
        stroke_width: in units of the drawing's size.
    """

    polygons: list[np.ndarray]
    closed: list[bool]
    fill: int | None
    outline: bool
    stroke: int | None
    stroke_width: float


@dataclass(frozen=True)
class ColourShape:
    """One shape of the artwork, in the unit square of its drawing; colours are RGB, 0..255, or None."""

    polygons: list[np.ndarray]
    closed: list[bool]
    fill: tuple[int, int, int] | None
    stroke: tuple[int, int, int] | None
    stroke_width: float


def parse(svg: str) -> list[Mark]:
    """The painting steps of an SVG text; empty if it shows nothing.

    Raises:
        ValueError: the text is not usable SVG.
    """
    return marks(parse_colours(svg))


def parse_colours(svg: str) -> list[ColourShape]:
    """The visible shapes of an SVG text, in painting order.

    Raises:
        ValueError: the text is not usable SVG.
    """
    try:
        shapes = _shapes(SVG.parse(io.StringIO(svg), reify=True))
    except Exception as error:  # svgelements raises almost anything on broken files
        raise ValueError(f"not usable SVG: {error}") from error
    if not shapes:
        return []
    points = np.concatenate([polygon for shape in shapes for polygon in shape.polygons])
    if len(points) > _MAX_POINTS or not np.isfinite(points).all():
        raise ValueError(f"not usable SVG: {len(points)} points")
    low, high = points.min(0), points.max(0)
    size = max(float((high - low).max()), 1e-6)
    offset = 0.5 - (low + high) / (2 * size)
    return [
        ColourShape([p / size + offset for p in s.polygons], s.closed, s.fill, s.stroke, s.stroke_width / size)
        for s in shapes
    ]


def _shapes(svg: SVG) -> list[ColourShape]:
    shapes = []
    for element in svg.elements():
        values = getattr(element, "values", {})
        if not isinstance(element, Shape) or "hidden" in (values.get("visibility"), values.get("display")):
            continue
        if values.get("display") == "none":
            continue
        fill, stroke = _colour(element.fill, values, "fill"), _colour(element.stroke, values, "stroke")
        if fill is None and stroke is None:
            continue
        polygons, closed = _flatten(Path(element))
        if polygons:
            shapes.append(ColourShape(polygons, closed, fill, stroke, float(element.stroke_width or 1)))
    return shapes


def _colour(colour: Color | None, values: dict[str, str], kind: str) -> tuple[int, int, int] | None:
    if str(values.get(kind) or "").startswith("url("):
        return 200, 200, 200  # a gradient: some middle tone
    if colour is None or colour.value is None:
        return None
    opacity = float(values.get(f"{kind}-opacity") or 1) * float(values.get("opacity") or 1) * colour.alpha / 255
    return (colour.red, colour.green, colour.blue) if opacity >= 0.3 else None


def _flatten(path: Path) -> tuple[list[np.ndarray], list[bool]]:
    polygons, closed = [], []
    for subpath in path.as_subpaths():
        points: list[tuple[float, float]] = []
        is_closed = False
        for segment in Path(subpath):
            is_closed |= isinstance(segment, Close)
            if isinstance(segment, Move | Line | Close):
                if segment.end is not None:
                    points.append((segment.end.x, segment.end.y))
            else:
                points += [(p.x, p.y) for p in map(segment.point, np.linspace(0, 1, _CURVE_STEPS + 1)[1:])]
        if len(points) >= 2:
            polygons.append(np.array(points, np.float64))
            closed.append(is_closed)
    return polygons, closed


def _luminance(colour: tuple[int, int, int]) -> float:
    return 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]


def marks(shapes: list[ColourShape]) -> list[Mark]:
    """The painting steps of artwork; which fills stand out and need an outline is decided on a small colour canvas."""
    side = 160
    canvas = np.full((side, side, 3), 255, np.int16)
    result = []
    for shape in shapes:
        fill, outline, stroke = None, False, None
        if shape.fill is not None:
            fill = 0 if _luminance(shape.fill) < _DARK else 255
            mask = np.zeros((side, side), np.uint8)
            cv2.fillPoly(mask, [np.round(p * side).astype(np.int32) for p in shape.polygons], 1)
            covered = canvas[mask > 0]
            if fill == 255 and shape.stroke is None:
                contrast = np.abs(covered - np.array(shape.fill)).max(axis=1).mean() if len(covered) else 255.0
                outline = bool(contrast > 20)
            canvas[mask > 0] = shape.fill
        if shape.stroke is not None:
            level = _luminance(shape.stroke)
            # Grey strokes stay grey, white ones erase.
            stroke = 0 if level < 110 else int(0.75 * level) if level < 200 else 255
        result.append(Mark(shape.polygons, shape.closed, fill, outline, stroke, shape.stroke_width))
    return result


def render(marks: list[Mark], size: int, transform: Transform, line_width: float = REFERENCE_WIDTH) -> np.ndarray:
    """Paint the drawing as lines.

    Args:
        marks: from `parse`.
        size: side of the square image, px.
        transform: from the unit square to px.
        line_width: px of an ordinary line; a broader stroke of the artwork stays broader.

    Returns:
        (size, size) float32, 0 black .. 1 white.
    """
    side = size * _SUPERSAMPLING
    canvas = np.full((side, side), 255, np.uint8)
    factor = _SUPERSAMPLING * (1 << _FRACTION_BITS)
    scale, offset = np.array(transform[:2]), np.array(transform[2:])
    growth = (line_width / REFERENCE_WIDTH) ** 0.5
    for mark in marks:
        polygons = [np.round((p * scale + offset) * factor).astype(np.int32) for p in mark.polygons]
        if mark.fill is not None:
            cv2.fillPoly(canvas, polygons, mark.fill, shift=_FRACTION_BITS)
        if mark.outline:
            _draw(canvas, polygons, [True] * len(polygons), 0, line_width)
        if mark.stroke is not None:
            own = min(mark.stroke_width * abs(transform[0]), 6.0)
            width = line_width if own <= REFERENCE_WIDTH else max(line_width, own * growth)
            _draw(canvas, polygons, mark.closed, mark.stroke, width)
    small = cv2.resize(canvas, (size, size), interpolation=cv2.INTER_AREA)
    return small.astype(np.float32) / 255


def _draw(canvas: np.ndarray, polygons: list[np.ndarray], closed: list[bool], value: int, width: float) -> None:
    thickness = max(1, round(width * _SUPERSAMPLING))
    for polygon, is_closed in zip(polygons, closed, strict=True):
        cv2.polylines(canvas, [polygon], is_closed, value, thickness, cv2.LINE_8, _FRACTION_BITS)
