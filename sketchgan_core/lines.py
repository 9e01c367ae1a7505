"""Line images out of anything: clean drawings, scans and photographs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import cv2
import numpy as np

from .errors import SketchGANError
from .images import to_lines
from .line_settings import LineSettings
from .thickness import change_thickness

LineMode = Literal["auto", "none", "photo", "drawing", "classic"]
MODES: tuple[str, ...] = get_args(LineMode)
DEFAULT = LineSettings()

_SURVEY_SIZE = 640  # judgements about the whole image are made at this size
_CLASSIC_SCALE = 2  # the original extractor's default


@dataclass(frozen=True)
class Measured:
    """What was judged by a whole picture: kept over the frames of an animation, so that nothing flickers.

    Attributes:
        mode: none, photo, drawing or classic.
        light_lines: whether the lines are lighter than their ground.
    """

    mode: str
    light_lines: bool


@dataclass(frozen=True)
class PreparedLines:
    """Attributes:
    lines: (H, W) float32, dark lines on white.
    mode: none, photo, drawing or classic: what was done.
    reason: why, in a few words, fit for a log.
    measured: what was judged by this picture, for the next frame's `like`.
    """

    lines: np.ndarray
    mode: str
    reason: str
    measured: Measured


def prepare_lines(
    image: np.ndarray,
    mode: LineMode = "auto",
    settings: LineSettings = DEFAULT,
    *,
    like: PreparedLines | None = None,
    device: str = "auto",
    tile: int | None = None,
) -> PreparedLines:
    """Makes the line image a pencil draws from.

    Args:
        image: (H, W) or, in colour, (H, W, 3); float32 0 black .. 1 white, or uint8. `photo` sees edges between
            colours of equal grey as well; see `to_pixels`.
        mode: `none` takes it as it is; `drawing` cleans a drawing or a scan of one (white on black is inverted,
            the paper becomes white, faint lines become dark); `photo` finds the outlines in a photograph;
            `classic` is the original project's extractor; `auto` chooses among the first three.
        settings: see `LineSettings`.
        like: what this function gave for the first frame: mode, polarity and levels are taken from there instead of
            being judged anew.
        device: what `photo` computes on: auto, cpu, cuda, mps ...
        tile: px; the side of the pieces a large picture is worked on in; chosen if None. The result is the same.

    Raises:
        SketchGANError: unknown mode or device.
    """
    if mode not in MODES:
        raise SketchGANError(f"unknown line mode {mode!r}; choose one of {', '.join(MODES)}")
    grey = to_lines(image)
    chosen, reason = choose_mode(grey) if mode == "auto" else (mode, "as asked")
    if like is not None:
        chosen, reason = like.mode, like.reason
    makers = {"none": lambda image: image, "drawing": clean_drawing, "photo": photo_lines, "classic": classic_lines}
    lines = change_thickness(makers[chosen](grey), settings.thickness)
    return PreparedLines(lines, chosen, reason, Measured(chosen, _is_white_on_black(_survey(grey))))


def choose_mode(grey: np.ndarray) -> tuple[str, str]:
    """Which of none, drawing and photo suits an image (H, W), and why.

    A drawing is mostly paper: after its background is taken out, little is neither paper nor line.
    """
    small = _survey(grey)
    white = float((small > 0.97).mean())
    if white > 0.5 and float(small.min()) < 0.4:
        grey_share = float(((small > 0.35) & (small < 0.93)).mean())
        if grey_share < 0.25:
            return "none", f"clean lines on white ({white:.0%} white)"
    dark_ground = _is_white_on_black(small)
    ink = 1 - _flatten(1 - small if dark_ground else small)
    # Texture and tone of a photograph leave mid-grey everywhere, a scan leaves it beside the lines only.
    paper_share = float((ink < 0.12).mean())
    if paper_share > 0.72:
        ground = "dark" if dark_ground else "light"
        return "drawing", f"{paper_share:.0%} is {ground} ground"
    return "photo", f"only {paper_share:.0%} is even ground"


def clean_drawing(grey: np.ndarray) -> np.ndarray:
    """Dark lines on pure white out of a drawing (H, W), by polarity, background and contrast."""
    if _is_white_on_black(_survey(grey)):
        grey = 1 - grey
    ink = 1 - _flatten(grey)
    floor = _noise_floor(ink)
    strong = ink[ink > max(3 * floor, 0.1)]
    if strong.size == 0:
        return np.ones_like(grey)
    # The darkest quarter of what is line becomes black, so that a pencil drawing in grey is drawn firmly.
    full = float(np.clip(np.quantile(strong, 0.75), 0.25, 0.95))
    return (1 - np.clip((ink - floor) / (full - floor), 0, 1)).astype(np.float32)


def photo_lines(grey: np.ndarray) -> np.ndarray:
    """The outlines in a photograph (H, W), by a difference of Gaussians with hysteresis.

    After Winnemoeller et al., "XDoG", 2012: every length follows the size of the image, contrast is judged
    against its surroundings, and a faint line counts where it continues a strong one.
    """
    height, width = grey.shape
    scale = max(0.8, float(np.sqrt(height * width)) / 640)
    smooth = cv2.bilateralFilter(grey, 0, 0.08, 1.6 * min(scale, 3.0))
    mean = cv2.GaussianBlur(smooth, (0, 0), 16 * scale)
    deviation = np.sqrt(np.maximum(cv2.GaussianBlur((smooth - mean) ** 2, (0, 0), 16 * scale), 0))
    local = smooth / (deviation + 0.05)
    narrow = cv2.GaussianBlur(local, (0, 0), 0.9 * scale)
    wide = cv2.GaussianBlur(local, (0, 0), 0.9 * 1.6 * scale)
    # Positive on the dark side of an edge and along dark lines.
    response = wide - narrow
    weak, firm = 0.05, 0.12
    candidate = (response > weak).astype(np.uint8)
    count, label, stats, _ = cv2.connectedComponentsWithStats(candidate, connectivity=8)
    keep = np.zeros(count, bool)
    keep[label[response > firm]] = True
    # A stroke shorter than this is texture.
    keep &= stats[:, cv2.CC_STAT_AREA] > (6 * scale) ** 2
    keep[0] = False
    ink = np.clip((response - 0.5 * weak) / (firm - 0.5 * weak), 0, 1)
    reached = cv2.dilate(keep[label].astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    return (1 - ink * reached).astype(np.float32)


def classic_lines(grey: np.ndarray) -> np.ndarray:
    """The original project's extractor, with its pixel sizes and its default scale; (H, W) in and out."""
    height, width = grey.shape
    image = np.rint(np.clip(grey, 0, 1) * 255).astype(np.uint8)
    image = cv2.resize(image, None, fx=_CLASSIC_SCALE, fy=_CLASSIC_SCALE, interpolation=cv2.INTER_CUBIC)
    edges = cv2.Laplacian(cv2.GaussianBlur(image, (7, 7), 0), cv2.CV_8U, ksize=5)
    mask = cv2.threshold(edges, 50, 255, cv2.THRESH_BINARY)[1]
    two, three = (cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)) for size in (2, 3))
    mask = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, two)
    mask = cv2.morphologyEx(mask, cv2.MORPH_OPEN, three)
    mask = cv2.dilate(mask, two)
    _, label, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    keep = stats[:, cv2.CC_STAT_AREA] >= 200
    keep[0] = False
    mask = np.where(keep[label], mask, 0).astype(np.uint8)
    mask = cv2.erode(cv2.morphologyEx(mask, cv2.MORPH_CLOSE, two), two)
    lines = 255 - cv2.medianBlur(mask, 5)
    lines = cv2.resize(lines, (width, height), interpolation=cv2.INTER_AREA)
    return lines.astype(np.float32) / 255


def _survey(grey: np.ndarray) -> np.ndarray:
    shrink = _SURVEY_SIZE / max(grey.shape)
    if shrink >= 1:
        return grey
    size = (max(1, round(grey.shape[1] * shrink)), max(1, round(grey.shape[0] * shrink)))
    return cv2.resize(grey, size, interpolation=cv2.INTER_AREA)


def _is_white_on_black(small: np.ndarray) -> bool:
    """Whether the ground is dark; the border decides with the whole, since a silhouette may fill the middle."""
    border = np.concatenate([small[0], small[-1], small[:, 0], small[:, -1]])
    return bool(np.median(small) < 0.4 and np.median(border) < 0.45)


def _flatten(grey: np.ndarray) -> np.ndarray:
    """The image (H, W) divided by its paper, so that uneven light and yellowed paper become white."""
    small = _survey(grey)
    size = max(3, max(small.shape) // 20) | 1
    closed = cv2.morphologyEx(
        cv2.medianBlur(small, 3) if min(small.shape) > 3 else small,
        cv2.MORPH_CLOSE,
        cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)),
        borderType=cv2.BORDER_REPLICATE,
    )
    paper = float(np.quantile(closed, 0.9))
    # A place much darker than the paper is a solid black, not a shadow: its paper is guessed from around it.
    trust = (closed > 0.55 * paper).astype(np.float32)
    blur = size / 2
    weight = cv2.GaussianBlur(trust, (0, 0), blur) + 1e-3
    background = (cv2.GaussianBlur(closed * trust, (0, 0), blur) + 1e-3 * paper) / weight
    background = cv2.resize(background, grey.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return np.clip(grey / np.maximum(background, 0.05), 0, 1).astype(np.float32)


def _noise_floor(ink: np.ndarray) -> float:
    """Ink up to this is the paper's own texture: measured on its lighter half."""
    lighter = ink[ink <= np.median(ink)]
    return float(np.clip(6 * lighter.std() + lighter.mean(), 0.02, 0.15))
