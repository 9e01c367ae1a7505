"""Graphite on coloured paper, with coloured pencil beneath it, or on nothing at all."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import torch

from ..choices import PAPER, PAPERS
from ..errors import SketchGANError
from .deposition import Grade, deposit
from .paper import paper as make_paper

RELIEF = 0.05  # how much the light and shadow of a full tooth change the paper
BARE = 1 / 512  # less cover than this does not show in 8 bits

PIGMENT = Grade(density=1.0, hardness=1.0)  # the coloured pencil, which can reach every darkness

Colour = tuple[float, float, float]


@dataclass(frozen=True)
class Sheet:
    """What a sketch is laid on.

    Attributes:
        paper: one of `choices.PAPERS`.
        seed: which part of the endless paper; give the sketch's seed, so that its grain lies on this tooth.
        colour: red, green and blue of the paper, 0..1.
        tooth: 0..1, how plainly light shows the relief of the paper.
        transparent: no paper at all.
    """

    paper: str = PAPER
    seed: int = 0
    colour: Colour = (1.0, 1.0, 1.0)
    tooth: float = 0.0
    transparent: bool = False


def parse_colour(text: str) -> Colour:
    """Red, green and blue in 0..1 from `#rrggbb` or `#rgb`.

    Raises:
        SketchGANError: any other text.
    """
    digits = text.strip().removeprefix("#")
    if len(digits) == 3:
        digits = "".join(2 * digit for digit in digits)
    try:
        red, green, blue = bytes.fromhex(digits)
    except ValueError:
        raise SketchGANError(f"{text!r} is not a colour; write it as #rrggbb, for example #f4efe4") from None
    return red / 255, green / 255, blue / 255


def lay_on_paper(
    graphite: np.ndarray,
    sheet: Sheet,
    graphite_colour: Colour = (0.0, 0.0, 0.0),
    image: np.ndarray | None = None,
    image_strength: float = 1.0,
) -> tuple[np.ndarray, np.ndarray]:
    """Lays graphite on paper, over an image drawn with coloured pencils where one is given.

    Args:
        graphite: (H, W) float32, 0 none .. 1 full.
        sheet: the paper.
        graphite_colour: of full graphite.
        image: (H, W, 3) float32 in 0..1, whose white leaves the paper bare.
        image_strength: 0..1, how hard the coloured pencils are pressed.

    Returns:
        The picture (H, W, 3) float32, or (H, W, 4) with alpha for a transparent sheet; and how much of the paper
        is covered, (H, W) float32 in 0..1.

    Raises:
        SketchGANError: unknown paper, an image of another size, or a NaN.
    """
    if sheet.paper not in PAPERS:
        raise SketchGANError(f"unknown paper {sheet.paper!r}; choose one of {', '.join(PAPERS)}")
    for name, values in (("graphite", graphite), ("image", image)):
        if values is not None and not np.isfinite(values).all():
            raise SketchGANError(f"the {name} contains NaN or infinite values; find the step before that makes them")
    if image is not None and image.shape != (*graphite.shape, 3):
        raise SketchGANError(f"the image is {image.shape} where {(*graphite.shape, 3)} belongs; scale it first")
    height = make_paper(graphite.shape[0], graphite.shape[1], sheet.paper, sheet.seed)
    # What is laid down, premultiplied: graphite hides the pigment and the paper, pigment the paper.
    cover = np.clip(graphite, 0, 1)[..., None]
    marks = cover * np.array(graphite_colour, np.float32)
    if image is not None:
        pigment, laid = _coloured_pencil(np.clip(image, 0, 1), height, image_strength)
        marks, cover = marks + (1 - cover) * laid * pigment, cover + (1 - cover) * laid
    covered = cover[..., 0]
    if sheet.transparent:
        colour = np.where(cover > BARE, marks / np.maximum(cover, BARE), 1)
        return np.concatenate([colour.clip(0, 1), cover], -1).astype(np.float32), covered
    return (marks + (1 - cover) * _bare(sheet, height)).clip(0, 1).astype(np.float32), covered


def _bare(sheet: Sheet, height: np.ndarray) -> np.ndarray:
    """The sheet (H, W, 3) under a light from the upper left."""
    slope = cv2.Sobel(height, cv2.CV_32F, 1, 0) + cv2.Sobel(height, cv2.CV_32F, 0, 1)
    relief = 1 + RELIEF * sheet.tooth * slope.clip(-1, 1)
    return np.array(sheet.colour, np.float32) * relief[..., None]


def _coloured_pencil(image: np.ndarray, height: np.ndarray, strength: float) -> tuple[np.ndarray, np.ndarray]:
    """The pigment (H, W, 3) for each pixel's colour, and how much of it is laid there (H, W, 1).

    Fully pressed and seen from afar, the two together look like the image on white paper.
    """
    # Between the purest pigment on the fewest peaks, which turns pale greys into black specks, and an even wash.
    amount = np.sqrt(1 - image.min(-1))
    pigment = 1 - (1 - image) / np.maximum(amount, BARE)[..., None]
    loads, means = _load_of_cover()
    load = np.interp(strength * amount, means, loads).astype(np.float32)
    laid = deposit(torch.from_numpy(load), torch.from_numpy(height), PIGMENT).numpy()
    return pigment, laid[..., None]


@lru_cache(maxsize=1)
def _load_of_cover() -> tuple[np.ndarray, np.ndarray]:
    """Loads, and the mean cover that each leaves; the same on any paper, since all have uniform heights."""
    loads, heights = torch.linspace(0, 1, 65), torch.linspace(0, 1, 257)
    means = deposit(loads[:, None].expand(-1, 257), heights.expand(65, -1), PIGMENT).mean(1)
    return loads.numpy(), means.numpy()
