"""Pictures whose lines are known: vector art drawn on bad paper, and coloured to look like a photograph."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from sketchgan_core.materials.paper import paper
from training.synthesis.sources import OPENCLIPART_FOLDER, Drawing, fetch, find_drawings
from training.synthesis.vector import ColourShape, Transform, parse, parse_colours, render

CACHE = Path(__file__).parent.parent / ".cache"
SIZE = 1024
INSIDE: Transform = (0.9 * SIZE, 0.9 * SIZE, 0.05 * SIZE, 0.05 * SIZE)
WIDTHS = (1, 2, 4, 8)
CONTRASTS = (1.0, 0.5, 0.25)
PAPERS = ("clean", "scan", "phone", "faded")

BACK = "rhinoceros_architetto_fr_01"  # the drawing on the back, which shows through

# What the extractors were tuned on, by numbers or by eye: none of it is measured.
SEEN_DRAWINGS = {
    "gift03", "banana", "woman_01", "al_bar_architetto_france_01", "brick_frouke_01", "silhouette_male_3", BACK,
    "color_tiger_susan_park_01", "bee2_mimooh_01", "trumpet_b_flat__ganson", "turn_ahead", "people_juliane_krug_06a",
    "volley_ball_angelo_gelmi_01", "ice_cube_jarno_vasamaa_", "gatto_cat_architetto_fra_04",
}  # fmt: skip
SEEN_EMOJI = {
    "owl", "teddy-bear", "camera", "cactus", "castle", "racing-car", "backpack", "crab", "sailboat", "hot-dog",
    "film-projector", "shaved-ice", "mans-shoe", "folded-hands", "framed-picture",
    "woman-in-motorized-wheelchair-facing-right", "woman-getting-haircut", "cow-face", "bathtub", "paintbrush",
    "person-playing-handball", "woman-in-manual-wheelchair-facing-right", "cloud-with-snow", "rightwards-hand",
}  # fmt: skip
INK = (0.01, 0.15)  # share of the page that is ink, in lines of 2 px: neither next to nothing nor a silhouette

# Share of the light that falls off, and contrast of the texture at 1.2, 5 and 40 px.
LIGHTS = {
    "even": (0.0, (0.015, 0.02, 0.04)),
    "soft": (0.28, (0.035, 0.05, 0.12)),
    "hard": (0.7, (0.06, 0.06, 0.12)),
}


@dataclass(frozen=True)
class Known:
    """A picture and the truth about it.

    Attributes:
        picture: (H, W) or (H, W, 3) float32, 0..1.
        truth: (H, W) bool: the pixels of the lines.
    """

    picture: np.ndarray
    truth: np.ndarray


@lru_cache(maxsize=8)
def openclipart() -> dict[str, Drawing]:
    return {drawing.path.stem: drawing for drawing in find_drawings([f"openclipart={OPENCLIPART_FOLDER}"])[0]}


@lru_cache(maxsize=8)
def emoji() -> dict[str, Drawing]:
    return {str(drawing.icon): drawing for drawing in find_drawings([str(fetch("noto", CACHE))])[0]}


def by_lot(names: Iterable[str], seen: set[str]) -> list[str]:
    """The names that are not `seen`, in an order that nobody has chosen: that of their hashes."""
    return sorted(set(names) - seen, key=lambda name: hashlib.sha256(name.encode()).digest())


def drawings_by_lot(count: int) -> list[str]:
    """Line drawings that the extractors were not tuned on."""
    found: list[str] = []
    for name in by_lot(openclipart(), SEEN_DRAWINGS):
        if openclipart()[name].is_vector and INK[0] < 1 - line_drawing(name, 2).mean() < INK[1]:
            found.append(name)
        if len(found) == count:
            break
    return found


def line_drawing(name: str, width: float, size: int = SIZE) -> np.ndarray:
    """A drawing (size, size) in black lines of one width; what is grey in the artwork is black as well."""
    marks = [
        replace(mark, stroke=0) if mark.stroke not in (None, 255) else mark for mark in parse(openclipart()[name].svg())
    ]
    return render(marks, size, tuple(value * size / SIZE for value in INSIDE), width * size / SIZE)  # type: ignore[arg-type]


def on_paper(lines: np.ndarray, contrast: float, kind: str, other: np.ndarray, seed: int = 0) -> np.ndarray:
    """The lines (H, W) as somebody would hand them in.

    Args:
        contrast: of the ink against the paper, 0..1.
        kind: `clean`; `scan`: toned, textured paper, noise, JPEG 60; `phone`: a lamp from one side, the shadow of a
            hand, blur, noise, JPEG 60; `faded`: stains and another drawing showing through from the back.
        other: the drawing on the back.
    """
    if kind == "clean":
        return 1 - contrast * (1 - lines)
    height, width = lines.shape
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32) / max(height, width)
    sheet = 0.92 + 0.03 * (paper(height, width, "rough", seed) - 0.5)
    noise, blur = 0.012, 0.5
    if kind == "scan":
        sheet = sheet * (0.97 + 0.03 * y)
    elif kind == "phone":
        lamp = 0.45 + 0.55 * np.exp(-((x - 0.8) ** 2 + (y - 0.2) ** 2) / 0.5)
        hand = 1 - 0.35 / (1 + np.exp(-(y - 0.72 + 0.25 * np.sin(5 * x)) / 0.03))
        sheet, noise, blur = sheet * lamp * hand, 0.018, 0.8
    elif kind == "faded":
        stains = cv2.GaussianBlur(rng.normal(0, 1, (height, width)).astype(np.float32), (0, 0), 0.04 * height)
        back = cv2.GaussianBlur(1 - other[:, ::-1], (0, 0), 2.0 * height / SIZE)
        sheet = sheet * (0.9 + 0.045 * stains / stains.std()) * (1 - 0.07 * back)
    seen = cv2.GaussianBlur(sheet * (1 - contrast * (1 - lines)), (0, 0), blur)
    seen = seen + rng.normal(0, noise, seen.shape)
    return jpeg(seen.astype(np.float32), 60)


def jpeg(picture: np.ndarray, quality: int) -> np.ndarray:
    """The picture, float32 0..1, after JPEG."""
    levels = np.rint(picture.clip(0, 1) * 255).astype(np.uint8)
    encoded = cv2.imencode(".jpg", levels, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return cv2.imdecode(encoded, cv2.IMREAD_UNCHANGED).astype(np.float32) / 255


def coloured(drawing: Drawing, seed: int = 0, light: str = "soft") -> Known:
    """Colour art as a render or photograph: light, texture, blur, noise and JPEG; its outlines are known."""
    falls_off, textures = LIGHTS[light]
    flat = _paint(parse_colours(drawing.svg()), seed)
    step = [np.abs(flat - np.roll(flat, 1, axis)).max(-1) > 0.1 for axis in (0, 1)]
    edge = step[0] | step[1]
    edge[0], edge[:, 0] = False, False
    truth = cv2.resize(edge.astype(np.float32), (SIZE, SIZE), interpolation=cv2.INTER_AREA) > 0.05
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:SIZE, 0:SIZE].astype(np.float32) / SIZE
    colours = cv2.resize(flat, (SIZE, SIZE), interpolation=cv2.INTER_AREA)
    lamp = np.exp(-((x - rng.uniform(0.1, 0.9)) ** 2 + (y - rng.uniform(0, 0.5)) ** 2) / 0.35)
    shade = 1 - falls_off * (1 - lamp)
    texture = sum(
        cv2.GaussianBlur(rng.normal(0, 1, (SIZE, SIZE)).astype(np.float32), (0, 0), sigma) * sigma * strength
        for sigma, strength in zip((1.2, 5, 40), textures, strict=True)
    )
    seen = cv2.GaussianBlur(colours * (shade * (1 + texture))[..., None], (0, 0), 0.9)
    seen = seen + rng.normal(0, 0.012, seen.shape)
    return Known(jpeg(seen.astype(np.float32)[..., ::-1], 75)[..., ::-1].copy(), truth)


def _paint(shapes: list[ColourShape], seed: int, oversampling: int = 2) -> np.ndarray:
    side = SIZE * oversampling
    ground = np.random.default_rng(seed).uniform(0.35, 0.95, 3)
    canvas = np.empty((side, side, 3), np.float32)
    canvas[:] = ground
    scale, offset = np.array(INSIDE[:2]) * oversampling, np.array(INSIDE[2:]) * oversampling
    for shape in shapes:
        polygons = [np.round((polygon * scale + offset) * 16).astype(np.int32) for polygon in shape.polygons]
        if shape.fill is not None:
            cv2.fillPoly(canvas, polygons, [value / 255 for value in shape.fill], shift=4)
        if shape.stroke is not None:
            width = int(np.clip(round(shape.stroke_width * scale[0]), 2, 5 * oversampling))
            for polygon, closed in zip(polygons, shape.closed, strict=True):
                cv2.polylines(canvas, [polygon], closed, [value / 255 for value in shape.stroke], width, cv2.LINE_8, 4)
    return canvas


def score(lines: np.ndarray, truth: np.ndarray, tolerance: int = 2) -> tuple[float, float, float]:
    """Recall, precision and F1 of dark pixels (H, W), within `tolerance` px."""
    near = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * tolerance + 1,) * 2)
    found, true = (lines < 0.5).astype(np.uint8), truth.astype(np.uint8)
    recall = float((cv2.dilate(found, near) & true).sum() / max(1, true.sum()))
    precision = float((found & cv2.dilate(true, near)).sum() / max(1, found.sum()))
    return recall, precision, 2 * recall * precision / max(1e-9, recall + precision)
