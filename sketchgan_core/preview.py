"""A quick look at a drawing: small, from what is kept of it, in the time a slider needs to move on."""

from __future__ import annotations

import numpy as np
import torch

from .generators.registry import Generator, LoadGenerator
from .materials.deposition import GRADES, deposit
from .materials.paper import paper as make_paper
from .materials.side import lay_side
from .planning.controls import Controls
from .planning.light import Light, read_light, weigh_lines
from .planning.plan import PLANES, STYLES, plan
from .scaling import fitted, side
from .sketcher import DEFAULT_MEDIUM, Medium, Subject
from .tiling import draw_tiled

PREVIEW_SIDE = 256  # px, of the square of the same area: some half a second of one core, two thirds at 288
SHOWN_SIDE = 640  # px that its load is laid on paper at, so that the grain is not enlarged with it


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
        self._load: tuple[Generator, Controls, int, str, str, np.ndarray] | None = None

    def draw(
        self, generator: Generator, controls: Controls, seed: int = 0, medium: Medium = DEFAULT_MEDIUM
    ) -> np.ndarray:
        """The preview (H, W) float32 of `size`, 0 black .. 1 white; controls are numbers."""
        asked = (generator, controls, seed, medium.grade, medium.style)
        if self._load is None or self._load[:-1] != asked:
            self._load = (*asked, self._laid(*asked))
        load = torch.from_numpy(fitted(self._load[-1], self.size))
        if not isinstance(generator, LoadGenerator):
            return (1 - load).numpy()
        sheet = torch.from_numpy(np.ascontiguousarray(make_paper(*self.size, medium.paper, seed)))
        sketch: np.ndarray = (1 - deposit(load, sheet, GRADES[medium.grade])).numpy()
        return sketch

    def _laid(self, generator: Generator, controls: Controls, seed: int, grade: str, style: str) -> np.ndarray:
        lines, light = self._lines, self._lit(controls)
        if not isinstance(generator, LoadGenerator):
            return (
                draw_tiled(generator, torch.from_numpy(1 - lines)[None], torch.ones((1, *lines.shape)))[0].cpu().numpy()
            )
        if light is not None and not self._subject.own_lines:
            lines = weigh_lines(lines, light)
        planned = plan(lines, controls, seed, light, STYLES[style])
        planes = planned.planes[[PLANES.index(name) for name in generator.config.planes]]
        load = draw_tiled(generator, planes, planned.reach)[0].cpu().numpy()
        take = planned.planes[PLANES.index("take")].numpy()
        return lay_side(load, take, planned.tone, planned.side_share, GRADES[grade])

    def _lit(self, controls: Controls) -> Light | None:
        if self._pixels is None:
            return None
        detail = float(np.mean(controls.detail))
        if self._light is None or self._light[0] != detail:
            self._light = detail, read_light(self._pixels, detail, self._subject.curve)
        return self._light[1]
