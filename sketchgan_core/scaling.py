"""Smaller copies of a picture to judge and measure by, and back to full size row by row."""

from __future__ import annotations

import cv2
import numpy as np


def side(shape: tuple[int, ...]) -> float:
    """The side, px, of the square that has as many pixels as an image of this shape (H, W, ...)."""
    return float(np.sqrt(shape[0] * shape[1]))


def shrunk(image: np.ndarray, to: float) -> np.ndarray:
    """An image (H, W) or (H, W, C) at the size where `side` is `to`, or as it is where it is no larger."""
    return reduced(image, to / side(image.shape))


def reduced(image: np.ndarray, factor: float) -> np.ndarray:
    """An image (H, W) or (H, W, C) at so many times its size, or as it is where that would enlarge it."""
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


def fitted(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """An image (H, W) or (H, W, 3) in 0..1 at another size (height, width): averaged where it shrinks."""
    if image.shape[:2] == size:
        return image
    shrinks = size[0] * size[1] < image.shape[0] * image.shape[1]
    resized = cv2.resize(image, size[::-1], interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)
    return np.clip(resized, 0, 1)
