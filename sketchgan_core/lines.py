"""Line images out of anything: clean drawings, scans and photographs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from .classic_lines import classic_lines
from .devices import choose_device
from .drawing_lines import Levels, clean_drawing, paper_ink
from .errors import SketchGANError
from .images import to_lines, to_pixels
from .line_settings import LineSettings
from .photo_lines import photo_lines
from .scaling import shrunk
from .thickness import change_thickness
from .tidy import tidy

LineMode = Literal["auto", "none", "photo", "drawing", "classic"]
MODES: tuple[str, ...] = get_args(LineMode)
DEFAULT = LineSettings()

_SURVEY_SIDE = 640  # px: judgements about the whole image are made at this size
_ROWS = 512  # drawn at once


@dataclass(frozen=True)
class Measured:
    """What was judged by a whole picture: kept over the frames of an animation, so that nothing flickers.

    Attributes:
        mode: none, photo, drawing or classic.
        light_lines: whether the lines are lighter than their ground.
        levels: of a drawing's ink; None in other modes.
    """

    mode: str
    light_lines: bool
    levels: Levels | None = None


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
    grey, rows = to_lines(image), tile or _ROWS
    if like is not None:
        chosen, reason, light = like.mode, like.reason, like.measured.light_lines
    else:
        chosen, reason = choose_mode(grey) if mode == "auto" else (mode, "as asked")
        light = is_white_on_black(grey)
    if settings.polarity != "auto":
        light = settings.polarity == "light"
    levels: Levels | None = None
    lines, clean = grey, chosen in ("none", "classic")
    if chosen == "drawing":
        lines, levels = clean_drawing(grey, light, settings, like.measured.levels if like else None, rows)
        clean = levels.clean
    elif chosen == "photo":
        # 8 bits a colour are a quarter of the memory, and are taken as they are
        is_bytes = isinstance(image, np.ndarray) and image.dtype == np.uint8 and image.shape == (*grey.shape, 3)
        pixels = image if is_bytes else to_pixels(image)
        lines = photo_lines(pixels, settings, choose_device(device), rows)
    elif chosen == "classic":
        lines = classic_lines(grey, int(settings.classic_scale))
    lines = change_thickness(tidy(lines, settings, clean), settings.thickness)
    return PreparedLines(lines, chosen, reason, Measured(chosen, light, levels))


def choose_mode(grey: np.ndarray) -> tuple[str, str]:
    """Which of none, drawing and photo suits an image (H, W), and why.

    A drawing is mostly paper: after its background is taken out, little is neither paper nor line.
    """
    small = shrunk(grey, _SURVEY_SIDE)
    white = float((small > 0.97).mean())
    if white > 0.5 and float(small.min()) < 0.4:
        grey_share = float(((small > 0.35) & (small < 0.93)).mean())
        if grey_share < 0.25:
            return "none", f"clean lines on white ({white:.0%} white)"
    dark_ground = is_white_on_black(small)
    ink = paper_ink(1 - small if dark_ground else small)
    # Texture and tone of a photograph leave mid-grey everywhere, a scan leaves it beside the lines only.
    paper_share = float((ink < 0.12).mean())
    if paper_share > 0.72:
        ground = "dark" if dark_ground else "light"
        return "drawing", f"{paper_share:.0%} is {ground} ground"
    return "photo", f"only {paper_share:.0%} is even ground"


def is_white_on_black(grey: np.ndarray) -> bool:
    """Whether the ground is dark; the border decides with the whole, since a silhouette may fill the middle."""
    small = shrunk(grey, _SURVEY_SIDE)
    border = np.concatenate([small[0], small[-1], small[:, 0], small[:, -1]])
    return bool(np.median(small) < 0.4 and np.median(border) < 0.45)
