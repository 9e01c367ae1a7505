"""A quick look at a drawing: small, from what is kept of it, and fast enough to follow a slider."""

from __future__ import annotations

import numpy as np

from .generators.registry import Generator
from .planning.controls import Controls
from .planning.light import Light, read_light, weigh_lines
from .scaling import fitted, side
from .sketcher import DEFAULT_MEDIUM, Medium, Subject, draw_load, on_paper

PREVIEW_SIDE = 256  # px, of the square of the same area: about half a second on one core, two thirds at 288
SHOWN_SIDE = 640  # px at which its load is laid on paper, so that the grain is not enlarged with it


class Preview:
    """A small copy of a subject; it is read once and drawn whenever a control moves."""

    def __init__(self, subject: Subject) -> None:
        """Shrinks what was read, with firmer lines, so that none is lost."""
        height, width = subject.lines.shape
        factor = PREVIEW_SIDE / side(subject.lines.shape)
        small = (max(1, round(height * factor)), max(1, round(width * factor))) if factor < 1 else (height, width)
        shown = min(1.0, SHOWN_SIDE / side(subject.size))
        self.size = max(1, round(subject.size[0] * shown)), max(1, round(subject.size[1] * shown))
        firmer = max(1.0, factor**-0.5)
        self._lines = np.clip(1 - firmer * (1 - fitted(subject.lines, small)), 0, 1)
        self._pixels = None if subject.pixels is None else fitted(subject.pixels, small)
        self._subject = subject
        self._light: tuple[float, Light] | None = None
        self._load: tuple[tuple[Generator, Controls, int, str, str], np.ndarray] | None = None

    def draw(
        self, generator: Generator, controls: Controls, seed: int = 0, medium: Medium = DEFAULT_MEDIUM
    ) -> np.ndarray:
        """The preview (H, W) float32 of `size`, 0 black .. 1 white; controls are numbers."""
        # The load is the same on every paper.
        asked = (generator, controls, seed, medium.grade, medium.style)
        if self._load is None or self._load[0] != asked:
            lines, light = self._lines, self._lit(controls)
            if light is not None and not self._subject.own_lines:
                lines = weigh_lines(lines, light)
            self._load = asked, draw_load(generator, lines, controls, seed, medium, light)
        sketch: np.ndarray = on_paper(generator, self._load[1], self.size, seed, medium)
        return sketch

    def _lit(self, controls: Controls) -> Light | None:
        if self._pixels is None:
            return None
        detail = float(np.mean(controls.detail))
        if self._light is None or self._light[0] != detail:
            self._light = detail, read_light(self._pixels, detail, self._subject.curve, self._subject.moving)
        return self._light[1]
