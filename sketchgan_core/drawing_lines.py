"""Dark lines on pure white out of a scan or a photograph of a drawing: the paper is divided out, the strokes stay."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from .line_settings import LineSettings

_SURVEY_SIDE = 640  # px: judgements about the whole picture are made at this size
_WORKING_SIDE = 1536  # px: strokes are told from noise at no more than this size
_ANGLES = 12
_SHARP = 0.08  # logarithm of the step from paper to ink over a few px that no shadow makes
_CLEAN = 0.985  # paper at least this white is white


@dataclass(frozen=True)
class Levels:
    """What was measured on a whole drawing.

    Attributes:
        noise: deviation of the paper's grain, in ink, 0..1.
        full: ink of its dark strokes, 0..1.
        clean: black on white already: nothing is to be changed.
    """

    noise: float
    full: float
    clean: bool


def clean_drawing(
    grey: np.ndarray, light_lines: bool, settings: LineSettings, levels: Levels | None = None
) -> tuple[np.ndarray, Levels]:
    """Cleans a drawing.

    Args:
        grey: (H, W) float32, 0 black .. 1 white.
        light_lines: the lines are lighter than their ground.
        settings: detail, threshold and smoothing are obeyed here.
        levels: of the first frame; measured if None.

    Returns:
        (H, W) float32, dark lines on white; and what was measured.
    """
    if light_lines:
        grey = 1 - grey
    paper = _paper(grey)
    working = _shrunk(grey, _WORKING_SIDE)
    ink = _ink(working, paper)
    if levels is None:
        levels = _measure(ink, paper)
    if levels.clean:
        return grey, levels
    scale = _side(ink.shape) / 1024
    stroke, gain = _strokes(ink, paper, scale, levels, settings)
    return _render(grey, paper, stroke, gain), levels


def _side(shape: tuple[int, ...]) -> float:
    return float(np.sqrt(shape[0] * shape[1]))


def _shrunk(grey: np.ndarray, side: int) -> np.ndarray:
    factor = side / _side(grey.shape)
    if factor >= 1:
        return grey
    size = (max(1, round(grey.shape[1] * factor)), max(1, round(grey.shape[0] * factor)))
    return cv2.resize(grey, size, interpolation=cv2.INTER_AREA)


def _paper(grey: np.ndarray) -> np.ndarray:
    """The paper without the drawing, at survey size; float32, 0..1.

    A closing takes out what is narrower than its window. What only a wide window takes out is a solid black if its
    border is sharp, and a shadow that the paper has if it is soft.
    """
    small = _shrunk(grey, 2 * _SURVEY_SIDE)
    if min(small.shape) < 8:
        return np.full((1, 1), np.quantile(grey, 0.9), np.float32)
    small = cv2.medianBlur(small, 3)
    if max(small.shape) > _SURVEY_SIDE:
        small = cv2.dilate(small, np.ones((2, 2), np.uint8))
        small = _shrunk(small, _SURVEY_SIDE)
    narrow = _closed(small, max(3, round(_side(small.shape) / 24)))
    solid = _solids(narrow)
    return cv2.GaussianBlur(_fill(narrow, solid) if solid.any() else narrow, (0, 0), 3)


def _solids(paper: np.ndarray) -> np.ndarray:
    """Where a closed picture (H, W) is ink still: regions that are darker than what lies across a sharp border."""
    level = np.log(np.maximum(paper, 0.02))
    near = np.ones((15, 15), np.uint8)
    step = cv2.morphologyEx(level, cv2.MORPH_GRADIENT, np.ones((5, 5), np.uint8))
    # Widened, so that a place where shadow and paper happen to be alike opens no gate.
    border = cv2.dilate((step > _SHARP).astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    count, label = cv2.connectedComponents((~border).astype(np.uint8), connectivity=4)
    beside = (cv2.dilate(border.astype(np.uint8), near) > 0) & ~border
    regions = label[beside]
    rise = np.bincount(regions, (cv2.dilate(level, near) - level)[beside], count)
    fall = np.bincount(regions, (level - cv2.erode(level, near))[beside], count)
    solid = (rise > 2 * fall) & (rise > 0)
    solid[0] = False
    inside = solid[label].astype(np.uint8)
    return cv2.dilate(inside, np.ones((17, 17), np.uint8)) > 0


def _fill(paper: np.ndarray, hole: np.ndarray) -> np.ndarray:
    """The paper with its holes filled from around them, from the nearest that is known."""
    known = (~hole).astype(np.float32)
    filled = np.where(hole, np.quantile(paper, 0.9), paper).astype(np.float32)
    for spread in (64, 16, 4):
        weight = cv2.GaussianBlur(known, (0, 0), spread)
        guess = cv2.GaussianBlur(paper * known, (0, 0), spread) / np.maximum(weight, 1e-6)
        filled = np.where(hole & (weight > 0.05), guess, filled)
    return filled


def _closed(image: np.ndarray, window: int) -> np.ndarray:
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (window | 1, window | 1))
    return cv2.morphologyEx(image, cv2.MORPH_CLOSE, kernel, borderType=cv2.BORDER_REPLICATE)


def _ink(grey: np.ndarray, paper: np.ndarray) -> np.ndarray:
    paper = cv2.resize(paper, grey.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return 1 - grey / np.maximum(paper, 0.05)


def _deviation(values: np.ndarray) -> float:
    return float(1.4826 * np.median(np.abs(values - np.median(values))))


def _measure(ink: np.ndarray, paper: np.ndarray) -> Levels:
    fine = ink - cv2.blur(ink, (3, 3))
    noise = _deviation(fine) * 1.06
    strong = ink[ink > max(6 * noise, 0.1)]
    full = float(np.clip(np.quantile(strong, 0.75), 0.15, 1)) if strong.size else 1.0
    return Levels(noise, full, False)


def _strokes(
    ink: np.ndarray, paper: np.ndarray, scale: float, levels: Levels, settings: LineSettings
) -> tuple[np.ndarray, np.ndarray]:
    """Which pixels are stroke, and by how much their ink is multiplied; two float32 planes."""
    reach = max(scale, 0.7) * 2.0 ** (2 * settings.smoothing - 1)
    along = _along(ink, 0.7 * max(scale, 1), 3 * reach)
    local = along - cv2.GaussianBlur(ink, (0, 0), 3 * max(scale, 0.7))
    # The noise of a sensor is the same everywhere; divided by the paper it is strongest in the shadow.
    shade = 1 / np.maximum(cv2.resize(paper, ink.shape[::-1], interpolation=cv2.INTER_LINEAR), 0.05)
    grain = _deviation(local / shade) * shade
    bar = 2.0 ** (2 * settings.threshold - 1)
    high = bar * np.maximum(6 * grain, max(0.07 * levels.full, 0.05))
    low = bar * np.maximum(3 * grain, max(0.05 * levels.full, 0.03))
    seed = local > high
    size = 2 * round(5 * scale) + 1
    peak = cv2.dilate(np.where(seed, along, 0), np.ones((size, size), np.uint8))
    candidate = ((along > low) & (((peak > 0) & (along > 0.4 * peak)) | (along > 0.6 * levels.full))).astype(np.uint8)
    count, label = cv2.connectedComponents(candidate, connectivity=8)
    keep = np.zeros(count, bool)
    keep[label[seed]] = True
    keep[0] = False
    kept = keep[label]
    size = 2 * round(3 * scale) + 1
    peak = cv2.dilate(np.where(kept, along, 0), np.ones((size, size), np.uint8))
    noisy = np.clip(10 * grain / np.maximum(peak, 1e-3), 0, 1)
    ink = noisy * along + (1 - noisy) * ink
    out = np.where(peak > 0, np.clip((ink / np.maximum(peak, 1e-3) - 0.5) * 1.5 + 0.5, 0, 1), 0)
    return out * (cv2.dilate(kept.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0), peak


def _along(ink: np.ndarray, across: float, length: float) -> np.ndarray:
    """The ink averaged along the direction in which it is darkest."""
    radius = max(2, int(np.ceil(2 * length)))
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1].astype(np.float32)
    best = np.full_like(ink, -1)
    for angle in np.arange(_ANGLES) * np.pi / _ANGLES:
        along, beside = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
        kernel = np.exp(-0.5 * ((along / length) ** 2 + (beside / across) ** 2))
        np.maximum(best, cv2.filter2D(ink, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REFLECT_101), out=best)
    return best


def _render(grey: np.ndarray, paper: np.ndarray, stroke: np.ndarray, peak: np.ndarray) -> np.ndarray:
    ink = _ink(grey, paper)
    return 1-stroke
