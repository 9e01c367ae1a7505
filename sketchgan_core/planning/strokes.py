"""Shading strokes: evenly spaced, along the form, ended by contours, each a polyline with pressure.

Streamlines of a direction field, kept apart as by Jobard and Lefer (1997, "Creating evenly-spaced streamlines of
arbitrary density"). The candidates are anchored to image coordinates and compete only with their neighbours, so what
changes in one place of a picture leaves the strokes elsewhere alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np

from .hand import Hand

STEP = 2.5  # px between the points of a stroke
HALF_LENGTH = 24  # steps at most, either way from where a stroke is begun
SEEDS = 4  # px between candidates
CELL = 128  # px, at least a stroke and a gap, so that candidates of cells that are two apart cannot touch
SHORTEST = 5  # points; less is a speck
WIDTH, THICK = 2, 3  # px of a stroke in the plane, and of a thick one
THICK_APART = 1.35  # times the spacing of thin strokes that thick ones keep
PLATEAU = 0.2  # a stroke ends where the tone is this much lighter or darker than where it was begun
CARRIED = 0.5  # share of its direction that a stroke keeps from step to step: a hand draws no wriggles
SHORTENED = 0.55  # share of its length by which chance shortens a stroke, at most
LOOSENESS = (0.5, 0.8)  # shares of the spacing: what every stroke keeps, and what chance adds, as hatching is not ruled
OVERLAP = 0.3  # share of that spacing at which a stroke that comes near another ends
SOFTEST = 0.4  # pressure of the softest stroke of a tone as a share of the firmest; chance decides between them
LIGHT_PRESSURE = 0.7  # power of the tone: light tones are few strokes, not faint ones

# Of the turns in which candidates compete, those up to which they are followed together.
_FOLLOWED = (128, 256, 512, 1024, 2048)
_FIRMNESSES = 8  # steps in which strokes of the side of the lead differ
_SHIFT = 4  # binary digits below the pixel in OpenCV's coordinates


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
        thick: share of the strokes that are thick, 0..1.
        step: px between the points of a stroke.
    """

    tone: np.ndarray
    broad: np.ndarray
    angle: np.ndarray
    spacing: np.ndarray
    length: np.ndarray
    barrier: np.ndarray
    thick: np.ndarray
    step: float = STEP


@dataclass(frozen=True)
class Strokes:
    """The strokes of a layer.

    Attributes:
        points: (M, 3) float32, x and y in px and pressure 0..1, one stroke after the other.
        ends: (N,) int64, the index after each stroke's last point.
        thick: (N,) bool.
    """

    points: np.ndarray
    ends: np.ndarray
    thick: np.ndarray

    def polylines(self) -> list[np.ndarray]:
        """Each stroke (N, 3)."""
        return np.split(self.points, self.ends[:-1]) if len(self.ends) else []


_NONE = Strokes(np.empty((0, 3), np.float32), np.empty(0, np.int64), np.empty(0, bool))


def lay_strokes(shading: Shading, hand: Hand, layer: int, start: float = 0.0) -> Strokes:
    """The strokes of one layer.

    Args:
        shading: what to shade.
        hand: its chance decides where strokes begin and how firm they are.
        layer: number of the layer; layers are independent.
        start: tone from which this layer is laid.
    """
    height, width = shading.tone.shape
    wanted = np.clip((shading.tone - start) / (1 - start), 0, 1) if start > 0 else shading.tone
    seeds, cells = _candidates(hand, layer, height, width, wanted)
    turn = cells[:, 2] * 4 + (cells[:, 0] & 1) + 2 * (cells[:, 1] & 1)
    order = np.argsort(turn, kind="stable")
    at = _pixel(seeds, width, height)
    direction = np.cos(shading.angle).ravel(), np.sin(shading.angle).ravel()
    page = _Page(np.zeros((height, width), np.uint8), np.zeros((height, width), np.uint8))
    laid = []
    # Where a stroke lies none begins, so that most candidates need never be followed.
    for first, last in pairwise(np.searchsorted(turn[order], [0, *_FOLLOWED, np.iinfo(turn.dtype).max]).tolist()):
        now = order[first:last]
        now = now[page.begun.ravel()[at[now]] == 0]
        if len(now):
            followed = _followed(shading, wanted, direction, hand.table(16 + layer), seeds[now], cells[now])
            laid.append(_apart(followed, turn[now[followed.kept]], page))
    if not laid:
        return _NONE
    points = np.concatenate([strokes.points for strokes in laid])
    before = np.cumsum([0, *(len(strokes.points) for strokes in laid[:-1])])
    ends = np.concatenate([strokes.ends + start for strokes, start in zip(laid, before, strict=True)])
    return Strokes(points, ends, np.concatenate([strokes.thick for strokes in laid]))


@dataclass(frozen=True)
class _Page:
    """Where strokes lie already: (H, W) uint8, 1 where none may begin, and where none may pass."""

    begun: np.ndarray
    passed: np.ndarray


@dataclass(frozen=True)
class _Followed:
    """Candidates for strokes, followed along the form.

    Attributes:
        kept: (N,) indices, in what was given, of those that begin on a tone.
        paths: (N, 2 HALF_LENGTH + 1, 2) x, y; the middle is where a stroke begins.
        flat: (N, 2 HALF_LENGTH + 1) their pixels.
        pressure: the same shape, 0..1.
        open: (N, 2 HALF_LENGTH + 3) whether a stroke may pass there; beyond either end of a path none may.
        spacing: (N,) px to their neighbours.
        thick: (N,) bool.
    """

    kept: np.ndarray
    paths: np.ndarray
    flat: np.ndarray
    pressure: np.ndarray
    open: np.ndarray
    spacing: np.ndarray
    thick: np.ndarray


def _pixel(points: np.ndarray, width: int, height: int) -> np.ndarray:
    """The flat indices (...) of the pixels that points (..., 2) lie on, or of the nearest on the page."""
    columns = np.clip(np.rint(points[..., 0]), 0, width - 1).astype(np.int32)
    rows = np.clip(np.rint(points[..., 1]), 0, height - 1).astype(np.int32)
    flat: np.ndarray = rows * np.int32(width) + columns
    return flat


def _followed(
    shading: Shading,
    wanted: np.ndarray,
    direction: tuple[np.ndarray, np.ndarray],
    chance: np.ndarray,
    seeds: np.ndarray,
    cells: np.ndarray,
) -> _Followed:
    height, width = wanted.shape
    place = cells[:, 1] * 97 + cells[:, 0] * 193 + cells[:, 2] * 31
    luck = chance[place % len(chance)]
    faintest = 0.06 + 0.14 * luck  # a light tone leaves some strokes out, a dark one draws them all
    begins = _pixel(seeds, width, height)
    kept = np.flatnonzero((wanted.ravel()[begins] > faintest) & (shading.barrier.ravel()[begins] < 0.5))
    seeds, begins, place, luck, faintest = (values[kept] for values in (seeds, begins, place, luck, faintest))
    long, turned, soft, fat = (chance[(place + stream) % len(chance)] for stream in (1009, 2003, 3001, 3511))
    paths = _paths(seeds, direction, wanted.shape, 0.12 * (turned - 0.5), shading.step)
    flat = _pixel(paths, width, height)
    middle = HALF_LENGTH
    tone = wanted.ravel()[flat]
    broad = shading.broad.ravel()[flat]
    inside = (paths[..., 0] > -2) & (paths[..., 0] < width + 1) & (paths[..., 1] > -2) & (paths[..., 1] < height + 1)
    open_ = inside & (tone > faintest[:, None])
    open_ &= np.abs(broad - broad[:, middle : middle + 1]) < PLATEAU
    open_ &= shading.barrier.ravel()[flat] < 0.5
    reach = np.abs(np.arange(2 * HALF_LENGTH + 1) - middle)
    share = shading.length.ravel()[begins] * (1 - SHORTENED * long)
    open_ &= reach[None] <= share[:, None] * HALF_LENGTH
    thick = fat < shading.thick.ravel()[begins]
    spacing = shading.spacing.ravel()[begins] * (LOOSENESS[0] + LOOSENESS[1] * luck)
    spacing *= np.where(thick, np.float32(THICK_APART), np.float32(1))
    pressure = tone**LIGHT_PRESSURE * (1 - (1 - SOFTEST) * soft)[:, None]
    return _Followed(kept, paths, flat, pressure, np.pad(open_, ((0, 0), (1, 1))), spacing, thick)


def stroke_plane(strokes: Strokes, height: int, width: int) -> np.ndarray:
    """The strokes as a plane (H, W) float32: the pressure of the stroke that covers a pixel, 0 between strokes."""
    cover: np.ndarray = np.zeros((height, width), np.uint8)
    pressure: np.ndarray = np.zeros((height, width), np.float32)
    if not len(strokes.ends):
        return pressure
    fixed = np.rint(strokes.points[:, :2] * (1 << _SHIFT)).astype(np.int32)
    paths = np.split(fixed, strokes.ends[:-1])
    for thick, wide in ((False, WIDTH), (True, THICK)):
        these = [paths[index] for index in np.flatnonzero(strokes.thick == thick).tolist()]
        cv2.polylines(cover, these, False, 255, wide, cv2.LINE_AA, _SHIFT)
    # Every pixel of a stroke gets the pressure of the stroke's nearest point.
    between = np.delete((strokes.points[:-1] + strokes.points[1:]) / 2, strokes.ends[:-1] - 1, axis=0)
    for points in (strokes.points, between):
        x, y, pressed = points.T
        column, row = np.rint(x).astype(np.int32), np.rint(y).astype(np.int32)
        good = (column >= 0) & (column < width) & (row >= 0) & (row < height)
        pressure[row[good], column[good]] = pressed[good]
    pressure = cv2.dilate(pressure, np.ones((3, 3), np.uint8))
    return pressure * (cover * np.float32(1 / 255))


def band_plane(strokes: Strokes, height: int, width: int, wide: int) -> tuple[np.ndarray, np.ndarray]:
    """The same strokes drawn `wide` px broad with the side of the lead.

    Returns:
        How much lead lies there (H, W) float32: more where two strokes overlap, less towards their ends. And where any
        lies (H, W) uint8, 0 or 1.
    """
    lead, cover = np.zeros((height, width), np.float32), np.zeros((height, width), np.uint8)
    if not len(strokes.ends):
        return lead, cover
    starts = np.r_[0, strokes.ends[:-1]]
    fixed = np.rint(strokes.points[:, :2] * (1 << _SHIFT)).astype(np.int32)
    paths = np.split(fixed, strokes.ends[:-1])
    cores = [path[len(path) // 6 : len(path) - len(path) // 4] for path in paths]
    firm = np.rint(_FIRMNESSES * np.maximum.reduceat(strokes.points[:, 2], starts)).astype(np.int32)
    # Of two neighbours one lies over the other; which, is decided by the place alone.
    over = fixed[starts].sum(1) >> _SHIFT & 1
    for layer in (0, 1):
        laid = np.zeros_like(lead)
        for firmness in range(1, _FIRMNESSES + 1):
            these = np.flatnonzero((firm == firmness) & (over == layer)).tolist()
            for parts, share in ((paths, 0.55), (cores, 1.0)):
                chosen = [parts[index] for index in these]
                cv2.polylines(laid, chosen, False, share * firmness / _FIRMNESSES, wide, cv2.LINE_AA, _SHIFT)
        lead += laid
    cv2.polylines(cover, paths, False, 1, wide, cv2.LINE_8, _SHIFT)
    return lead, cover


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


def _paths(
    seeds: np.ndarray,
    direction: tuple[np.ndarray, np.ndarray],
    shape: tuple[int, ...],
    off: np.ndarray,
    length: float,
) -> np.ndarray:
    """The streamlines through `seeds` in steps of `length` px: (N, 2 HALF_LENGTH + 1, 2) x, y.

    The direction is the cosine and the sine of its angle, (H * W,) each, on a page of this shape.
    """
    height, width = shape
    cosine, sine = direction
    paths = np.empty((len(seeds), 2 * HALF_LENGTH + 1, 2), np.float32)
    paths[:, HALF_LENGTH] = seeds
    for way in (1, -1):
        x, y = seeds[:, 0].copy(), seeds[:, 1].copy()
        before: tuple[np.ndarray, np.ndarray] | None = None
        for step in range(1, HALF_LENGTH + 1):
            column = np.clip(x + 0.5, 0, width - 1).astype(np.int32)
            row = np.clip(y + 0.5, 0, height - 1).astype(np.int32)
            at = row * np.int32(width) + column
            go_x, go_y = cosine[at] - off * sine[at], sine[at] + off * cosine[at]
            if before is None:
                go_x, go_y = way * go_x, way * go_y
            else:
                turned = np.where(go_x * before[0] + go_y * before[1] < 0, np.float32(-1), np.float32(1))
                go_x = (1 - CARRIED) * turned * go_x + CARRIED * before[0]
                go_y = (1 - CARRIED) * turned * go_y + CARRIED * before[1]
                far = np.hypot(go_x, go_y) + np.float32(1e-6)
                go_x, go_y = go_x / far, go_y / far
            before = go_x, go_y
            x, y = x + np.float32(length) * go_x, y + np.float32(length) * go_y
            paths[:, HALF_LENGTH + way * step, 0], paths[:, HALF_LENGTH + way * step, 1] = x, y
    return paths


def _apart(followed: _Followed, turn: np.ndarray, page: _Page) -> Strokes:
    """The candidates, in turn, that keep their distance from those before them, cut short where they come too near."""
    bounds = np.flatnonzero(np.r_[True, np.diff(turn) > 0, True])
    middle = HALF_LENGTH
    thickness = np.maximum(1, np.rint(2 * followed.spacing - 1)).astype(np.int32)
    chosen: list[int] = []
    back, forth = np.zeros(len(turn), np.int64), np.zeros(len(turn), np.int64)
    fixed = np.rint(followed.paths * (1 << _SHIFT)).astype(np.int32)
    begun, passed = page.begun.ravel(), page.passed.ravel()
    begins = followed.flat[:, middle].copy()
    for first, last in pairwise(bounds.tolist()):
        now = first + np.flatnonzero(begun[begins[first:last]] == 0)
        if not len(now):
            continue
        free = followed.open[now]
        free[:, 1:-1] &= passed[followed.flat[now]] == 0
        # The first place either way where it may not pass.
        ahead = free[:, middle + 1 :].argmin(1) - 1
        behind = free[:, middle + 1 :: -1].argmin(1) - 1
        long_enough = (ahead + behind + 1) >= SHORTEST
        now, ahead, behind = now[long_enough], ahead[long_enough], behind[long_enough]
        back[now], forth[now] = behind, ahead
        for index, start, stop in zip(now.tolist(), (middle - behind).tolist(), (middle + ahead).tolist(), strict=True):
            path, wide = fixed[None, index, start : stop + 1], int(thickness[index])
            cv2.polylines(page.begun, path, False, 1, wide, cv2.LINE_8, _SHIFT)
            cv2.polylines(page.passed, path, False, 1, max(1, round(OVERLAP * wide)), cv2.LINE_8, _SHIFT)
            chosen.append(index)
    if not chosen:
        return _NONE
    kept = np.array(chosen)
    counts = back[kept] + forth[kept] + 1
    place = np.arange(2 * HALF_LENGTH + 1) - middle + back[kept, None]
    inside = (place >= 0) & (place < counts[:, None])
    pressed = followed.pressure[kept] * _taper(place / (counts[:, None] - 1))
    points = np.concatenate([followed.paths[kept], pressed[..., None]], axis=2)[inside]
    return Strokes(points.astype(np.float32), np.cumsum(counts), followed.thick[kept])


def _taper(at: np.ndarray) -> np.ndarray:
    """How a stroke swells (any shape), from its beginning (`at` 0) to its end (1): set down quickly, lifted slowly."""
    swell: np.ndarray = np.clip(at / 0.15 + 0.3, 0, 1) * np.clip((1 - at) / 0.45 + 0.1, 0, 1) ** 0.7
    return swell
