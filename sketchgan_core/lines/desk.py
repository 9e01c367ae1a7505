"""A page on a desk: where the sheet lies in a photograph, and the sheet without what is around it."""

from __future__ import annotations

import cv2
import numpy as np

from ..images import to_lines
from ..scaling import shrunk, side

_SIDE = 320  # px at which the sheet is looked for
_SHARE = (0.25, 0.98)  # of the picture that is sheet
_STRAIGHT = 0.94  # share of its hull that a sheet covers
_CORNERS = (4, 6)  # of its outline; where the picture cuts a corner off there are two
_ROUNDING = 0.02  # of its outline's length, by which that is simplified
_LIGHTER, _BESIDE = 0.1, 4  # by which the sheet must be lighter than what lies so many px beside it,
_ALL_AROUND, _LEAST_EDGE = 0.85, 2  # along this share of its edge, which is at least so many times its side long
_PAPER, _SAME = 0.7, 0.12  # share of the sheet that is as light as the paper around it, and how alike that is
_MARGIN = 0.012  # of the side: what is left out along the edge of the sheet, with its shadow
_SPREAD = 1 / 12  # of the side: how far the paper is looked for that goes on beyond the edge


def find_sheet(pixels: np.ndarray) -> np.ndarray | None:
    """The outline of a light sheet that lies on something darker.

    Args:
        pixels: (H, W) or (H, W, 3), float32 0..1 or uint8.

    Returns:
        Its corners (N, 2), x and y in px, without a margin along its edge; None if there is no such sheet.
    """
    small = shrunk(pixels, _SIDE)
    lightness = to_lines(small)
    soft = cv2.GaussianBlur(lightness, (0, 0), 2)
    level, _ = cv2.threshold((255 * soft).astype(np.uint8), 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    lightest = (soft > level / 255).astype(np.uint8)
    light = cv2.morphologyEx(lightest, cv2.MORPH_OPEN, np.ones((7, 7), np.uint8))
    outlines, _ = cv2.findContours(light, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not outlines:
        return None
    outline = max(outlines, key=cv2.contourArea)
    hull = cv2.convexHull(outline)
    area, page = cv2.contourArea(outline), light.size
    if not _SHARE[0] * page < area < _SHARE[1] * page or area < _STRAIGHT * cv2.contourArea(hull):
        return None
    corners = cv2.approxPolyDP(hull, _ROUNDING * cv2.arcLength(hull, True), True)[:, 0]
    if not _CORNERS[0] <= len(corners) <= _CORNERS[1]:
        return None
    sheet = _inside(corners, lightness.shape)
    if not _is_cut_out(sheet, cv2.GaussianBlur(lightness, (0, 0), 1)):
        return None
    paper = cv2.morphologyEx(np.where(sheet > 0, lightness, 0), cv2.MORPH_CLOSE, np.ones((15, 15), np.uint8))
    if (np.abs(lightness - paper)[sheet > 0] < _SAME).mean() < _PAPER:
        return None
    # No margin is taken where the sheet is cut off by the edge of the picture.
    margin = max(1, round(_MARGIN * side(sheet.shape)))
    inner = cv2.erode(np.pad(sheet, margin, mode="edge"), np.ones((2 * margin + 1, 2 * margin + 1), np.uint8))
    inner = inner[margin:-margin, margin:-margin]
    found, _ = cv2.findContours(inner, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not found:
        return None
    kept = cv2.convexHull(max(found, key=cv2.contourArea))[:, 0].astype(np.float32)
    scale = np.array([pixels.shape[1] / light.shape[1], pixels.shape[0] / light.shape[0]], np.float32)
    return (kept + 0.5) * scale - 0.5


def without_desk(pixels: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """The picture with the paper of the sheet going on over everything around it; of the same shape and type."""
    small = shrunk(pixels, _SIDE)
    scale = np.array([small.shape[1] / pixels.shape[1], small.shape[0] / pixels.shape[0]])
    sheet = _inside((corners + 0.5) * scale - 0.5, small.shape)
    paper = cv2.morphologyEx(small, cv2.MORPH_CLOSE, np.ones((15, 15), np.uint8))
    weight = cv2.erode(sheet, np.ones((3, 3), np.uint8)).astype(np.float32) + np.float32(1e-4) * sheet
    spread = _SPREAD * side(small.shape)
    share = cv2.GaussianBlur(weight, (0, 0), spread) + np.float32(1e-9)
    layers = np.atleast_3d(paper.astype(np.float32))
    colours = (layers[..., colour] for colour in range(layers.shape[2]))
    goes_on = np.dstack([cv2.GaussianBlur(weight * colour, (0, 0), spread) / share for colour in colours])
    far = share < 1e-4
    goes_on[far] = np.average(layers.reshape(-1, layers.shape[2]), axis=0, weights=weight.ravel())
    size = (pixels.shape[1], pixels.shape[0])
    filled = cv2.resize(goes_on, size, interpolation=cv2.INTER_LINEAR).reshape(pixels.shape)
    keep = cv2.GaussianBlur(_inside(corners, pixels.shape).astype(np.float32), (0, 0), 1)
    keep = keep.reshape(*keep.shape, *([1] * (pixels.ndim - 2)))
    return (keep * pixels + (1 - keep) * filled).astype(pixels.dtype)


def _is_cut_out(sheet: np.ndarray, lightness: np.ndarray) -> bool:
    """Whether a mask (H, W) is lighter than what is beside it all around; at the soft edge of a shadow it is not."""
    inwards = cv2.distanceTransform(sheet, cv2.DIST_L2, 5) - cv2.distanceTransform(1 - sheet, cv2.DIST_L2, 5)
    right, down = cv2.Sobel(inwards, cv2.CV_32F, 1, 0), cv2.Sobel(inwards, cv2.CV_32F, 0, 1)
    length = np.hypot(right, down) + np.float32(1e-6)
    height, width = sheet.shape
    rows, columns = np.nonzero((inwards > 0) & (inwards < 2))
    near = np.minimum(np.minimum(rows, height - 1 - rows), np.minimum(columns, width - 1 - columns)) < 2 * _BESIDE
    rows, columns = rows[~near], columns[~near]
    if len(rows) < _LEAST_EDGE * np.sqrt(sheet.sum()):
        return False
    across = _BESIDE * np.stack([down[rows, columns], right[rows, columns]]) / length[rows, columns]
    inner, outer = (np.rint(np.stack([rows, columns]) + way * across).astype(np.int32) for way in (1, -1))
    return float((lightness[tuple(inner)] - lightness[tuple(outer)] > _LIGHTER).mean()) > _ALL_AROUND


def _inside(corners: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    mask: np.ndarray = np.zeros(shape[:2], np.uint8)
    cv2.fillConvexPoly(mask, np.rint(corners).astype(np.int32), 1)
    return mask
