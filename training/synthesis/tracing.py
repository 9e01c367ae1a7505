"""A line raster becomes ordered polylines: skeleton, walk, smoothing. Deterministic."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from scipy.ndimage import gaussian_filter1d
from skimage.morphology import skeletonize

Pixel = tuple[int, int]

# Neighbour offsets (dy, dx), the four straight ones first.
_NEIGHBOURS = ((-1, 0), (0, 1), (1, 0), (0, -1), (-1, -1), (-1, 1), (1, 1), (1, -1))
_SPUR = 5  # px: a shorter side branch is a flaw of the skeleton
_MEMORY = 6  # last px of a walk, which decide which way is straight on


@dataclass(frozen=True)
class Polyline:
    """Attributes:
    points: (N, 2) float64, x and y in px, about 1 px apart.
    closed: the last point is next to the first.
    """

    points: np.ndarray
    closed: bool

    @property
    def extent(self) -> float:
        """The longer side of the bounding box, px."""
        return float(np.ptp(self.points, axis=0).max())


def smooth(points: np.ndarray, sigma: float, closed: bool = False) -> np.ndarray:
    """Points (N, 2) smoothed along the line over `sigma` points; open ends stay where they are."""
    if len(points) < 4:
        return points
    if closed:
        return gaussian_filter1d(points, sigma, axis=0, mode="wrap")
    # Reflection through the end point keeps both its place and the line's direction there.
    pad = min(len(points) - 1, int(4 * sigma) + 1)
    before = 2 * points[0] - points[pad:0:-1]
    after = 2 * points[-1] - points[-2 : -pad - 2 : -1]
    return gaussian_filter1d(np.concatenate((before, points, after)), sigma, axis=0)[pad:-pad]


def ink_mask(ink: np.ndarray, faintest: float = 0.15) -> np.ndarray:
    """Where there is a line, thin grey ones too.

    Args:
        ink: (H, W) float32, 0 paper .. 1 black.
        faintest: least ink of a line; less is a stain.

    Returns:
        Boolean mask (H, W): more ink than `faintest` and than two fifths of the darkest nearby.
    """
    nearby = cv2.dilate(ink, np.ones((5, 5), np.uint8))
    return ink > np.maximum(faintest, 0.4 * nearby)


def trace(mask: np.ndarray, sigma: float = 1.3) -> list[Polyline]:
    """The centre lines of a mask (H, W), each walked straight on through junctions as a hand would."""
    skeleton = skeletonize(mask)
    rows, columns = np.nonzero(skeleton)
    pixels: set[Pixel] = set(zip(rows.tolist(), columns.tolist(), strict=True))
    ends = [p for p in sorted(pixels) if len(_around(p, pixels)) == 1]
    free = set(pixels)
    polylines = []
    for start in (*ends, *sorted(pixels)):
        if start in free:
            path = _walk_both_ways(start, free)
            polyline = _polyline(path, pixels, sigma)
            if polyline is not None:
                polylines.append(polyline)
    return polylines


def _around(pixel: Pixel, pixels: set[Pixel]) -> list[Pixel]:
    y, x = pixel
    return [(y + dy, x + dx) for dy, dx in _NEIGHBOURS if (y + dy, x + dx) in pixels]


def _walk_both_ways(start: Pixel, free: set[Pixel]) -> list[Pixel]:
    free.discard(start)
    forth = _walk([start], free)
    # The start may lie in the middle of a line: walk on from it the other way.
    return _walk(forth[::-1], free)


def _walk(path: list[Pixel], free: set[Pixel]) -> list[Pixel]:
    """Extend a path pixel by pixel, straight on where possible; takes the pixels out of `free`."""
    while True:
        y, x = path[-1]
        back_y, back_x = path[-min(len(path), _MEMORY)]
        heading_y, heading_x = y - back_y, x - back_x
        candidates = _around(path[-1], free) or _across(path[-1], (heading_y, heading_x), free)
        if not candidates:
            return path

        def straightness(candidate: Pixel) -> float:
            dy, dx = candidate[0] - y, candidate[1] - x  # noqa: B023 (called at once)
            length = (dy * dy + dx * dx) ** 0.5
            return (heading_y * dy + heading_x * dx) / length - 0.3 * length  # noqa: B023

        best = max(candidates, key=straightness)
        free.discard(best)
        path.append(best)


def _across(pixel: Pixel, heading: Pixel, free: set[Pixel]) -> list[Pixel]:
    """Where a line goes on beyond another that was walked before and used up the crossing."""
    length = (heading[0] ** 2 + heading[1] ** 2) ** 0.5
    if length < _MEMORY / 2:
        return []
    for distance in (2, 3):
        beyond = tuple(round(p + distance * h / length) for p, h in zip(pixel, heading, strict=True))
        if beyond in free:
            return [beyond]
    return []


def _polyline(path: list[Pixel], pixels: set[Pixel], sigma: float) -> Polyline | None:
    on_path = set(path)
    closed = len(path) > 8 and max(abs(path[0][0] - path[-1][0]), abs(path[0][1] - path[-1][1])) <= 1
    joins: list[Pixel | None] = [None, None]
    if not closed:
        # A line that ends next to a pixel of another is drawn up to that pixel.
        joins = [next((p for p in _around(end, pixels) if p not in on_path), None) for end in (path[0], path[-1])]
        if len(path) < _SPUR and any(joins):
            return None
    chain = [p for p in (joins[0], *path, joins[1]) if p is not None]
    points = np.array(chain, np.float64)[:, ::-1]
    return Polyline(smooth(points, sigma, closed), closed)
