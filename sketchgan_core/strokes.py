"""Shading strokes: evenly spaced, along the form, ended by contours, each a polyline with pressure.

Streamlines of a direction field, kept apart as by Jobard and Lefer (1997, "Creating evenly-spaced streamlines of
arbitrary density"). The candidates are anchored to image coordinates and compete only with their neighbours, so what
changes in one place of a picture leaves the strokes elsewhere alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from .hand import Hand

STEP = 2.0  # px between the points of a stroke
HALF_LENGTH = 15  # steps either way from where a stroke is begun
SEEDS = 4  # px between candidates
CELL = 64  # px; candidates of cells that are two apart cannot touch: at least a stroke and a gap
SHORTEST = 5  # points; less is a speck
HALF_WIDTH = 0.9  # px of a stroke in the plane
PLATEAU = 0.2  # a stroke ends where the tone is so much lighter or darker than where it was begun


@dataclass(frozen=True)
class Shading:
    """What a layer of strokes is to shade; all (H, W) float32.

    Attributes:
        tone: how dark, 0 bare .. 1.
        broad: the tone without its detail, by which a stroke stays on its side of an edge.
        angle: direction, radians.
        spacing: px between neighbouring strokes.
        length: share of the full length, 0..1.
        barrier: above a half, no stroke passes.
    """

    tone: np.ndarray
    broad: np.ndarray
    angle: np.ndarray
    spacing: np.ndarray
    length: np.ndarray
    barrier: np.ndarray


def lay_strokes(shading: Shading, hand: Hand, layer: int, start: float = 0.0) -> list[np.ndarray]:
    """The strokes of one layer.

    Args:
        shading: what to shade.
        hand: whose chance decides where strokes begin and how firm they are.
        layer: number of the layer; layers are independent.
        start: tone from which this layer is laid.

    Returns:
        Polylines (N, 3) of x, y in px and pressure 0..1.
    """
    height, width = shading.tone.shape
    wanted = np.clip((shading.tone - start) / (1 - start), 0, 1) if start > 0 else shading.tone
    seeds, cells = _candidates(hand, layer, height, width, wanted)
    if not len(seeds):
        return []
    chance = hand.table(16 + layer)
    place = cells[:, 1] * 97 + cells[:, 0] * 193 + cells[:, 2] * 31
    luck, long, turned = (chance[(place + stream) % len(chance)] for stream in (0, 1009, 2003))
    paths = _paths(seeds, shading.angle, 0.12 * (turned - 0.5))
    columns = np.clip(np.rint(paths[..., 0]), 0, width - 1).astype(np.int32)
    rows = np.clip(np.rint(paths[..., 1]), 0, height - 1).astype(np.int32)
    flat = rows * np.int32(width) + columns
    middle = HALF_LENGTH
    tone = wanted.ravel()[flat]
    broad = shading.broad.ravel()[flat]
    inside = (paths[..., 0] > -2) & (paths[..., 0] < width + 1) & (paths[..., 1] > -2) & (paths[..., 1] < height + 1)
    # A light tone leaves some strokes out, a dark one draws them all.
    open_ = inside & (tone > (0.03 + 0.17 * luck)[:, None])
    open_ &= np.abs(broad - broad[:, middle : middle + 1]) < PLATEAU
    open_ &= shading.barrier.ravel()[flat] < 0.5
    reach = np.abs(np.arange(2 * HALF_LENGTH + 1) - middle)
    share = shading.length.ravel()[flat[:, middle]] * (0.3 + 0.7 * long)
    open_ &= reach[None] <= share[:, None] * HALF_LENGTH
    kept = open_[:, middle]
    seeds, cells, paths, flat, tone, open_, luck = (
        values[kept] for values in (seeds, cells, paths, flat, tone, open_, luck)
    )
    spacing = shading.spacing.ravel()[flat[:, middle]]
    return _apart(cells, paths, flat, tone, open_, spacing, luck, (height, width))


def stroke_plane(strokes: list[np.ndarray], height: int, width: int) -> np.ndarray:
    """The strokes as a plane (H, W) float32: the pressure of the stroke that covers a pixel, 0 between strokes."""
    plane = np.zeros((height, width), np.float32)
    if not strokes:
        return plane
    dense = [_dense(stroke) for stroke in strokes]
    points = np.concatenate(dense)
    x, y, pressure = points.T
    column, row = np.floor(x).astype(np.int32), np.floor(y).astype(np.int32)
    flat = plane.ravel()
    for down in (-1, 0, 1, 2):
        for right in (-1, 0, 1, 2):
            at_x, at_y = column + right, row + down
            cover = np.clip(HALF_WIDTH + 0.5 - np.hypot(at_x - x, at_y - y), 0, 1) * pressure
            good = (cover > 0.01) & (at_x >= 0) & (at_x < width) & (at_y >= 0) & (at_y < height)
            np.maximum.at(flat, at_y[good] * width + at_x[good], cover[good])
    return plane


def _dense(stroke: np.ndarray) -> np.ndarray:
    """A stroke with points less than a pixel apart."""
    count = 3 * (len(stroke) - 1) + 1
    at = np.linspace(0, len(stroke) - 1, count)
    low = np.minimum(at.astype(np.int32), len(stroke) - 2)
    part = (at - low)[:, None].astype(np.float32)
    return stroke[low] * (1 - part) + stroke[low + 1] * part


def _candidates(hand: Hand, layer: int, height: int, width: int, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where strokes may begin: (N, 2) x, y; and (N, 3) column and row of the cell, turn in the cell's own order."""
    per_cell = CELL // SEEDS
    columns, rows = -(-width // SEEDS), -(-height // SEEDS)
    jitter = hand.table(2 * layer, 8192).reshape(2, 64, 64)
    x = (np.arange(columns)[None] + jitter[0][np.arange(rows)[:, None] % 64, np.arange(columns)[None] % 64]) * SEEDS
    y = (np.arange(rows)[:, None] + jitter[1][np.arange(rows)[:, None] % 64, np.arange(columns)[None] % 64]) * SEEDS
    x, y = np.minimum(x, width - 1).astype(np.float32), np.minimum(y, height - 1).astype(np.float32)
    cell_x, cell_y = np.arange(columns) // per_cell, np.arange(rows) // per_cell
    orders = np.argsort(hand.table(2 * layer + 1, 32 * per_cell * per_cell).reshape(32, -1), axis=1)
    which = (cell_x[None] * 7 + cell_y[:, None] * 13) % 32
    inner = (np.arange(rows)[:, None] % per_cell) * per_cell + np.arange(columns)[None] % per_cell
    turn = orders[which, inner]
    some = wanted[y.astype(np.int32), x.astype(np.int32)] > 0.03
    seeds = np.stack([x[some], y[some]], axis=1)
    cells = np.stack(
        [np.broadcast_to(part, some.shape)[some] for part in (cell_x[None], cell_y[:, None], turn)], axis=1
    )
    return seeds, cells.astype(np.int32)


def _paths(seeds: np.ndarray, angle: np.ndarray, off: np.ndarray) -> np.ndarray:
    """The streamlines through `seeds`: (N, 2 HALF_LENGTH + 1, 2) x, y."""
    height, width = angle.shape
    cosine, sine = np.cos(angle).ravel(), np.sin(angle).ravel()
    paths = np.empty((len(seeds), 2 * HALF_LENGTH + 1, 2), np.float32)
    paths[:, HALF_LENGTH] = seeds
    for way in (1, -1):
        x, y = seeds[:, 0].copy(), seeds[:, 1].copy()
        before_x = before_y = None
        for step in range(1, HALF_LENGTH + 1):
            column = np.clip(x + 0.5, 0, width - 1).astype(np.int32)
            row = np.clip(y + 0.5, 0, height - 1).astype(np.int32)
            at = row * np.int32(width) + column
            go_x, go_y = cosine[at] - off * sine[at], sine[at] + off * cosine[at]
            if before_x is None:
                turned = np.full(len(x), way, np.float32)
            else:
                turned = np.where(go_x * before_x + go_y * before_y < 0, np.float32(-1), np.float32(1))
            before_x, before_y = go_x * turned, go_y * turned
            x, y = x + np.float32(STEP) * before_x, y + np.float32(STEP) * before_y
            paths[:, HALF_LENGTH + way * step, 0], paths[:, HALF_LENGTH + way * step, 1] = x, y
    return paths


def _apart(
    cells: np.ndarray,
    paths: np.ndarray,
    flat: np.ndarray,
    tone: np.ndarray,
    open_: np.ndarray,
    spacing: np.ndarray,
    luck: np.ndarray,
    size: tuple[int, int],
) -> list[np.ndarray]:
    """The candidates, in turn, that keep their distance from those before them, cut short where they come near."""
    seed_taken, path_taken = np.zeros(size, np.uint8), np.zeros(size, np.uint8)
    group = (cells[:, 2] * 4 + (cells[:, 0] & 1) + 2 * (cells[:, 1] & 1)).astype(np.int64)
    order = np.argsort(group, kind="stable")
    bounds = np.flatnonzero(np.r_[True, np.diff(group[order]) > 0, True])
    middle = HALF_LENGTH
    thickness = np.maximum(1, np.rint(2 * spacing * (0.75 + 0.5 * luck) - 1)).astype(np.int32)
    result: list[np.ndarray] = []
    for first, last in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        now = order[first:last]
        now = now[seed_taken.ravel()[flat[now, middle]] == 0]
        if not len(now):
            continue
        free = open_[now] & (path_taken.ravel()[flat[now]] == 0)
        ahead = np.logical_and.accumulate(free[:, middle:], axis=1).sum(1) - 1
        behind = np.logical_and.accumulate(free[:, middle::-1], axis=1).sum(1) - 1
        long_enough = (ahead + behind + 1) >= SHORTEST
        for index, back, forth in zip(
            now[long_enough].tolist(), behind[long_enough].tolist(), ahead[long_enough].tolist(), strict=True
        ):
            part = slice(middle - back, middle + forth + 1)
            points = paths[index, part]
            fixed = np.rint(points * 16).astype(np.int32)[None]
            wide = int(thickness[index])
            cv2.polylines(seed_taken, fixed, False, 1, wide, cv2.LINE_8, 4)
            cv2.polylines(path_taken, fixed, False, 1, max(1, round(0.55 * wide)), cv2.LINE_8, 4)
            pressed = tone[index, part] * _taper(len(points), float(luck[index]))
            result.append(np.column_stack([points, pressed]).astype(np.float32))
    return result


def _taper(count: int, luck: float) -> np.ndarray:
    """The swelling of a stroke of `count` points: set down quickly, lifted slowly."""
    at = np.linspace(0, 1, count, dtype=np.float32)
    return np.clip(at / 0.15 + 0.3, 0, 1) * np.clip((1 - at) / 0.45 + 0.1, 0, 1) ** 0.7 * (0.8 + 0.2 * luck)
