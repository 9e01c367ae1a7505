"""The outlines in a photograph or a coloured render, by a difference of Gaussians that follows the flow of edges.

After Kang, Lee and Chui, "Coherent line drawing", 2007, and Winnemoeller et al., "XDoG", 2012; the contrast across an
edge is measured along the direction in colour space in which the edge is strongest, after Di Zenzo, 1986.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
import torch
from torch.nn import functional

from .line_settings import LineSettings
from .scaling import rows_of, shrunk, side

_SPREAD = 1.0  # px at 1024: how wide the narrow Gaussian is at middle detail
_SMALLEST = 720  # px: side of the smallest picture that is computed on
_WIDER = 1.6  # times that of the wide one; approximates a Laplacian best (Marr and Hildreth, 1980)
_SHORTEST = 32.0  # px at 1024 of a line that is drawn
_LONG = 60.0  # px at 1024 of one that is drawn although it is faint
_CROWDED = 0.2  # share of the surroundings that is line
_LUMINANCE = (0.3, 0.55, 0.15)


def photo_lines(image: np.ndarray, settings: LineSettings, device: torch.device, rows: int = 512) -> np.ndarray:
    """Draws the outlines of a picture.

    Args:
        image: (H, W) or (H, W, 3), float32 0..1 or uint8.
        settings: detail, threshold and smoothing are obeyed here.
        device: to compute on.
        rows: how many are drawn at once; the result is the same.

    Returns:
        (H, W) float32, dark lines on white.
    """
    shape = image.shape[:2]
    if side(shape) < _SMALLEST:
        # The Gaussians need room: a small picture is drawn larger, so that settings mean the same there.
        factor = _SMALLEST / side(shape)
        size = (math.ceil(shape[1] * factor), math.ceil(shape[0] * factor))
        large = photo_lines(cv2.resize(_floats(image), size, interpolation=cv2.INTER_CUBIC), settings, device, rows)
        return cv2.resize(large, shape[::-1], interpolation=cv2.INTER_AREA).clip(0, 1)
    spread = _SPREAD * 4.0 ** (0.5 - settings.detail)
    # The response is as smooth as its Gaussian: nothing is lost by computing it where that is a few pixels wide.
    small = _floats(shrunk(image, 1024 * _SPREAD / spread))
    scale = max(0.35, side(small.shape) / 1024)
    response, crest = _flow_response(small, max(0.7, spread * scale), scale, settings.smoothing, device)
    weak = 0.027 * 6.0 ** (settings.threshold - 0.5)
    firm = 2.4 * weak
    gate = _continued(response, weak, firm, scale, settings.detail)
    lines = np.empty(shape, np.float32)
    for top in range(0, shape[0], rows):
        bottom = min(top + rows, shape[0])
        seen = rows_of(response, shape, top, bottom, cv2.INTER_CUBIC)
        high = np.maximum(rows_of(crest, shape, top, bottom), 1e-6)
        # As wide whether firm or faint: cut at a share of its own crest; a faint one is paler.
        ink = np.clip(5 * (seen / high - 0.9) + 0.5, 0, 1) * np.clip(0.4 + 0.6 * (high - weak) / (firm - weak), 0, 1)
        lines[top:bottom] = 1 - ink * rows_of(gate, shape, top, bottom)
    return lines


def _floats(image: np.ndarray) -> np.ndarray:
    return image.astype(np.float32) / 255 if image.dtype == np.uint8 else image


def _continued(response: np.ndarray, weak: float, firm: float, scale: float, detail: float) -> np.ndarray:
    """1 on and beside what is weak but hangs together with something firm, is long, and is not lost in a crowd."""
    crowd = cv2.GaussianBlur((response > weak).astype(np.float32), (0, 0), 10 * scale)
    # Hair, wood and grass are many lines side by side: only the firmest of them are drawn.
    response = response / (1 + 5 * (1 - detail) * np.clip(crowd - _CROWDED, 0, None))
    count, label, stats, _ = cv2.connectedComponentsWithStats((response > weak).astype(np.uint8), connectivity=8)
    keep = np.zeros(count, bool)
    keep[label[response > firm]] = True
    extent = np.maximum(stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT])
    # A long line needs less to be believed.
    fair = np.zeros(count, bool)
    fair[label[response > 1.5 * weak]] = True
    keep |= fair & (extent > _LONG * scale)
    keep &= extent > _SHORTEST * scale
    keep[0] = False
    return cv2.dilate(keep[label].astype(np.float32), np.ones((3, 3), np.uint8))


def _flow_response(
    image: np.ndarray, spread: float, scale: float, smoothing: float, device: torch.device
) -> tuple[np.ndarray, np.ndarray]:
    """Contrast (h, w) across the flow, averaged along it; positive on the dark side of edges and on dark lines."""
    with torch.inference_mode():
        planes = torch.from_numpy(np.ascontiguousarray(image)).to(device)
        planes = planes[None, None] if planes.ndim == 2 else planes.permute(2, 0, 1)[None]
        normal, colour = _edges(planes, spread, scale)
        response = (_across(planes, normal, spread) * colour).sum(1, keepdim=True)
        response = _on_the_edge(response, planes, normal, colour, spread)
        # Contrast is judged against its surroundings, so that a faint outline counts where all is quiet.
        mean = _blur(planes, 16 * scale)
        busy = (_blur((planes - mean) ** 2, 16 * scale).sum(1, keepdim=True).clamp_min(0) / planes.shape[1]).sqrt()
        response = response / (busy + 0.05)
        response = _along(response, normal, 3.0 * scale * 4.0 ** (smoothing - 0.5))
        return response[0, 0].cpu().numpy(), _crest(response, normal, spread)[0, 0].cpu().numpy()


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
    grey = torch.tensor(_LUMINANCE, device=planes.device).view(1, 3, 1, 1)
    colour = grey.expand(-1, -1, *planes.shape[2:])
    for _ in range(4):  # power iteration
        terms = [[product[min(i, j), max(i, j)] * colour[:, j : j + 1] for j in range(3)] for i in range(3)]
        rows = [torch.stack(parts).sum(0) for parts in terms]
        colour = functional.normalize(torch.cat(rows, 1) + 1e-7 * grey, dim=1)
    # The line lies on the darker side. A grey edge is as strong in three channels as in one.
    return normal, 0.7 * colour * torch.where((colour * grey).sum(1, keepdim=True) < 0, -1.0, 1.0)


def _across(planes: torch.Tensor, normal: torch.Tensor, spread: float) -> torch.Tensor:
    """Wide Gaussian minus narrow one, across the flow, of each plane."""
    reach = math.ceil(2.5 * _WIDER * spread)
    steps = np.arange(-reach, reach + 1)
    narrow, wide = (np.exp(-0.5 * (steps / sigma) ** 2) for sigma in (spread, _WIDER * spread))
    weights = wide / wide.sum() - narrow / narrow.sum()
    here = _positions(planes)
    total = torch.zeros_like(planes)
    for step, weight in zip(steps, weights, strict=True):
        total += float(weight) * _sample(planes, here + float(step) * normal)
    return total


def _on_the_edge(
    response: torch.Tensor, planes: torch.Tensor, normal: torch.Tensor, colour: torch.Tensor, spread: float
) -> torch.Tensor:
    """The response moved from the dark side of an edge onto it; that of a thin dark line stays in its middle."""
    step = 0.7 * spread
    here = _positions(planes)
    rise = _sample(planes, here + step * normal) - _sample(planes, here - step * normal)
    slope = _blur((rise * colour).sum(1, keepdim=True), 0.5 * spread)
    steep = slope.abs()
    shift = -1.3 * spread * slope / (steep + 0.5 * response.abs() + 1e-4)
    return _sample(response, here + shift * normal)


def _crest(response: torch.Tensor, normal: torch.Tensor, spread: float) -> torch.Tensor:
    """The highest response across a line, nearby."""
    highest, here = response, _positions(response)
    for step in (-4.0, -3.0, -2.0, -1.0, 1.0, 2.0, 3.0, 4.0):
        highest = torch.maximum(highest, _sample(response, here + step * spread * normal))
    return highest


def _along(response: torch.Tensor, normal: torch.Tensor, length: float) -> torch.Tensor:
    """The response averaged along the flow, both ways, over a Gaussian of `length` px."""
    total, weights = response.clone(), 1.0
    tangent = torch.cat([-normal[:, 1:], normal[:, :1]], 1)
    for way in (1.0, -1.0):
        place, heading = _positions(response), way * tangent
        for step in range(1, math.ceil(2 * length) + 1):
            place = place + heading
            weight = math.exp(-0.5 * (step / length) ** 2)
            total += weight * _sample(response, place)
            weights += weight
            turned = _sample(tangent, place)
            # An axis has two ends: go on in the direction come from.
            onward = torch.where((turned * heading).sum(1, keepdim=True) < 0, -1.0, 1.0)
            heading = functional.normalize(turned * onward, dim=1)
    return total / weights


def _positions(planes: torch.Tensor) -> torch.Tensor:
    height, width = planes.shape[2:]
    y, x = torch.meshgrid(
        torch.arange(height, device=planes.device, dtype=torch.float32),
        torch.arange(width, device=planes.device, dtype=torch.float32),
        indexing="ij",
    )
    return torch.stack([x, y])[None]


def _sample(planes: torch.Tensor, place: torch.Tensor) -> torch.Tensor:
    """Planes (1, C, h, w) at places (1, 2, h, w) in px."""
    height, width = planes.shape[2:]
    size = torch.tensor([width, height], device=planes.device).view(1, 2, 1, 1)
    grid = ((2 * place + 1) / size - 1).permute(0, 2, 3, 1)
    return functional.grid_sample(planes, grid, "bilinear", "border", align_corners=False)


def _blur(planes: torch.Tensor, sigma: float) -> torch.Tensor:
    """Gaussian blur of each plane; a wide one is computed on a smaller copy."""
    height, width = planes.shape[2:]
    if sigma > 6:
        factor = min(int(sigma / 3), height, width)
        small = functional.interpolate(planes, (math.ceil(height / factor), math.ceil(width / factor)), mode="area")
        blurred = _blur(small, sigma / max(factor, 2))
        return functional.interpolate(blurred, (height, width), mode="bilinear", align_corners=False)
    reach = math.ceil(3 * sigma)
    steps = torch.arange(-reach, reach + 1, device=planes.device, dtype=torch.float32)
    kernel = torch.exp(-0.5 * (steps / sigma) ** 2)
    kernel = kernel / kernel.sum()
    flat = planes.transpose(0, 1)
    flat = functional.conv2d(functional.pad(flat, (reach, reach, 0, 0), mode="replicate"), kernel.view(1, 1, 1, -1))
    flat = functional.conv2d(functional.pad(flat, (0, 0, reach, reach), mode="replicate"), kernel.view(1, 1, -1, 1))
    return flat.transpose(0, 1)
