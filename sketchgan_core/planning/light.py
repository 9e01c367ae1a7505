"""Light: what a picture says about tone, as an artist would simplify it.

Bare paper for the lights only, darks that stay dark, detail kept where it is fine. The tone curve pulls the picture's
own distribution of lightness half-way towards that of a pencil drawing (after Lu, Xu and Jia 2012, "Combining sketch
and tone for pencil drawing production"): mostly light, few darks.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from ..fields import blurred, gradient, smoothstep
from ..scaling import shrunk

_SMALLEST_RANGE = 0.6  # of lightness: a flatter picture is drawn in light tones, not stretched to full contrast
_COUNTED = (0.5, 99.3)  # percentiles of lightness: what is darker is black, what is lighter bare paper
_CURVE_POINTS = 65
# Shares of the page (from the darkest) and how light a pencil drawing is there.
_DRAWN_SHARES = (0.0, 0.06, 0.18, 0.45, 0.75, 1.0)
_DRAWN_LIGHTS = (0.0, 0.18, 0.42, 0.68, 0.90, 1.0)
_LIGHTENED, _DARKENED = 0.38, 0.05  # how far tones move towards that, where it is lighter and where it is darker
# How much of a place's contrast with its surroundings is added; little beside the dark, or a halo would shine.
_DARKER_BESIDE_LIGHT, _LIGHTER_BESIDE_DARK = 0.25, 0.08
_DARK = 0.88  # tones beyond this are compressed
_SURROUNDINGS = 22.0  # px at the drawing size
_FOCUS_SPREAD = 18.0  # px: how far sharp detail makes its surroundings part of the subject
_FOCUS = (0.004, 0.014)  # mean sharp detail, in lightness, of a blurred ground and of a subject
_IN_DARK = 0.8  # how much more detail is told in black, where it could hardly be seen, than in white
_SMALL, _ACCENT = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (11, 11)), 1.0
_TEXTURE_TOLD = 0.2  # of the detail of a texture without direction
_PLAIN = 0.012  # sharp detail of a ground, at most
_GROUND_CELL = 4  # px: ground is found in cells, so that it does not run through an outline's gaps
_BESIDE_GROUND = np.ones((15, 15), np.uint8)  # an outline stands on the ground as well, and belongs to the subject

# Contrast of colour: the size at which it is looked for, over how many px, how much counts as contrast, of which
# lightness has less than a share, and in which share of all contrasts; how much of it becomes contrast of lightness.
_COLOUR_SEEN, _COLOUR_STEPS, _CONTRAST, _LOST, _LOST_SHARE, _COLOUR_TELLS = 160, (2, 6, 16), 0.12, 0.25, (0.2, 0.6), 0.5

_EDGE = (0.02, 0.12)  # lightness per px of a faint and of a firm edge
_SHARP = (1.25, 1.9)  # how much steeper a soft and a sharp edge look from close up than from afar
_RESERVED = (0.03, 0.1)  # how much lighter than what is beside it: no light line, and one that is left bare
_WIDER_THAN_A_LINE = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (9, 9))
_FAINT_LINE, _UNFOCUSED_LINE, _LINE_IN_LIGHT = 0.1, 0.3, 0.45


@dataclass(frozen=True)
class ToneCurve:
    """From lightness to light, judged from one picture and kept for all frames of an animation.

    Attributes:
        low, high: lightness of the darkest and the lightest that counts.
        lights: how light to draw, at equal steps of lightness from low to high.
        colour: lightness that is added for each unit of CIELAB's a and b, as shares of 100, and to all, where colours
            differ in nothing else.
    """

    low: float
    high: float
    lights: tuple[float, ...]
    colour: tuple[float, float, float] = (0.0, 0.0, 0.0)


AS_IT_IS = ToneCurve(0.0, 1.0, tuple(np.linspace(0, 1, _CURVE_POINTS).tolist()))


@dataclass(frozen=True)
class Light:
    """What a picture says about tone; all (H, W) float32.

    Attributes:
        lightness: as it is in the picture, 0..1.
        tone: how dark to draw, 0 bare paper .. 1.
        broad: the same without its detail.
        focus: 1 where the picture is sharp, 0 on blurred and empty grounds.
        curve: the tone curve that was used.
        moving: whether it is a frame among others, of which nothing may depend on what is far away.
    """

    lightness: np.ndarray
    tone: np.ndarray
    broad: np.ndarray
    focus: np.ndarray
    curve: ToneCurve | None
    moving: bool = False


def read_light(pixels: np.ndarray, detail: float = 0.5, curve: ToneCurve | None = None, moving: bool = False) -> Light:
    """Reads the light of a picture at its drawing size.

    Args:
        pixels: (H, W) or (H, W, 3) float32, 0..1.
        detail: 0..1, how plainly fine detail is drawn.
        curve: of the first frame; judged from this picture if None.
        moving: it is a frame among others: its ground, which can only be told from afar, is not sought.
    """
    lightness = _lightness(pixels, curve.colour if curve else AS_IT_IS.colour)
    curve = curve or _judged(lightness)
    steps = np.linspace(curve.low, curve.high, len(curve.lights))
    light = np.interp(lightness, steps, curve.lights).astype(np.float32)
    base = cv2.bilateralFilter(light, 0, 0.12, 6)
    apart = base - blurred(base, _SURROUNDINGS)
    broad = base + np.where(apart < 0, np.float32(_DARKER_BESIDE_LIGHT), np.float32(_LIGHTER_BESIDE_DARK)) * apart
    told = _told(lightness)
    # Small darks, like pupils and lashes, are accents.
    small = cv2.morphologyEx(light, cv2.MORPH_CLOSE, _SMALL) - light
    fine = broad + told * (
        (0.5 + 2 * detail) * (1 + _IN_DARK * (1 - base)) * (light - base)
        - _ACCENT * detail * small * smoothstep(small, 0.06, 0.25)
    )
    sharp = np.abs(blurred(lightness, 1.0) - blurred(lightness, 3.0))
    # Sharp detail makes its surroundings part of the subject, but not the ground on the other side of its outline.
    focus = smoothstep(blurred(sharp, _FOCUS_SPREAD), *_FOCUS)
    if not moving:
        focus *= 1 - _ground(sharp)
    return Light(lightness, _within(1 - fine), 1 - broad.clip(0, 1), focus, curve, moving)


def judge_tones(pixels: np.ndarray) -> ToneCurve:
    """The tone curve that suits a picture (H, W) or (H, W, 3), float32, 0..1.

    What differs from its surroundings in colour alone is told by it as well; in a picture that is read without a curve,
    as those of pairs are, it is not.
    """
    colour = _told_by_colour(pixels) if pixels.ndim == 3 else AS_IT_IS.colour
    return replace(_judged(_lightness(pixels, colour)), colour=colour)


def weigh_lines(lines: np.ndarray, light: Light) -> np.ndarray:
    """The extracted lines (H, W) of a picture, each as firm as what it stands for.

    The soft edge of a shadow is a tone, not a line; what lies in the light or out of focus is drawn lightly; a light
    line, like a whisker, is left out.
    """
    near = np.ones((5, 5), np.uint8)
    slope, wide = (cv2.dilate(_slope(light.lightness, sigma), near) for sigma in (0.8, 2.5))
    sharp = smoothstep(slope / (wide + np.float32(1e-4)), *_SHARP)
    firm = smoothstep(slope, *_EDGE) * sharp
    firm = (_FAINT_LINE + (1 - _FAINT_LINE) * firm) * (
        _UNFOCUSED_LINE + (1 - _UNFOCUSED_LINE) * cv2.dilate(light.focus, _BESIDE_GROUND)
    )
    firm = firm * (_LINE_IN_LIGHT + (1 - _LINE_IN_LIGHT) * smoothstep(blurred(light.tone, 3.0), 0.0, 0.4))
    # A light line is reserved: the tone leaves it out, and no pencil goes along it.
    opened = cv2.morphologyEx(light.lightness, cv2.MORPH_OPEN, _WIDER_THAN_A_LINE)
    firm = firm * (1 - smoothstep(light.lightness - opened, *_RESERVED))
    return (1 - (1 - lines) * firm).astype(np.float32)


def _told(lightness: np.ndarray) -> np.ndarray:
    """How much of its detail a place tells (H, W): all where edges agree or stand alone; less in grass."""
    right, down = gradient(lightness, 0.8)
    xx, yy, xy = (blurred(part, 4.0) for part in (right * right, down * down, right * down))
    agreed = np.hypot(xx - yy, 2 * xy) / (xx + yy + np.float32(1e-6))
    # Texture is everywhere around, and an eye is not.
    energy = np.sqrt(blurred(right * right + down * down, 1.5))
    alone = smoothstep(energy / (blurred(energy, 20.0) + np.float32(1e-3)), 1.6, 2.8)
    return (_TEXTURE_TOLD + (1 - _TEXTURE_TOLD) * np.maximum(smoothstep(agreed, 0.4, 0.7), alone)).astype(np.float32)


def _ground(sharp: np.ndarray) -> np.ndarray:
    """What lies behind the subject (H, W), 0..1: plain, and open to the upper border of the page.

    Args:
        sharp: (H, W), how much sharp detail there is.
    """
    height, width = sharp.shape
    near = np.ones((_GROUND_CELL + 1, _GROUND_CELL + 1), np.uint8)
    cells = (-(-width // _GROUND_CELL), -(-height // _GROUND_CELL))
    plain = (cv2.resize(cv2.dilate(sharp, near), cells, interpolation=cv2.INTER_NEAREST) < _PLAIN).astype(np.uint8)
    count, label = cv2.connectedComponents(cv2.erode(plain, np.ones((3, 3), np.uint8)), connectivity=4)
    upper = 2 * len(label) // 3
    behind = np.zeros(count, np.float32)
    behind[np.concatenate([label[0], label[:upper, 0], label[:upper, -1]])] = 1
    behind[0] = 0
    ground = cv2.dilate(behind[label], np.ones((5, 5), np.uint8))
    return blurred(cv2.resize(ground, (width, height), interpolation=cv2.INTER_LINEAR), 3.0)


def _slope(lightness: np.ndarray, sigma: float) -> np.ndarray:
    slope: np.ndarray = np.hypot(*gradient(lightness, sigma))
    return slope


def _within(tone: np.ndarray) -> np.ndarray:
    """The tone (H, W) within 0..1: the darkest are compressed rather than cut off, so that they stay distinct."""
    over = np.maximum(tone - _DARK, 0) / (1 - _DARK)
    result: np.ndarray = np.clip(np.minimum(tone, _DARK) - (1 - _DARK) * np.expm1(-over), 0, 1)
    return result


def _lightness(pixels: np.ndarray, colour: tuple[float, float, float]) -> np.ndarray:
    """Lightness (H, W), 0..1, with what `colour` adds to it, see `ToneCurve`."""
    lab = _lab(pixels)
    lightness: np.ndarray = lab[..., 0] / 100
    if any(colour):
        added = np.float32(colour[0]) * (lab[..., 1] / 100) + np.float32(colour[1]) * (lab[..., 2] / 100)
        lightness = np.clip(lightness + (added + np.float32(colour[2])), 0, 1)
    return lightness


def _lab(pixels: np.ndarray) -> np.ndarray:
    """CIELAB (H, W, 3), lightness 0..100."""
    colour = pixels if pixels.ndim == 3 else cv2.cvtColor(np.ascontiguousarray(pixels), cv2.COLOR_GRAY2RGB)
    return cv2.cvtColor(colour.astype(np.float32, copy=False), cv2.COLOR_RGB2LAB)


def _told_by_colour(pixels: np.ndarray) -> tuple[float, float, float]:
    """What colour is to add to the lightness of a picture (H, W, 3) whose contrasts are mostly of colour.

    Along the one axis of colour on which most contrast is lost to lightness (after Grundland and Dodgson 2007,
    "Decolorize: fast, contrast enhancing, color to grayscale conversion").
    """
    lab = _lab(shrunk(pixels, _COLOUR_SEEN)) / 100
    differences = [
        (lab[:, step:] - lab[:, :-step] if across else lab[step:] - lab[:-step]).reshape(-1, 3)
        for step in _COLOUR_STEPS
        for across in (True, False)
    ]
    steps = np.concatenate(differences)
    far = np.linalg.norm(steps, axis=1)
    steps, far = steps[far > _CONTRAST], far[far > _CONTRAST]
    lost = np.abs(steps[:, 0]) < _LOST * far
    strength = _COLOUR_TELLS * float(smoothstep(np.float64(lost.mean() if len(lost) else 0), *_LOST_SHARE))
    if not strength:
        return AS_IT_IS.colour
    axis = np.linalg.eigh(steps[lost, 1:].T.astype(np.float64) @ steps[lost, 1:])[1][:, -1]
    along = lab[..., 1:].reshape(-1, 2) @ axis
    usual = float(np.median(along))
    # What there is little of is darker, as ink is.
    way = -strength if along.mean() > usual else strength
    return float(way * axis[0]), float(way * axis[1]), float(-way * usual)


def _judged(lightness: np.ndarray) -> ToneCurve:
    low, high = (float(value) for value in np.percentile(lightness, _COUNTED))
    if high - low < _SMALLEST_RANGE:
        high = min(1.0, high + (_SMALLEST_RANGE - (high - low)) / 6)
        low = high - _SMALLEST_RANGE
    ordered = np.sort(lightness.ravel())
    steps = np.linspace(0, 1, _CURVE_POINTS)
    share = np.searchsorted(ordered, low + steps * (high - low)) / len(ordered)
    drawn = np.interp(share, _DRAWN_SHARES, _DRAWN_LIGHTS)
    # An even ground holds many pixels of nearly one lightness: the curve is smoothed, or it would pull them apart.
    drawn = np.convolve(np.pad(drawn, _CURVE_POINTS // 12, "edge"), np.ones(11) / 11, "valid")
    lights = steps + np.where(drawn > steps, _LIGHTENED, _DARKENED) * (drawn - steps)
    lights[-1] = 1.0  # white is bare paper
    return ToneCurve(low, high, tuple(lights.tolist()))
