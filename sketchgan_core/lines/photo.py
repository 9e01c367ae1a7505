"""The outlines in a photograph or a coloured render, by a difference of Gaussians that follows the flow of edges.

After Kang, Lee and Chui, "Coherent line drawing", 2007, and Winnemoeller et al., "XDoG", 2012; the contrast across an
edge is measured along the direction in colour space in which the edge is strongest, after Di Zenzo, 1986. The
difference of Gaussians answers to lines, a slope beside it to edges; the one that fits is listened to, so that either
has one crest, in its middle. A line is drawn along the crest, as wide as its contrast is high.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
import torch
from torch.nn import functional

from ..scaling import rows_of, shrunk, side
from .settings import LineSettings

_SPREAD = 1.0  # px at 1024: the unit of what is measured across the flow, at middle detail
_SMALLEST = 720  # px: side of the smallest picture that is computed on
_WIDER = 1.6  # times that is the wide one; approximates a Laplacian best (Marr and Hildreth, 1980)
_WEAK = 0.34  # contrast of a line at middle threshold
_FIRM = 1.8  # times that of a line that is drawn although it is short
_FAIR = 1.3  # of one that is drawn because it is long
_SHORTEST = 24.0  # px at 1024 of a line that is drawn
_LONG = 60.0  # px at 1024 of one that is drawn although it is faint
_ABOVE = 1.5  # times the level of contrast around, of a line at middle detail
_AROUND = 45.0  # px at 1024 of those surroundings
_PER_LENGTH = 1.2  # pixels of a line for each px of its length, over all directions
_WIDTH = 2.0  # px at 1024 of a line of middling contrast
_ON_CREST = 0.71  # px: half a diagonal, so that a line has no gaps
_REACH = 2.5  # px to the crest that a pixel may belong to
_BROAD = 1.5  # times _SPREAD is the narrow Gaussian, which finds lines of up to some 5 px
_EDGE, _LINE = 0.78, 0.86  # contrast of a line, as a share of that of edges: less is an edge, more a line
_AS_EDGES = 4.3  # makes a line's contrast that of its edges
_STEEP = 1.2  # times it is the Gaussian whose slope finds edges
_QUIET = 0.05  # contrast of surroundings in which nothing is
_LUMINANCE = (0.3, 0.55, 0.15)


def photo_lines(
    image: np.ndarray, settings: LineSettings, device: torch.device, rows: int = 512, thinnest: float = 1.6
) -> np.ndarray:
    """Draws the outlines of a picture.

    Args:
        image: (H, W) or (H, W, 3), float32 0..1 or uint8.
        settings: detail, threshold and smoothing are obeyed here.
        device: to compute on.
        rows: how many are drawn at once; the result is the same.
        thinnest: px; no line of middling contrast is thinner.

    Returns:
        (H, W) float32, dark lines on white.
    """
    shape = image.shape[:2]
    if side(shape) < _SMALLEST:
        # The Gaussians need room: a small picture is drawn larger, so that settings mean the same there.
        factor = _SMALLEST / side(shape)
        size = (math.ceil(shape[1] * factor), math.ceil(shape[0] * factor))
        larger = cv2.resize(_floats(image), size, interpolation=cv2.INTER_CUBIC)
        large = photo_lines(larger, settings, device, rows, thinnest * factor)
        return cv2.resize(large, shape[::-1], interpolation=cv2.INTER_AREA).clip(0, 1)
    spread = _SPREAD * 4.0 ** (0.5 - settings.detail)
    # The contrast is as smooth as its Gaussian: nothing is lost by computing it where that is a few pixels wide.
    small = _floats(shrunk(image, 1024 * _SPREAD / spread))
    scale = max(0.35, side(small.shape) / 1024)
    away, height, level = _crests(small, max(0.7, spread * scale), scale, settings.smoothing, device)
    weak = _WEAK * 6.0 ** (settings.threshold - 0.5)
    needed = np.maximum(weak, 2 * (1 - settings.detail) * _ABOVE * level)
    distance = np.hypot(*away)
    gate = _believed(distance <= _ON_CREST, height / needed, scale)
    across = max(shape) / max(small.shape)
    # A faint line is thinner.
    share = np.clip(0.7 + 0.2 * np.log2(np.maximum(height, weak) / weak), 0.7, 1.3)
    half = 0.5 * max(thinnest / across, _WIDTH * side(small.shape) / 1024) * share
    lines = np.empty(shape, np.float32)
    for top in range(0, shape[0], rows):
        bottom = min(top + rows, shape[0])
        x, y, far, wide, drawn = (rows_of(plane, shape, top, bottom) for plane in (*away, distance, half, gate))
        # Half way between two lines the ways to them cancel out, which their lengths do not.
        ink = (wide - np.maximum(np.hypot(x, y), far - 0.5)) * across + 0.5
        lines[top:bottom] = 1 - np.clip(ink, 0, 1) * drawn
    return lines


def _floats(image: np.ndarray) -> np.ndarray:
    return image.astype(np.float32) / 255 if image.dtype == np.uint8 else image


def _believed(on_crest: np.ndarray, firmness: np.ndarray, scale: float) -> np.ndarray:
    """1 on and beside lines that have something firm in them, or are long; (h, w)."""
    count, label = cv2.connectedComponents((on_crest & (firmness > 1)).astype(np.uint8), connectivity=8)
    length = np.bincount(label.ravel(), minlength=count) / _PER_LENGTH
    firm, fair = np.zeros(count, bool), np.zeros(count, bool)
    firm[label[firmness > _FIRM]] = True
    fair[label[firmness > _FAIR]] = True
    # A long line needs less to be believed.
    keep = firm & (length > _SHORTEST * scale) | fair & (length > _LONG * scale)
    keep[0] = False  # what is no line
    return cv2.dilate(keep[label].astype(np.float32), np.ones((3, 3), np.uint8))


def _crests(
    image: np.ndarray, spread: float, scale: float, smoothing: float, device: torch.device
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The crests of contrast across the flow.

    Returns:
        (2, h, w) px in x and y: the way from every pixel to the nearest crest.
        (h, w) how high the crest is: contrast, as a share of that of the surroundings.
        (h, w) how high the crests around are: hair, wood and grass are many lines side by side.
    """
    with torch.inference_mode():
        planes = torch.from_numpy(np.ascontiguousarray(image)).to(device)
        planes = planes[None, None] if planes.ndim == 2 else planes.permute(2, 0, 1)[None]
        normal, colour = _edges(planes, spread, scale)
        line, edge = _along(_across(planes, normal, colour, spread), normal, 3.0 * scale * 4.0 ** (smoothing - 0.5))
        contrast = _one_crest(line, edge, normal, spread)
        # Contrast is judged against its surroundings, so that a faint outline counts where all is quiet.
        mean = _blur(planes, 16 * scale)
        busy = (_blur((planes - mean) ** 2, 16 * scale).sum(1, keepdim=True).clamp_min(0) / planes.shape[1]).sqrt()
        away, height = _climb(contrast / (busy + _QUIET), normal)
        # of roots: that a few lines stand out does not raise it
        level = _blur(height.sqrt(), _AROUND * scale) ** 2
        return away[0].cpu().numpy(), height[0, 0].cpu().numpy(), level[0, 0].cpu().numpy()


def _climb(contrast: torch.Tensor, normal: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The way (1, 2, h, w) up from every pixel along its normal to a crest of contrast, and its height (1, 1, h, w)."""
    here, way = _positions(contrast), torch.zeros_like(contrast)
    for _ in range(3):
        below, middle, above = (_sample(contrast, here + (way + step) * normal) for step in (-1.0, 0.0, 1.0))
        rise, bend = above - below, 2 * middle - below - above
        # to the top of the parabola through the three, or up where there is none
        step = torch.where(bend > 0, (0.5 * rise / bend.clamp_min(1e-6)).clamp(-1, 1), rise.sign())
        way = (way + step).clamp(-_REACH, _REACH)
    return way * normal, _sample(contrast, here + way * normal)


def _edges(planes: torch.Tensor, spread: float, scale: float) -> tuple[torch.Tensor, torch.Tensor]:
    """The direction across the edge, (1, 2, h, w) in x, y; and the colour in which it is strongest, (1, C, h, w)."""
    smooth = _blur(planes, max(0.8, 0.8 * spread))
    padded = functional.pad(smooth, (1, 1, 1, 1), mode="replicate")
    dx, dy = (padded[..., 1:-1, 2:] - padded[..., 1:-1, :-2]), (padded[..., 2:, 1:-1] - padded[..., :-2, 1:-1])
    tensor = torch.cat([(a * b).sum(1, keepdim=True) for a, b in ((dx, dx), (dx, dy), (dy, dy))], 1)
    # Firm edges direct their surroundings.
    xx, xy, yy = _blur(tensor, 2.0 * max(1.0, scale)).split(1, 1)
    half = 0.5 * (xx - yy)
    angle = 0.5 * torch.atan2(xy, half)
    normal = torch.cat([angle.cos(), angle.sin()], 1)
    if planes.shape[1] == 1:
        return normal, torch.ones_like(xx)
    slope = dx * normal[:, :1] + dy * normal[:, 1:]
    pairs = [(i, j) for i in range(3) for j in range(i, 3)]
    together = _blur(torch.cat([slope[:, i : i + 1] * slope[:, j : j + 1] for i, j in pairs], 1), 1.5 * spread)
    product = {pair: together[:, index : index + 1] for index, pair in enumerate(pairs)}
    grey = torch.tensor(_LUMINANCE, device=planes.device).view(1, 3, 1, 1).expand(-1, -1, *planes.shape[2:])

    def turned(colour: torch.Tensor) -> torch.Tensor:
        terms = [[product[min(i, j), max(i, j)] * colour[:, j : j + 1] for j in range(3)] for i in range(3)]
        return torch.cat([torch.stack(parts).sum(0) for parts in terms], 1)

    colour = grey
    for _ in range(4):  # power iteration
        colour = turned(colour) + 1e-7 * grey
        colour = colour * colour.square().sum(1, keepdim=True).rsqrt()
    # One sign along an edge, or its two halves would cancel out: where neither side is the lighter one, what is so a
    # little further on decides. A grey edge is as strong in three channels as in one.
    lighter = _blur(turned(grey), 5.0 * max(1.0, scale))
    return normal, 0.7 * colour * torch.where((colour * lighter).sum(1, keepdim=True) < 0, -1.0, 1.0)


def _across(planes: torch.Tensor, normal: torch.Tensor, colour: torch.Tensor, spread: float) -> torch.Tensor:
    """What lies across the flow, (1, 3, h, w): how much darker than its sides it is; how steep it is, in x and in y.

    An edge of contrast 1 is 1 steep; a line a few px wide is as much darker as its edges are steep.
    """
    reach = math.ceil(2.5 * _WIDER * _BROAD * spread)
    steps = np.arange(-reach, reach + 1)
    narrow, wide = (np.exp(-0.5 * (steps / sigma) ** 2) for sigma in (_BROAD * spread, _WIDER * _BROAD * spread))
    hollow = _AS_EDGES * (wide / wide.sum() - narrow / narrow.sum())
    slope = steps * np.exp(-0.5 * (steps / (_STEEP * spread)) ** 2)
    slope = slope / slope[steps > 0].sum()
    here = _positions(planes)
    line, edge = torch.zeros_like(planes[:, :1]), torch.zeros_like(planes[:, :1])
    for step, hollows, slopes in zip(steps.tolist(), hollow.tolist(), slope.tolist(), strict=True):
        seen = (_sample(planes, here + step * normal) * colour).sum(1, keepdim=True)
        line += hollows * seen
        edge += slopes * seen
    return torch.cat([line, edge * normal], 1)


def _along(parts: torch.Tensor, normal: torch.Tensor, length: float) -> tuple[torch.Tensor, torch.Tensor]:
    """The contrast of lines and that of edges, (1, 1, h, w), averaged along the flow over a Gaussian of `length` px."""
    line, edge, weights = parts[:, :1].clone(), (parts[:, 1:] * normal).sum(1, keepdim=True), 1.0
    tangent = torch.cat([-normal[:, 1:], normal[:, :1]], 1)
    for way in (1.0, -1.0):
        place, heading = _positions(parts), way * tangent
        for step in range(1, math.ceil(2 * length) + 1):
            place = place + heading
            weight = math.exp(-0.5 * (step / length) ** 2)
            seen, turned = _sample(parts, place), _sample(tangent, place, "nearest")
            # An axis has two ends: go on in the direction come from.
            heading = turned * torch.where((turned * heading).sum(1, keepdim=True) < 0, -1.0, 1.0)
            line += weight * seen[:, :1]
            edge += way * weight * (seen[:, 1:2] * heading[:, 1:] - seen[:, 2:] * heading[:, :1])
            weights += weight
    return line / weights, edge.abs() / weights


def _one_crest(line: torch.Tensor, edge: torch.Tensor, normal: torch.Tensor, spread: float) -> torch.Tensor:
    """The contrast (1, 1, h, w) of a line where there is one, without that of its two edges; else that of edges."""
    both, here = torch.cat([line, edge], 1), _positions(line)
    highest, lowest = both, both
    for step in (-5.0, -3.5, -2.0, 2.0, 3.5, 5.0):
        beside = _sample(both, here + step * spread * normal)
        highest, lowest = torch.maximum(highest, beside), torch.minimum(lowest, beside)
    dark, light, edges = highest[:, :1], -lowest[:, :1], highest[:, 1:]
    # Beside a dark line it is lighter, which is no light line.
    line = torch.where(dark >= light, line, -line).clamp_min(0)
    share = torch.maximum(dark, light) / edges.clamp_min(1e-6)
    # One answer for a stretch of a stroke, or it would be frayed where it is neither clearly.
    share = _blur(((share - _EDGE) / (_LINE - _EDGE)).clamp(0, 1), 4 * spread)
    share = (4 * share - 1.5).clamp(0, 1)
    return share * line + (1 - share) * edge


def _positions(planes: torch.Tensor) -> torch.Tensor:
    height, width = planes.shape[2:]
    y, x = torch.meshgrid(
        torch.arange(height, device=planes.device, dtype=torch.float32),
        torch.arange(width, device=planes.device, dtype=torch.float32),
        indexing="ij",
    )
    return torch.stack([x, y])[None]


def _sample(planes: torch.Tensor, place: torch.Tensor, mode: str = "bilinear") -> torch.Tensor:
    """Planes (1, C, h, w) at places (1, 2, h, w) in px."""
    height, width = planes.shape[2:]
    size = torch.tensor([width, height], device=planes.device).view(1, 2, 1, 1)
    grid = ((2 * place + 1) / size - 1).permute(0, 2, 3, 1)
    return functional.grid_sample(planes, grid, mode, "border", align_corners=False)


def _blur(planes: torch.Tensor, sigma: float) -> torch.Tensor:
    """Gaussian blur of each plane; a wide one is computed on a smaller copy."""
    height, width = planes.shape[2:]
    if sigma > 4:
        factor = min(int(sigma / 2), height, width)
        small = functional.interpolate(planes, (math.ceil(height / factor), math.ceil(width / factor)), mode="area")
        blurred = _blur(small, sigma / max(factor, 2))
        return functional.interpolate(blurred, (height, width), mode="bilinear", align_corners=False)
    reach = math.ceil(3 * sigma)
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    weights /= weights.sum()
    for axis, pad in ((2, (0, 0, reach, reach)), (3, (reach, reach, 0, 0))):
        padded, length = functional.pad(planes, pad, mode="replicate"), planes.shape[axis]
        # much faster than a convolution on a CPU
        planes = torch.zeros_like(planes)
        for start, weight in enumerate(weights.tolist()):
            planes.add_(padded.narrow(axis, start, length), alpha=weight)
    return planes
