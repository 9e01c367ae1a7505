"""Line images from anything: clean drawings, scans and photographs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from ..devices import choose_device
from ..errors import SketchGANError
from ..images import to_lines, to_pixels
from ..scaling import shrunk
from .classic import classic_lines
from .drawing import Levels, clean_drawing
from .photo import photo_lines
from .reading import Kind, light_lines, read
from .screentone import without_screen
from .settings import LineSettings
from .thickness import change_thickness
from .tidy import tidy

LineMode = Literal["auto", "none", "photo", "drawing", "classic"]
MODES: tuple[str, ...] = get_args(LineMode)
DEFAULT = LineSettings()

MODE_OF: dict[Kind, LineMode] = {"picture": "photo", "drawing": "drawing", "lines": "none"}
_ROWS = 512  # drawn at once
# Lines set off by colour alone: they differ at most this much in lightness, and this many times as much in colour.
_EQUALLY_LIGHT, _MORE_COLOUR = 0.25, 2.5
_FEW = 0.99  # quantile of the pixels above which the lines lie


@dataclass(frozen=True)
class Measured:
    """What was judged from a whole picture, and is kept for all frames of an animation, so that nothing flickers.

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
    measured: what was judged from this picture, for the next frame's `like`.
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
    screentone: bool = True,
) -> PreparedLines:
    """Makes the line image a pencil draws from.

    Args:
        image: (H, W) or, in colour, (H, W, 3); float32 0 black .. 1 white, or uint8. `photo` sees edges between
            colours of equal grey as well; see `to_pixels`.
        mode: `none` takes it as it is; `drawing` cleans a drawing or a scan of one (white on black is inverted,
            the paper becomes white, faint lines become dark); `photo` finds the outlines in a photograph;
            `classic` is the original project's extractor; `auto` chooses among the first three.
        settings: see `LineSettings`.
        like: what this function returned for the first frame: mode, polarity and levels are taken from there instead of
            being judged anew.
        device: what `photo` computes on: auto, cpu, cuda, mps ...
        tile: px; the side of the pieces in which a large picture is processed, without changing the result; chosen if
            None.
        screentone: keep the dots of a print, from which `Sketcher` makes a tone; else they are left out of what `auto`
            or `drawing` takes for a drawing, unless its rules are kept.

    Raises:
        SketchGANError: unknown mode or device.
    """
    if mode not in MODES:
        raise SketchGANError(f"unknown line mode {mode!r}; choose one of {', '.join(MODES)}")
    grey, rows = to_lines(image), tile or _ROWS
    chosen: str
    if like is not None:
        chosen, reason, light = like.mode, like.reason, like.measured.light_lines
    elif mode == "auto":
        reading = read(_readable(image), settings.rules == "keep")
        chosen, reason, light = MODE_OF[reading.kind], reading.reason, reading.light_lines
    else:
        chosen, reason, light = mode, "as asked", settings.polarity == "auto" and light_lines(grey)
    if settings.polarity != "auto":
        light = settings.polarity == "light"
    levels: Levels | None = None
    if chosen in ("drawing", "none") and (coloured := _set_off_by_colour(image, grey)) is not None:
        grey, light, reason = coloured, False, f"{reason}; its lines are set off by their colour"
    lines, clean = grey, chosen in ("none", "classic")
    if chosen == "drawing":
        lines, levels = clean_drawing(grey, light, settings, like.measured.levels if like else None, rows)
        clean = levels.clean
    elif chosen == "photo":
        lines = photo_lines(_readable(image), settings, choose_device(device), rows)
    elif chosen == "classic":
        lines = classic_lines(grey, int(settings.classic_scale))
    if not screentone and settings.rules == "remove" and mode in ("auto", "drawing") and chosen != "photo":
        lines = without_screen(lines)
    lines = change_thickness(tidy(lines, settings, clean), settings.thickness)
    return PreparedLines(lines, chosen, reason, Measured(chosen, light, levels))


def _set_off_by_colour(image: np.ndarray, grey: np.ndarray) -> np.ndarray | None:
    """Dark lines on white (H, W) if the lines are as light as their ground, like yellow on white; else None."""
    if image.ndim != 3 or image.shape[-1] != 3:
        return None
    small = shrunk(to_pixels(image), 512)
    lightness = to_lines(small)
    ground = np.median(small.reshape(-1, 3), axis=0).astype(np.float32)
    lighter = float(np.quantile(np.abs(lightness - np.median(lightness)), _FEW))
    apart = float(np.quantile(np.abs(small - ground).max(-1), _FEW))
    if lighter > _EQUALLY_LIGHT or apart < _MORE_COLOUR * max(lighter, 0.02):
        return None
    lines: np.ndarray = 1 - np.abs(to_pixels(image) - ground).max(-1) / apart
    return lines.clip(0, 1)


def _readable(image: np.ndarray) -> np.ndarray:
    """The pixels (H, W) or (H, W, 3) of any image; 8-bit colour is left as it is, a quarter of the memory."""
    is_bytes = isinstance(image, np.ndarray) and image.dtype == np.uint8 and image.ndim == 3 and image.shape[-1] == 3
    return image if is_bytes else to_pixels(image)
