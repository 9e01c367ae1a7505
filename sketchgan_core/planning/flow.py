"""Flow: the direction in which each place of a picture is shaded.

Shading follows hair, fur, bark and folds, and near a sharp form its outline; where a picture says nothing (skies,
walls, blurred grounds), it has the slant of a right hand, which turns a little from place to place.
Directions are averaged as doubled angles, so that opposite ones agree (Kass and Witkin 1987, "Analyzing oriented
patterns").
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

import numpy as np

from ..fields import blurred, gradient, smoothstep
from .hand import SLANT, Hand
from .light import Light

_SLANT_TURN = math.radians(7)
_TEXTURE_SPREAD, _FORM_SPREAD, _BODY_SPREAD = 6.0, 16.0, 44.0  # px
_TEXTURE_SLOPE, _FORM_SLOPE = 0.02, 0.015  # lightness per px that counts fully
_TEXTURE_AGREES, _FORM_AGREES = (0.22, 0.5), (0.3, 0.6)  # from no to full trust
_FORM_NEAR = (0.02, 0.08)  # share of edges around a place whose form is unknown, and known


def read_flow(light: Light, hand: Hand) -> np.ndarray:
    """The direction of the shading (H, W), radians, float32."""
    height, width = light.lightness.shape
    slant = 2 * (SLANT + _SLANT_TURN * hand.drift(height, width, 90.0, part=8))
    cosine, sine = np.cos(slant), np.sin(slant)
    spreads = (_FORM_SPREAD,) if light.moving else (_BODY_SPREAD, _FORM_SPREAD)
    for along, trust in (*_forms(light, spreads), _texture(light.lightness)):
        strength = np.hypot(*along) + np.float32(1e-6)
        cosine = trust * along[0] / strength + (1 - trust) * cosine
        sine = trust * along[1] / strength + (1 - trust) * sine
    cosine, sine = (blurred(part.astype(np.float32), 3.0) for part in (cosine, sine))
    return (0.5 * np.arctan2(sine, cosine)).astype(np.float32)


def _texture(lightness: np.ndarray) -> tuple[tuple[np.ndarray, np.ndarray], np.ndarray]:
    """The doubled direction that most pixels around share, and how far to trust it."""
    cosine, sine, squared = _tangent(lightness, 1.2)
    weight = 1 / (squared + np.float32(_TEXTURE_SLOPE**2))
    along = (
        blurred(cosine * weight, _TEXTURE_SPREAD),
        blurred(sine * weight, _TEXTURE_SPREAD),
    )
    return along, smoothstep(np.hypot(*along), *_TEXTURE_AGREES)


def _forms(light: Light, spreads: Iterable[float]) -> Iterator[tuple[tuple[np.ndarray, np.ndarray], np.ndarray]]:
    """For each spread, px: the doubled direction of the edges around, however few, and how far to trust it."""
    cosine, sine, squared = _tangent(light.lightness, 2.0)
    edge = squared / (squared + np.float32(_FORM_SLOPE**2))
    weight = edge / (squared + np.float32(1e-6))
    cosine, sine = cosine * weight, sine * weight
    for spread in spreads:
        near = blurred(edge, spread) + np.float32(0.004)
        along = blurred(cosine, spread) / near, blurred(sine, spread) / near
        agreed = smoothstep(np.hypot(*along), *_FORM_AGREES)
        yield along, agreed * smoothstep(near, *_FORM_NEAR) * light.focus


def _tangent(lightness: np.ndarray, sigma: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The tangent of the level lines as a doubled direction, its length the square of the slope; and that square."""
    right, down = gradient(lightness, sigma)
    across, along = right * right, down * down
    return along - across, -2 * right * down, across + along
