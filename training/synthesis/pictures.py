"""Pictures with tone, made of coloured artwork: in a random light on a random ground, so that no tone is flat."""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np

from sketchgan_core.planning.form import read_form

from .vector import ColourShape, Transform

_SUPERSAMPLING = 2
_FRACTION_BITS = 4
_GROUNDS = {"paper": 0.15, "plain": 0.2, "gradient": 0.3, "blurred": 0.35}


def paint(
    shapes: Sequence[ColourShape],
    behind: Sequence[ColourShape],
    reference: np.ndarray,
    transform: Transform,
    rng: np.random.Generator,
) -> np.ndarray:
    """A picture of the artwork.

    Args:
        shapes: of the drawing.
        behind: of another drawing, which may become its ground, out of focus; may be empty.
        reference: (size, size) float32, the drawing as lines, from which its forms are read.
        transform: from the unit square to px.
        rng: decides the light, the ground and the contrast of the colours.

    Returns:
        (size, size, 3) uint8, RGB.
    """
    size = reference.shape[0]
    colours, cover = _cover(shapes, size, transform)
    # Icons are gaudy and of middling lightness; pictures are not.
    colours = _contrast(colours, rng) * _relief(reference, rng)[..., None]
    picture = cover[..., None] * colours + (1 - cover[..., None]) * _ground(behind, size, rng)
    picture = picture * _fall_of_light(size, rng)[..., None]
    if rng.random() < 0.5:
        picture = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.4, 1.0))
    if rng.random() < 0.4:
        grain = cv2.GaussianBlur(rng.normal(size=(size, size)).astype(np.float32), (0, 0), rng.uniform(0.6, 1.6))
        picture = picture + (rng.uniform(0.004, 0.02) / grain.std()) * grain[..., None]
    return np.rint(255 * picture.clip(0, 1)).astype(np.uint8)


def _cover(shapes: Sequence[ColourShape], size: int, transform: Transform) -> tuple[np.ndarray, np.ndarray]:
    """The artwork's colours (size, size, 3), and how much of each pixel it covers (size, size); 0..1."""
    side, factor = size * _SUPERSAMPLING, _SUPERSAMPLING * (1 << _FRACTION_BITS)
    canvas, cover = np.zeros((side, side, 3), np.uint8), np.zeros((side, side), np.uint8)
    scale, offset = np.array(transform[:2]), np.array(transform[2:])
    for shape in shapes:
        polygons = [np.round((p * scale + offset) * factor).astype(np.int32) for p in shape.polygons]
        if shape.fill is not None:
            cv2.fillPoly(canvas, polygons, shape.fill, shift=_FRACTION_BITS)
            cv2.fillPoly(cover, polygons, 255, shift=_FRACTION_BITS)
        if shape.stroke is not None:
            width = max(1, round(shape.stroke_width * abs(transform[0]) * _SUPERSAMPLING))
            for polygon, closed in zip(polygons, shape.closed, strict=True):
                cv2.polylines(canvas, [polygon], closed, shape.stroke, width, cv2.LINE_8, _FRACTION_BITS)
                cv2.polylines(cover, [polygon], closed, 255, width, cv2.LINE_8, _FRACTION_BITS)
    small = cv2.resize(cover, (size, size), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    colours = cv2.resize(canvas, (size, size), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    # Edges are averaged with the empty black around them, which would darken them.
    return colours / np.maximum(small, 1 / 255)[..., None], small


def _contrast(colours: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Paler or darker, and less gaudy."""
    grey = colours.mean(2, keepdims=True)
    colours = grey + rng.uniform(0.3, 1.0) * (colours - grey)
    exponent = float(np.exp(rng.uniform(math.log(0.7), math.log(2.2))))
    low = rng.uniform(0.0, 0.15)
    result: np.ndarray = low + (rng.uniform(0.8, 1.0) - low) * colours.clip(0, 1) ** exponent
    return result


def _relief(reference: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """How light falls on the inflated forms (size, size), around 1, from a random side."""
    relief = cv2.GaussianBlur(read_form(1 - reference).relief, (0, 0), rng.uniform(1.5, 5.0))
    slope_y, slope_x = np.gradient(relief)
    angle, steepness = rng.uniform(0, 2 * math.pi), rng.uniform(0.5, 1.5)
    towards = -(math.cos(angle) * slope_x + math.sin(angle) * slope_y) * steepness
    facing = towards / np.sqrt(1 + steepness**2 * (slope_x**2 + slope_y**2))
    result: np.ndarray = (1 + rng.uniform(0.2, 0.75) * facing).astype(np.float32)
    return result


def _fall_of_light(size: int, rng: np.random.Generator) -> np.ndarray:
    """Uneven light over the whole page (size, size), at most 1: brighter on one side, and in soft patches."""
    angle = rng.uniform(0, 2 * math.pi)
    y, x = np.mgrid[:size, :size].astype(np.float32) / size - 0.5
    across = math.cos(angle) * x + math.sin(angle) * y
    patches = cv2.resize(rng.normal(size=(4, 4)).astype(np.float32), (size, size), interpolation=cv2.INTER_CUBIC)
    light = np.exp(rng.uniform(0, 0.7) * across + rng.uniform(0, 0.15) * patches)
    result: np.ndarray = light / light.max()
    return result


def _ground(behind: Sequence[ColourShape], size: int, rng: np.random.Generator) -> np.ndarray:
    """What is behind the drawing (size, size, 3)."""
    kind = str(rng.choice(list(_GROUNDS), p=list(_GROUNDS.values())))
    first, second = (rng.uniform(0.05, 1.0) + rng.uniform(-0.15, 0.15, 3) for _ in range(2))
    if kind == "paper":
        return np.ones((size, size, 3), np.float32)
    if kind == "plain":
        second = first
    angle = rng.uniform(0, 2 * math.pi)
    y, x = np.mgrid[:size, :size].astype(np.float32) / size - 0.5
    share = (0.5 + math.cos(angle) * x + math.sin(angle) * y).clip(0, 1)[..., None]
    ground = (first + share * (second - first)).clip(0, 1).astype(np.float32)
    if kind == "blurred" and behind:
        scale = size * rng.uniform(1.0, 2.5)
        x, y = (size - scale) * rng.uniform(0, 1, 2)
        colours, cover = _cover(behind, size, (scale, scale, float(x), float(y)))
        ground = cover[..., None] * colours + (1 - cover[..., None]) * ground
        ground = cv2.GaussianBlur(ground, (0, 0), size / 512 * rng.uniform(5, 25))
    return ground
