"""Scanned pencil drawings: the paper is removed, leaving graphite on pure white."""

from __future__ import annotations

import cv2
import numpy as np

from sketchgan_core.errors import SketchGANError
from sketchgan_core.planning.controls import Controls
from sketchgan_core.planning.form import read_form
from sketchgan_core.scaling import reduced

_CELLS = 40  # along the longer side; the paper is read once per cell
_DARK_GROUND = 0.35  # a page darker than this is not pencil on paper
_LIGHTEST = 0.015  # graphite fainter than this is always taken for the paper's texture
_FAINTEST = 0.06  # graphite darker than this never is

_SPARING = 0.2  # power of the share of _FULL_SHADING: form is shaded sparingly until much is asked for
# Read off rendered pairs: the mean graphite on the lines at darkness 0 and 1, and inside the outlines at shading 1.
_LIGHT_LINES, _DARK_LINES = 0.51, 0.86
_FULL_SHADING = 0.075
_BESIDE = 4.0  # px: graphite nearer to a line than this belongs to it


def resized(grey: np.ndarray, longest: int) -> np.ndarray:
    """An image (H, W) made smaller, never larger, so that its longer side is at most `longest` px."""
    return reduced(grey, longest / max(grey.shape))


def graphite(grey: np.ndarray) -> np.ndarray:
    """How much graphite lies at each pixel, (H, W) float32; exactly 0 on bare paper.

    Args:
        grey: (H, W) float32, 0 black .. 1 white: a scan or photograph of a pencil drawing on light paper.

    Raises:
        SketchGANError: the page is dark, or too small to tell paper from drawing.
    """
    if min(grey.shape) < 64:
        raise SketchGANError(f"only {grey.shape[1]} x {grey.shape[0]} px; scan it larger")
    paper, flat = _paper(grey)
    if float(np.median(paper)) < _DARK_GROUND:
        raise SketchGANError("a dark page; a pencil drawing on light paper is needed")
    found = (1 - grey / paper).clip(0, 1).astype(np.float32)
    nearby = cv2.GaussianBlur(found, (0, 0), 1.0)
    # What is found on the emptiest cells is the tooth of the paper and the noise of the scanner.
    floor = float(np.clip(np.quantile(nearby[flat], 0.995), _LIGHTEST, _FAINTEST))
    return (found * np.clip(nearby / floor - 1, 0, 1)).astype(np.float32)


def controls_of(graphite: np.ndarray, lines: np.ndarray) -> Controls:
    """The controls at which the renderer would have drawn about as darkly and shaded as much.

    How rough a hand is cannot be told from its drawing alone: `roughness` stays neutral, and so does `shading` where no
    outline is closed.

    Args:
        graphite: (H, W), 0..1.
        lines: (H, W), the line image of the same drawing.
    """
    neutral = Controls()
    ink = 1 - lines
    drawn = cv2.dilate(cv2.GaussianBlur(graphite, (0, 0), 0.7), np.ones((3, 3), np.uint8))[ink > 0.6]
    darkness = np.clip((drawn.mean() - _LIGHT_LINES) / (_DARK_LINES - _LIGHT_LINES), 0, 1)
    distance = cv2.distanceTransform((ink < 0.5).astype(np.uint8), cv2.DIST_L2, 5)
    inside = (read_form(ink).region > 0) & (distance > _BESIDE)
    shading = neutral.shading
    if inside.mean() > 0.002:
        shading = float(np.clip((graphite[inside].mean() / _FULL_SHADING) ** _SPARING, 0, 1))
    return Controls(float(darkness), neutral.roughness, shading)


def _paper(grey: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The brightness of the paper at every pixel, and where it is bare: (H, W) float32 and bool."""
    height, width = grey.shape
    cell = max(4, round(max(height, width) / _CELLS))
    rows, columns = max(2, round(height / cell)), max(2, round(width / cell))
    cells = cv2.resize(grey, (columns * cell, rows * cell), interpolation=cv2.INTER_AREA)
    cells = cells.reshape(rows, cell, columns, cell).swapaxes(1, 2).reshape(rows, columns, -1)
    level, unrest = np.quantile(cells, 0.8, axis=2), cells.std(axis=2)
    surface = _upper_surface(level)
    # A shadow on the paper is smooth, shading is not: only in smooth cells may the paper depart from the surface.
    smooth = (unrest < 1.6 * np.quantile(unrest, 0.2) + 0.004) & (np.abs(level - surface) < 0.2)
    trust = smooth.astype(np.float32)
    weight = cv2.GaussianBlur(trust, (0, 0), 1.2) + 0.03
    surface = surface + cv2.GaussianBlur(((level - surface) * trust).astype(np.float32), (0, 0), 1.2) / weight
    paper = cv2.resize(surface.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    bare = cv2.resize(trust, (width, height), interpolation=cv2.INTER_NEAREST) > 0
    return np.maximum(paper, 0.05), bare if bare.any() else np.ones_like(bare)


def _upper_surface(level: np.ndarray) -> np.ndarray:
    """The paraboloid that most cells lie on or below: drawn cells are darker than the paper, none is lighter."""
    y, x = np.mgrid[-1 : 1 : level.shape[0] * 1j, -1 : 1 : level.shape[1] * 1j]
    terms = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=-1).reshape(-1, 6)
    values = level.ravel()
    weight = (values >= np.quantile(values, 0.3)).astype(np.float64)
    for _ in range(12):
        solution = np.linalg.lstsq(terms * weight[:, None], values * weight, rcond=None)[0]
        miss = values - terms @ solution
        spread = 1.5 * np.median(np.abs(miss[weight >= 0.5])) + 0.004
        weight = np.where(miss < 0, 1 / (1 + (miss / spread) ** 2), 1.0)
    return (terms @ solution).reshape(level.shape)
