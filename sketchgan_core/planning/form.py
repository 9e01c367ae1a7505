"""Form: what a line image says about volume, read from the whole image at once.

Regions that lines enclose are inflated to a relief and lit from the upper left. That decides where shading goes
and along which direction it is hatched. Nothing here is learned and nothing is random.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from .hand import SLANT

INK_THRESHOLD = 0.15  # fainter marks are paper; low, so that a thin grey line still encloses
WORKING_SIZE = 1024  # regions of larger images are found at this size
GAPS = (1.0, 4.0, 9.0)  # half-widths of the gaps in an outline that are bridged, in 512ths of the image
_SPECK = 12  # px; less is no mark
LIGHT = (-0.55, -0.65, 0.52)  # towards the light: from the upper left, above the page


@dataclass(frozen=True)
class Form:
    """Attributes (all of the image's size H, W):
    tone: 0 in full light and outside, 1 in full shadow; float32.
    relief: height of the inflated drawing in pixels; float32.
    region: number of the enclosed region, 0 outside; int32.
    angles: hatching direction in radians of each region, by its number.
    marks: of each region, by its number, how many marks lie in it that touch nothing else, like the eyes of a face.
    """

    tone: np.ndarray
    relief: np.ndarray
    region: np.ndarray
    angles: np.ndarray
    marks: np.ndarray


def read_form(ink: np.ndarray) -> Form:
    """Reads the form of a drawing.

    Args:
        ink: (H, W) float32, 0 paper .. 1 black.
    """
    height, width = ink.shape
    shrink = min(1.0, WORKING_SIZE / max(height, width))
    size = (max(1, round(width * shrink)), max(1, round(height * shrink)))
    if shrink < 1:
        # A thin line loses contrast when it shrinks, and must not open the region it encloses.
        widened = cv2.dilate(ink, np.ones((2, 2), np.uint8)) if shrink < 0.6 else ink
        small = cv2.resize(widened, size, interpolation=cv2.INTER_AREA)
    else:
        small = ink
    mark = (small > INK_THRESHOLD).astype(np.uint8)
    unit = max(1.0, max(mark.shape) / 512)
    region = _enclosed_regions(mark, unit)
    tone, relief = _light(mark, region, unit)
    angles = _hatching_angles(region)
    marks = _marks_within(mark, region, len(angles))
    if shrink < 1:
        full = (width, height)
        region = cv2.resize(region, full, interpolation=cv2.INTER_NEAREST)
        tone = cv2.resize(tone, full, interpolation=cv2.INTER_LINEAR)
        relief = cv2.resize(relief, full, interpolation=cv2.INTER_LINEAR) / np.float32(shrink)
    return Form(tone, relief, region, angles, marks)


def _marks_within(mark: np.ndarray, region: np.ndarray, count: int) -> np.ndarray:
    """How many marks (H, W) lie within each of `count` regions (H, W) and touch no other."""
    components, label, stats, _ = cv2.connectedComponentsWithStats(mark, connectivity=8)
    around = cv2.dilate(label.astype(np.float32), np.ones((7, 7), np.uint8)).astype(np.int32)
    beside = (around > 0) & (mark == 0) & (region > 0)
    lowest, highest = np.full(components, count, np.int32), np.zeros(components, np.int32)
    np.minimum.at(lowest, around[beside], region[beside])
    np.maximum.at(highest, around[beside], region[beside])
    alone = (lowest == highest) & (stats[:, cv2.CC_STAT_AREA] >= _SPECK)
    alone[0] = False
    return np.bincount(highest[alone], minlength=count)


def _enclosed_regions(mark: np.ndarray, unit: float) -> np.ndarray:
    """Numbers the regions that marks enclose: outlines with small gaps first, then those with ever larger ones."""
    region = np.zeros(mark.shape, np.int32)
    open_ground = np.ones(mark.shape, bool)
    count = 0
    for gap in GAPS:
        radius = max(1, round(gap * unit))
        brush = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
        free = open_ground & (cv2.dilate(mark, brush) == 0)
        if not free.any():
            continue
        components, label, stats, _ = cv2.connectedComponentsWithStats(free.astype(np.uint8), connectivity=4)
        number = np.zeros(components, np.int32)
        enclosed = [
            index
            for index in range(1, components)
            if not _is_background(stats[index], label, index, radius)
            and stats[index, cv2.CC_STAT_AREA] > 4 * unit * unit
        ]
        number[enclosed] = np.arange(count + 1, count + len(enclosed) + 1)
        count += len(enclosed)
        if not enclosed:
            continue
        # The strip that bridging hid beside a line goes to the nearest region on its own side of that line.
        _, nearest = cv2.distanceTransformWithLabels(
            (~free).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
        )
        owner = np.zeros(int(nearest.max()) + 1, np.int32)
        owner[nearest[free]] = number[label[free]]
        found = owner[nearest]
        region = np.where(open_ground, found, region)
        open_ground &= found == 0
    return region


def _is_background(stats: np.ndarray, label: np.ndarray, index: int, hidden: int) -> bool:
    """Whether a component is the page around the drawing: it holds a corner, or fills a frame."""
    height, width = label.shape
    left, top, wide, high = (int(stats[key]) for key in range(4))
    # The bridging of gaps has hidden a rim of the component.
    if wide + 2 * hidden > 0.9 * width and high + 2 * hidden > 0.9 * height:
        return True
    corners = (label[0, 0], label[0, -1], label[-1, 0], label[-1, -1])
    sides = (left == 0) + (top == 0) + (left + wide == width) + (top + high == height)
    return index in corners or sides >= 3


def _light(mark: np.ndarray, region: np.ndarray, unit: float) -> tuple[np.ndarray, np.ndarray]:
    """Inflates the silhouette and each region to a relief and lights it: (tone, relief in pixels)."""
    inside = region > 0
    # A strip one pixel wide has no slope, and so no light.
    if not inside.any() or min(mark.shape) < 2:
        empty = np.zeros(mark.shape, np.float32)
        return empty, empty
    # A frame of paper keeps the distance finite where the drawing fills the image.
    silhouette = cv2.copyMakeBorder((inside | (mark > 0)).astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT)
    to_outside = cv2.distanceTransform(silhouette, cv2.DIST_L2, 5)[1:-1, 1:-1]
    to_line = cv2.distanceTransform((mark == 0).astype(np.uint8), cv2.DIST_L2, 5) * inside
    body, part = 60 * unit, 30 * unit
    relief = 0.6 * np.sqrt(np.minimum(to_outside, body) * body) + 0.3 * np.sqrt(np.minimum(to_line, part) * part)
    relief = cv2.GaussianBlur(relief.astype(np.float32), (0, 0), 6 * unit)
    slope_y, slope_x = np.gradient(relief)
    lit = (-slope_x * LIGHT[0] - slope_y * LIGHT[1] + LIGHT[2]) / np.sqrt(1 + slope_x**2 + slope_y**2)
    tone = np.clip(0.5 - 0.7 * (lit - LIGHT[2]), 0, 1)
    tone = cv2.GaussianBlur(tone, (0, 0), 2 * unit) * inside
    return tone.astype(np.float32), cv2.GaussianBlur(relief, (0, 0), 3 * unit)


def _hatching_angles(region: np.ndarray) -> np.ndarray:
    """A direction for each region: across a long one, else the hand's own, turned a little from region to region."""
    count = int(region.max()) + 1
    rows, columns = (places.astype(np.float64) for places in np.nonzero(region))
    number = region[region != 0].astype(np.intp)
    size = np.maximum(np.bincount(number, minlength=count), 1)

    def mean(values: np.ndarray) -> np.ndarray:
        return np.bincount(number, weights=values, minlength=count) / size

    x, y = mean(columns), mean(rows)
    xx, yy, xy = mean(columns**2) - x * x, mean(rows**2) - y * y, mean(columns * rows) - x * y
    axis = 0.5 * np.arctan2(2 * xy, xx - yy)
    spread = np.hypot(xx - yy, 2 * xy)
    elongation = np.sqrt((xx + yy + spread + 1e-6) / np.maximum(xx + yy - spread, 1e-6))
    extent = max(region.shape)
    turned = SLANT + math.radians(24) * np.sin(9 * x / extent + 6 * y / extent + 0.4 * np.sqrt(size) / 10)
    # Of the two slanted directions across a long region, the one nearer to the hand's own.
    slant = np.stack([axis + math.radians(65), axis - math.radians(65)])
    off = np.abs(np.angle(np.exp(2j * (slant - SLANT))))
    across = np.where(off[0] <= off[1], slant[0], slant[1])
    return np.where(elongation > 2.6, across, turned).astype(np.float32)
