"""Smaller copies of a picture to judge and measure by, and back to full size row by row."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np

_BAND = 1 << 20  # pixels that are enlarged at a time


def side(shape: tuple[int, ...]) -> float:
    """The side, px, of the square that has as many pixels as an image of this shape (H, W, ...)."""
    return float(np.sqrt(shape[0] * shape[1]))


def shrunk(image: np.ndarray, to: float) -> np.ndarray:
    """An image (H, W) or (H, W, C) at the size where `side` is `to`, or as it is where it is no larger."""
    return reduced(image, to / side(image.shape))


def reduced(image: np.ndarray, factor: float) -> np.ndarray:
    """An image (H, W) or (H, W, C) at `factor` times its size, or as it is where that would enlarge it."""
    if factor >= 1:
        return image
    size = (max(1, round(image.shape[1] * factor)), max(1, round(image.shape[0] * factor)))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)


def rows_of(
    plane: np.ndarray, shape: tuple[int, ...], top: int, bottom: int, interpolation: int = cv2.INTER_LINEAR
) -> np.ndarray:
    """The rows top..bottom of a plane (h, w) enlarged to `shape`: the same values however the rows are cut."""
    if plane.shape == shape:
        return plane[top:bottom]
    y = ((np.arange(top, bottom, dtype=np.float32) + 0.5) * (plane.shape[0] / shape[0]) - 0.5)[:, None]
    x = ((np.arange(shape[1], dtype=np.float32) + 0.5) * (plane.shape[1] / shape[1]) - 0.5)[None]
    size = (bottom - top, shape[1])
    maps = (np.broadcast_to(x, size).copy(), np.broadcast_to(y, size).copy())
    return cv2.remap(plane, *maps, interpolation, borderMode=cv2.BORDER_REPLICATE)


def bands(image: np.ndarray, size: tuple[int, int]) -> Iterator[tuple[int, np.ndarray]]:
    """An image (h, w) float32 in 0..1 at another size (H, W), as `fitted` gives it, in bands of rows from above.

    However large the result, no more than a band of it is held.

    Yields:
        The number of a band's first row, and the band (rows, W).
    """
    height, width = size
    if height * width <= image.size:
        yield 0, fitted(image, size)
        return
    wide = cv2.resize(image, (width, image.shape[0]), interpolation=cv2.INTER_CUBIC)
    rows = max(1, _BAND // width)
    for top in range(0, height, rows):
        bottom = min(top + rows, height)
        at = (np.arange(top, bottom, dtype=np.float64) + 0.5) * (image.shape[0] / height) - 0.5
        first = np.floor(at)
        band = np.zeros((bottom - top, width), np.float32)
        for row, weight in zip(range(-1, 3), _cubic(at - first), strict=True):
            from_ = np.clip(first.astype(np.int64) + row, 0, image.shape[0] - 1)
            part = wide[from_]
            part *= weight[:, None]
            band += part
        yield top, np.clip(band, 0, 1, out=band)


def _cubic(t: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The weights of the rows -1, 0, 1 and 2 for places (N,) `t` after row 0, as OpenCV's INTER_CUBIC has them."""
    a = -0.75
    before, after = 1 + t, 1 - t
    first = ((a * before - 5 * a) * before + 8 * a) * before - 4 * a
    second = ((a + 2) * t - (a + 3)) * t * t + 1
    third = ((a + 2) * after - (a + 3)) * after * after + 1
    return tuple(w.astype(np.float32) for w in (first, second, third, 1 - first - second - third))


def fitted(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """An image (H, W) or (H, W, 3) in 0..1 at another size (height, width): averaged where it shrinks."""
    if image.shape[:2] == size:
        return image
    shrinks = size[0] * size[1] < image.shape[0] * image.shape[1]
    resized = cv2.resize(image, size[::-1], interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)
    return np.clip(resized, 0, 1)
