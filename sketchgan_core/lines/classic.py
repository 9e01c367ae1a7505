"""The line extractor of the original SketchAI project, step by step, so that old results can be reproduced."""

from __future__ import annotations

import cv2
import numpy as np


def classic_lines(grey: np.ndarray, scale: int = 2) -> np.ndarray:
    """Extracts lines as the original did, with its pixel sizes.

    Args:
        grey: (H, W) float32, 0 black .. 1 white.
        scale: 1..4, how many times the picture is enlarged first.

    Returns:
        (H, W) float32, dark lines on white; the original returned it `scale` times as large.
    """
    height, width = grey.shape
    lines = _enlarged_lines(grey, scale)
    return cv2.resize(lines, (width, height), interpolation=cv2.INTER_AREA).astype(np.float32) / 255


def _enlarged_lines(grey: np.ndarray, scale: int) -> np.ndarray:
    image = np.rint(np.clip(grey, 0, 1) * 255).astype(np.uint8)
    image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    edges = cv2.Laplacian(cv2.GaussianBlur(image, (7, 7), 0), cv2.CV_8U, ksize=5)
    mask = cv2.threshold(edges, 50, 255, cv2.THRESH_BINARY)[1]
    two, three = (cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)) for size in (2, 3))
    mask = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, two)
    mask = cv2.morphologyEx(mask, cv2.MORPH_OPEN, three)
    mask = cv2.dilate(mask, two)
    _, label, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    keep = stats[:, cv2.CC_STAT_AREA] >= 200
    keep[0] = False
    mask = np.where(keep[label], mask, 0).astype(np.uint8)
    mask = cv2.erode(cv2.morphologyEx(mask, cv2.MORPH_CLOSE, two), two)
    return 255 - cv2.medianBlur(mask, 5)
