"""The size a drawing is planned at, so that a stroke is equally wide on the page whatever the resolution of the input.

A size is the side of the square of the same area, in pixels; a page of 900 px then has strokes of 1 to 4 px.
"""

from __future__ import annotations

import cv2
import numpy as np

from ..scaling import side

SMALLEST, LARGEST = 700, 1400
PICTURE = 1000  # size of a picture at half the detail
SEEN = 3000  # size at which a picture is read: a drawing shows nothing finer than half of its own pixels
LINE_WIDTH = 2.3  # px: width at which the median line of a line image is drawn
LONGEST = 32_000  # px of either side: OpenCV cannot remap much more
MOST_ENLARGED = 1.5  # a small input has no detail that would need more


def size_for_picture(shape: tuple[int, ...], detail: float = 0.5) -> tuple[int, int]:
    """The size (height, width) at which a picture (H, W, ...) is drawn; larger with more detail, 0..1."""
    return _scaled(shape, PICTURE * (0.8 + 0.4 * detail))


def size_for_lines(lines: np.ndarray) -> tuple[int, int]:
    """The size (height, width) at which a line image (H, W) is drawn, chosen by the width of its lines."""
    width = line_width(lines)
    return _scaled(lines.shape, side(lines.shape) * LINE_WIDTH / width if width else PICTURE)


def line_width(lines: np.ndarray) -> float:
    """The median width in px of the lines of an image (H, W), 0 where there are none."""
    mark = (lines < 0.6).astype(np.uint8)
    distance = cv2.distanceTransform(mark, cv2.DIST_L2, 3)
    crest = (mark > 0) & (distance >= cv2.dilate(distance, np.ones((3, 3), np.uint8)))
    return float(2 * np.median(distance[crest]) - 1) if crest.any() else 0.0


def _scaled(shape: tuple[int, ...], wanted: float) -> tuple[int, int]:
    own = side(shape)
    factor = min(float(np.clip(wanted, SMALLEST, LARGEST)) / own, MOST_ENLARGED, LONGEST / max(shape[:2]))
    return max(1, round(shape[0] * factor)), max(1, round(shape[1] * factor))
