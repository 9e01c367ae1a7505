"""The side of the lead: a soft tone under the strokes, so that the paper shows the tone that was asked for.

Strokes and side share a tone between them. What the strokes leave on the paper is measured, not assumed: they are
pressed harder or softer until they carry their share, and the side fills up to the whole. Fine detail is worked over
with the point.
"""

from __future__ import annotations

import cv2
import numpy as np

from ..fields import blurred, smoothstep
from .deposition import TWO_B, Grade, darkness_of, load_of

_AREA = 5.0  # px: strokes and the paper between them are seen as one tone over this distance
_FINE_AREA = 1.3  # px: the same where detail is fine
_FINE = (0.008, 0.035)  # of tone: mean detail where nothing is fine, and where all is
_FINE_SPREAD = 4.0  # px around detail that count as fine
_STROKE_ROUNDS, _SIDE_ROUNDS = 4, 3
_FAINTEST, _FIRMEST = 0.3, 3.5  # times the load of a stroke
_FINE_ROUNDS = 3
_MOST = 0.92  # load of the side: strokes must remain visible on it


def lay_side(
    load: np.ndarray, lines: np.ndarray, tone: np.ndarray, share: np.ndarray, grade: Grade = TWO_B
) -> np.ndarray:
    """Balances strokes and lays the side of the lead.

    Args:
        load: (H, W) of lines and strokes as drawn.
        lines: (H, W), 0..1, where lines are: they add to the tone and are not balanced.
        tone: (H, W), the mean graphite wanted of a 2B; for another grade it is scaled with the density.
        share: (H, W), 0..1, how much of the tone the side lays; where it is 1, the strokes are left as they are.
        grade: of the lead.

    Returns:
        Load (H, W) float32.
    """
    if not tone.any():
        return load
    tone = tone * np.float32(grade.density / TWO_B.density)
    free = 1 - np.clip(1.5 * cv2.dilate(lines, np.ones((3, 3), np.uint8)), 0, 1)
    weight = free + np.float32(0.02)
    around = blurred(weight, _AREA)

    def seen(darkness: np.ndarray) -> np.ndarray:
        mean = blurred(darkness * weight, _AREA)
        mean /= around
        return mean

    def pressed(firm: np.ndarray) -> np.ndarray:
        free_of_load = firm * bare
        return np.negative(np.expm1(free_of_load, out=free_of_load), out=free_of_load)

    whole = seen(tone)
    strokes = seen(tone * (1 - share)) + np.float32(0.01)
    bare = np.log1p(-np.minimum(load, 0.999))
    firm = np.ones_like(load)
    for _ in range(_STROKE_ROUNDS):
        laid = seen(darkness_of(pressed(firm), grade))
        laid += np.float32(0.01)
        firm *= np.divide(strokes, laid, out=laid) ** 0.8
        np.clip(firm, _FAINTEST, _FIRMEST, out=firm)
    load = pressed(1 + (firm - 1) * free * (share < 1))
    laid = seen(darkness_of(load, grade))
    # A first guess as if both were spread evenly, then corrected by what is seen.
    side = load_of(np.clip((tone - laid) / (1 - laid), 0, grade.density), grade)
    wanted, unloaded = side > 0, 1 - load
    for _ in range(_SIDE_ROUNDS):
        missing = whole - seen(darkness_of(1 - unloaded * (1 - side), grade))
        missing *= np.float32(0.8)
        missing *= wanted
        side += missing
        np.clip(side, 0, _MOST, out=side)
    both: np.ndarray = 1 - unloaded * (1 - side)
    return _finished(both, tone, free, grade)


def _finished(load: np.ndarray, tone: np.ndarray, free: np.ndarray, grade: Grade) -> np.ndarray:
    """The load, worked over with the point where detail is fine, as in an eye: lights lifted, darks pressed in."""
    fine = free * smoothstep(blurred(np.abs(tone - blurred(tone, 2.5)), _FINE_SPREAD), *_FINE)
    wanted, fine_tone = blurred(tone, _FINE_AREA), fine * (tone > 0)
    for _ in range(_FINE_ROUNDS):
        laid = blurred(darkness_of(load, grade), _FINE_AREA)
        load = load * (1 + fine * (np.clip((wanted + 0.02) / (laid + 0.02), 0.4, 1) - 1))
        load = load + fine_tone * (1 - load) * np.clip(wanted - laid, 0, 1)
    return load
