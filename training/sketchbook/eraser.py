"""The eraser: finds the clean lines that a pencil drawing was drawn over.

A small network (see `eraser_training.py`) tells lines from hatching, smudges and the paper's tooth and merges restated
strokes into one line; what it finds is traced and redrawn in one width.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import cv2
import numpy as np
import torch
from torch.nn import functional as F

from sketchgan_core.generators.base import LoadGenerator
from sketchgan_core.pencils.weights import load_pencil
from sketchgan_core.planning import plan

from ..synthesis.tracing import trace

WEIGHTS = Path(__file__).with_name("eraser.safetensors")
LINE_WIDTH = 2  # px, of the redrawn lines
_LIKELY, _SURE = 0.35, 0.6  # a likely line counts where it continues a sure one
_SHORTEST = 6.0  # px: anything smaller must be surer still
_SUBPIXEL = 4  # fractional bits of the coordinates given to OpenCV


def lines_in(graphite: np.ndarray) -> np.ndarray:
    """The line image of a pencil drawing.

    Args:
        graphite: (H, W) float32, 0 bare paper .. 1 black, with strokes of 1 to 5 px.

    Returns:
        (H, W) float32, 0 black .. 1 white: lines LINE_WIDTH px wide, and solid blacks.
    """
    likely = _likelihood(np.ascontiguousarray(graphite, np.float32))
    mask = _continued(likely)
    solid = (plan.solid(likely * mask) > 0.3) & mask
    canvas: np.ndarray = cv2.GaussianBlur(255 * solid.astype(np.uint8), (0, 0), 0.7)
    for line in trace(mask & ~solid, sigma=2.0):
        points = np.round(line.points * 2**_SUBPIXEL).astype(np.int32)
        cv2.polylines(canvas, [points], line.closed, 255, LINE_WIDTH, cv2.LINE_AA, _SUBPIXEL)
    return (1 - canvas.astype(np.float32) / 255).astype(np.float32)


@cache
def _network() -> LoadGenerator:
    generator = load_pencil(WEIGHTS).generator
    assert isinstance(generator, LoadGenerator)
    return generator


@torch.inference_mode()
def _likelihood(graphite: np.ndarray) -> np.ndarray:
    """How likely a line is at each pixel, (H, W) float32."""
    height, width = graphite.shape
    stride = _network().stride
    padding = (0, -width % stride, 0, -height % stride)
    padded = F.pad(torch.from_numpy(graphite)[None, None], padding)
    found: np.ndarray = _network().load(padded)[0, 0, :height, :width].numpy()
    return found


def _continued(likely: np.ndarray) -> np.ndarray:
    """Hysteresis: the likely pixels (H, W) of every piece that contains a sure one and is not a mere speck."""
    _, label, stats, _ = cv2.connectedComponentsWithStats((likely > _LIKELY).astype(np.uint8), connectivity=8)
    top = np.zeros(len(stats), np.float32)
    np.maximum.at(top, label.ravel().astype(np.intp), likely.ravel())
    extent = stats[:, [cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT]].max(axis=1)
    keep = (top > _SURE) & ((extent > _SHORTEST) | (top > 0.9))
    keep[0] = False
    return keep[label]
