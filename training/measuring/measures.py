"""Measures of a pencil, as functions of grey images: lines kept, textures alike, controls obeyed.

Images are float32 (H, W), 0 black .. 1 white, unless said otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import torch
from scipy.stats import spearmanr
from torch import Tensor
from torch.nn import functional as F

from .perceptual import Features

TOLERANCE = 3 / 512  # of the longer side: how far a stroke may lie from its line
LINE = 0.3  # ink of a line that must be drawn, as a share of the drawing's darkest
PALEST = 0.04  # ink, softened over a pixel, of a line that may be drawn
AFAR = 6.0  # px over which strokes and paper merge into one tone
MARK = 0.12  # graphite, softened over a pixel, that counts as a mark


def lines_kept(lines: np.ndarray, sketch: np.ndarray, tolerance: float = TOLERANCE) -> tuple[float, float]:
    """(recall, precision): firm lines that have a mark within the tolerance, and marks that have any line within it.

    Args:
        tolerance: of the longer side.
    """
    line, mark = firm_lines(lines), _softened(sketch) > MARK
    radius = tolerance * max(lines.shape)
    recall = (_distance(mark)[line] <= radius).mean() if line.any() else 1.0
    precision = (_distance(any_line(lines))[mark] <= radius).mean() if mark.any() else 1.0
    return float(recall), float(precision)


def firm_lines(lines: np.ndarray) -> np.ndarray:
    """Where a line image has a line that nobody may leave out, grey ones as well (H, W)."""
    ink = 1 - lines
    return ink > max(0.1, LINE * float(ink.max()))


def any_line(lines: np.ndarray) -> np.ndarray:
    """Where a line image has a line, however pale: a mark there is not invented (H, W)."""
    return _softened(lines) > PALEST


def mean_ink(lines: np.ndarray, sketch: np.ndarray) -> float:
    """What `darkness` should move: the mean graphite over the image."""
    return float(1 - sketch.mean())


def edge_spread(lines: np.ndarray, sketch: np.ndarray) -> float:
    """What `roughness` should move: how far from the nearest line the graphite lies on average, px, without shading."""
    graphite = 1 - sketch
    return float((graphite * _distance(any_line(lines))).sum() / max(graphite.sum(), 1e-6))


def hatched_area(lines: np.ndarray, sketch: np.ndarray) -> float:
    """What `shading` should move: the share of the image that is toned, more than 7 px away from any line."""
    toned = cv2.GaussianBlur(1 - sketch, (0, 0), 3) > 0.04
    share = float((toned & (_distance(any_line(lines)) > 7)).mean())
    return round(share, 4)  # a speck here or there is nothing


def light_followed(tone: np.ndarray, sketch: np.ndarray) -> float:
    """Spearman's correlation of how dark each place should be (H, W) with how dark it is drawn, seen from afar."""
    seen = [cv2.GaussianBlur(image, (0, 0), AFAR)[::4, ::4].ravel() for image in (tone, 1 - sketch)]
    return float(spearmanr(*seen).statistic) if all(np.ptp(values) > 1e-6 for values in seen) else 0.0


MOVED_BY = {"darkness": mean_ink, "roughness": edge_spread, "shading": hatched_area}


def _softened(image: np.ndarray) -> np.ndarray:
    """What is dark in an image (H, W), over a pixel."""
    return cv2.GaussianBlur(1 - image, (0, 0), 0.8)


def _distance(mask: np.ndarray) -> np.ndarray:
    if not mask.any():
        return np.full(mask.shape, np.float32(max(mask.shape)))
    return cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 5)


@torch.no_grad()
def texture_features(network: Features, crops: Tensor) -> Tensor:
    """Crops (N, 1, H, W) -> (N, D): mean and deviation of every feature over the crop."""
    parts = []
    for batch in crops.split(16):
        maps = network(batch)
        parts.append(torch.cat([torch.cat([m.mean((2, 3)), m.std((2, 3))], 1) for m in maps], 1))
    return torch.cat(parts).double()


def kid(features: Tensor, reference: Tensor) -> float:
    """Kernel Inception Distance (Binkowski et al., 2018): the unbiased squared MMD of a cubic kernel.

    Args:
        features, reference: (N, D) and (M, D); both are scaled by the reference's mean and deviation, so that the
            number does not depend on the network's units.
    """
    centre, spread = reference.mean(0), reference.std(0) + 1e-6
    x, y = (features - centre) / spread, (reference - centre) / spread

    def kernel(a: Tensor, b: Tensor) -> Tensor:
        return (a @ b.T / a.shape[1] + 1) ** 3

    def among(a: Tensor) -> Tensor:
        matrix = kernel(a, a)
        return (matrix.sum() - matrix.diagonal().sum()) / (len(a) * (len(a) - 1))

    return float(among(x) + among(y) - 2 * kernel(x, y).mean())


@torch.no_grad()
def sliced_wasserstein(crops: Tensor, reference: Tensor, levels: int = 3, seed: int = 0) -> float:
    """Sliced Wasserstein distance of 7x7 patches on a Laplacian pyramid (Karras et al., 2018), times 1000.

    Args:
        crops, reference: (N, 1, H, W), the same number of each.
    """
    generator = torch.Generator().manual_seed(seed)
    distances = []
    for level in range(levels):
        last = level == levels - 1
        smaller, smaller_reference = F.avg_pool2d(crops, 2), F.avg_pool2d(reference, 2)
        bands = [
            image if last else image - F.interpolate(small, scale_factor=2.0, mode="bilinear")
            for image, small in ((crops, smaller), (reference, smaller_reference))
        ]
        places = torch.randint(0, bands[0].shape[-1] - 6, (96, 2), generator=generator).tolist()
        patches = [
            torch.cat([band[:, :, y : y + 7, x : x + 7].reshape(len(band), 49) for y, x in places]) for band in bands
        ]
        deviation = patches[1].std() + 1e-6
        directions = F.normalize(torch.randn(49, 256, generator=generator), dim=0)
        sorted_projections = [((patch / deviation) @ directions).sort(0).values for patch in patches]
        distances.append(float((sorted_projections[0] - sorted_projections[1]).abs().mean()))
        crops, reference = smaller, smaller_reference
    return 1000 * sum(distances) / levels


def inked_crops(images: Sequence[np.ndarray], lines: Sequence[np.ndarray], size: int, each: int) -> Tensor:
    """Windows (N, 1, size, size), `each` per image, where its lines are: the same lines give the same windows."""
    crops = []
    for number, (image, drawing) in enumerate(zip(images, lines, strict=True)):
        rng = np.random.default_rng(number)
        rows, columns = np.nonzero(firm_lines(drawing))
        for _ in range(each):
            place = int(rng.integers(len(rows))) if len(rows) else 0
            centre = (rows[place], columns[place]) if len(rows) else (0, 0)
            top, left = (
                int(np.clip(c - size // 2, 0, max(0, length - size)))
                for c, length in zip(centre, image.shape, strict=True)
            )
            crop = image[top : top + size, left : left + size]
            missing = (size - crop.shape[0], size - crop.shape[1])
            crops.append(np.pad(crop, ((0, missing[0]), (0, missing[1])), constant_values=1.0))
    return torch.from_numpy(np.stack(crops))[:, None]


def rank_correlation(values: Sequence[float]) -> float:
    """Spearman's correlation of a measure with the rising settings it was taken at; 0 if it does not move."""
    if np.ptp(values) < 1e-9:
        return 0.0
    return float(spearmanr(range(len(values)), values).statistic)
