"""What came in, as a person would say it: a picture, a drawing that needs cleaning, or clean lines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from .scaling import shrunk, side

Kind = Literal["picture", "drawing", "lines"]

_SURVEY_SIDE = 640  # px: judged at this size, where a stroke is a few px wide
_STROKE = 1 / 24  # of the side: what a square this wide does not fit into may be a stroke, the rest is ground or area
_LEAST_STROKE = 13  # px: the same in a tiny picture, whose lines are wide for its size
_COARSE = 4  # the ground is smooth enough to be judged at a quarter of the survey size

# What paper does not do, as shares of the ground; each alone makes a picture, and they add up.
_STEPS = 0.06  # sharp steps between levels: sheets have a shadow's soft edge, and some dirt
_TONES = 1.0  # levels that no lamp explains: the shadow of a hand may lie on all of a photographed sheet
_PURE_TONES = 0.05  # the same where there is no grain at all: no camera saw it, so nothing cast a shadow
_HUES = 0.15  # colours other than the sheet's
_FAINT = 6  # half-deep places for each deep one: noise and stains make some beside strokes
_GRAIN = 0.008  # of the ground's light: less is no sheet that a camera or a scanner saw
_ABOVE_GRAIN = 5  # strokes are at least so many times as deep as the grain: in foliage or wood there is no such gap
_DEPTH = 0.055  # of the ground's light: the faintest lines that are still meant
_LIGHT_DEPTH = 0.2  # the same above a dark ground: chalk shows, shine and stars in photographs hardly do
_LIGHT_ODDNESS = 0.6  # below 1, since a picture that is inverted is worse than a drawing that is not
_LEAST_INK = 0.002  # share of the page
_SOLID = 0.25  # share of the page: more of it is a ground or an area
_WHITE = 0.98
_DOTS = 400


@dataclass(frozen=True)
class Reading:
    """Attributes:
    kind: picture, drawing or lines.
    light_lines: light strokes on a dark ground; never of a picture.
    reason: why, in one phrase.
    """

    kind: Kind
    light_lines: bool
    reason: str


@dataclass(frozen=True)
class _Page:
    """How an image looks if it is taken for dark strokes on a ground.

    Attributes:
        steps, tones, hues: shares of the ground, solids of ink left out, that a sheet of paper does not have.
        depth: of the strokes, as a share of the ground's light.
        grain: the same of ordinary places.
        ink: share of the page that is stroke.
    faint: half-deep places for each deep one: few beside pen and pencil, many in what is only textured.
    """

    steps: float
    tones: float
    hues: float
    depth: float
    grain: float
    ink: float
    faint: float

    @property
    def oddness(self) -> float:
        """From 1 on no sheet looks like this; where little is deep, even a little else tells."""
        tones = _TONES if self.grain > _GRAIN else _PURE_TONES
        ground = self.steps / _STEPS + self.tones / tones + self.hues / _HUES
        return ground * max(1, self.faint) + self.faint / _FAINT

    def is_drawing(self, depth: float, oddness: float) -> bool:
        """Whether there are strokes, beyond the grain of the ground, and little else."""
        deep = self.depth > max(depth, _ABOVE_GRAIN * self.grain)
        return deep and self.ink > _LEAST_INK and self.oddness < oddness


def read(pixels: np.ndarray) -> Reading:
    """Reads an image.

    A drawing is thin strokes on a ground of one colour under one light; what else has tone is a picture. Both
    polarities are tried, and the one that the ground explains better is taken.

    Args:
        pixels: (H, W) or (H, W, 3), float32 0..1 or uint8, of any size.
    """
    small, sampled = _survey(pixels)
    if _is_clean(small, sampled):
        return Reading("lines", False, "clean lines on white paper")
    dark = _page(small, sampled, True)
    light = _page(255 - small, 255 - sampled, False)
    is_dark, is_light = dark.is_drawing(_DEPTH, 1), light.is_drawing(_LIGHT_DEPTH, _LIGHT_ODDNESS)
    if is_light and not (is_dark and dark.oddness <= light.oddness):
        return Reading("drawing", True, "a drawing on dark ground: light strokes")
    if is_dark:
        return Reading("drawing", False, "a drawing: dark strokes on paper")
    return Reading("picture", False, _why_picture(dark))


def light_lines(grey: np.ndarray) -> bool:
    """Whether the ground of a drawing (H, W) is dark; the border decides too: a silhouette may fill the middle."""
    small = shrunk(grey, _SURVEY_SIDE)
    border = np.concatenate([small[0], small[-1], small[:, 0], small[:, -1]])
    return bool(np.median(small) < 0.4 and np.median(border) < 0.45)


def _why_picture(page: _Page) -> str:
    if page.hues > _HUES:
        return "a picture: areas of different colours"
    if page.steps > _STEPS:
        return "a picture: light and dark areas"
    if page.tones > _PURE_TONES:
        return "a picture: shaded areas"
    return "a picture: soft tones, no clear strokes"


def _survey(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The image (h, w, 3) uint8 at survey size: averaged, and single pixels of it, since averaging greys screentone."""
    small = shrunk(pixels, _SURVEY_SIDE)
    sampled = small
    if small.shape[:2] != pixels.shape[:2]:
        # Sampled by lot: at even steps the dots of a screentone might all be hit, or all be missed.
        random = np.random.default_rng(0)
        height, width = small.shape[:2]
        rows = (np.arange(height) + random.random(height)) * (pixels.shape[0] / height)
        columns = (np.arange(width) + random.random(width)) * (pixels.shape[1] / width)
        sampled = pixels[rows.astype(np.int64)[:, None], columns.astype(np.int64)]
    return _colours(small), _colours(sampled)


def _colours(image: np.ndarray) -> np.ndarray:
    if image.dtype != np.uint8:
        image = np.rint(image.clip(0, 1) * 255).astype(np.uint8)
    return image if image.ndim == 3 else cv2.merge([image] * 3)


def _is_clean(small: np.ndarray, sampled: np.ndarray) -> bool:
    """Whether all there is are black and pure white, and the greys between them on the edges of lines."""
    grey, page = _darkest(sampled), _darkest(small)
    if (grey >= 255 * _WHITE).mean() < 0.5 or page.min() > 100 or (_brightest(sampled) - grey > 40).mean() > 0.002:
        return False
    middle = ((grey > 40) & (grey < 230)).astype(np.float32)
    # Paper that is nearly white, away from the edges of lines, has grain: it was scanned, or drawn with a pencil.
    beside = cv2.dilate((grey < 230).astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
    if ((grey < 255) & ~beside).mean() > 0.02:
        return False
    area = cv2.blur(middle, (9, 9)) > 0.9
    return float(area.mean()) < 0.002 and not _has_dots(page)


def _has_dots(page: np.ndarray) -> bool:
    """Whether a page (h, w) uint8 has screentone: very many dots, more than a person sets."""
    # Nearly white counts as ink, or a thin line would fall into dots where it is shrunk.
    stats = cv2.connectedComponentsWithStats((page < 200).astype(np.uint8), connectivity=8)[2]
    return bool((stats[1:, cv2.CC_STAT_AREA] < (side(page.shape) / 80) ** 2).sum() > _DOTS)


def _closed(image: np.ndarray, window: int) -> np.ndarray:
    return cv2.morphologyEx(
        image, cv2.MORPH_CLOSE, np.ones((window, window), np.uint8), borderType=cv2.BORDER_REPLICATE
    )


def _brightest(image: np.ndarray) -> np.ndarray:
    """The highest of the three channels; NumPy takes ten times as long over so short an axis."""
    first, second, third = cv2.split(image)
    return cv2.max(cv2.max(first, second), third)


def _darkest(image: np.ndarray) -> np.ndarray:
    first, second, third = cv2.split(image)
    return cv2.min(cv2.min(first, second), third)


def _quantile(values: np.ndarray, share: float) -> float:
    """Of uint8, by counting."""
    count = np.cumsum(cv2.calcHist([values], [0], None, [256], [0, 256]))
    return float(np.searchsorted(count, share * count[-1])) / 255


def _page(small: np.ndarray, sampled: np.ndarray, may_be_solid: bool) -> _Page:
    """Takes an image (h, w, 3) uint8 for dark strokes on a light ground."""
    window = max(_LEAST_STROKE, round(side(small.shape) * _STROKE)) | 1
    closed = _closed(cv2.medianBlur(small, 3), window)
    level = max(_quantile(_brightest(closed), 0.9), 0.05)
    if sampled is not small:
        _see_through_screentone(closed, sampled, level, window)
    depths = _brightest(cv2.subtract(closed, small))
    deepest, grain = max(_quantile(depths, 0.997), 0.01), _quantile(depths, 0.5)
    strong = depths >= 255 * max(0.5 * deepest, 2 * grain)
    some = depths >= 255 * max(0.15 * deepest, 2 * grain)
    core = depths >= 255 * 0.9 * deepest
    ink = np.array(cv2.mean(small, core.astype(np.uint8))[:3]) / (255 * level)
    size = (max(1, closed.shape[1] // _COARSE), max(1, closed.shape[0] // _COARSE))
    ground = cv2.resize(closed, size, interpolation=cv2.INTER_AREA).astype(np.float32).reshape(size[1], size[0], 3)
    oddities = _oddities(ground / (255 * level), ink if may_be_solid else None)
    faint = (some.sum() - strong.sum()) / max(1, strong.sum())
    return _Page(*oddities, deepest / level, grain / level, float(strong.mean()), float(faint))


def _see_through_screentone(closed: np.ndarray, sampled: np.ndarray, level: float, window: int) -> None:
    """Raises the ground (h, w, 3) to the paper between the dots: where no pixel is of middle tone there is no tone."""
    light = _brightest(sampled)
    middle = ((light > 255 * 0.35 * level) & (light < 255 * 0.8 * level)).astype(np.float32)
    dotted = cv2.blur(middle, (window, window), borderType=cv2.BORDER_REPLICATE) < 0.15
    cv2.copyTo(cv2.max(closed, _closed(sampled, window)), dotted.astype(np.uint8), closed)


def _oddities(ground: np.ndarray, ink: np.ndarray | None) -> tuple[float, float, float]:
    """Shares of a ground (h, w, 3) that are sharp steps, tones and hues which a sheet under a lamp does not have."""
    solid = np.zeros(ground.shape[:2], bool)
    # What has the ink's own colour, dark or without hue, is a solid: the artist filled it. A coloured one is an area.
    if ink is not None and (ink.max() - ink.min() < 0.2 or ink.max() < 0.4):
        solid = np.abs(ground - ink.astype(np.float32)).max(-1) < 0.15
        if solid.mean() > _SOLID:
            solid[:] = False
    beside = cv2.dilate(solid.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
    grey = ground.mean(-1)
    sheet = np.median(ground.reshape(-1, 3), axis=0)
    tint = sheet / max(float(sheet.mean()), 1e-3)
    hues = np.abs(ground - grey[..., None] * tint).max(-1) > 0.06
    light = _lamp(grey)
    tones = np.abs(grey / light - 1) > 0.08
    steps = cv2.morphologyEx(ground, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)).max(-1) > 0.08
    return tuple(float((odd & ~beside).mean()) for odd in (steps, tones, hues))  # type: ignore[return-value]


def _lamp(grey: np.ndarray) -> np.ndarray:
    """The light on a sheet (h, w): a smooth second-order surface through most of it, whatever lies beside."""
    height, width = grey.shape
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].astype(np.float32)
    terms = np.stack([np.ones_like(x), x, y, x * x, y * y, x * y], -1).reshape(-1, 6)
    some = slice(None, None, max(1, len(terms) // 2500))
    known, values = terms[some], grey.reshape(-1)[some]
    weight = np.ones_like(values)
    for _ in range(6):
        answer = np.linalg.lstsq(known * weight[:, None], values * weight, rcond=None)[0]
        # Least absolute differences, by weights: least squares would bend towards an area.
        weight = 1 / np.sqrt(np.maximum(np.abs(known @ answer - values), 0.01))
    return np.maximum(terms @ answer, 0.1).reshape(height, width)
