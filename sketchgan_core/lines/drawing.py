"""Dark lines on pure white from a scan or a photograph of a drawing: the paper is divided out, the strokes stay."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from ..scaling import rows_of, shrunk, side
from .desk import find_sheet, without_desk
from .rules import Rules, are_pale, find_rules, without_rules
from .settings import LineSettings
from .tuning import DRAWING


@dataclass(frozen=True)
class Levels:
    """What was measured on a whole drawing.

    Attributes:
        full: ink of its dark strokes, 0..1.
        clean: black on white already: nothing but printed rules is to be changed.
    """

    full: float
    clean: bool


def clean_drawing(
    grey: np.ndarray,
    light_lines: bool,
    settings: LineSettings,
    levels: Levels | None = None,
    rows: int = 512,
) -> tuple[np.ndarray, Levels]:
    """Cleans a drawing.

    Args:
        grey: (H, W) float32, 0 black .. 1 white.
        light_lines: the lines are lighter than their ground.
        settings: detail, threshold, smoothing and rules are used here.
        levels: of the first frame; measured if None.
        rows: how many are drawn at once; this does not change the result.

    Returns:
        (H, W) float32, dark lines on white; and what was measured.
    """
    if settings.rules == "remove" and (sheet := find_sheet(grey)) is not None:
        grey = without_desk(grey, sheet)
    if light_lines:
        grey = 1 - grey
    paper = _paper(grey)
    working = shrunk(grey, DRAWING.working * 2.0 ** (settings.detail - 0.5))
    ink = _ink(working, rows_of(paper, working.shape, 0, working.shape[0]))
    measured = levels or _measure(grey, ink, paper)
    rules = find_rules(ink) if settings.rules == "remove" else None
    if measured.clean:
        return grey if rules is None or not are_pale(rules, grey) else _unruled(grey, paper, rules), measured
    if rules is not None:
        grey = _unruled(grey, paper, rules)
        working = shrunk(grey, DRAWING.working * 2.0 ** (settings.detail - 0.5))
        ink = _ink(working, rows_of(paper, working.shape, 0, working.shape[0]))
        measured = levels or _measure(grey, ink, paper)  # of the strokes alone
    levels = measured
    strokes = _strokes(ink, paper, levels, settings)
    lines = np.empty_like(grey)
    for top in range(0, grey.shape[0], rows):
        bottom = min(top + rows, grey.shape[0])
        lines[top:bottom] = 1 - _rendered(grey, paper, strokes, top, bottom)
    return lines, levels


def _unruled(grey: np.ndarray, paper: np.ndarray, rules: Rules) -> np.ndarray:
    """A drawing (H, W) without the rules that were found at working size."""
    height, width = grey.shape
    ground = rows_of(paper, grey.shape, 0, height)
    level = cv2.resize(rules.level, (width, height), interpolation=cv2.INTER_NEAREST)
    scale = height / rules.level.shape[0]
    rest = (1 - without_rules(_ink(grey, ground), Rules(level, rules.dark), scale)) * ground
    return np.where(level > 0, rest, grey).astype(np.float32)


def _paper(grey: np.ndarray) -> np.ndarray:
    """The paper without the drawing, at survey size; float32, 0..1.

    A closing takes out what is narrower than its window. What is wider is a solid black if its border is sharp,
    and a shadow on the paper if it is soft.
    """
    small = shrunk(grey, 2 * DRAWING.survey)
    if min(small.shape) < 8:
        return np.full((1, 1), np.quantile(grey, 0.9), np.float32)
    small = cv2.medianBlur(small, 3)
    if max(small.shape) > DRAWING.survey:
        small = cv2.dilate(small, np.ones((2, 2), np.uint8))
        small = shrunk(small, DRAWING.survey)
    narrow = _closed(small, max(3, round(DRAWING.window * side(small.shape))))
    solid = _solids(narrow, small)
    return cv2.GaussianBlur(_fill(narrow, solid) if solid.any() else narrow, (0, 0), 3)


def _solids(paper: np.ndarray, drawing: np.ndarray) -> np.ndarray:
    """Where a closed picture (H, W) is still ink: regions that are darker than what lies across a sharp border.

    Borders are taken from the picture before it was closed as well: where a solid tapers, closing blurs its end.
    """
    level, sharp = (np.log(np.maximum(image, 0.02)) for image in (paper, cv2.GaussianBlur(drawing, (0, 0), 1)))
    near, wide = np.ones((15, 15), np.uint8), np.ones((25, 25), np.uint8)
    # Borders are widened, so that they have no gap where shadow and paper happen to be alike.
    border = _steps(level, 9) | _steps(sharp, 3)
    count, label = cv2.connectedComponents((~border).astype(np.uint8), connectivity=4)
    beside = (cv2.dilate(border.astype(np.uint8), near) > 0) & ~border
    regions = label[beside]
    rise = np.bincount(regions, (cv2.dilate(level, wide) - level)[beside], count)
    fall = np.bincount(regions, (level - cv2.erode(level, wide))[beside], count)
    solid = (rise > DRAWING.rise * fall) & (rise > 0.5 * DRAWING.sharp * np.bincount(regions, minlength=count))
    solid[0] = False
    inside = solid[label].astype(np.uint8)
    return cv2.dilate(inside, np.ones((17, 17), np.uint8)) > 0


def _steps(level: np.ndarray, width: int) -> np.ndarray:
    """Where a picture (H, W), in logarithms, rises within a few px as no shadow does; widened to `width` px."""
    step = cv2.morphologyEx(level, cv2.MORPH_GRADIENT, np.ones((5, 5), np.uint8))
    return cv2.dilate((step > DRAWING.sharp).astype(np.uint8), np.ones((width, width), np.uint8)) > 0


def _fill(paper: np.ndarray, hole: np.ndarray) -> np.ndarray:
    """The paper with its holes filled from the nearest known paper around them."""
    known = (~hole).astype(np.float32)
    filled = np.where(hole, np.quantile(paper, 0.9), paper).astype(np.float32)
    for spread in DRAWING.holes:
        weight = cv2.GaussianBlur(known, (0, 0), spread)
        guess = cv2.GaussianBlur(paper * known, (0, 0), spread) / np.maximum(weight, 1e-6)
        filled = np.where(hole & (weight > 0.05), guess, filled)
    return filled


def _closed(image: np.ndarray, window: int) -> np.ndarray:
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (window | 1, window | 1))
    return cv2.morphologyEx(image, cv2.MORPH_CLOSE, kernel, borderType=cv2.BORDER_REPLICATE)


def _ink(grey: np.ndarray, paper: np.ndarray) -> np.ndarray:
    return 1 - grey / np.maximum(paper, 0.05)


def _deviation(values: np.ndarray) -> float:
    return float(1.4826 * np.median(np.abs(values - np.median(values))))


def _measure(grey: np.ndarray, ink: np.ndarray, paper: np.ndarray) -> Levels:
    noise = 1.06 * _deviation(ink - cv2.blur(ink, (3, 3)))
    quantile, least = DRAWING.dark
    strong = ink[ink > max(6 * noise, 0.1)]
    if not strong.size or strong.max() < least:
        strong, least = ink[ink > max(6 * noise, DRAWING.palest)], DRAWING.palest
    full = float(np.clip(np.quantile(strong, quantile), least, 1)) if strong.size else 1.0
    step = max(1, round(side(grey.shape) / 2048))
    light = grey[::step, ::step]
    light = light[light > 0.9]
    speckled = float((light < 0.995).mean()) if light.size else 1.0
    clean = full > DRAWING.inked and speckled < DRAWING.speckled and float(np.median(paper)) > DRAWING.clean
    return Levels(full, clean)


@dataclass(frozen=True)
class _Strokes:
    """Planes (h, w) at working size."""

    base: np.ndarray  # ink to take away first
    along: np.ndarray  # ink of the strokes without noise
    peak: np.ndarray  # its highest value nearby
    noisy: np.ndarray  # 0 where a pixel's own ink can be trusted, 1 where only that of the whole stroke can
    tone: np.ndarray  # darkness to draw with; 0 where no stroke is


def _strokes(ink: np.ndarray, paper: np.ndarray, levels: Levels, settings: LineSettings) -> _Strokes:
    """The strokes, by hysteresis: ink that stands out from its surroundings, and ink connected with it."""
    scale = max(0.5, side(ink.shape) / 1024)
    base = _show_through(ink, scale, levels)
    ink = ink - base
    along = _along(ink, DRAWING.across * max(scale, 1), DRAWING.along * scale * 4.0 ** (settings.smoothing - 0.5))
    local = along - cv2.GaussianBlur(ink, (0, 0), DRAWING.local * max(scale, 0.7))
    # The noise of a sensor is the same everywhere; divided by the paper it is strongest in the shadow.
    shade = 1 / np.maximum(rows_of(paper, ink.shape, 0, ink.shape[0]), 0.05)
    grain = _deviation(local / shade) * shade
    bar = 4.0 ** (settings.threshold - 0.5)
    least, low_least = DRAWING.seed_least, DRAWING.low_least
    if levels.full < DRAWING.dark[1]:  # a drawing so pale that its ink is hardly more than these
        least, low_least = DRAWING.seed_pale * levels.full, DRAWING.low_pale * levels.full
    high = bar * np.maximum(DRAWING.seed_grain * grain, max(DRAWING.seed * levels.full, least))
    low = bar * np.maximum(DRAWING.low_grain * grain, max(DRAWING.low * levels.full, low_least))
    seed = local > high
    peak = cv2.dilate(np.where(seed, along, 0), _disc(DRAWING.near_seed * scale))
    surely = along > DRAWING.surely * levels.full
    candidate = (along > low) & (((peak > 0) & (along > DRAWING.of_seed * peak)) | surely)
    count, label = cv2.connectedComponents(candidate.astype(np.uint8), connectivity=8)
    keep = np.zeros(count, bool)
    keep[label[seed]] = True
    keep[0] = False
    kept = keep[label]
    inside = kept & (seed | surely)
    peak = cv2.dilate(np.where(inside, along, 0), _disc(DRAWING.peak_near * scale))
    noisy = np.clip(DRAWING.trust * grain / np.maximum(peak, 1e-3), 0, 1)
    near = cv2.dilate(kept.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    tone = np.clip(DRAWING.tone + DRAWING.tone_growth * peak / levels.full, 0, 1) * near
    return _Strokes(base, along, np.maximum(peak, 1e-3), noisy, tone)


def _show_through(ink: np.ndarray, scale: float, levels: Levels) -> np.ndarray:
    """Ink that is broader than a stroke and too pale for a solid: stains, and what is drawn on the back."""
    smooth = cv2.GaussianBlur(ink, (0, 0), DRAWING.stain_smooth * scale)
    broad = cv2.morphologyEx(smooth, cv2.MORPH_OPEN, _disc(DRAWING.broad * scale), borderType=cv2.BORDER_REPLICATE)
    broad = cv2.GaussianBlur(broad, (0, 0), DRAWING.stain_smooth * scale)
    # Beside a solid the opening fades out over its edge, which must not be taken for a stain.
    solid = cv2.dilate(broad, _disc(DRAWING.beside_solid * scale)) > 0.5 * levels.full
    return np.where(solid | (smooth > DRAWING.surely * levels.full), 0, np.clip(broad, 0, None))


def _disc(radius: float) -> np.ndarray:
    size = 2 * round(radius) + 1
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))


def _rendered(grey: np.ndarray, paper: np.ndarray, strokes: _Strokes, top: int, bottom: int) -> np.ndarray:
    """The ink of some rows: each stroke raised to its own darkness, cut where its ink falls below half."""
    blur = 0.35 * grey.shape[0] / strokes.along.shape[0]
    halo = math.ceil(4 * blur) if blur > 0.5 else 0
    first, last = max(0, top - halo), min(grey.shape[0], bottom + halo)
    ink = _ink(grey[first:last], rows_of(paper, grey.shape, first, last))
    if halo:
        size = 2 * halo + 1
        ink = cv2.GaussianBlur(ink, (size, size), blur, borderType=cv2.BORDER_REFLECT_101)
    ink = ink[top - first : top - first + bottom - top]
    base, along, peak, noisy, tone = (
        rows_of(plane, grey.shape, top, bottom)
        for plane in (strokes.base, strokes.along, strokes.peak, strokes.noisy, strokes.tone)
    )
    share = (noisy * along + (1 - noisy) * (ink - base)) / peak
    # Beside a stroke the grain is stronger than the stroke; ink counts only where the stroke filter sees a stroke.
    gate = np.clip((along / peak - DRAWING.gate) * 5, 0, 1)
    return tone * gate * np.clip((share - DRAWING.half) * DRAWING.contrast + 0.5, 0, 1)


def _along(ink: np.ndarray, across: float, length: float) -> np.ndarray:
    """The ink averaged along the direction in which it is darkest."""
    radius = max(2, int(np.ceil(2 * length)))
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1].astype(np.float32)
    best = np.full_like(ink, -1)
    for angle in np.arange(DRAWING.angles) * np.pi / DRAWING.angles:
        along, beside = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
        kernel = np.exp(-0.5 * ((along / length) ** 2 + (beside / across) ** 2))
        np.maximum(best, cv2.filter2D(ink, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REFLECT_101), out=best)
    return best
