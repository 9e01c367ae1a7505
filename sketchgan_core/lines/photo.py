"""The outlines in a photograph or a coloured render, by a difference of Gaussians that follows the flow of edges.

After Kang, Lee and Chui, "Coherent line drawing", 2007, and Winnemoeller et al., "XDoG", 2012; the contrast across an
edge is measured along the direction in colour space in which the edge is strongest, after Di Zenzo, 1986. The
difference of Gaussians responds to lines, a slope computed beside it to edges; whichever fits is used, so that a line
or an edge has one crest, in its middle. A line is drawn along the crest, as wide as its contrast is high.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch.nn import functional

from ..scaling import rows_of, shrunk, side
from .settings import LineSettings
from .tuning import PHOTO


@dataclass(frozen=True)
class Scale:
    """The size a picture is computed at: px for each px at 1024, and the unit across the flow in px."""

    scale: float
    spread: float


@dataclass(frozen=True)
class Flow:
    """The direction across the edge (1, 2, h, w), x then y; and the colour in which it is strongest (1, C, h, w)."""

    normal: torch.Tensor
    colour: torch.Tensor


@dataclass(frozen=True)
class Response:
    """The contrast of lines and that of edges, (1, 1, h, w) each; an edge of contrast 1 has a steepness of 1."""

    line: torch.Tensor
    edge: torch.Tensor


@dataclass(frozen=True)
class Ridge:
    """The crests of contrast.

    Attributes:
        away: (2, h, w) px in x and y: the way from every pixel to the nearest crest.
        prominence: (h, w) contrast there, as a share of that of the surroundings.
        level: (h, w) prominence of the crests around: high in hair, wood and grass, which are many lines side by side.
    """

    away: np.ndarray
    prominence: np.ndarray
    level: np.ndarray


def photo_lines(
    image: np.ndarray, settings: LineSettings, device: torch.device, rows: int = 512, thinnest: float = 1.6
) -> np.ndarray:
    """Draws the outlines of a picture.

    Args:
        image: (H, W) or (H, W, 3), float32 0..1 or uint8.
        settings: detail, threshold and smoothing are used here.
        device: to compute on.
        rows: how many are drawn at once; this does not change the result.
        thinnest: px; no line of middling contrast is thinner.

    Returns:
        (H, W) float32, dark lines on white.
    """
    shape = image.shape[:2]
    if side(shape) < PHOTO.smallest:
        # The Gaussians need room: a small picture is drawn larger, so that settings mean the same there.
        factor = PHOTO.smallest / side(shape)
        size = (math.ceil(shape[1] * factor), math.ceil(shape[0] * factor))
        larger = cv2.resize(_floats(image), size, interpolation=cv2.INTER_CUBIC)
        large = photo_lines(larger, settings, device, rows, thinnest * factor)
        return cv2.resize(large, shape[::-1], interpolation=cv2.INTER_AREA).clip(0, 1)
    spread = PHOTO.spread * 4.0 ** (0.5 - settings.detail)
    # The contrast is as smooth as its Gaussian: nothing is lost by computing it at a size where that is a few pixels.
    small = _floats(shrunk(image, 1024 * PHOTO.spread / spread))
    scale = max(PHOTO.smallest_scale, side(small.shape) / 1024)
    ridge = _ridge(small, Scale(scale, max(PHOTO.smallest_spread, spread * scale)), settings.smoothing, device)
    weak = PHOTO.weak * 6.0 ** (settings.threshold - 0.5)
    needed = np.maximum(weak, 2 * (1 - settings.detail) * PHOTO.above * ridge.level)
    distance = np.hypot(*ridge.away)
    gate = _believed(distance <= PHOTO.on_crest, ridge.prominence / needed, scale)
    across = max(shape) / max(small.shape)
    # A faint line is thinner.
    doublings = np.log2(np.maximum(ridge.prominence, weak) / weak)
    share = np.clip(PHOTO.faintest + PHOTO.growth * doublings, PHOTO.faintest, PHOTO.firmest)
    half = 0.5 * max(thinnest / across, PHOTO.width * side(small.shape) / 1024) * share
    lines = np.empty(shape, np.float32)
    for top in range(0, shape[0], rows):
        bottom = min(top + rows, shape[0])
        x, y, far, wide, drawn = (rows_of(plane, shape, top, bottom) for plane in (*ridge.away, distance, half, gate))
        # Half way between two lines the interpolated ways to them cancel out, but their lengths do not.
        ink = (wide - np.maximum(np.hypot(x, y), far - 0.5)) * across + 0.5
        lines[top:bottom] = 1 - np.clip(ink, 0, 1) * drawn
    return lines


def _floats(image: np.ndarray) -> np.ndarray:
    return np.divide(image, 255, dtype=np.float32) if image.dtype == np.uint8 else image


def _believed(on_crest: np.ndarray, firmness: np.ndarray, scale: float) -> np.ndarray:
    """1 on and beside lines that have something firm in them, or are long; (h, w)."""
    count, label = cv2.connectedComponents((on_crest & (firmness > 1)).astype(np.uint8), connectivity=8)
    length = np.bincount(label.ravel(), minlength=count) / PHOTO.per_length
    firm, fair = np.zeros(count, bool), np.zeros(count, bool)
    firm[label[firmness > PHOTO.firm]] = True
    fair[label[firmness > PHOTO.fair]] = True
    # A long line needs less to be believed.
    keep = firm & (length > PHOTO.shortest * scale) | fair & (length > PHOTO.long * scale)
    keep[0] = False  # the ground
    return cv2.dilate(keep[label].astype(np.float32), np.ones((3, 3), np.uint8))


def _ridge(image: np.ndarray, at: Scale, smoothing: float, device: torch.device) -> Ridge:
    """The crests in an image (h, w) or (h, w, 3), by way of its flow and the response across and along it."""
    with torch.inference_mode():
        planes = torch.from_numpy(np.ascontiguousarray(image)).to(device)
        planes = planes[None, None] if planes.ndim == 2 else planes.permute(2, 0, 1)[None]
        flow = _flow(planes, at)
        response = _along(_across(planes, flow, at), flow, PHOTO.along * at.scale * 4.0 ** (smoothing - 0.5))
        contrast = _one_crest(response, flow, at)
        # Contrast is judged against its surroundings, so that a faint outline counts where all is quiet.
        mean = _blur(planes, PHOTO.around * at.scale)
        busy = _blur((planes - mean) ** 2, PHOTO.around * at.scale).sum(1, keepdim=True).clamp_min(0)
        busy = (busy / planes.shape[1]).sqrt()
        away, prominence = _climb(contrast / (busy + PHOTO.quiet), flow.normal)
        # The mean of roots, so that a few lines that stand out do not raise it.
        level = _blur(prominence.sqrt(), PHOTO.level_around * at.scale) ** 2
        return Ridge(away[0].cpu().numpy(), prominence[0, 0].cpu().numpy(), level[0, 0].cpu().numpy())


def _climb(contrast: torch.Tensor, normal: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The way (1, 2, h, w) up from every pixel along its normal to a crest of contrast, and its height (1, 1, h, w)."""
    here, way = _positions(contrast), torch.zeros_like(contrast)
    for _ in range(3):
        below, middle, above = (_sample(contrast, here + (way + step) * normal) for step in (-1.0, 0.0, 1.0))
        rise, bend = above - below, 2 * middle - below - above
        # to the top of the parabola through the three, or up where there is none
        step = torch.where(bend > 0, (0.5 * rise / bend.clamp_min(1e-6)).clamp(-1, 1), rise.sign())
        way = (way + step).clamp(-PHOTO.reach, PHOTO.reach)
    return way * normal, _sample(contrast, here + way * normal)


def _flow(planes: torch.Tensor, at: Scale) -> Flow:
    """The flow of planes (1, C, h, w)."""
    smooth = _blur(planes, max(0.8, 0.8 * at.spread))
    padded = functional.pad(smooth, (1, 1, 1, 1), mode="replicate")
    dx, dy = (padded[..., 1:-1, 2:] - padded[..., 1:-1, :-2]), (padded[..., 2:, 1:-1] - padded[..., :-2, 1:-1])
    tensor = torch.cat([(a * b).sum(1, keepdim=True) for a, b in ((dx, dx), (dx, dy), (dy, dy))], 1)
    # Firm edges direct their surroundings.
    xx, xy, yy = _blur(tensor, PHOTO.flow * max(1.0, at.scale)).split(1, 1)
    half = 0.5 * (xx - yy)
    angle = 0.5 * torch.atan2(xy, half)
    normal = torch.cat([angle.cos(), angle.sin()], 1)
    if planes.shape[1] == 1:
        return Flow(normal, torch.ones_like(xx))
    slope = dx * normal[:, :1] + dy * normal[:, 1:]
    pairs = [(i, j) for i in range(3) for j in range(i, 3)]
    products = torch.cat([slope[:, i : i + 1] * slope[:, j : j + 1] for i, j in pairs], 1)
    together = _blur(products, PHOTO.colour * at.spread)
    product = {pair: together[:, index : index + 1] for index, pair in enumerate(pairs)}
    grey = torch.tensor(PHOTO.luminance, device=planes.device).view(1, 3, 1, 1).expand(-1, -1, *planes.shape[2:])

    def turned(colour: torch.Tensor) -> torch.Tensor:
        terms = [[product[min(i, j), max(i, j)] * colour[:, j : j + 1] for j in range(3)] for i in range(3)]
        return torch.cat([first.add_(second).add_(third) for first, second, third in terms], 1)

    colour = grey
    for _ in range(4):  # power iteration
        colour = turned(colour) + 1e-7 * grey
        colour = colour * colour.square().sum(1, keepdim=True).rsqrt()
    # One sign along an edge, or its two halves would cancel out: where neither side is lighter, the side that is so
    # a little further on decides. A grey edge is as strong in three channels as in one.
    lighter = _blur(turned(grey), PHOTO.lighter * max(1.0, at.scale))
    return Flow(normal, 0.7 * colour * torch.where((colour * lighter).sum(1, keepdim=True) < 0, -1.0, 1.0))


def _across(planes: torch.Tensor, flow: Flow, at: Scale) -> torch.Tensor:
    """What lies across the flow, (1, 3, h, w): how much darker a place is than its sides; how steep, in x and in y.

    An edge of contrast 1 has a steepness of 1; a line a few px wide is as much darker as its edges are steep.
    """
    reach = math.ceil(PHOTO.sides * PHOTO.wide * PHOTO.narrow * at.spread)
    steps = np.arange(-reach, reach + 1)
    deviations = PHOTO.narrow * at.spread, PHOTO.wide * PHOTO.narrow * at.spread
    narrow, wide = (np.exp(-0.5 * (steps / deviation) ** 2) for deviation in deviations)
    hollow = PHOTO.as_edges * (wide / wide.sum() - narrow / narrow.sum())
    slope = steps * np.exp(-0.5 * (steps / (PHOTO.steep * at.spread)) ** 2)
    slope = slope / slope[steps > 0].sum()
    here = _positions(planes)
    line, edge = torch.zeros_like(planes[:, :1]), torch.zeros_like(planes[:, :1])
    for step, hollows, slopes in zip(steps.tolist(), hollow.tolist(), slope.tolist(), strict=True):
        seen = _sample(planes, here + step * flow.normal).mul_(flow.colour).sum(1, keepdim=True)
        line += hollows * seen
        edge += slopes * seen
    return torch.cat([line, edge * flow.normal], 1)


def _along(parts: torch.Tensor, flow: Flow, length: float) -> Response:
    """What lies across the flow (1, 3, h, w), averaged along it over a Gaussian of `length` px."""
    normal = flow.normal
    line, edge, weights = parts[:, :1].clone(), (parts[:, 1:] * normal).sum(1, keepdim=True), 1.0
    tangent = torch.cat([-normal[:, 1:], normal[:, :1]], 1)
    for way in (1.0, -1.0):
        place, heading = _positions(parts), way * tangent
        for step in range(1, math.ceil(2 * length) + 1):
            place += heading
            weight = math.exp(-0.5 * (step / length) ** 2)
            seen, turned = _sample(parts, place), _sample(tangent, place, "nearest")
            # An axis has two ends: keep going the same way.
            heading = turned.mul_(torch.where((turned * heading).sum(1, keepdim=True) < 0, -1.0, 1.0))
            line += weight * seen[:, :1]
            edge += way * weight * (seen[:, 1:2] * heading[:, 1:] - seen[:, 2:] * heading[:, :1])
            weights += weight
    return Response(line / weights, edge.abs() / weights)


def _one_crest(response: Response, flow: Flow, at: Scale) -> torch.Tensor:
    """The contrast (1, 1, h, w) of a line where there is one, without that of its two edges; else that of edges."""
    line, edge = response.line, response.edge
    both, here = torch.cat([line, edge], 1), _positions(line)
    highest, lowest = both, both
    for step in (*(-far for far in reversed(PHOTO.beside)), *PHOTO.beside):
        beside = _sample(both, here + step * at.spread * flow.normal)
        highest, lowest = torch.maximum(highest, beside), torch.minimum(lowest, beside)
    dark, light, edges = highest[:, :1], -lowest[:, :1], highest[:, 1:]
    # Beside a dark line it is lighter, but that is no light line.
    line = torch.where(dark >= light, line, -line).clamp_min(0)
    share = torch.maximum(dark, light) / edges.clamp_min(1e-6)
    # One answer for a stretch of a stroke, or it would fray where it is not clearly a line or an edge.
    share = _blur(((share - PHOTO.edge) / (PHOTO.line - PHOTO.edge)).clamp(0, 1), PHOTO.settle * at.spread)
    share = (0.5 + PHOTO.decided * (share - 0.5)).clamp(0, 1)
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
    # in -1 .. 1
    grid = (2 * place).add_(1).div_(size).sub_(1)
    return functional.grid_sample(planes, grid.permute(0, 2, 3, 1), mode, "border", align_corners=False)


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
        # on a CPU much faster than a convolution
        planes = torch.zeros_like(planes)
        for start, weight in enumerate(weights.tolist()):
            planes.add_(padded.narrow(axis, start, length), alpha=weight)
    return planes
