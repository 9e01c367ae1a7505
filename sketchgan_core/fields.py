"""Arithmetic on fields of numbers: a wide blur, slopes, a smooth step."""

from __future__ import annotations

import cv2
import numpy as np


def blurred(image: np.ndarray, sigma: float) -> np.ndarray:
    """A float32 image (H, W) after a Gaussian of `sigma` px; a wide one is computed smaller, which cannot be seen."""
    factor = 1 << max(0, int(np.log2(sigma / 4)))
    if factor == 1 or min(image.shape[:2]) < 4 * factor:
        return cv2.GaussianBlur(image, (0, 0), sigma)
    height, width = image.shape[:2]
    small = cv2.resize(image, (-(-width // factor), -(-height // factor)), interpolation=cv2.INTER_AREA)
    return cv2.resize(cv2.GaussianBlur(small, (0, 0), sigma / factor), (width, height), interpolation=cv2.INTER_LINEAR)


def gradient(image: np.ndarray, sigma: float) -> tuple[np.ndarray, np.ndarray]:
    """The slopes of a float32 image (H, W) after a Gaussian of `sigma` px, to the right and down, per px."""
    smooth = blurred(image, sigma)
    right, down = (cv2.Scharr(smooth, cv2.CV_32F, *axis, scale=1 / 32) for axis in ((1, 0), (0, 1)))
    return right, down


def smoothstep(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """0 below `low`, 1 above `high`, smooth between; of any shape."""
    share = np.asarray(values - low)
    share /= high - low
    np.clip(share, 0, 1, out=share)
    result: np.ndarray = share * share
    share *= -2
    share += 3
    result *= share
    return result
