"""Hatching: every stroke of the shading, laid out before anything is drawn.

The strokes of a region are the level lines of a slanted coordinate that bows over the relief, cut into lengths by
the hand. As a pixel field they are an input plane of the generator; as polylines the renderer draws them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from .form import Form
from .hand import Hand

GAP = 4.4  # px between neighbouring strokes
LENGTH = 64.0  # px from one stroke's start to the next one's on the same line
HALF_WIDTH = 0.9  # px of a stroke in the pixel field
BOW = 0.16  # how far the relief bends a stroke
CROSS_ANGLE = 0.75  # radians between the first and the crossing layer
CROSS_FROM = 0.55  # shading amount from which a crossing layer is laid


@dataclass(frozen=True)
class _Layer:
    """The pixels (N,) near a layer's strokes."""

    rows: np.ndarray
    columns: np.ndarray
    stroke: np.ndarray  # number of the stroke
    along: np.ndarray  # px from its start
    off: np.ndarray  # px from its centre line, signed
    pressure: np.ndarray  # 0..1


def shading_amount(tone: np.ndarray, shading: np.ndarray) -> np.ndarray:
    """How much hatching each place gets (H, W), 0..1: none at shading 0, all but the lights at shading 1."""
    return np.clip((tone - (1 - 0.82 * shading)) / 0.55, 0, 1).astype(np.float32)


def hatch_plane(form: Form, amount: np.ndarray, hand: Hand) -> np.ndarray:
    """The hatching as a plane (H, W), float32: the pressure of the stroke that covers a pixel, 0 between strokes."""
    plane = np.zeros(amount.shape, np.float32)
    for layer in _layers(form, amount, hand):
        cover = np.clip(HALF_WIDTH + 0.5 - np.abs(layer.off), 0, 1)
        flat = layer.rows * amount.shape[1] + layer.columns
        plane.ravel()[flat] = np.maximum(plane.ravel()[flat], cover * layer.pressure)
    return plane


def hatch_strokes(form: Form, amount: np.ndarray, hand: Hand, step: float = 3.0) -> list[np.ndarray]:
    """The hatching as polylines (N, 3) of x, y in pixels and pressure 0..1, points some `step` px apart."""
    strokes = []
    for layer in _layers(form, amount, hand):
        near = np.abs(layer.off) < 0.75
        part = np.floor(layer.along[near] / step).astype(np.int64)
        key, place = np.unique(layer.stroke[near].astype(np.int64) * 64 + part, return_inverse=True)
        if not len(key):
            continue
        weight = np.bincount(place)
        points = np.stack(
            [
                np.bincount(place, weights=values[near]) / weight
                for values in (layer.columns, layer.rows, layer.pressure)
            ],
            axis=1,
        )
        breaks = np.flatnonzero(np.diff(key) > 2) + 1
        strokes += [run for run in np.split(points, breaks) if len(run) >= 2]
    return strokes


def _layers(form: Form, amount: np.ndarray, hand: Hand) -> Iterator[_Layer]:
    rows, columns = np.nonzero(amount > 0.02)
    if not len(rows):
        return
    height, width = amount.shape
    wobble = hand.wobble(height, width, scale=12.0, part=7)[0]
    for number, (turn, start) in enumerate(((0.0, 0.0), (CROSS_ANGLE, CROSS_FROM))):
        wanted = np.clip((amount[rows, columns] - start) / (1 - start), 0, 1)
        some = wanted > 0.02
        if some.any():
            yield _layer(form, hand, number, turn, rows[some], columns[some], wanted[some], wobble)


def _layer(
    form: Form,
    hand: Hand,
    number: int,
    turn: float,
    rows: np.ndarray,
    columns: np.ndarray,
    wanted: np.ndarray,
    wobble: np.ndarray,
) -> _Layer:
    region = form.region[rows, columns]
    angles = form.angles + np.float32(turn)
    cosine, sine = np.cos(angles)[region], np.sin(angles)[region]
    x, y = columns.astype(np.float32), rows.astype(np.float32)
    along = x * cosine + y * sine
    across = y * cosine - x * sine + np.float32(BOW) * form.relief[rows, columns] + 0.7 * wobble[rows, columns]

    of_line, of_stroke = hand.table(2 * number), hand.table(2 * number + 1)
    line = np.floor(across / GAP).astype(np.int64)
    drawn_line = (line + 131 * region) % len(of_line)
    shift = (of_line[drawn_line] - 0.5) * 0.5
    off = (across / GAP - line - 0.5 - shift) * GAP

    places = along / LENGTH + 7 * of_line[(drawn_line + 1) % len(of_line)]
    piece = np.floor(places).astype(np.int64)
    stroke = (drawn_line * 617 + piece * 29) % len(of_stroke)
    chance, firmness = of_stroke[stroke], of_stroke[(stroke + 1) % len(of_stroke)]
    fraction = (places - piece).astype(np.float32)
    end = 1 - 0.22 * chance
    swell = np.clip(fraction / 0.14, 0, 1) ** 0.5 * np.clip((end - fraction) / 0.5, 0, 1) ** 0.7
    # A light tone leaves lines out, a dark one draws them all.
    threshold = 0.04 + 0.42 * of_line[(drawn_line + 2) % len(of_line)]
    fade = np.clip((wanted - threshold) / 0.12, 0, 1)
    pressure = swell * fade * (0.42 + 0.58 * wanted) * (0.75 + 0.25 * firmness)

    kept = pressure > 0.02
    identity = ((region.astype(np.int64) * 4096 + line + 2048) * 512 + piece + 256)[kept]
    return _Layer(rows[kept], columns[kept], identity, fraction[kept] * np.float32(LENGTH), off[kept], pressure[kept])
