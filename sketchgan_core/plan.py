"""The plan: everything a drawing needs that cannot be seen through a small window.

Computed once on the whole line image before tiling, from the lines, the controls and the hand. The generator
sees it as input planes; the renderer of training pairs draws it with real strokes.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor

from .controls import Controls
from .form import Form, read_form
from .hand import Hand
from .hatch import hatch_plane, hatch_strokes, shading_amount

PLANES = (
    "ink",
    "take",
    "restated",
    "construction",
    "hatch",
    "tone",
    "pressure",
    "noise",
    "darkness",
    "roughness",
    "shading",
)
MOVE_STEPS = 3  # the largest moves change by a quarter of their length within that length
REACH = 24.0  # px that graphite may lie away from the nearest planned mark


@dataclass(frozen=True)
class Plan:
    """Attributes:
    planes: (len(PLANES), H, W) float32, what the generator sees.
    reach: (1, H, W) float32, 1 near a planned mark, 0 where the paper stays bare.
    """

    planes: Tensor
    reach: Tensor


def plan(lines: np.ndarray, controls: Controls, seed: int) -> Plan:
    """Plans the drawing of a line image.

    Args:
        lines: (H, W) float32, 0 black .. 1 white.
        controls: numbers, or maps of the image's size.
        seed: the take.
    """
    height, width = lines.shape
    ink = 1 - np.ascontiguousarray(lines, np.float32)
    hand = Hand(seed)
    maps = controls.maps(height, width)
    moves, present = displacements(controls, seed, height, width), presence(ink, controls, seed)
    form, amount = _shading(ink, maps["shading"])
    line = ink * (1 - solid(ink))
    values = {
        "ink": ink,
        "take": _moved(ink, moves["take"]),
        "restated": _moved(line * present["restated"], moves["restated"]),
        "construction": _moved(line * present["construction"], moves["construction"]),
        "hatch": hatch_plane(form, amount, hand),
        "tone": amount,
        "pressure": hand.pressure(height, width),
        "noise": hand.noise(height, width),
        **maps,
    }
    planes = np.empty((len(PLANES), height, width), np.float32)
    for index, name in enumerate(PLANES):
        planes[index] = values.pop(name)
    marked = planes[: PLANES.index("tone")].max(0) > 0.04
    return Plan(torch.from_numpy(planes), torch.from_numpy(_reach(marked))[None])


def strokes(lines: np.ndarray, controls: Controls, seed: int) -> list[np.ndarray]:
    """The plan's hatching as polylines (N, 3) of x, y in pixels and pressure 0..1; arguments as for `plan`."""
    ink = 1 - np.ascontiguousarray(lines, np.float32)
    form, amount = _shading(ink, controls.maps(*ink.shape)["shading"])
    return hatch_strokes(form, amount, Hand(seed))


def displacements(controls: Controls, seed: int, height: int, width: int) -> dict[str, np.ndarray]:
    """How far from its line a point is drawn, in each pass over the lines: (2, H, W) px, x then y."""
    hand = Hand(seed)
    rough = controls.maps(height, width)["roughness"]
    take = 0.8 * hand.wobble(height, width, 11.0) + 0.22 * hand.wobble(height, width, 3.0)
    return {
        "take": (0.2 + rough + 0.9 * rough**2) * take,
        "restated": (0.8 + 1.6 * rough + 2.6 * rough**2) * hand.wobble(height, width, 20.0, part=1),
        "construction": (2.0 + 1.5 * rough + 5.0 * rough**2) * hand.wobble(height, width, 40.0, part=2),
    }


def presence(ink: np.ndarray, controls: Controls, seed: int) -> dict[str, np.ndarray]:
    """How firmly the later passes are drawn at each place of ink (H, W): (H, W), 0 not at all .. 1 fully."""
    rough = controls.maps(*ink.shape)["roughness"]
    chance = Hand(seed ^ 0x5EED).pressure(*ink.shape)
    # Where lines are crowded a second statement would only clog them.
    free = np.clip((0.42 - cv2.GaussianBlur(ink, (0, 0), 7)) / 0.2, 0, 1)
    return {
        "restated": np.clip(4 * (1.25 * rough - chance), 0, 1) * free,
        "construction": np.clip(2.5 * (rough - 0.5), 0, 1) * (1 - 0.6 * chance) * free,
    }


def solid(ink: np.ndarray) -> np.ndarray:
    """Where ink (H, W) is a filled area rather than a line: 0..1, by an opening of 9 px."""
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (9, 9))
    wider = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (13, 13))
    return cv2.dilate(cv2.erode(ink, disc), wider)


def _shading(ink: np.ndarray, shading: np.ndarray) -> tuple[Form, np.ndarray]:
    form = read_form(ink)
    return form, shading_amount(form.tone, shading) * (1 - solid(ink))


def _moved(plane: np.ndarray, move: np.ndarray) -> np.ndarray:
    """A plane (H, W) with each point of it displaced by `move` (2, H, W)."""
    height, width = plane.shape
    grid_x, grid_y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    move = move.astype(np.float32)
    # What lands here started where its own move led here: some steps towards that fixed point.
    there = move
    for _ in range(MOVE_STEPS):
        at_x, at_y = grid_x - there[0], grid_y - there[1]
        there = np.stack(
            [cv2.remap(part, at_x, at_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE) for part in move]
        )
    return cv2.remap(
        plane, grid_x - there[0], grid_y - there[1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=0
    )


def _reach(marked: np.ndarray) -> np.ndarray:
    if not marked.any():
        return np.zeros(marked.shape, np.float32)
    distance = cv2.distanceTransform((~marked).astype(np.uint8), cv2.DIST_L2, 5)
    return np.clip((REACH - distance) / 8, 0, 1)
