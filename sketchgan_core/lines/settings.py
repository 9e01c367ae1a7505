"""The settings of line extraction, with their units; importing them costs nothing."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from typing import Literal, get_args

from ..errors import SketchGANError, one_line

Polarity = Literal["auto", "dark", "light"]
POLARITIES: tuple[str, ...] = get_args(Polarity)
Rules = Literal["remove", "keep"]
RULES: tuple[str, ...] = get_args(Rules)


@dataclass(frozen=True)
class Setting:
    """A numeric setting, as every surface shows it.

    Attributes:
        low, high: what is accepted.
        shown: the range of a slider.
        step: of a slider.
        says: what it does, for a person.
    """

    low: float
    high: float
    shown: tuple[float, float]
    step: float
    says: str


SETTINGS = {
    "thickness": Setting(
        -64, 64, (-8, 8), 0.25, "Pixels added to the width of every line; negative makes lines thinner, 0 leaves them."
    ),
    "uniform_width": Setting(
        0, 64, (0, 16), 0.25,
        "Strokes every line anew from its middle, this many pixels wide; 0 leaves each its width.",
    ),
    "detail": Setting(
        0, 1, (0, 1), 0.05,
        "photo: how fine a structure becomes a line. drawing: how thin a stroke still counts.",
    ),
    "threshold": Setting(
        0, 1, (0, 1), 0.05, "How firm an edge of a photo, or how dark a stroke of a drawing, must be."
    ),
    "smoothing": Setting(
        0, 1, (0, 1), 0.05,
        "photo: how far strokes are smoothed along their flow. drawing: how much noise is averaged out.",
    ),
    "specks": Setting(
        0, 10_000, (0, 1000), 1,
        "Spots of less ink than this are removed, in square pixels of a 1024 pixel picture; 0 keeps all.",
    ),
    "minimum_length": Setting(
        0, 1024, (0, 256), 1, "Strokes shorter than this are removed, in pixels of a 1024 pixel picture; 0 keeps all."
    ),
    "close_gaps": Setting(
        0, 64, (0, 32), 0.5,
        "Bridges gaps up to this where two strokes end towards each other, in pixels of a 1024 pixel picture; "
        "0 bridges none.",
    ),
    "classic_scale": Setting(
        1, 4, (1, 4), 1,
        "classic: how many times it enlarges the picture first. The other modes do not use it.",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class LineSettings:
    """How lines are extracted and what is done to them afterwards; the defaults suit most pictures.

    Lengths "at 1024" are pixels of an image of 1024 x 1024 and grow with the image: they mean the same at every
    resolution. Thickness and width are plain pixels of the result.

    Attributes:
        thickness: px added to the width of every line, negative takes away; 0 leaves them unchanged, bit for bit.
        uniform_width: px; above 0 every line is stroked anew from its centre line at this width, before `thickness`.
        detail: 0..1; photo: how fine a structure becomes a line; drawing: how thin a stroke is told from the paper.
        threshold: 0..1; how firm an edge (photo) or how dark a stroke (drawing) must be.
        smoothing: 0..1; photo: how far strokes are smoothed along their flow; drawing: how much noise is averaged out.
        specks: square px at 1024; spots of less ink than this are removed, 0 keeps all.
        minimum_length: px at 1024; strokes shorter than this are removed, 0 keeps all.
        close_gaps: px at 1024; gaps up to this are bridged where two strokes end towards each other, 0 bridges none.
        polarity: dark lines on a light ground, light lines on a dark one, or judged from the picture (drawing, photo).
        rules: whether the printed rules and squares of the paper, and the desk around it, are left out (drawing).
        classic_scale: 1..4; how many times `classic` enlarges the picture first, as the original's slider did.

    Raises:
        SketchGANError: a value out of its range, named.
    """

    thickness: float = 0.0
    uniform_width: float = 0.0
    detail: float = 0.5
    threshold: float = 0.5
    smoothing: float = 0.5
    specks: float = 6.0
    minimum_length: float = 0.0
    close_gaps: float = 0.0
    polarity: Polarity = "auto"
    rules: Rules = "remove"
    classic_scale: int = 2

    def at(self, factor: float) -> LineSettings:
        """The same for an image at so many times its size."""
        return replace(self, thickness=self.thickness * factor, uniform_width=self.uniform_width * factor)

    def __post_init__(self) -> None:
        for field in fields(self):
            if field.name in ("polarity", "rules"):
                continue
            known, value = SETTINGS[field.name], getattr(self, field.name)
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            if not (is_number and math.isfinite(value) and known.low <= value <= known.high):
                told = f"{field.name} {one_line(repr(value))} is not in {known.low:g}..{known.high:g}"
                raise SketchGANError(f"{told}; give a number in there")
        if self.polarity not in POLARITIES:
            raise SketchGANError(
                f"unknown polarity {one_line(repr(self.polarity))}; choose one of {', '.join(POLARITIES)}"
            )
        if self.rules not in RULES:
            raise SketchGANError(f"unknown rules {one_line(repr(self.rules))}; choose one of {', '.join(RULES)}")
        if self.classic_scale != int(self.classic_scale):
            raise SketchGANError(f"classic_scale {self.classic_scale!r} is not whole; give 1, 2, 3 or 4")
